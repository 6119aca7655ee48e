"""What a page shows beside the rank is what was known before the moment: tables drawn by hand."""

from __future__ import annotations

from datetime import datetime

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from serve.facts import write_facts
from serve.without import Gone, rows_of
from tests.serve.nights import MOMENTS, NEW, TEXTS, table

AS_OF = "2026-06-30T00:00:00"
LEAD = {"lead_id": TEXTS, "owner": TEXTS, "territory": TEXTS, "created_at": MOMENTS}
TOUCH = {
    "row_number": pa.int64(), "lead_id": TEXTS, "occurred_at": MOMENTS, "recorded_at": MOMENTS, "kind": TEXTS,
    "direction": TEXTS,
}  # fmt: skip
OUTCOME = {
    "row_number": pa.int64(), "lead_id": TEXTS, "stage": TEXTS, "occurred_at": MOMENTS,
    "recorded_at": MOMENTS,
}  # fmt: skip
LEADS = [("A", "Anna", "North", NEW), ("B", None, None, NEW), ("closed", "Bo", "South", NEW)]
TOUCHES = [
    (1, "A", "2026-06-01", "2026-06-01", "visit", "in"),
    (2, "A", "2026-06-29T23:59:59.999999", "2026-06-29T23:59:59.999999", "call", "out"),
    (3, "A", AS_OF, AS_OF, "at the moment", "in"),
    (4, "A", "2026-06-28", AS_OF, "recorded at the moment", "in"),
    (5, "A", "2026-06-02", "2026-06-02", "form", "in"),
    (6, "A", "2026-06-02", "2026-06-02", "later in the file", "in"),
    (7, "closed", "2026-06-02", "2026-06-02", "not ranked", "in"),
    (8, None, "2026-06-02", "2026-06-02", "nobody's", "in"),
]
OUTCOMES = [
    (1, "A", "mql", "2026-06-03", "2026-06-03"),
    (2, "A", "sql", "2026-06-03", "2026-06-03"),
    (3, "A", "won", AS_OF, AS_OF),
    (4, "B", "sql", "2026-06-05", AS_OF),
]


def written(folder, *, most=20, ranked=("B", "A"), **tables):
    places = range(1, len(ranked) + 1)
    ranking = pa.table({"rank": places, "lead_id": list(ranked), "owner": ["x"] * len(ranked)})
    pq.write_table(ranking, folder / "ranking.parquet")
    with duckdb.connect() as connection:
        for name, rows in tables.items():
            connection.register(name, rows)
        columns = {name: rows.column_names for name, rows in tables.items()}
        write_facts(connection, folder, as_of=AS_OF, tables=columns, most=most)
    return [pq.read_table(folder / f"{name}.parquet").to_pylist() for name in ("leads", "timeline")]


def full(folder, **options):
    return written(
        folder,
        leads=table(LEADS, **LEAD),
        touches=table(TOUCHES, **TOUCH),
        outcomes=table(OUTCOMES, **OUTCOME),
        **options,
    )


def test_a_lead_has_what_was_known_before_the_moment_in_the_order_of_the_ranking(tmp_path):
    leads, _ = full(tmp_path)
    assert [lead["lead_id"] for lead in leads] == ["B", "A"]
    b, a = leads
    assert (a["owner"], a["territory"], a["touches"], a["stage"]) == ("Anna", "North", 4, "sql")
    assert (a["last_touch_kind"], a["last_touch_direction"]) == ("call", "out")
    assert a["stage_at"] == datetime(2026, 6, 3)  # noqa: DTZ001  # as kept
    assert (b["owner"], b["touches"], b["stage"], b["last_touch_at"]) == (None, 0, "lead", None)
    assert (a["source"], a["account_id"]) == (None, None)  # the table does not have them


def test_the_latest_touch_without_a_direction_has_none(tmp_path):
    rows = [
        (1, "A", "2026-06-01", "2026-06-01", "visit", "in"),
        (2, "A", "2026-06-02", "2026-06-02", "call", None),
    ]
    leads, _ = written(tmp_path, leads=table(LEADS, **LEAD), touches=table(rows, **TOUCH))
    assert [(lead["last_touch_kind"], lead["last_touch_direction"]) for lead in leads] == [
        (None, None),
        ("call", None),
    ]


def test_the_timeline_is_the_same_however_many_slices_it_is_sorted_in(tmp_path, monkeypatch):
    _, whole = full(tmp_path)
    monkeypatch.setattr("serve.facts.SLICE_ENTRIES", 1)
    assert full(tmp_path)[1] == whole


def test_a_timeline_is_the_latest_touches_and_every_stage_newest_first(tmp_path):
    _, timeline = full(tmp_path, most=2)
    assert [(e["lead_id"], e["kind"], e["stage"]) for e in timeline] == [
        ("A", "call", None),
        ("A", None, "sql"),
        ("A", None, "mql"),
        ("A", "later in the file", None),
    ]


def test_touches_of_one_moment_stand_as_in_the_file_the_last_first(tmp_path):
    _, timeline = full(tmp_path)
    assert [e["kind"] for e in timeline if e["kind"]] == ["call", "later in the file", "form", "visit"]


def test_no_timeline_where_none_is_asked_for(tmp_path):
    leads, timeline = full(tmp_path, most=0)
    assert timeline == []
    assert len(leads) == 2


def test_one_table_without_any_date_has_facts_and_no_timeline(tmp_path):
    flat = table([("A", "Anna"), ("B", None)], lead_id=TEXTS, owner=TEXTS)
    leads, timeline = written(tmp_path, leads=flat)
    found = [(lead["owner"], lead["stage"], lead["touches"]) for lead in leads]
    assert found == [(None, None, None), ("Anna", None, None)]
    assert timeline == []


@pytest.mark.parametrize("file", ["leads", "timeline"])
def test_an_erased_lead_goes_from_both_files(tmp_path, file):
    full(tmp_path)
    path, target = tmp_path / f"{file}.parquet", tmp_path / "clean.parquet"
    assert rows_of(path, Gone(frozenset({"A"})), target) > 0
    left = pq.read_table(target).to_pylist()
    assert left == [row for row in pq.read_table(path).to_pylist() if row["lead_id"] != "A"]
