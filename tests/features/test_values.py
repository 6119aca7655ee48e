"""The value that a lead is compared by, and the words of a text."""

from __future__ import annotations

import ibis
import pyarrow as pa
import pytest

from features.compared import MANY_VALUES, compared
from features.tables import Field
from features.values import by_word, with_value
from features.vocabulary import Vocabulary
from tests.features.drawn import drawn, fetched, install

TOUCHES = """
    lead_id | kind  | keyword | occurred_at      | recorded_at
    --------+-------+---------+------------------+-----------------
    a       | visit |         | 2026-01-01 00:00 |
    a       | visit | second  | 2026-01-03 00:00 |
    a       | visit | third   | 2026-01-04 00:00 |
    a       | visit | first   | 2026-01-02 00:00 | 2026-01-10 00:00
    b       | visit | one     | 2026-01-05 00:00 |
    b       | visit | other   | 2026-01-05 00:00 |
    c       | visit |         | 2026-01-01 00:00 |
"""
ASKED = """
    lead_id | as_of            | finds
    --------+------------------+-------
    a       | 2026-01-03 00:00 |
    a       | 2026-01-03 00:01 | second
    a       | 2026-01-10 00:00 | second
    a       | 2026-01-10 00:01 | first
    b       | 2026-01-05 00:00 |
    b       | 2026-01-06 00:00 | one
    c       | 2026-01-06 00:00 |
"""


def test_the_first_value_of_a_lead_is_the_first_one_known_at_the_moment(engine):
    tables = install(engine, touches=drawn(TOUCHES), asked=drawn(ASKED))
    rows = tables["asked"].select("lead_id", "as_of", "finds")
    found = fetched(engine, with_value(rows, tables, Vocabulary(), "first.keyword", at="as_of"))
    wanted = [finds for finds in drawn(ASKED)["finds"].to_pylist() if finds]
    assert sorted(found["value"]) == sorted(found["finds"]) == sorted(wanted)
    assert found["value"] == found["finds"]


TEXTS = {
    "CRM-Software, crm": {"crm", "software"},
    '+crm +"for sales"': {"crm", "for", "sales"},
    "/Produkt/Bäder?utm_term=[crm]": {"produkt", "bäder", "utm", "term", "crm"},
    "don't\\stop": {"don", "t", "stop"},
    " - ": set(),
}


@pytest.mark.parametrize("text", TEXTS)
def test_a_text_has_each_of_its_words_once(engine, text):
    tables = install(engine, texts=pa.table({"lead_id": ["a"], "value": [text]}))
    assert sorted(fetched(engine, by_word(tables["texts"]))["value"]) == sorted(TEXTS[text])


def leads_with(values):
    """Tables with one lead for each value of a field."""
    names = [f"lead{number}" for number in range(len(values))]
    return install(ibis.duckdb.connect(), leads=pa.table({"lead_id": names, "headline": values}))


WORDY = [f"head of {number}" for number in range(MANY_VALUES)]
STATIC, CURRENT = Field("category", time="static"), Field("category", time="current")


@pytest.mark.parametrize(
    ("values", "field", "peers", "words"),
    [
        ([*WORDY, "one more"], STATIC, ["headline"], ["headline"]),
        (WORDY, STATIC, [], []),  # not too many for a tree
        ([*WORDY, "one more"], CURRENT, [], []),
        ([*WORDY, "one more"], Field("number"), [], []),
        ([*WORDY[:15], *"abcdefghijklmno"], STATIC, ["headline"], []),  # half of them is one word
        ([*WORDY[:16], *"abcdefghijklmno"], STATIC, ["headline"], ["headline"]),
    ],
)
def test_a_text_is_a_lasting_category_with_many_values_most_of_several_words(values, field, peers, words):
    found = compared(leads_with(values), {"leads": {"headline": field}})
    assert found == {"peers": peers, "words": words}


@pytest.mark.parametrize("name", ["name", "full_name", "email", "notes", "street"])
def test_the_words_of_a_column_about_a_person_are_not_compared(name):
    tables = leads_with([*WORDY, "one more"])
    tables["leads"] = tables["leads"].rename({name: "headline"})
    assert compared(tables, {"leads": {name: STATIC}})["words"] == []


def test_the_first_values_of_touches_are_compared_where_there_are_many():
    searches = [*WORDY, "one more"]
    touches = pa.table({"lead_id": ["a"] * len(searches), "keyword": searches, "place": ["blog"] * 21})
    tables = {**leads_with(["x"]), **install(ibis.duckdb.connect(), touches=touches)}
    assert compared(tables, {}) == {"peers": ["first.keyword"], "words": ["first.keyword"]}
