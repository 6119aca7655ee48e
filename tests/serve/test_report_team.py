"""The report on the team: desks tonight, results of two periods, and how fast the team was."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from serve.reporting.reading_team import team
from serve.runs import Run
from tests.serve.nights import TEXTS
from tests.serve.reports import leads, outcomes, reported, touches

ANN = ("2026-01-01", "N", "Ann", "fair")


def rep(report, owner):
    return next(row for row in report["reps"] if row["owner"] == owner)


def before(folder: Path, *names: str) -> Run:
    """A run that ranked these leads."""
    folder.mkdir()
    pq.write_table(pa.table({"lead_id": pa.array(names, TEXTS)}), folder / "ranking.parquet")
    return Run("before", folder, {})


def test_a_desk_holds_the_leads_of_its_owner_with_calls_and_movement(tmp_path):
    calls = pa.table(
        {
            "owner": ["Ann", "Ann", "Bob"],
            "territory": pa.array(["N", "N", None], TEXTS),
            "lead_id": list("abx"),
        }
    )
    pq.write_table(calls, tmp_path / "calls.parquet")
    moved = pa.table({"lead_id": ["a"], "change": [12.5]})
    pq.write_table(moved, tmp_path / "changes.parquet")
    drawn = leads(("a", *ANN), ("b", *ANN), ("c", *ANN), ("d", "2026-01-01", "S", "Ann", "fair"))
    run = reported(
        tmp_path, leads=drawn, outcomes=outcomes(), ranked={"a": 0.5, "b": 0.25, "d": 0.125},
        previous=before(tmp_path / "old", "a", "c", "gone"),
    )  # fmt: skip
    ann = rep(team(run, None), "Ann")
    assert [ann[name] for name in ("leads", "open", "calls", "expected_wins")] == [4, 3, 2, 0.875]
    assert [ann[name] for name in ("both", "new", "departed")] == [1, 2, 1]
    assert ann["expected_wins_change"] == 0.125
    assert rep(team(run, None), "Bob")["calls"] == 1  # a lead of the pool is on his list
    north = rep(team(run, frozenset("N")), "Ann")
    assert [north[name] for name in ("leads", "open", "new")] == [3, 2, 1]
    assert [row["owner"] for row in team(run, frozenset("S"))["reps"]] == ["Ann"]


def test_without_a_run_before_nothing_is_said_of_movement(tmp_path):
    run = reported(tmp_path, leads=leads(("a", *ANN)), outcomes=outcomes(), ranked={"a": 0.5})
    ann = rep(team(run, None), "Ann")
    assert [ann[name] for name in ("both", "new", "departed", "expected_wins_change")] == [None] * 4


@pytest.mark.parametrize(
    ("at", "last", "earlier"),
    [
        ("2026-06-29T23:59:59", 1, 0),
        ("2026-04-01", 1, 0),  # ninety days before tonight
        ("2026-03-31T23:59:59", 0, 1),
        ("2026-01-01", 0, 1),  # a hundred and eighty
        ("2025-12-31T23:59:59", 0, 0),
        ("2026-06-30", 0, 0),
    ],
)
@pytest.mark.parametrize(
    ("stage", "figure"),
    [("won", "won"), ("sql", "accepted"), ("returned_at_once", "returned_at_once"),
     ("returned_after_follow_up", "returned_after_follow_up")],
)  # fmt: skip
def test_a_result_counts_in_the_period_that_it_happened_in(tmp_path, stage, figure, at, last, earlier):
    drawn = leads(("a", "2025-01-01", "N", "Ann", "fair"))
    run = reported(tmp_path, leads=drawn, outcomes=outcomes(("a", stage, at), amounts=(("a", 7.0),)))
    ann = rep(team(run, None), "Ann")
    assert (ann["last"][figure], ann["before"][figure]) == (last, earlier)
    if stage == "won":
        assert (ann["last"]["amount_won"], ann["before"]["amount_won"]) == (
            7.0 if last else None, 7.0 if earlier else None,
        )  # fmt: skip


def test_a_lead_that_was_returned_is_still_one_that_was_accepted(tmp_path):
    moved = outcomes(
        ("a", "sql", "2026-06-01"), ("a", "returned_after_follow_up", "2026-06-10"),
        ("a", "sql", "2026-06-20"),
        ("b", "returned_at_once", "2026-06-02"), ("b", "returned_at_once", "2026-06-03"),
    )  # fmt: skip
    run = reported(tmp_path, leads=leads(("a", *ANN), ("b", *ANN)), outcomes=moved)
    last = rep(team(run, None), "Ann")["last"]
    assert [last[name] for name in ("accepted", "returned_after_follow_up", "returned_at_once")] == [1, 1, 1]


@pytest.mark.parametrize(
    ("touched", "known", "in_time", "judged", "waiting"),
    [
        ("2026-06-11", "2026-06-11", 1, 1, 0),  # twenty-four hours after, exactly
        ("2026-06-11T00:00:01", "2026-06-11T00:00:01", 0, 1, 0),
        ("2026-06-10", "2026-06-10", 1, 1, 0),  # with the stage itself
        ("2026-06-09T23:59:59", "2026-06-09T23:59:59", 0, 1, 0),  # before it
        ("2026-06-10", "2026-06-30", 0, 1, 0),  # recorded at the moment itself
    ],
)
def test_a_first_touch_is_in_time_within_so_many_hours(tmp_path, touched, known, in_time, judged, waiting):
    run = reported(
        tmp_path,
        leads=leads(("a", *ANN)),
        outcomes=outcomes(("a", "mql", "2026-06-10")),
        touches=touches(("a", "phone", "out", touched, known), ("a", "web", "in", "2026-06-10")),
    )
    last = rep(team(run, None), "Ann")["last"]
    assert (last["in_time"], last["started"] - last["waiting"], last["waiting"]) == (in_time, judged, waiting)
    assert last["in_time_share"]["value"] == in_time


@pytest.mark.parametrize(("became", "waiting"), [("2026-06-29", 1), ("2026-06-28T23:59:59", 0)])
def test_a_lead_whose_time_is_not_over_waits_and_is_not_judged(tmp_path, became, waiting):
    """What happens at the moment itself is not seen yet: whose time ends then is not late."""
    run = reported(
        tmp_path, leads=leads(("a", *ANN)), outcomes=outcomes(("a", "mql", became)), touches=touches()
    )
    last = rep(team(run, None), "Ann")["last"]
    assert (last["waiting"], last["in_time_share"] is None) == (waiting, waiting == 1)


def test_where_nobody_records_mql_the_clock_starts_at_the_creation(tmp_path):
    drawn = leads(("a", "2026-06-01", "N", "Ann", "fair"), ("b", "2026-06-01", "N", "Ann", "fair"))
    touched = touches(("a", "phone", "out", "2026-06-01T06:00"), ("b", "phone", "out", "2026-06-04"))
    run = reported(tmp_path, leads=drawn, outcomes=outcomes(), touches=touched)
    last = rep(team(run, None), "Ann")["last"]
    assert (last["in_time_share"]["value"], last["hours"]["q1"], last["hours"]["q3"]) == (0.5, 6.0, 72.0)
    run = reported(tmp_path, leads=drawn, outcomes=outcomes(), touches=touched, sla_hours=72.0)
    assert rep(team(run, None), "Ann")["last"]["in_time"] == 2


def test_touches_without_a_direction_tell_nothing_of_speed(tmp_path):
    untold = touches(("a", "phone", "out", "2026-06-01")).drop_columns(["direction"])
    run = reported(
        tmp_path, leads=leads(("a", *ANN)), outcomes=outcomes(("a", "mql", "2026-06-01")), touches=untold
    )
    last = rep(team(run, None), "Ann")["last"]
    assert (last["started"], last["in_time_share"], last["hours"]["median"]) == (0, None, None)


def test_the_total_is_the_sum_of_the_reps_and_of_the_territories(tmp_path):
    drawn = leads(
        ("a", "2026-06-01", "N", "Ann", "fair"), ("b", "2026-06-01", "S", "Bob", "fair"),
        ("c", "2026-06-01", "S", None, "fair"), ("d", "2026-06-01", None, "Ann", "fair"),
    )  # fmt: skip
    run = reported(tmp_path, leads=drawn, outcomes=outcomes(("b", "won", "2026-06-02")), ranked={"a": 0.5})
    report = team(run, None)
    assert report["total"]["leads"] == sum(row["leads"] for row in report["reps"]) == 4
    parts = [team(run, frozenset(name))["total"]["last"] for name in "NS"]
    both = team(run, frozenset("NS"))["total"]["last"]
    assert {name: parts[0][name] + parts[1][name] for name in ("created", "won")} == {
        name: both[name] for name in ("created", "won")
    }
    assert [row["owner"] for row in report["reps"]] == ["Ann", "Bob", None]
