"""What became of a lead beside the label, drawn on the boundaries of each window."""

from datetime import datetime, timedelta

import ibis
import pyarrow as pa
import pytest

from features.aims import Aim, amounts, answered

NIGHT = datetime(2026, 3, 1)  # noqa: DTZ001  # stamps are naive UTC inside an engine
KNOWN = NIGHT + timedelta(days=40)
SECOND = timedelta(seconds=1)


def at(days, extra=timedelta(0)):
    return NIGHT + timedelta(days=days) + extra


def asked_of_one_lead(aim, *, outcomes=(), touches=(), known_at=KNOWN, delay=0):
    """(asked, happened, known) of one snapshot; outcomes are (stage, occurred, recorded)."""
    stamp = pa.timestamp("us")
    tables = {
        "leads": ibis.memtable(pa.table({"lead_id": ["A"]})),
        "outcomes": ibis.memtable(
            pa.table(
                {
                    "lead_id": pa.array(["A"] * len(outcomes), pa.string()),
                    "stage": pa.array([o[0] for o in outcomes], pa.string()),
                    "occurred_at": pa.array([o[1] for o in outcomes], stamp),
                    "recorded_at": pa.array([o[2] for o in outcomes], stamp),
                }
            )
        ),
        "touches": ibis.memtable(
            pa.table(
                {
                    "lead_id": pa.array(["A"] * len(touches), pa.string()),
                    "direction": pa.array([t[0] for t in touches], pa.string()),
                    "occurred_at": pa.array([t[1] for t in touches], stamp),
                    "recorded_at": pa.array([t[1] for t in touches], stamp),
                }
            )
        ),
    }
    snapshots = ibis.memtable(pa.table({"snapshot_id": [0], "lead_id": ["A"], "as_of": [NIGHT]}))
    found = answered(snapshots, tables, [aim], known_at=known_at, reporting_delay_days=delay)
    row = ibis.duckdb.connect().to_pyarrow(found).to_pylist()[0]
    return row[aim.is_asked], row[aim.label], row[aim.is_mature]


SQL = Aim("sql-30d", "first_reached", 30, ("sql",))


@pytest.mark.parametrize(
    ("when", "known", "expected"),
    [
        (at(0), at(0), (True, 1.0, True)),
        (at(30, -SECOND), at(30), (True, 1.0, True)),
        (at(30), at(30), (True, 0.0, True)),
        (at(0, -SECOND), at(0, -SECOND), (False, 0.0, True)),  # there already, and known
        (at(0, -SECOND), at(0), (True, 0.0, True)),  # there already, but nobody knew yet
        (at(5), KNOWN, (True, 0.0, True)),  # recorded too late to count
    ],
)
def test_a_further_stage_counts_in_its_window_and_is_asked_of_leads_that_were_not_there(
    when, known, expected
):
    assert asked_of_one_lead(SQL, outcomes=[("sql", when, known)]) == expected


def test_a_horizon_is_asked_of_every_lead():
    aim = Aim("within-30d", "reached", 30, ("sql",))
    assert asked_of_one_lead(aim, outcomes=[("sql", at(-3), at(-3))]) == (True, 0.0, True)


def test_either_stage_of_a_hand_back_counts():
    aim = Aim("back", "first_reached", 30, ("returned_at_once", "returned_after_follow_up"))
    outcomes = [("mql", at(1), at(1)), ("returned_after_follow_up", at(2), at(2))]
    assert asked_of_one_lead(aim, outcomes=outcomes) == (True, 1.0, True)
    assert asked_of_one_lead(aim, outcomes=outcomes[:1]) == (True, 0.0, True)


@pytest.mark.parametrize(("known_at", "is_mature"), [(at(33), True), (at(33, -SECOND), False)])
def test_an_answer_is_known_when_window_and_delay_are_over(known_at, is_mature):
    assert asked_of_one_lead(SQL, known_at=known_at, delay=3)[2] == is_mature


COLD = Aim("cold-30d", "silent", 30)


@pytest.mark.parametrize(
    ("touches", "expected"),
    [
        ([("in", at(-30))], (True, 1.0, True)),
        ([("in", at(-30, -SECOND))], (False, 1.0, True)),  # silent for longer: it is cold already
        ([("in", at(-1)), ("in", at(0))], (True, 0.0, True)),
        ([("in", at(-1)), (None, at(30, -SECOND))], (True, 0.0, True)),
        ([("in", at(-1)), ("in", at(30))], (True, 1.0, True)),
        ([("in", at(-1)), ("out", at(5))], (True, 1.0, True)),  # our own call is not theirs
        ([("out", at(-1))], (False, 1.0, True)),
    ],
)
def test_a_lead_goes_cold_if_no_touch_of_its_own_follows_one_before(touches, expected):
    assert asked_of_one_lead(COLD, touches=touches) == expected


def test_what_a_lead_was_worth_is_the_sum_of_its_wins_in_the_window():
    wins = [(at(0), 5.0, "won"), (at(29), 7.0, "won"), (at(30), 90.0, "won"), (at(2), 400.0, "opportunity")]
    drawn = pa.table(
        {
            "lead_id": ["A"] * 4,
            "stage": [stage for _, _, stage in wins],
            "occurred_at": [when for when, _, _ in wins],
            "recorded_at": [when for when, _, _ in wins],
            "amount": [amount for _, amount, _ in wins],
        }
    )
    snapshots = ibis.memtable(pa.table({"snapshot_id": [0], "lead_id": ["A"], "as_of": [NIGHT]}))
    found = amounts(snapshots, ibis.memtable(drawn), stage="won", horizon_days=30, known_at=KNOWN)
    assert ibis.duckdb.connect().to_pyarrow(found).to_pylist() == [{"snapshot_id": 0, "amount": 12.0}]
