"""Tables as they were known: a fact at the moment itself, or recorded after it, is not there."""

from datetime import UTC, datetime

import ibis
import pyarrow as pa

from features.known import as_known

NIGHT = datetime(2026, 6, 30, tzinfo=UTC)


def moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(f"2026-06-{text}")


def kept(name: str, **columns: list) -> list[int]:
    """Which rows of a table are known."""
    moments = {
        key: pa.array([moment(text) for text in texts], pa.timestamp("us")) for key, texts in columns.items()
    }
    rows = len(next(iter(columns.values())))
    table = ibis.memtable(pa.table({"row": list(range(rows)), **moments}))
    return sorted(as_known({name: table}, NIGHT)[name].to_pyarrow()["row"].to_pylist())


def test_a_fact_at_the_moment_itself_is_not_known():
    happened = ["29T23:59:59.999999", "30T00:00", "30T00:00:00.000001"]
    assert kept("touches", occurred_at=happened, recorded_at=["29"] * 3) == [0]


def test_a_fact_that_was_recorded_later_is_not_known():
    assert kept("outcomes", occurred_at=["20", "20"], recorded_at=["30T00:00", "29T23:59"]) == [1]


def test_changes_and_links_have_moments_of_other_names():
    assert kept("field_history", changed_at=["29", "30"], recorded_at=["29", "30"]) == [0]
    assert kept("identities", linked_at=["29", "30"]) == [0]


def test_a_lead_whose_creation_is_unknown_stays():
    assert kept("leads", created_at=[None, "29", "30"]) == [0, 1]


def test_a_table_without_a_past_is_as_it_is():
    assert kept("accounts", founded_at=["30"]) == [0]
