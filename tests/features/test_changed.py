"""Which leads a fact has changed between two moments; a row on every boundary."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from features.catalogue import catalogue
from features.changed import changed
from features.families import full_catalogue
from features.vocabulary import Vocabulary
from tests.features.drawn import drawn, install

SINCE, UNTIL = (datetime(2026, 6, 30, hour, tzinfo=UTC) for hour in (0, 9))
LEADS = """
lead_id | account_id | created_at
--------+------------+-----------
A       | acme       | 2026-01-01
B       | acme       | 2026-01-01
C       | beta       | 2026-01-01
"""


@pytest.fixture(scope="module")
def backend():
    import ibis

    connection = ibis.duckdb.connect()
    yield connection
    connection.disconnect()


def on(rows, days):
    """A feature of the built-in ones that sees some rows in a window of so many days."""
    full_catalogue()
    return replace(next(feature for feature in catalogue if feature.on == rows), days=days)


def of(backend, *chosen, leads=LEADS, **tables):
    drawings = {"leads": drawn(leads), **{name: drawn(text) for name, text in tables.items()}}
    found = changed(install(backend, **drawings), chosen, Vocabulary(), since=SINCE, until=UNTIL)
    return sorted(found.to_pyarrow()["lead_id"].to_pylist())


def touch(at, recorded="", lead="A"):
    return f"""
lead_id | kind  | occurred_at | recorded_at
--------+-------+-------------+------------
{lead}  | visit | {at}        | {recorded}
"""


@pytest.mark.parametrize(
    ("at", "recorded", "is_new"),
    [
        ("2026-06-29T23:59:59.999999", "", False),
        ("2026-06-30T00:00", "", True),
        ("2026-06-30T08:59:59.999999", "", True),
        ("2026-06-30T09:00", "", False),
        ("2026-06-20", "2026-06-30T00:00", True),
        ("2026-06-20", "2026-06-29T23:59:59.999999", False),
        ("2026-06-30T08:00", "2026-06-30T09:00", False),
    ],
)
def test_a_touch_is_new_that_became_known_from_the_first_moment_to_before_the_second(
    backend, at, recorded, is_new
):
    assert of(backend, touches=touch(at, recorded)) == (["A"] if is_new else [])


@pytest.mark.parametrize(
    ("at", "has_left"),
    [
        ("2026-06-22T23:59:59.999999", False),
        ("2026-06-23T00:00", True),
        ("2026-06-23T08:59:59.999999", True),
        ("2026-06-23T09:00", False),
    ],
)
def test_a_fact_leaves_a_window_of_seven_days_that_reached_it_at_the_first_moment_only(backend, at, has_left):
    facts = touch(at)
    assert of(backend, on("touches", 7), touches=facts) == (["A"] if has_left else [])
    assert of(backend, on("touches", 30), touches=facts) == []
    assert of(backend, on("outcomes", 7), touches=facts) == []


def test_a_touch_that_nobody_knows_of_yet_leaves_no_window(backend):
    assert of(backend, on("touches", 7), touches=touch("2026-06-23T01:00", "2026-07-01")) == []


def test_outcomes_field_changes_links_and_creations_are_facts(backend):
    moment = "2026-06-30T03:00"
    assert of(backend, outcomes=f"lead_id | stage | occurred_at\n B | mql | {moment}") == ["B"]
    change = f"lead_id | field | changed_at | old_value | new_value\n C | size | {moment} | 1 | 2"
    assert of(backend, field_history=change) == ["C"]
    born = f"lead_id | account_id | created_at\n A | acme | 2026-01-01\n N | acme | {moment}"
    assert of(backend, leads=born) == ["N"]


def test_a_link_makes_the_visitors_earlier_touches_facts_of_the_lead(backend):
    import pyarrow as pa

    tables = install(
        backend,
        leads=drawn(LEADS),
        touches=drawn(
            "lead_id | visitor_id | kind | occurred_at | recorded_at\n | v1 | visit | 2026-06-01 | 2026-06-01"
        ),
        identities=pa.table(
            {
                "visitor_id": ["v1"],
                "lead_id": ["C"],
                "linked_at": pa.array([datetime(2026, 6, 30, 2)], pa.timestamp("us")),  # noqa: DTZ001
            }
        ),
    )
    found = changed(tables, (), Vocabulary(), since=SINCE, until=UNTIL)
    assert found.to_pyarrow()["lead_id"].to_pylist() == ["C"]


def test_colleagues_count_only_where_a_feature_sees_their_facts(backend):
    facts = touch("2026-06-30T03:00")
    assert of(backend, on("touches", 7), touches=facts) == ["A"]
    assert of(backend, on("account_touches", 7), touches=facts) == ["A", "B"]
    leaves = touch("2026-06-23T03:00")
    assert of(backend, on("account_touches", 7), touches=leaves) == ["A", "B"]
    assert of(backend, on("account_touches", 30), touches=leaves) == []


def test_a_touch_of_nobody_changes_nobody(backend):
    assert of(backend, touches=touch("2026-06-30T03:00", lead="")) == []
