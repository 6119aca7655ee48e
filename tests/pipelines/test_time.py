"""What ``init`` proposes and ``train`` says about time."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from pipelines import init, told_time
from pipelines.params import load

FIRST = datetime(2020, 1, 1)  # noqa: DTZ001  # written as text


def write(folder, *, won_after=70, late=4.5, created="created_at"):
    """A hundred leads of 2020, won after so many days and recorded so late, and one of 2026."""
    leads, outcomes = [f"lead_id,{created}"], ["lead_id,stage,occurred_at,recorded_at"]
    for number in range(100):
        born = FIRST + timedelta(days=number)
        won = born + timedelta(days=won_after)
        leads.append(f"l{number},{born:%d.%m.%Y %H:%M}")
        recorded = won + timedelta(days=late)
        outcomes.append(f"l{number},won,{won:%d.%m.%Y %H:%M},{recorded:%d.%m.%Y %H:%M}")
    leads.append("young,01.01.2026 00:00")
    outcomes.append("young,mql,02.01.2026 00:00,02.01.2026 00:00")
    (folder / "leads.csv").write_text("\n".join(leads) + "\n")
    (folder / "outcomes.csv").write_text("\n".join(outcomes) + "\n")
    return [folder / "leads.csv", folder / "outcomes.csv"]


def test_init_proposes_the_horizon_and_the_delay_that_it_measured(tmp_path):
    path = init.run(write(tmp_path), folder=tmp_path, yes=True).path
    train, text = load(path).train, path.read_text()
    assert (train.horizon_days, train.reporting_delay_days) == (90, 5)
    assert "measured: 100% of 100 conversions took less" in text
    assert "measured: 99% of 100 outcomes were recorded within so many days" in text


@pytest.mark.parametrize("options", [{"created": "colour"}, {"won_after": -500}])
def test_without_a_measure_the_defaults_stand(tmp_path, options):
    path = init.run(write(tmp_path, late=0, **options), folder=tmp_path, yes=True).path
    assert (load(path).train.horizon_days, load(path).train.reporting_delay_days) == (90, 3)
    assert "measured" not in path.read_text()


SILENT = {"early": 0, "sampled": None, "cycle": None, "memory": None}
CYCLE = {"reporting_delay_days": 9, "outcomes": 1200, "declared_delay_days": 3}
MEMORY = {"remembered": 1500, "reconstructed": 20, "runs": 3, "damaged_runs": ["bad"]}


def test_where_there_is_nothing_to_say_of_time_nothing_is_said():
    assert list(told_time.lines(SILENT)) == []
    assert list(told_time.lines({**SILENT, "cycle": {**CYCLE, "is_delay_too_short": False}})) == []


def test_a_drawn_sample_is_told_with_what_it_was_drawn_from():
    (line,) = told_time.lines({**SILENT, "sampled": {"rows": 2_000_000, "of": 31_400_000}})
    assert line.startswith("drawn 2,000,000 of 31,400,000 snapshots (train.max_rows)")


def test_a_delay_that_is_too_short_is_told_with_both_figures():
    (line,) = told_time.lines({**SILENT, "cycle": {**CYCLE, "is_delay_too_short": True}})
    assert "up to 9 days late (99 % of 1,200)" in line
    assert "raise train.reporting_delay_days, now 3" in line


def test_the_memory_is_told_with_its_skew_and_its_damaged_runs():
    skew = {f"f{number:02d}": 0.5 for number in range(12)}
    lines = list(told_time.lines({**SILENT, "memory": {**MEMORY, "skew": skew}}))
    assert lines[0] == "1,500 rows come from the memory of 3 nights, 20 were reconstructed"
    assert "run bad" in lines[1]
    assert lines[2] == "skew: 'f00' is not what was scored in 50.0% of the remembered rows"
    assert lines[-1] == "skew: and 2 features more, see --json"
