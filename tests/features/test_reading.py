"""Which features a field of the lead goes into."""

from __future__ import annotations

from dataclasses import replace

import ibis
import pytest

from features.catalogue import Feature
from features.families import candidates
from features.reading import made_from
from features.tables import Field
from tests.features.drawn import drawn, install

LEADS = """
    lead_id | created_at       | source | interest | need | budget | size
    --------+------------------+--------+----------+------+--------+-----
    a       | 2026-01-01 00:00 | web    | one      | yes  | big    | 3
    b       | 2026-01-02 00:00 | fair   | two      |      |        |
"""
OUTCOMES = """
    lead_id | stage | occurred_at
    --------+-------+-----------------
    a       | won   | 2026-01-04 00:00
"""
FIELDS = {"leads": {name: Field("category", "static") for name in ("interest", "need", "budget", "size")}}


@pytest.fixture(scope="module")
def tables():
    return install(ibis.duckdb.connect(), leads=drawn(LEADS), outcomes=drawn(OUTCOMES))


@pytest.fixture(scope="module")
def features(tables):
    return candidates(tables, FIELDS).features


def peers_of(features, column):
    """The earlier rate of a field, as it is offered where a field has many values."""
    rate = next(feature for feature in features if feature.name == "earlier_rate[source]")
    return replace(rate, name=f"earlier_rate[{column}]", each=column)


def test_the_field_itself_and_the_earlier_rate_of_its_values_are_made_from_it(tables, features):
    every = [*features, peers_of(features, "interest"), peers_of(features, "size")]
    assert made_from("interest", every, tables, FIELDS) == {"interest", "earlier_rate[interest]"}


def test_what_is_known_of_need_is_made_from_need(tables, features):
    assert made_from("need", features, tables, FIELDS) == {"need", "bant_known"}
    assert made_from("size", features, tables, FIELDS) == {"size"}


def test_a_feature_of_ones_own_that_reads_the_field_is_found(tables, features):
    own = Feature(
        "short", "short", "ours", "number", "{value}", on="leads", compute=lambda lead: lead.interest.length()
    )
    other = replace(own, name="other", compute=lambda lead: lead.size.length())
    assert made_from("interest", [own, other, *features], tables, FIELDS) == {"interest", "short"}
