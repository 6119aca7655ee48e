"""Two rows with one key."""

from __future__ import annotations

from pathlib import Path

import pytest

from features.errors import InputError
from features.tables import Field, Source
from tests.features.ingested import Ingested


@pytest.fixture
def crm(tmp_path: Path) -> Ingested:
    return Ingested(tmp_path)


def counts(loaded: object, table: str = "leads") -> tuple[int, int, int, int]:
    found = loaded.counts[table]  # type: ignore[attr-defined]
    return found.read, found.accepted, found.quarantined, found.deduplicated


def test_equal_rows_of_one_key_leave_the_first(crm: Ingested) -> None:
    loaded = crm.load(content="lead_id,source\nL1,a\nL2,\nL1 , a\nL2,\nL3,c\n")
    assert counts(loaded) == (5, 3, 0, 2)
    assert crm.column("row_number") == [0, 1, 4]


def test_contradicting_rows_without_recorded_at_all_go(crm: Ingested) -> None:
    loaded = crm.load(content="lead_id,source\nL1,a\nL1,\nL2,b\nL1,a\n")
    assert counts(loaded) == (4, 1, 3, 0)
    assert crm.away == [(line, "lead_id", "conflicting_duplicate") for line in (2, 3, 5)]


def test_columns_that_nobody_declared_do_not_make_a_contradiction(crm: Ingested) -> None:
    assert counts(crm.load(content="lead_id,other\nL1,a\nL1,b\n")) == (2, 1, 0, 1)


def test_the_latest_recorded_outcome_wins(crm: Ingested) -> None:
    content = (
        "lead_id,stage,occurred_at,recorded_at,amount\n"
        "L1,won,2024-01-01,2024-01-03,30\n"
        "L1,won,2024-01-01,2024-01-05,50\n"
        "L1,won,2024-01-01,2024-01-05,50\n"
        "L1,won,2024-01-01,2024-01-04,40\n"
        "L1,lost,2024-01-01,2024-01-01,\n"
        "L1,won,2024-01-02,2024-01-03,60\n"
    )
    assert counts(crm.load("outcomes", content=content), "outcomes") == (6, 3, 0, 3)
    assert crm.column("amount", "outcomes") == [50, None, 60]


def test_outcomes_that_differ_but_were_recorded_together_all_go(crm: Ingested) -> None:
    content = (
        "lead_id,stage,occurred_at,amount\nL1,won,2024-01-01,1\nL1,won,2024-01-01,2\nL2,won,2024-01-01,3\n"
    )
    assert counts(crm.load("outcomes", content=content), "outcomes") == (3, 1, 2, 0)


def test_equal_touches_are_two_touches_unless_they_have_an_id(crm: Ingested) -> None:
    content = "lead_id,kind,occurred_at,touch_id\nL1,call,2024-01-01,7\nL1,call,2024-01-01,7\n"
    assert counts(crm.load("touches", content=content), "touches") == (2, 2, 0, 0)
    declared = crm.load("touches", fields={"touch_id": Field("category")})
    assert counts(declared, "touches") == (2, 1, 0, 1)


def test_rows_to_predict_all_stay(crm: Ingested) -> None:
    crm.write("leads.csv", "lead_id,source\nL1,a\nL1,b\nL1,a\n")
    loaded = crm.loads({"leads": Source(path="leads.csv")}, keep_duplicates_of=["leads"])
    assert counts(loaded) == (3, 3, 0, 0)
    assert crm.column("row_number") == [0, 1, 2]


def test_where_the_rows_to_predict_stay_the_duplicates_of_other_tables_still_go(crm: Ingested) -> None:
    crm.write("leads.csv", "lead_id,source\nL1,a\nL1,a\nL2,a\nL2,b\nL3,c\n")
    crm.write("rows.csv", "lead_id,as_of\nL1,2024-01-01\nL1,2024-01-01\n")
    sources = {name: Source(path=f"{name}.csv") for name in ("leads", "rows")}
    loaded = crm.loads(sources, keep_duplicates_of=["rows"])
    assert counts(loaded, "rows") == (2, 2, 0, 0)
    assert counts(loaded) == (5, 2, 2, 1)


def test_ids_that_differ_in_case_are_two_leads(crm: Ingested) -> None:
    assert counts(crm.load(content="lead_id,source\n001aB,x\n001Ab,y\n")) == (2, 2, 0, 0)


def test_a_table_without_a_usable_row_is_refused(crm: Ingested) -> None:
    error = crm.refused(content="lead_id,source\nL1,a\nL1,b\n")
    assert error.reason == "none of the 2 rows of file 'leads.csv' can be used: 'conflicting_duplicate'"


def test_flat_outcomes_are_won_lost_or_undecided(crm: Ingested) -> None:
    content = "bought,size\nYES,1\n1.0,2\n1,3\nno,4\n,5\nWon,6\n1.5,7\n"
    loaded = crm.load(content=content, outcome_column="bought", order_column="size")
    assert crm.column("outcome") == [1, 1, 1, 0, None, 1, 0]
    assert crm.column("order_value") == [1, 2, 3, 4, 5, 6, 7]
    assert crm.column("lead_id") == [f"row-{row}" for row in range(1, 8)]
    assert [(note.kind, note.count) for note in loaded.notes] == [("lost_values", 2)]


def test_a_column_may_give_the_order_and_a_field(crm: Ingested) -> None:
    crm.load(content="n,y\n3,1\n4,0\n", fields={"n": Field("number")}, outcome_column="y", order_column="n")
    assert crm.rows("SELECT n, order_value FROM leads ORDER BY 1") == [(3, 3), (4, 4)]


def test_generated_ids_count_the_rows_that_were_turned_away(crm: Ingested) -> None:
    crm.load(content="size,y\n1,1\nbad row\n3,0\n4,0\n", fields={"size": Field("number")}, outcome_column="y")
    assert crm.column("lead_id") == ["row-1", "row-3", "row-4"]


def test_rows_to_predict_need_neither_outcome_nor_id(crm: Ingested) -> None:
    crm.write("new.csv", "size\n1\n2\n")
    source = Source(path="new.csv", fields={"size": Field("number")})
    with pytest.raises(InputError, match="no column 'lead_id'"):
        crm.loads({"leads": source})
    crm.loads({"leads": source}, generate_ids=True)
    assert crm.column("lead_id") == ["row-1", "row-2"]


def test_touches_without_a_lead_get_the_one_of_their_contact(crm: Ingested) -> None:
    crm.write("contacts.csv", "contact_id,lead_id\nC1,L1\nC2,\n")
    crm.write(
        "touches.csv",
        "contact_id,kind,occurred_at\n" + "".join(f"C{n},call,2024-01-0{n}\n" for n in (1, 2, 3)),
    )
    sources = {"touches": Source(path="touches.csv"), "contacts": Source(path="contacts.csv")}
    loaded = crm.loads(sources)
    assert crm.column("lead_id", "touches") == ["L1", None, None]
    assert [(note.kind, note.count) for note in loaded.notes] == [("unlinked", 2)]
    crm.loads(sources, tables=["touches"])
    assert crm.column("lead_id", "touches") == [None] * 3
