"""What was said of leads becomes rows of outcomes: from when it was said on, once, and without slips."""

from __future__ import annotations

from datetime import UTC, datetime

import duckdb
import pyarrow as pa
import pytest

from features.ingest.said import FEEDBACK, ROWS, add_said

UNTIL = datetime(2026, 1, 31, tzinfo=UTC)


def moment(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-01-{text}")


def table(rows) -> pa.Table:
    return pa.table({
        "lead_id": pa.array([lead for lead, *_ in rows], pa.string()),
        "stage": pa.array([stage for _, stage, *_ in rows], pa.string()),
        "said_at": pa.array([moment(at) for _, _, at, *_ in rows], pa.timestamp("us")),
    })  # fmt: skip


def added(said, *, own=(), until=UNTIL):
    """What of ``said`` is in the outcomes beside ``own`` (lead, stage, occurred[, recorded]); the counts."""
    with duckdb.connect() as crm:
        crm.execute("CREATE TABLE leads AS SELECT unnest(['a', 'b']) AS lead_id")
        crm.execute(
            "CREATE TABLE outcomes (lead_id VARCHAR, stage VARCHAR, occurred_at TIMESTAMP,"
            " recorded_at TIMESTAMP, amount DOUBLE, row_number BIGINT)"
        )
        for number, (lead, stage, at, *known) in enumerate((("b", "mql", "01"), *own)):
            row = [lead, stage, moment(at), moment((known or [at])[0]), 7.0, number]
            crm.execute("INSERT INTO outcomes VALUES (?, ?, ?, ?, ?, ?)", row)
        counts, sums = add_said(crm, table(said), until=until)
        found = crm.execute(
            "SELECT lead_id, stage, strftime(occurred_at, '%d'), recorded_at = occurred_at, amount "  # noqa: S608
            f"FROM outcomes SEMI JOIN {ROWS} USING (row_number) ORDER BY row_number"
        ).fetchall()
        assert crm.execute("SELECT count(*) FROM outcomes").fetchone() == (1 + len(own) + len(found),)
        assert crm.execute("SELECT count(DISTINCT row_number) = count(*) FROM outcomes").fetchone() == (True,)
        assert crm.table(FEEDBACK).shape[0] == counts.read - counts.erased
        left = {name for (name,) in crm.execute("SHOW TABLES").fetchall()}
        assert left == {"leads", "outcomes", FEEDBACK, ROWS}
    assert {row[3:] for row in found} <= {(True, None)}  # known when it was said, without an amount
    return [row[:3] for row in found], counts, sums


def stages(said, **of):
    return [f"{stage} {day}" for _, stage, day in added(said, **of)[0]]


def test_a_stage_counts_from_the_moment_at_which_it_was_said():
    found, counts, _ = added([("a", "accepted", "10T09:30"), ("b", "won", "11")])
    assert found == [("a", "accepted", "10"), ("b", "won", "11")]
    assert (counts.read, counts.accepted, counts.deduplicated, counts.erased) == (2, 2, 0, 0)


def test_a_lead_that_is_not_there_has_no_say_and_is_counted():
    _, counts, sums = added([("gone", "won", "10")])
    assert (counts.read, counts.accepted, counts.erased) == (1, 0, 1)
    assert sums is None  # as if nobody had said anything: the digest of the data stays


@pytest.mark.parametrize("occurred", ["08", "10", "12"])
def test_what_the_crm_has_of_the_same_stage_is_the_crms(occurred):
    assert stages([("a", "won", "10")], own=[("a", "won", occurred)]) == []


def test_another_lead_or_another_stage_of_the_crm_takes_nothing_away():
    own = [("b", "won", "10"), ("a", "mql", "10")]
    assert stages([("a", "won", "10")], own=own) == ["won 10"]


@pytest.mark.parametrize(("recorded", "expected"), [("30T23:59:59", []), ("31", ["won 10"])])
def test_a_row_of_the_crm_that_was_not_known_yet_takes_nothing_away(recorded, expected):
    assert stages([("a", "won", "10")], own=[("a", "won", "09", recorded)]) == expected


def test_the_same_stage_later_is_a_new_one_if_another_lay_between():
    own = [("a", "returned_at_once", "02"), ("a", "sql", "05")]
    assert stages([("a", "returned_at_once", "09")], own=own) == ["returned_at_once 09"]
    assert stages([("a", "returned_at_once", "09")], own=own[:1]) == []


def test_a_plain_return_of_the_crm_is_the_return_that_was_said():
    assert stages([("a", "returned_at_once", "10")], own=[("a", "returned", "11")]) == []


def test_what_two_people_say_is_said_once_and_first():
    said = [("a", "worked", "10"), ("a", "worked", "12"), ("a", "lost", "13"), ("a", "lost", "20")]
    assert stages(said) == ["worked 10", "lost 13"]
    assert stages(said, own=[("a", "lost", "25")]) == ["worked 10"]


@pytest.mark.parametrize(
    ("second", "expected"),
    [("11T08:59:59", ["worked 11"]), ("11T09:00", ["won 10", "worked 11"])],  # within a day, or not
)
def test_a_closing_that_is_corrected_within_a_day_was_a_slip(second, expected):
    assert stages([("a", "won", "10T09:00"), ("a", "worked", second)]) == expected


def test_only_a_closing_can_be_a_slip_and_only_by_what_is_said_of_the_same_lead():
    assert stages([("a", "accepted", "10"), ("a", "worked", "10T12:00")]) == ["accepted 10", "worked 10"]
    assert stages([("a", "won", "10"), ("b", "worked", "10T12:00")]) == ["won 10", "worked 10"]
    assert stages([("a", "won", "10"), ("a", "won", "10T12:00")]) == ["won 10"]


def test_the_digest_follows_what_was_said():
    first = added([("a", "worked", "10")])[2]
    assert first == added([("a", "worked", "10")])[2]
    for other in ([("a", "worked", "11")], [("b", "worked", "10")], [("a", "worked", "10")] * 2):
        assert added(other)[2] != first
