"""Titles of a request are judged without patterns, and as the load judges them."""

from __future__ import annotations

from itertools import product

import duckdb

from features.ingest.folding import words_sql
from features.ingest.title_words import DEPARTMENT, SENIORITY
from features.ingest.titles import (
    department_of_few_sql,
    department_sql,
    parts_of,
    seniority_of_few_sql,
    seniority_sql,
)

OPEN = ("{}", "{} x", "x {}", "x{}", "{}x")
HOSTILE = (
    "", " ", "\x00", "'; DROP TABLE titles; --", "%", "_", "(((", "\\p{L}*", "[1].name", "CEO" * 300,
    "🙂 CEO",
    "Assistent2 der", "Assistent der", "Assistenten der", "Assistent für der", "der Assistent",
    "İstanbul CEO",
    "demandeur d emploi", "demandeu  d'emploi", "Stellvertretende Leitung Geschäftsführer", "ΣΑΣ director",
    "Stellvertretender Geschäftsführer", "consejero delegado", "consejer1 delegado", "cafe\u0301 Owner",
)  # fmt: skip


def titles() -> list[str]:
    lines = [part for _, words in (*SENIORITY, *DEPARTMENT) for part in parts_of(words)]
    letters = ["", "e", "ñ", "9", " "]
    said = [part.replace(r"\p{L}*", letter).strip() for part, letter in product(lines, letters)]
    return sorted({*HOSTILE, *(form.format(word) for word, form in product(sorted({*said}), OPEN))})


def test_every_word_open_or_whole_and_hostile_titles_have_the_class_of_the_night() -> None:
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE titles AS SELECT unnest($1) AS title", [[*titles(), None]])
        made = f"SELECT title, {words_sql('title')} AS words FROM titles"  # noqa: S608  # our own SQL
        for of_few, of_many in (
            (seniority_of_few_sql, seniority_sql),
            (department_of_few_sql, department_sql),
        ):
            both = f"SELECT {of_few('words')} AS few, {of_many('words')} AS many FROM ({made})"  # noqa: S608
            other = f"SELECT count(*) FROM ({both}) WHERE few IS DISTINCT FROM many"  # noqa: S608
            assert connection.execute(other).fetchone() == (0,)
            found = connection.execute(f"SELECT DISTINCT few FROM ({both})").fetchall()  # noqa: S608
            assert len(found) > 8
