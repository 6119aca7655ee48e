"""What a team's words mean where nobody said it: their names are read."""

from __future__ import annotations

import json

import ibis
import pytest

from features.touches import told
from features.vocabulary import Vocabulary, Word
from tests.features.drawn import drawn, fetched, install

KINDS = """
    Email Opened         | email_open  | contextual |  0.5
    newsletter_open      | email_open  | contextual |  0.5
    email-click          | email_click | contextual |  0.5
    EmailSent            | email_sent  | contextual |  0.5
    email_reply          | reply       | direct     |  1
    phone call           | call        | contextual |  0.5
    On-Site Appointment  | meeting     | direct     |  1
    WhitepaperDownload   | download    | contextual |  0.5
    DemoRequest          | form        | direct     |  1
    webinar              | event       | contextual |  0.5
    linkedin_like        | social      | contextual |  0.5
    Unsubscribed         | unsubscribe | negative   | -1
    page_view            | visit       | contextual |  0.5
    fax                  | other       |            |  0.25
"""
PLACES = """
    /pricing             |             | direct     |  1
    careers              |             | negative   |  1
    blog                 |             |            |  1
"""


@pytest.fixture(scope="module")
def duck():
    return ibis.duckdb.connect()


def cells(drawing):
    return [[cell.strip() or None for cell in line.split("|")] for line in drawing.strip().splitlines()]


@pytest.mark.parametrize(("name", "means", "says", "weight"), cells(KINDS))
def test_a_kind_is_read_from_its_name(name, means, says, weight):
    words = Vocabulary().knowing(kinds=[name], places=[])
    assert words.kinds == {name: Word(means, says, float(weight))}


@pytest.mark.parametrize(("name", "means", "says", "weight"), cells(PLACES))
def test_a_place_is_read_from_its_name(name, means, says, weight):
    words = Vocabulary().knowing(kinds=[], places=[name])
    assert words.places == {name: Word(means, says, float(weight))}


def test_what_the_team_said_is_kept_and_the_rest_is_read():
    told = Vocabulary(kinds={"webinar": Word(weight=0.0), "call": Word(says="direct")})
    words = told.knowing(kinds=["webinar", "call"], places=[]).kinds
    assert words == {"webinar": Word("event", "contextual", 0.0), "call": Word("call", "direct", 1.0)}


def test_a_name_that_sounds_like_something_may_be_said_to_say_nothing():
    silent = Word(says="nothing")
    told = Vocabulary(kinds={"demo_internal": silent}, places={"/careers": silent})
    words = told.knowing(kinds=["demo_internal"], places=["/careers"])
    assert words.kinds["demo_internal"] == Word("form", "nothing", 0.25)
    assert words.places["/careers"] == Word(None, "nothing", 1.0)
    assert words.knowing(kinds=[], places=[]) == words  # it is not read again


def test_what_says_nothing_is_neither_intent_nor_engagement_nor_against(duck):
    touches = drawn("""
        lead_id | kind          | place    | occurred_at
        --------+---------------+----------+-----------------
        a       | demo_internal | blog     | 2026-03-30 09:00
        a       | demo_internal | /pricing | 2026-03-30 09:00
        a       | demo          | /careers | 2026-03-30 09:00
    """)
    silent = Word(says="nothing")
    words = Vocabulary(kinds={"demo_internal": silent}, places={"/careers": silent}).knowing(
        kinds=["demo"], places=["/pricing"]
    )
    told_by = told(install(duck, touches=touches), words).order_by("row_number")
    assert fetched(duck, told_by)["says"] == [None, "direct", "direct"]


def test_a_word_that_only_the_team_has_is_there_too():
    assert Vocabulary(kinds={"Expo": Word()}).knowing(kinds=[], places=[]).kinds["Expo"].means == "other"


def test_a_vocabulary_comes_back_from_plain_data():
    words = Vocabulary(stage="sql", half_life_days=5.0).knowing(kinds=["call"], places=["pricing"])
    assert Vocabulary.from_json(json.loads(json.dumps(words.as_json()))) == words
