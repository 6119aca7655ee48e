"""What the monitor expects of a list before its outcomes: from what, against what, and when it warns."""

from __future__ import annotations

from datetime import UTC, timedelta
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest

from models.estimating import estimates
from models.fitting.newton import logit, sigmoid
from models.recalibrating import Cells, Line, estimates_by
from serve.monitoring.estimated import EARLIER, OWN, PUBLISHED, EstimatedLimits, estimated
from serve.monitoring.realised import realised
from tests.serve.monitoring.lists import DELAY, FIRST, HORIZON, crm, listed, weeks_of_chance

TONIGHT = FIRST + timedelta(days=70)
CHANCES = np.round(np.random.default_rng(4).beta(0.9, 7, 1000).clip(0.002, 0.95), 6)


def tonight(folder, chances=CHANCES, **model):
    leads = [{"lead_id": f"t{n}", "probability": chance} for n, chance in enumerate(chances)]
    return listed(folder, TONIGHT, leads, model=model or None)


def past(folder, outcomes, at=TONIGHT):
    backend, tables = crm(outcomes)
    asked = {"stage": "won", "horizon_days": HORIZON, "delay_days": DELAY}
    return realised(backend, tables, folder, as_of=at.replace(tzinfo=UTC), **asked).tables


def with_later(outcomes, lead="t0"):
    """The outcomes and one more, some days after tonight: the tables are known until after it."""
    at = TONIGHT + timedelta(days=3)
    names = [pa.array([value]) for value in (lead, "won")]
    stamps = [pa.array([at], pa.timestamp("us"))] * 2
    return pa.concat_tables([outcomes, pa.table([*names, *stamps], schema=outcomes.schema)])


def trained(**figures):
    """A bundle whose training was tested so: each figure 0.02 to both sides."""
    metrics = {name: {"value": v, "low": v - 0.02, "high": v + 0.02} for name, v in figures.items()}
    return SimpleNamespace(target=SimpleNamespace(metrics={"n": 9, **metrics}))


def by_subject(part, name=""):
    return {figure.subject: figure for figure in part.figures if figure.slice == name}


def ways(part):
    return set(part.tables["estimated"].column("way").to_pylist())


def test_before_anything_has_matured_the_published_probabilities_speak(tmp_path):
    part = estimated(tonight(tmp_path), bundle=None, past={})
    expected = estimates(CHANCES)
    found = by_subject(part)
    assert set(found) == set(expected)
    for name, estimate in expected.items():
        assert found[name].value == pytest.approx(estimate.value)
        assert (found[name].low, found[name].high) == pytest.approx(estimate.interval())
    assert ways(part) == {PUBLISHED}
    assert {figure.level for figure in part.figures} == {"ok"}


def test_no_outcome_of_the_list_itself_is_looked_at(tmp_path):
    _, outcomes, _ = weeks_of_chance(tmp_path, lambda said: said, weeks=4)
    run = tonight(tmp_path)
    later = [with_later(outcomes, lead) for lead in ("t0", "t999")]
    values = [
        [figure.value for figure in estimated(run, bundle=None, past=past(tmp_path, each)).figures]
        for each in later
    ]
    assert values[0] == values[1]
    assert ways(estimated(run, bundle=None, past=past(tmp_path, later[0]))) == {EARLIER}


def test_what_matured_lists_showed_mends_the_estimate(tmp_path):
    def became(said):
        return sigmoid(0.5 * logit(said) - 1)

    _, outcomes, _ = weeks_of_chance(tmp_path, became, weeks=4)
    part = estimated(tonight(tmp_path), bundle=None, past=past(tmp_path, with_later(outcomes)))
    truth = estimates(became(CHANCES), said=CHANCES)["roc_auc"].value
    found = by_subject(part)["roc_auc"]
    assert found.value == pytest.approx(truth, abs=0.02)
    assert abs(estimates(CHANCES)["roc_auc"].value - truth) > 0.08  # as published it would be wrong
    assert found.high - found.low > 2 * 1.96 * estimates(became(CHANCES), said=CHANCES)["roc_auc"].error


def test_four_lists_of_the_same_leads_are_no_more_evidence_than_one(tmp_path):
    _, outcomes, _ = weeks_of_chance(tmp_path, lambda said: said, weeks=4)
    tables = past(tmp_path, with_later(outcomes))
    names = ("log_odds", "rows", "won")
    cells = Cells(*(tables["realised_cells"].column(name).to_numpy() for name in names))
    found = by_subject(estimated(tonight(tmp_path), bundle=None, past=tables))["roc_auc"]
    expected = estimates_by(Line.of(cells, times=4), CHANCES)["roc_auc"]
    assert (found.low, found.high) == pytest.approx(expected.interval())


def test_the_lists_of_the_own_model_come_first(tmp_path):
    _, outcomes, _ = weeks_of_chance(tmp_path, lambda said: said, weeks=4, model={"digest": "own"})
    tables = past(tmp_path, with_later(outcomes))
    assert ways(estimated(tonight(tmp_path, digest="own"), bundle=None, past=tables)) == {OWN}
    assert ways(estimated(tonight(tmp_path, digest="new"), bundle=None, past=tables)) == {EARLIER}
    few = EstimatedLimits(min_outcomes=100_000)
    assert ways(estimated(tonight(tmp_path), bundle=None, past=tables, limits=few)) == {PUBLISHED}


def test_it_says_by_how_much_earlier_lists_were_missed(tmp_path):
    _, outcomes, _ = weeks_of_chance(tmp_path, lambda said: said, weeks=4)
    tables = past(tmp_path, with_later(outcomes))
    part = estimated(tonight(tmp_path), bundle=None, past=tables)
    rows = [
        row for row in tables["realised"].to_pylist() if (row["slice"], row["measure"]) == ("", "roc_auc")
    ]
    missed = np.mean([abs(row["value"] - row["expected"]) for row in rows])
    told = {row["measure"]: row["missed"] for row in part.tables["estimated"].to_pylist()}
    assert told["roc_auc"] == pytest.approx(missed)


def test_leads_that_are_alike_are_a_fall_against_training_and_no_reason_to_train(tmp_path):
    alike = np.tile(CHANCES[(CHANCES > 0.05) & (CHANCES < 0.12)], 20)
    found = by_subject(estimated(tonight(tmp_path, alike), bundle=trained(roc_auc=0.8, lift_10=3.0), past={}))
    auc = found["roc_auc"]
    assert (auc.level, auc.reference, auc.against, auc.retrain) == ("alarm", "training", 0.8, False)
    assert auc.because.endswith("and was 0.800 in training")
    assert found["lift_10"].level == "alarm"
    assert found["brier"].level == "ok"  # the training's test has none here


@pytest.mark.parametrize(("above", "level"), [(-0.2, "ok"), (0.0, "ok"), (0.08, "warning"), (0.2, "alarm")])
def test_a_fall_is_a_warning_only_where_it_is_large_and_sure(tmp_path, above, level):
    chances = np.tile(CHANCES, 20)  # many leads: sure of itself
    auc = estimates(chances)["roc_auc"].value
    found = by_subject(estimated(tonight(tmp_path, chances), bundle=trained(roc_auc=auc + above), past={}))
    assert found["roc_auc"].level == level


def test_an_unsure_fall_is_no_warning(tmp_path):
    chances = CHANCES[:120]
    auc = estimates(chances)["roc_auc"].value
    found = by_subject(estimated(tonight(tmp_path, chances), bundle=trained(roc_auc=auc + 0.08), past={}))
    assert found["roc_auc"].level == "ok"


def test_nothing_is_estimated_of_a_hundred_leads_or_fewer_probabilities(tmp_path):
    enough, few = [0.1] * 100, [0.1] * 99
    assert estimated(tonight(tmp_path / "a", enough), bundle=None, past={}).figures
    assert not estimated(tonight(tmp_path / "b", few), bundle=None, past={}).figures
    withheld = estimated(tonight(tmp_path / "c", [*few, None]), bundle=None, past={})
    assert (withheld.figures, dict(withheld.tables)) == ((), {})
