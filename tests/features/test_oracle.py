"""The features against a slow loop over plain rows, written from the manual and not from the code."""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, datetime, timedelta

import ibis
import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from features.labels import first_reached, labelled
from features.snapshots import open_only, past_nights, tonight
from tests.features.drawn import fetched, install
from tests.features.oracle.engines import built, differences, every, one_of_each
from tests.features.oracle.expected import expected
from tests.features.oracle.fit import read
from tests.features.oracle.follow_up import is_open
from tests.features.oracle.world import Seen, World
from tests.features.random_history import DAY, TICK, TONIGHT, WORDS, arrow, history, stacked

SEEDS = st.integers(0, 2**31)
few = {"deadline": None, "derandomize": True, "phases": [Phase.generate]}
"""A smaller seed is no simpler history, so nothing is shrunk."""


@pytest.fixture(scope="module")
def duck():
    return ibis.duckdb.connect()


def test_the_oracle_knows_every_feature_that_is_offered_and_no_other():
    world = World(history(0), WORDS)
    assert set(expected(Seen(world, "lead000", TONIGHT))) == {feature.name for feature in every()}


@settings(max_examples=2, **few)
@given(seeds=st.lists(SEEDS, min_size=3, max_size=3, unique=True))
def test_every_feature_of_random_histories_is_what_a_slow_loop_says(duck, seeds):
    tables = stacked([history(seed) for seed in seeds])
    got, world = built(duck, tables), World(tables, WORDS)
    for place, snapshot in enumerate(tables["snapshots"]):
        for name, value in expected(Seen(world, snapshot["lead_id"], snapshot["as_of"])).items():
            found = got[name][place]
            if isinstance(value, float | int):
                assert found == pytest.approx(value, abs=1e-6), (name, snapshot)
            else:
                assert found == value, (name, snapshot)


def test_random_histories_have_something_to_say_of_every_feature():
    """A feature that is the same for everybody would be right by accident."""
    tables = stacked([history(seed) for seed in range(3)])
    world = World(tables, WORDS)
    told = [expected(Seen(world, asked["lead_id"], asked["as_of"])) for asked in tables["snapshots"]]
    assert [name for name in told[0] if len({values[name] for values in told}) < 2] == []


@pytest.mark.slow
def test_a_feature_does_not_depend_on_which_others_are_asked_for(duck):
    tables = history(3, leads=15)
    together = built(duck, tables)
    alone = [[feature] for feature in every() if feature.name in ALONE]
    assert len(alone) == len(ALONE)
    for chosen in (every()[::2], every()[1::2], *alone):
        for name, column in built(duck, tables, chosen).items():
            assert column == together[name], (name, len(chosen))


ALONE = (
    "longest_gap_days_90d", "touches_30d", "status", "last_touch_kind", "active_colleagues_30d",
    "top_place_90d", "place_share[blog]", "answers_90d", "distinct_kinds_30d", "first_response_days",
    "earlier_rate[source]", "owner_open_leads", "last[score]",
)  # fmt: skip


def worlds_of(table, number):
    """The columns of each of the worlds that were stacked: equal if and only if the worlds gave the same."""
    size = len(table["lead_id"]) // number
    own = {
        name: [re.sub(r"^\d+/", "", value) if isinstance(value, str) else value for value in column]
        for name, column in table.items()
        if name != "snapshot_id"
    }
    return [
        {name: column[at : at + size] for name, column in own.items()} for at in range(0, number * size, size)
    ]


def test_the_order_of_rows_changes_nothing(duck):
    random = np.random.default_rng(0)
    tables = stacked([history(4, leads=15)] * 5)
    facts = [name for name in tables if name != "snapshots"]
    tables |= {name: [tables[name][at] for at in random.permutation(len(tables[name]))] for name in facts}
    first, *others = worlds_of(built(duck, tables), 5)
    assert all(other == first for other in others)


@settings(max_examples=1, **few)
@given(seeds=st.lists(SEEDS, min_size=8, max_size=8, unique=True))
def test_what_is_recorded_later_changes_nothing(duck, seeds):
    """Forget all that is recorded at the moment or later, or learn other things then: all is the same."""
    futures = zip(*(with_other_futures(seed) for seed in seeds), strict=True)
    as_it_is, forgotten, replaced = (built(duck, stacked(worlds)) for worlds in futures)
    for name, column in as_it_is.items():
        assert forgotten[name] == column, name
        assert replaced[name] == column, name


MOMENTS = {
    "touches": ("occurred_at", "recorded_at"),
    "outcomes": ("occurred_at", "recorded_at"),
    "identities": ("linked_at",),
    "leads": ("created_at",),
    "field_history": ("changed_at", "recorded_at"),
}


def is_later(table, row):
    """Whether a row was known at ``TONIGHT`` only, or after it."""
    return any(row[name] is not None and row[name] >= TONIGHT for name in MOMENTS[table])


def with_other_futures(seed):
    """A history, the same without its future after ``TONIGHT``, and with the future of another one."""
    tables, other = history(seed, leads=12, touches=6), history(seed + 1, leads=12, touches=6)
    there = {lead["lead_id"] for lead in tables["leads"] if not is_later("leads", lead)}
    asked = [s for s in tables["snapshots"] if s["as_of"] == TONIGHT and s["lead_id"] in there]
    tables["snapshots"] = asked
    forgotten, replaced = dict(tables), dict(tables)
    for name in ("touches", "outcomes", "identities", "leads"):
        before = [row for row in tables[name] if not is_later(name, row)]
        after = [{**row, "row_number": -1 - row["row_number"]} for row in other[name] if is_later(name, row)]
        if name == "leads":
            after = [{**row, "lead_id": f"another {row['lead_id']}"} for row in after]
        forgotten[name], replaced[name] = before, [*after, *before]
    forgotten["leads"], forgotten["field_history"] = as_it_was(forgotten["leads"], tables["field_history"])
    return tables, forgotten, replaced


def as_it_was(leads, changes):
    """Leads and field history as they stood before ``TONIGHT``: later changes are undone in the leads."""
    later = [change for change in changes if is_later("field_history", change)]
    rows = {row["lead_id"]: dict(row) for row in leads}
    for row in rows.values():
        if row["deleted_at"] is not None and row["deleted_at"] >= TONIGHT:
            row["deleted_at"] = None
    for change in sorted(later, key=lambda change: change["changed_at"], reverse=True):
        if change["lead_id"] in rows:
            rows[change["lead_id"]][change["field"]] = read(change["field"], change["old_value"])
    return list(rows.values()), [change for change in changes if change not in later]


@pytest.mark.slow  # forty seconds; test_history.py compares a drawn history on every run
@pytest.mark.spark
def test_spark_gives_what_duckdb_gives(duck, spark):
    tables, chosen = history(5, leads=20), one_of_each()
    assert {feature.on for feature in chosen} == {feature.on for feature in every()}
    assert differences(built(duck, tables, chosen), built(ibis.pyspark.connect(spark), tables, chosen)) == []


def outcomes_of(tables, lead):
    """Outcomes of one lead."""
    return [outcome for outcome in tables["outcomes"] if outcome["lead_id"] == lead["lead_id"]]


@pytest.mark.parametrize("seed", range(5))
def test_who_is_open_on_which_night_is_what_a_slow_loop_says(duck, seed):
    tables = history(seed, leads=60)
    held = install(duck, **arrow({name: tables[name] for name in ("leads", "outcomes")}))
    nights = [TONIGHT - timedelta(days=days) for days in (0, 1, 7, 45, 90)]
    expected_pairs = {
        (lead["lead_id"], night)
        for lead in tables["leads"]
        for night in nights
        if is_open(lead, outcomes_of(tables, lead), night)
    }
    moments = [night.replace(tzinfo=UTC) for night in nights]
    past = fetched(duck, past_nights(held["leads"], held["outcomes"], moments, max_per_lead=99))
    assert set(zip(past["lead_id"], past["as_of"], strict=True)) == expected_pairs
    assert len(past["lead_id"]) == len(expected_pairs)
    now = fetched(duck, tonight(held["leads"], held["outcomes"], moments[0]))
    assert set(now["lead_id"]) == {lead for lead, night in expected_pairs if night == TONIGHT}
    some = fetched(duck, past_nights(held["leads"], held["outcomes"], moments, max_per_lead=2))
    assert set(zip(some["lead_id"], some["as_of"], strict=True)) <= expected_pairs
    asked_for = Counter(lead for lead, _ in expected_pairs)
    assert Counter(some["lead_id"]) == {lead: min(2, nights) for lead, nights in asked_for.items()}


def test_labels_and_maturity_are_what_a_slow_loop_says(duck):
    tables = history(0, leads=100, touches=1)
    horizon, delay = 20, 3
    edges = (0 * DAY, horizon * DAY, horizon * DAY - timedelta(microseconds=1), -timedelta(microseconds=1))
    for number, snapshot in enumerate(tables["snapshots"][::2]):  # wins on the edges of the window
        won_at = snapshot["as_of"] - 30 * DAY + edges[number % 4]
        snapshot["as_of"] -= (30 if number % 5 else horizon + delay) * DAY
        recorded_at = TONIGHT if number % 3 == 0 else won_at
        row = {
            "stage": "won",
            "occurred_at": won_at,
            "recorded_at": recorded_at,
            "row_number": 10_000 + number,
        }
        tables["outcomes"].append({"lead_id": snapshot["lead_id"], **row})
    held = install(duck, **arrow({name: tables[name] for name in ("snapshots", "outcomes")}))
    rows = labelled(
        held["snapshots"],
        held["outcomes"],
        stage="won",
        horizon_days=horizon,
        known_at=TONIGHT.replace(tzinfo=UTC),
        reporting_delay_days=delay,
    )
    got = fetched(duck, rows.order_by("snapshot_id"))
    for place, snapshot in enumerate(tables["snapshots"]):
        as_of = snapshot["as_of"]
        won = any(
            o["lead_id"] == snapshot["lead_id"]
            and o["stage"] == "won"
            and o["recorded_at"] < TONIGHT
            and as_of <= o["occurred_at"] < as_of + horizon * DAY
            for o in tables["outcomes"]
        )
        assert got["label"][place] == float(won), snapshot
        assert got["is_mature"][place] == (as_of + (horizon + delay) * DAY <= TONIGHT), snapshot
    assert len(set(got["label"])) == 2
    assert len(set(got["is_mature"])) == 2


@pytest.mark.parametrize(("later", "is_back"), [(-TICK, False), (0 * TICK, True), (TICK, True)])
def test_a_reopening_at_the_moment_of_the_closing_opens_the_lead(duck, later, is_back):
    moments = {"lost": TONIGHT - DAY, "reopened": TONIGHT - DAY + later}
    told = [
        {"lead_id": "a", "stage": stage, "occurred_at": at, "recorded_at": at, "row_number": 0}
        for stage, at in moments.items()
    ]
    asked = [{"snapshot_id": 0, "lead_id": "a", "as_of": TONIGHT}]
    held = install(duck, **arrow({"outcomes": told, "snapshots": asked}))
    found = fetched(duck, open_only(held["snapshots"].select("lead_id", "as_of"), held["outcomes"]))
    assert bool(found["lead_id"]) == is_back


def test_a_stage_at_the_end_of_the_window_is_not_reached_in_it(duck):
    asked = {"lead_id": "a", "as_of": TONIGHT}
    won = {"lead_id": "a", "stage": "won", "recorded_at": TONIGHT, "row_number": 0}
    moments = [TONIGHT + 20 * DAY, TONIGHT + 20 * DAY - TICK]
    reached = []
    for moment in moments:
        rows = {"snapshots": [{"snapshot_id": 0, **asked}], "outcomes": [{**won, "occurred_at": moment}]}
        held = install(duck, **arrow(rows))
        known_at = TONIGHT.replace(tzinfo=UTC) + DAY
        first = first_reached(held["snapshots"], held["outcomes"], ["won"], known_at=known_at, within_days=20)
        reached += fetched(duck, first)["reached[won]"]
    assert reached == [None, moments[1]]


def test_candidates_of_one_night_keep_only_open_leads(duck):
    tables = history(6, leads=60)
    held = install(duck, **arrow({name: tables[name] for name in ("leads", "outcomes", "snapshots")}))
    pairs = held["snapshots"].select("lead_id", "as_of")
    got = fetched(duck, open_only(pairs, held["outcomes"]))
    always = {"created_at": datetime.min, "deleted_at": None}  # noqa: DTZ901
    leads = {lead["lead_id"]: {**lead, **always} for lead in tables["leads"]}
    wanted = {
        (s["lead_id"], s["as_of"])
        for s in tables["snapshots"]
        if is_open(leads[s["lead_id"]], outcomes_of(tables, s), s["as_of"])
    }
    assert set(zip(got["lead_id"], got["as_of"], strict=True)) == wanted
