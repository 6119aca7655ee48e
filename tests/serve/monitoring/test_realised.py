"""What the monitor says of lists whose outcomes are known: when it is silent, and when it is not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, timedelta

import numpy as np
import pyarrow.parquet as pq
import pytest

from models.fitting.newton import logit, sigmoid
from models.metrics import measure
from serve.monitoring.realised import RealisedLimits, realised
from tests.serve.monitoring.lists import DELAY, FIRST, HORIZON, crm, listed, weeks_of_chance, won_at

LIMITS = RealisedLimits()


def judged(folder, outcomes, end, limits=LIMITS):
    backend, tables = crm(outcomes)
    asked = {"stage": "won", "horizon_days": HORIZON, "delay_days": DELAY}
    return realised(backend, tables, folder, as_of=end.replace(tzinfo=UTC), limits=limits, **asked)


def by_subject(part, name=""):
    return {figure.subject: figure for figure in part.figures if figure.slice == name}


def as_said(chance):
    return chance


@pytest.fixture(scope="module")
def right(tmp_path_factory):
    """Three lists whose probabilities were right."""
    folder = tmp_path_factory.mktemp("right")
    runs, outcomes, end = weeks_of_chance(folder, as_said)
    return runs, outcomes, end, judged(folder, outcomes, end)


def test_lists_that_were_right_give_no_warning(right):
    *_, part = right
    assert {figure.level for figure in part.figures} == {"ok"}
    assert {figure.kind for figure in part.figures} == {"realised"}
    assert part.tables["realised_lists"].to_pylist() == [{"mature": 3, "immature": 0, "unreadable": 0}]


def test_a_figure_is_that_of_the_published_probabilities_and_what_became_of_the_leads(right):
    runs, outcomes, _, part = right
    won = set(outcomes.column("lead_id").to_pylist())
    aucs = []
    for week, run in enumerate(runs):
        rows = pq.read_table(run.folder / "ranking.parquet")
        label = np.array([lead in won for lead in rows.column("lead_id").to_pylist()], float)
        aucs.append(measure(label, rows.column("probability").to_numpy()).roc_auc)
        told = [
            row
            for row in part.tables["realised"].to_pylist()
            if (row["measure"], row["slice"], row["run_id"]) == ("roc_auc", "", run.run_id)
        ]
        assert [row["value"] for row in told] == [pytest.approx(aucs[week])]
        assert told[0]["outcomes"] == label.sum()
    assert by_subject(part)["roc_auc"].value == pytest.approx(np.mean(aucs))


def test_the_mean_of_lists_is_no_surer_than_one_list(right):
    *_, part = right
    told = [
        row
        for row in part.tables["realised"].to_pylist()
        if (row["measure"], row["slice"]) == ("roc_auc", "")
    ]
    figure = by_subject(part)["roc_auc"]
    assert figure.high - figure.low == pytest.approx(np.mean([row["high"] - row["low"] for row in told]))


def test_expected_and_actual_wins_of_each_week_lie_beside_each_other(right):
    *_, part = right
    told = [
        row for row in part.tables["realised"].to_pylist() if (row["measure"], row["slice"]) == ("wins", "")
    ]
    assert len(told) == 3
    for row in told:
        assert row["value"] == row["outcomes"]
        assert row["expected_low"] < row["value"] < row["expected_high"]
        reach = (row["expected_high"] - row["expected_low"]) / 2 / 1.96
        assert reach < np.sqrt(row["expected"])  # no wider than counts of a rate


def test_conversion_by_score_holds_every_lead_and_rises(right):
    *_, part = right
    bands = [row for row in part.tables["realised_bands"].to_pylist() if row["slice"] == ""]
    assert sum(row["rows"] for row in bands) == 3 * 2000
    first = [row for row in bands if row["run_id"] == bands[0]["run_id"]]
    assert [row["band"] for row in first] == list(range(1, 11))
    assert first[-1]["rate"] > 5 * first[0]["rate"]
    assert all(row["rate_low"] <= row["rate"] <= row["rate_high"] for row in first)
    assert first[-1]["expected"] == pytest.approx(first[-1]["rate"], abs=0.1)


def test_slices_are_judged_by_themselves(right):
    *_, part = right
    assert {figure.slice for figure in part.figures} == {
        "", "source=fair", "source=web", "age=new", "age=old",
    }  # fmt: skip
    fair, web = (by_subject(part, f"source={name}")["wins"] for name in ("fair", "web"))
    assert fair.rows + web.rows == 2000


def test_outcomes_that_no_longer_follow_the_probabilities_are_an_alarm_and_a_reason_to_train(tmp_path):
    _, outcomes, end = weeks_of_chance(tmp_path, lambda said: np.full_like(said, said.mean()))
    found = by_subject(judged(tmp_path, outcomes, end))
    auc = found["roc_auc"]
    assert (auc.level, auc.retrain, auc.reference) == ("alarm", True, "expected")
    assert auc.because.startswith(f"lists that have matured have a ROC-AUC of {auc.value:.3f}, and 0.7")
    assert auc.against - auc.value > 0.2
    assert found["calibration_slope"].level == "alarm"
    assert found["wins"].level == "ok"  # as many were won as was said


def test_too_high_probabilities_are_told_by_the_wins_and_not_by_the_order(tmp_path):
    _, outcomes, end = weeks_of_chance(tmp_path, lambda said: sigmoid(logit(said) - 0.5))
    found = by_subject(judged(tmp_path, outcomes, end))
    assert found["wins"].level == "warning"
    assert found["roc_auc"].level == "ok"


def test_a_better_order_than_expected_is_no_fall(tmp_path):
    _, outcomes, end = weeks_of_chance(tmp_path, lambda said: sigmoid(2 * logit(said) + 1.5))
    found = by_subject(judged(tmp_path, outcomes, end))
    assert found["roc_auc"].value > found["roc_auc"].against + 0.05
    assert found["roc_auc"].level == "ok"
    assert found["calibration_slope"].level == "alarm"  # but the probabilities are wrong


def test_only_the_latest_lists_are_judged_and_all_are_kept(tmp_path):
    _, outcomes, end = weeks_of_chance(tmp_path, as_said, weeks=5)
    part = judged(tmp_path, outcomes, end, replace(LIMITS, weeks=4, recent_weeks=2))
    rows = part.tables["realised"].to_pylist()
    lists = sorted({row["run_id"] for row in rows})
    assert len(lists) == 4
    assert {row["run_id"] for row in rows if row["slice"]} == set(lists[2:])
    values = [row["value"] for row in rows if (row["slice"], row["measure"]) == ("", "brier")]
    assert by_subject(part)["brier"].value == pytest.approx(np.mean(sorted(values, key=values.index)[2:]))


def test_months_are_means_of_their_lists(tmp_path):
    _, outcomes, end = weeks_of_chance(tmp_path, as_said, weeks=5)
    part = judged(tmp_path, outcomes, end)
    months = [row for row in part.tables["realised_months"].to_pylist() if row["measure"] == "roc_auc"]
    rows = [
        row
        for row in part.tables["realised"].to_pylist()
        if (row["measure"], row["slice"]) == ("roc_auc", "") and row["as_of"].startswith("2026-01")
    ]
    assert [row["as_of"][:7] for row in months] == ["2026-01", "2026-02"]
    assert months[0]["value"] == pytest.approx(np.mean([row["value"] for row in rows]))


def test_too_few_outcomes_are_not_judged(tmp_path):
    runs, outcomes, end = weeks_of_chance(tmp_path, as_said, rows=200)
    part = judged(tmp_path, outcomes, end)
    assert len(runs) == 3
    assert {figure.value for figure in part.figures} == {None}
    assert {figure.level for figure in part.figures} == {"ok"}
    assert all(row["rows"] <= 200 for row in part.tables["realised"].to_pylist())


@pytest.mark.parametrize(
    ("said", "won", "is_judged"), [(0.1001, 10, True), (0.1001, 60, True), (0.0999, 60, False)]
)
def test_wins_are_judged_where_so_many_were_expected_and_not_where_many_came_true(
    tmp_path, said, won, is_judged
):
    chances = np.linspace(1.5 * said, 0.5 * said, 300)  # 30.03 expected, or 29.97
    listed(tmp_path, FIRST, [{"lead_id": f"L{n}", "probability": float(p)} for n, p in enumerate(chances)])
    end = FIRST + timedelta(days=HORIZON + DELAY)
    outcomes = won_at({f"L{n}": FIRST + timedelta(days=10) for n in range(won)} | {"nobody": end})
    found = by_subject(judged(tmp_path, outcomes, end))
    assert found["wins"].value == (won if is_judged else None)
    assert (found["roc_auc"].value is None) is (won < 30)


def test_a_scorecards_list_is_judged_by_its_order_alone(tmp_path):
    _, outcomes, end = weeks_of_chance(tmp_path, as_said, score="points")
    found = by_subject(judged(tmp_path, outcomes, end))
    assert found["roc_auc"].value > 0.7
    assert (found["roc_auc"].against, found["roc_auc"].reference) == (None, "")
    assert not {"brier", "wins", "calibration_slope"} & set(found)


def test_leads_whose_probability_was_withheld_are_left_out(tmp_path):
    leads = [{"lead_id": f"a{n}", "probability": 0.5 if n % 2 else None} for n in range(200)]
    listed(tmp_path, FIRST, leads)
    end = FIRST + timedelta(days=HORIZON + DELAY)
    outcomes = won_at({f"a{n}": FIRST for n in range(100)} | {"nobody": end})
    found = by_subject(judged(tmp_path, outcomes, end))
    assert (found["wins"].rows, found["wins"].value, found["wins"].against) == (100, 50, 50)


def test_tables_that_end_before_the_moment_make_nothing_mature(tmp_path):
    _, outcomes, end = weeks_of_chance(tmp_path, as_said, weeks=1)
    kept = outcomes.slice(0, outcomes.num_rows - 1)  # the latest fact is twenty days before the window's end
    part = judged(tmp_path, kept, end)
    assert part.figures == ()
    assert part.tables["realised_lists"].to_pylist() == [{"mature": 0, "immature": 1, "unreadable": 0}]


def test_a_flat_start_has_nothing_to_mature(tmp_path):
    asked = {"stage": "won", "horizon_days": HORIZON, "delay_days": DELAY}
    part = realised(None, {"leads": None}, tmp_path, as_of=FIRST.replace(tzinfo=UTC), **asked)
    assert (part.figures, dict(part.tables)) == ((), {})


def test_a_damaged_list_is_left_out_and_told_and_the_others_are_judged(tmp_path):
    runs, outcomes, end = weeks_of_chance(tmp_path, as_said)
    file = runs[0].folder / "ranking.parquet"
    file.write_bytes(file.read_bytes()[:500])
    part = judged(tmp_path, outcomes, end)
    assert part.tables["realised_lists"].to_pylist() == [{"mature": 3, "immature": 0, "unreadable": 1}]
    told = by_subject(part)["unreadable"]
    assert (told.value, told.level, told.retrain) == (1.0, "warning", False)
    assert {row["run_id"] for row in part.tables["realised"].to_pylist()} == {r.run_id for r in runs[1:]}
