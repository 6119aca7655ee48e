"""A file holds exactly what the page shows, and no text that a spreadsheet would run."""

from __future__ import annotations

import csv
import io
import zipfile

import pyarrow as pa
import pytest

from serve.views import export
from serve.views.asking import Asked
from serve.views.following import Following
from serve.views.scope import NOTHING, Scope
from tests.serve.published import publish

NORTH = Scope(frozenset({"North"}))
EVIL = [
    "=cmd|' /C calc'!A1",
    "+1",
    "-1+2",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    ";=1",
    "\uff1d1",
    'a,"b"\nc',
    "http://x",
]


@pytest.fixture
def index(tmp_path):
    leads = [
        {"lead_id": f"{n:02d}", "territory": "North", "company": text, "change": -1.5, "for_1": text}
        for n, text in enumerate(EVIL)
    ]
    foreign = {"lead_id": "foreign", "territory": "South", "company": "secret"}
    publish(tmp_path / "runs", [foreign, *leads], publish_columns={"company": pa.string()})
    following = Following(tmp_path / "runs", tmp_path / "pages")
    yield following.prepare()
    following.close()


def read(index, scope, asked=None):
    text = b"".join(export.csv(index, scope, asked or Asked())).decode()
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_a_file_has_the_leads_of_the_scope_by_their_places_there(index):
    rows = read(index, NORTH)
    assert [row["lead_id"] for row in rows] == [f"{n:02d}" for n in range(len(EVIL))]
    assert [row["place"] for row in rows] == [str(n + 1) for n in range(len(EVIL))]
    assert read(index, NOTHING) == []
    assert "secret" not in str(rows)


def test_a_file_has_every_lead_asked_for_whatever_page_is_shown(index):
    assert len(read(index, NORTH, Asked(offset=3, size=1))) == len(EVIL)
    assert [row["lead_id"] for row in read(index, NORTH, Asked(search="http"))] == ["09"]


def test_no_text_of_a_csv_is_a_formula_and_numbers_stay_numbers(index):
    rows = read(index, NORTH)
    for row, text in zip(rows, EVIL, strict=True):
        is_formula = text[0] in ";=+@\uff1d\t\r-"
        assert row["company"] == f"'{text}" if is_formula else text
        assert row["reasons_for"] == row["company"]
        assert row["change"] == "-1.5"


def test_no_cell_of_a_sheet_is_a_formula_or_a_link(index, tmp_path):
    file = tmp_path / "leads.xlsx"
    assert export.xlsx(index, NORTH, Asked(), file) == len(EVIL)
    with zipfile.ZipFile(file) as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
        assert "<f>" not in sheet
        assert "hyperlink" not in sheet
        assert sheet.count("calc") == 2  # as a text: the column and the reason
