"""What init thinks a file is: drawn as small files whose right reading a sales person could tell."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.errors import InputError, ParameterError
from features.propose import TableProposal, Wishes, look, propose
from features.propose.dialect import read_dialect


def write(folder: Path, name: str, text: str, encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


def flat(path: Path, outcome: str = "won", **wishes: object) -> TableProposal:
    (leads,) = propose([look(path, outcome=outcome)], Wishes(outcome=outcome, **wishes))  # type: ignore[arg-type]
    return leads


def column(folder: Path, name: str, values: list[str], **wishes: object) -> TableProposal:
    """A flat file of 100 rows whose column repeats the given values."""
    rows = [f"a{n};{n % 2};{values[n % len(values)]}" for n in range(100)]
    return flat(write(folder, "leads.csv", "\n".join([f"lead_id;won;{name}", *rows]) + "\n"), **wishes)


def field(table: TableProposal, name: str) -> tuple[str, str] | str:
    """Kind and time of a field, or why it is left out."""
    found = next(f for f in table.fields if f.name == name)
    return (found.field.kind, found.field.time) if found.field else found.why


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_the_separator_is_the_mark_outside_quotes(tmp_path: Path, mark: str):
    header = mark.join(['"a,;|\tb,,;;||\t\t"', "c", "d"])
    dialect = read_dialect(write(tmp_path, "x.csv", f"{header}\n1{mark}2{mark}3\n"))
    assert (dialect.separator, dialect.headers[1:]) == (mark, ("c", "d"))


@pytest.mark.parametrize(
    ("encoding", "proposed", "is_sure"),
    [
        ("utf-8", "utf-8", True),
        ("utf-8-sig", "utf-8", True),
        ("utf-16", "utf-16", True),
        ("cp1251", "cp1251", False),
    ],
)
def test_the_encoding_is_told_or_suggested(tmp_path: Path, encoding: str, proposed: str, is_sure: bool):  # noqa: FBT001
    cities = ["Москва", "Санкт-Петербург", "Новосибирск", "Екатеринбург", "Нижний", "Казань", "Челябинск"]
    text = "won,город\n" + "".join(f"{n % 2},{cities[n % 7]}\n" for n in range(70))
    path = write(tmp_path, "leads.csv", text, encoding)
    dialect = read_dialect(path)
    assert (dialect.encoding, dialect.is_sure) == (proposed, is_sure)
    assert dialect.headers == ("won", "город")
    table = flat(path)
    assert field(table, "город") == ("category", None)
    assert ("encoding" in table.notes) is not is_sure


def test_one_broken_line_does_not_make_a_utf8_file_another_encoding(tmp_path: Path):
    path = tmp_path / "leads.csv"
    path.write_bytes("name,won\nGrün,1\nBlau,0\nWeiß,1\n".encode() + "Größe,0\n".encode("cp1252"))
    assert read_dialect(path).encoding == "utf-8"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("\ufeff \n", "is empty"),
        ("a,b\n", "no data rows"),
        ("a,,b\n1,2,3\n", "no name"),
        ("id,ID\n1,2\n", "repeats"),
    ],
)
def test_a_file_that_is_no_table_is_refused(tmp_path: Path, text: str, message: str):
    with pytest.raises(InputError, match=message):
        look(write(tmp_path, "leads.csv", text))


def test_a_million_columns_are_refused(tmp_path: Path):
    path = write(tmp_path, "leads.csv", ",".join(f"column_{n}" for n in range(1_000_000)) + "\n1\n")
    with pytest.raises(InputError, match="header"):
        look(path)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["Yes", "No"], "flag"),
        (["true", "FALSE"], "flag"),
        (["0", "1"], "number"),
        (["yes", "no", "unknown"], "category"),
        (["red", "blue"], "category"),
        (["3", "-1", "7e2", ".5"], "number"),
        (["3", "four", "5"], "category"),
        (["2026-01-31", "2026-02-28 12:00:00", "2026-02-28T12:00:00+01:00"], "timestamp"),
    ],
)
def test_a_column_has_the_kind_a_person_would_choose(tmp_path: Path, values: list[str], kind: str):
    assert field(column(tmp_path, "plan", values), "plan") == (kind, None)


@pytest.mark.parametrize(
    ("name", "values", "why"),
    [
        ("plan", [""], "empty"),
        ("plan", ["same"], "the same value"),
        (
            "notes",
            [f"a note that goes on and on about what somebody said once {n}" for n in range(9)],
            "free text",
        ),
        ("notes", [f"text {n}" for n in range(60)], "too many different values"),
        ("ticket id", [str(3 * n % 100) for n in range(100)], "an id"),
        ("First Name", ["Ann", "Bob"], "personal"),
        ("gender", ["f", "m"], "personal"),
        ("date_of_birth", ["1980-01-01", "1990-01-01"], "personal"),
        ("E-Mail", [f"a{n}@b.c" for n in range(20)], "a way to reach"),
        ("Owner", ["Ann", "Bob"], "who works the lead"),
        ("sales_agent", ["Ann", "Bob"], "who works the lead"),
    ],
)
def test_a_column_that_is_nothing_to_learn_from_is_left_out(
    tmp_path: Path, name: str, values: list[str], why: str
):
    proposals = {f.name: f for f in column(tmp_path, name, values).fields}
    if name != "Owner":  # the contract's own column, which is never a field
        ours = "email" if name == "E-Mail" else name  # mapped to the contract's name
        assert proposals[ours].field is None
        assert why in proposals[ours].why
    else:
        assert "owner" not in proposals


def test_a_choice_about_mail_is_not_an_address(tmp_path: Path):
    assert field(column(tmp_path, "Do Not Email", ["Yes", "No"]), "Do Not Email") == ("flag", None)


@pytest.mark.parametrize("name", ["Last Activity", "Lead Status", "Closed Date", "Tags", "last_modified"])
def test_a_name_that_says_change_is_current(tmp_path: Path, name: str):
    assert field(column(tmp_path, name, ["a", "b", "c"]), name) == ("category", "current")


@pytest.mark.parametrize("name", ["Marital Status", "blast", "lasting", "Open Source Tools"])
def test_a_name_that_only_looks_like_change_says_nothing_of_time(tmp_path: Path, name: str):
    assert field(column(tmp_path, name, ["a", "b", "c"]), name) == ("category", None)


@pytest.mark.parametrize("name", ["Lead Origin", "Lead Source", "channel", "utm_medium"])
def test_a_name_that_says_where_a_lead_came_from_is_static(tmp_path: Path, name: str):
    assert field(column(tmp_path, name, ["a", "b", "c"]), name) == ("category", "static")


def test_a_column_filled_in_after_the_outcome_is_left_out(tmp_path: Path):
    rows = [f"{n % 2},{'paid' if n % 2 else ''},{'x' if n % 3 else ''}" for n in range(200)]
    table = flat(write(tmp_path, "leads.csv", "\n".join(["won,invoice,plan", *rows])))
    assert "filled in after the outcome" in field(table, "invoice")
    assert field(table, "plan") == ("category", None)


@pytest.mark.parametrize(
    ("values", "pattern", "is_asked"),
    [
        (["31.01.2026", "01.02.2026"], "%d.%m.%Y", False),
        (["01.02.2026"], "%d.%m.%Y", False),
        (["13/01/2026", "01/02/2026"], "%d/%m/%Y", False),
        (["01/13/2026", "01/02/2026"], "%m/%d/%Y", False),
        (["12/01/2026", "01/12/2026"], "%d/%m/%Y", True),
        (["13/01/2026", "01/13/2026"], "%d/%m/%Y", True),
        (["1/31/26 4:05 PM", "1/2/26 11:05 AM"], "%m/%d/%y %I:%M %p", False),
        (["31-01-2026 16:05:59"], "%d-%m-%Y %H:%M:%S", False),
        (["2026-01-31"], "iso", False),
        (["1767225600"], "unix_seconds", False),
        (["1767225600000"], "unix_milliseconds", False),
    ],
)
def test_the_date_format_follows_the_evidence(
    tmp_path: Path,
    values: list[str],
    pattern: str,
    is_asked: bool,  # noqa: FBT001
):
    table = column(tmp_path, "created_at", values)
    assert table.source.timestamp_format == pattern
    assert ("timestamp_format" in table.notes) is is_asked


def test_the_answer_about_the_first_of_february_is_followed(tmp_path: Path):
    table = column(tmp_path, "created_at", ["01/02/2026"], is_day_first=False)
    assert (table.source.timestamp_format, table.notes.get("timestamp_format")) == ("%m/%d/%Y", None)


@pytest.mark.parametrize(
    ("values", "decimal", "thousands", "is_asked"),
    [
        (["1.5", "2"], ".", None, False),
        (["1,5", "2"], ",", None, False),
        (["1.234,50", "2"], ",", ".", False),
        (["1,234.50", "2"], ".", ",", False),
        (["1,234", "2"], ".", ",", True),
    ],
)
def test_decimal_and_thousands_marks_are_told_apart(
    tmp_path: Path,
    values: list[str],
    decimal: str,
    thousands: str | None,
    is_asked: bool,  # noqa: FBT001
):
    table = column(tmp_path, "amount", values)
    assert (table.source.decimal, table.source.thousands) == (decimal, thousands)
    assert field(table, "amount") == ("number", None)
    assert ("decimal" in table.notes) is is_asked


def test_null_tokens_are_proposed_where_they_can_only_be_that(tmp_path: Path):
    assert column(tmp_path, "plan", ["NULL", "a", "b"]).source.null_tokens == ("NULL",)
    assert column(tmp_path, "size", ["-", "1", "2"]).source.null_tokens == ("-",)
    assert column(tmp_path, "region", ["NA", "EU"]).source.null_tokens == ()  # North America


@pytest.mark.parametrize(
    ("values", "won", "undecided", "is_asked"),
    [
        (["0", "1"], ("1",), (), False),
        (["1.0", "0.0"], ("1.0",), (), False),
        (["no", "Yes"], ("Yes",), (), False),
        (["Closed Won", "Closed Lost", "Open"], ("Closed Won",), ("Open",), True),
        (["Converted", "Warm", "Cold"], ("Converted",), (), True),
        (["lost", "lost", "signed"], ("signed",), (), True),
    ],
)
def test_won_values_are_recognised(
    tmp_path: Path,
    values: list[str],
    won: tuple[str, ...],
    undecided: tuple[str, ...],
    is_asked: bool,  # noqa: FBT001
):
    rows = [f"{values[n % len(values)]},{n % 7}" for n in range(99)]
    table = flat(write(tmp_path, "x.csv", "\n".join(["result,size", *rows])), outcome="result")
    assert (table.source.won_values, table.source.null_tokens) == (won, undecided)
    assert ("won_values" in table.notes) is is_asked


def test_an_outcome_with_many_values_is_refused_without_showing_one(tmp_path: Path):
    path = write(tmp_path, "leads.csv", "\n".join(["won", *(f"secret{n}" for n in range(50))]))
    with pytest.raises(InputError, match="50 different values") as caught:
        flat(path)
    assert "secret" not in str(caught.value)


def test_the_id_is_the_column_that_is_called_so_and_differs_in_every_row(tmp_path: Path):
    rows = [f"p{n},{900 - n},{n % 5},{n % 2}" for n in range(50)]
    table = flat(write(tmp_path, "export.csv", "\n".join(["Prospect ID,Lead Number,Batch ID,won", *rows])))
    assert table.source.mapping == {"lead_id": "Prospect ID"}
    assert table.source.order_column == "Lead Number"
    assert field(table, "Batch ID") == ("number", None)


def test_without_an_id_or_an_order_the_file_itself_gives_both(tmp_path: Path):
    table = flat(write(tmp_path, "leads.csv", "won,plan\n1,a\n0,b\n0,a\n"))
    assert (table.source.mapping, table.source.order_column) == ({}, None)
    assert "row-1" in table.notes["lead_id"]
    assert "order of the file" in table.notes["order_column"]


CRM = {
    "leads.csv": """
        lead_id,created_at,source,country,owner,account_id,Plan,employees,status
        1,2026-01-01,web,DE,ann,a1,gold,5,new
        2,2026-01-02,fair,FR,bob,a1,free,7,open
        3,2026-01-03,web,DE,ann,a2,free,9,new
    """,
    "crm_touches.csv": """
        lead_id,occurred_at,kind,colour
        1,2026-01-05 10:00:00,call,red
    """,
    "outcomes.csv": """
        lead_id,stage,occurred_at
        1,won,2026-02-01
    """,
    "lead_history.csv": """
        lead_id,field,changed_at,old_value,new_value
        1,Plan,2026-01-09,free,gold
    """,
    "companies.csv": """
        account_id,name,industry,employees
        a1,Acme,steel,500
        a2,Bolt,steel,20
    """,
}


def crm(folder: Path, *names: str) -> dict[str, TableProposal]:
    texts = ("\n".join(line.strip() for line in CRM[name].strip().splitlines()) + "\n" for name in names)
    files = [look(write(folder, name, text)) for name, text in zip(names, texts, strict=True)]
    return {table.name: table for table in propose(files, Wishes())}


def test_canonical_tables_are_taken_as_they_are(tmp_path: Path):
    tables = crm(tmp_path, *CRM)
    assert list(tables) == ["leads", "touches", "outcomes", "accounts", "field_history"]
    assert all(table.source.mapping == {} for table in tables.values())
    leads = tables["leads"]
    assert {name: field(leads, name) for name in ("source", "country", "Plan", "employees", "status")} == {
        "source": ("category", "static"),
        "country": ("category", "static"),
        "Plan": ("category", "tracked"),
        "employees": ("number", None),
        "status": ("category", "current"),
    }
    assert {"lead_id", "created_at", "owner", "account_id"}.isdisjoint(leads.source.fields)
    assert tables["touches"].source.fields == {}
    assert field(tables["accounts"], "employees") == ("number", None)


def test_without_an_outcome_the_candidates_are_named(tmp_path: Path):
    with pytest.raises(
        ParameterError, match=r"nothing says which leads were won.*columns with two values: .*'source'"
    ):
        crm(tmp_path, "leads.csv")


def test_a_misspelt_outcome_gets_the_nearest_name(tmp_path: Path):
    path = write(tmp_path, "leads.csv", "Converted,a\n1,2\n")
    with pytest.raises(ParameterError, match="did you mean --outcome 'Converted'"):
        flat(path, outcome="Convertd")


def test_two_files_for_one_table_are_refused(tmp_path: Path):
    files = [look(write(tmp_path, name, "lead_id,x\n1,2\n")) for name in ("leads_2025.csv", "leads_2026.csv")]
    with pytest.raises(InputError, match="both look like the table 'leads'"):
        propose(files, Wishes())


def test_a_bare_id_is_the_tables_own(tmp_path: Path):
    files = [
        look(write(tmp_path, "leads.csv", "id,plan\n1,a\n2,b\n")),
        look(write(tmp_path, "touches.csv", "id,lead,occurred_at,kind\n9,1,2026-01-01,call\n")),
        look(write(tmp_path, "outcomes.csv", "lead_id,stage,occurred_at\n1,won,2026-01-01\n")),
    ]
    with pytest.raises(InputError, match="'touches' but has no 'lead_id'"):
        propose(files, Wishes())


def test_another_header_of_the_id_is_shared_by_the_tables(tmp_path: Path):
    files = [
        look(write(tmp_path, "cases.csv", "Case ID,plan\n1,a\n2,b\n")),
        look(
            write(
                tmp_path, "events.csv", "Case ID,timestamp,activity\n1,2026-01-01,call\n1,2026-01-02,call\n"
            )
        ),
        look(write(tmp_path, "deals.csv", "Case ID,status,date\n1,won,2026-01-01\n")),
    ]
    leads, touches, outcomes = propose(files, Wishes())
    assert leads.source.mapping == {"lead_id": "Case ID"}
    assert touches.source.mapping == {"lead_id": "Case ID", "occurred_at": "timestamp", "kind": "activity"}
    assert outcomes.source.mapping == {"lead_id": "Case ID", "stage": "status", "occurred_at": "date"}


def test_parquet_declares_its_own_types(tmp_path: Path):
    table = pa.table({
        "lead_id": ["a", "b", "c"], "won": [True, False, True], "size": [1.5, None, 3.0],
        "seen": pa.array([0, 1, 2], pa.timestamp("us")), "plan": ["x", "x", "y"],
    })  # fmt: skip
    pq.write_table(table, tmp_path / "leads.parquet")
    leads = flat(tmp_path / "leads.parquet")
    assert (leads.source.format, leads.source.won_values) == ("parquet", ("true",))
    assert [field(leads, name) for name in ("size", "seen", "plan")] == [
        ("number", None), ("timestamp", None), ("category", None),
    ]  # fmt: skip


def test_rows_that_do_not_parse_do_not_stop_the_look(tmp_path: Path):
    path = write(tmp_path, "leads.csv", 'won,plan\n1,a\n0,"b\nc"\n1,d,too,many\n0\n1,e\n')
    assert look(path).rows >= 3
