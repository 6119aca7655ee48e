"""init maps personal columns by header and look, and never proposes them as fields."""

from __future__ import annotations

from pathlib import Path

import pytest

from features.propose import TableProposal, Wishes, look, propose
from features.tables import PERSONAL
from pipelines.presets import PRESETS

ROWS = 40
EMAILS = [f"p{row}@acme.de" for row in range(ROWS)]
PHONES = [f"+49 30 90{row:04}" for row in range(ROWS)]
TEXTS = [f"Text {row}" for row in range(ROWS)]


def leads(folder: Path, header: str, values: list[str]) -> TableProposal:
    rows = [f"a{row};{row % 2};{value}" for row, value in enumerate(values)]
    path = folder / "leads.csv"
    path.write_text("\n".join([f"lead_id;won;{header}", *rows]) + "\n", encoding="utf-8")
    (table,) = propose([look(path, outcome="won")], Wishes(outcome="won"))
    return table


@pytest.mark.parametrize(("header", "column", "values"), [
    ("E-Mail", "email", EMAILS),
    ("EmailAddress", "email", EMAILS),
    ("Электронная почта", "email", EMAILS),
    ("邮箱", "email", EMAILS),
    ("Telefon", "phone", PHONES),
    ("Phone Number", "phone", PHONES),
    ("电话", "phone", PHONES),
    ("JobTitle", "title", TEXTS),
    ("Position", "title", TEXTS),
    ("Должность", "title", TEXTS),
    ("Firma", "company", TEXTS),
    ("Company Name", "company", TEXTS),
    ("公司", "company", TEXTS),
    ("Homepage", "website", TEXTS),
])  # fmt: skip
def test_a_personal_column_is_mapped_and_is_no_field(
    tmp_path: Path, header: str, column: str, values: list[str]
) -> None:
    table = leads(tmp_path, header, values)
    assert table.source.mapping == {column: header}
    assert table.source.fields == {}


@pytest.mark.parametrize(("header", "values"), [
    ("Position", [str(row % 20) for row in range(ROWS)]),  # a place in a list, not a title
    ("Telefon", ["ja", "nein"] * 20),
    ("Mail", ["often", "never"] * 20),
    ("Organisation", ["yes", "no"] * 20),
])  # fmt: skip
def test_a_header_alone_does_not_make_a_column_personal(
    tmp_path: Path, header: str, values: list[str]
) -> None:
    table = leads(tmp_path, header, values)
    assert table.source.mapping == {}
    assert header in table.source.fields


def test_addresses_are_no_category_under_any_header(tmp_path: Path) -> None:
    assert leads(tmp_path, "contact", ["a@acme.de", "b@acme.de"] * 20).source.fields == {}


@pytest.mark.parametrize("crm", PRESETS)
def test_each_crm_has_a_header_for_each_personal_column(crm: str) -> None:
    # HubSpot and Marketo keep a name in two columns: nothing is made of it, so nobody misses it.
    assert set(PERSONAL["leads"]) - set(PRESETS[crm]["leads"]) <= {"name"}
