"""A CSV in which no text is a formula, whatever people typed into the CRM."""

from __future__ import annotations

import csv

import duckdb
import pytest

from serve.spreadsheet import write_csv

HOSTILE = ["=1+1", "+1", "-1", "@sum", ";x", "\tx", "\rx", "\uff1d1"]  # ASVS 1.2.10, and the full-width sign


@pytest.mark.parametrize("text", HOSTILE)
def test_a_text_that_begins_like_a_formula_gets_an_apostrophe(tmp_path, text):
    relation = duckdb.sql("SELECT $text AS note, 'a=1' AS harmless, -5 AS number", params={"text": text})
    write_csv(relation, tmp_path / "out.csv")
    with (tmp_path / "out.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    assert rows == [["note", "harmless", "number"], [f"'{text}", "a=1", "-5"]]


def test_an_empty_cell_stays_empty(tmp_path):
    write_csv(duckdb.sql("SELECT NULL::VARCHAR AS note, 1 AS one"), tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_text() == "note,one\n,1\n"


def test_rows_keep_the_order_of_the_relation(tmp_path):
    relation = duckdb.sql("SELECT i AS n FROM range(300000) AS t(i) ORDER BY hash(i)")
    write_csv(relation, tmp_path / "out.csv")
    written = [int(line) for line in (tmp_path / "out.csv").read_text().split()[1:]]
    assert written == [n for (n,) in relation.fetchall()]
