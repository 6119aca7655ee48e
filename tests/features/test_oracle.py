"""The features against a slow loop over plain rows, written from the manual and not from the code."""

from __future__ import annotations

import math
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import ibis
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features.build import feature_table
from features.families import full_catalogue
from features.fit import own_fields
from features.labels import labelled
from features.snapshots import open_only, past_nights, tonight
from features.tables import Field
from tests.features.drawn import fetched, install
from tests.features.random_history import KINDS, TONIGHT, arrow, history, stacked

DAY = timedelta(days=1)
FIELDS = {
    "leads": {
        "industry": Field("category"),
        "seats": Field("number"),
        "is_vip": Field("flag"),
        "asked_at": Field("timestamp"),
        "status": Field("category", time="tracked"),
        "size": Field("number", time="tracked"),
        "agreed": Field("flag", time="tracked"),
        "due_at": Field("timestamp", time="tracked"),
    },
    "accounts": {
        "sector": Field("category"),
        "employees": Field("number"),
        "founded_at": Field("timestamp"),
    },
}
EVERY = (*own_fields(FIELDS), *full_catalogue().expand({"kind": KINDS}))


@pytest.fixture(scope="module")
def duck():
    return ibis.duckdb.connect()


def built(engine, tables, chosen=EVERY):
    """Features of every snapshot by column, in the order of the snapshots."""
    held = install(engine, **arrow(tables))
    table = feature_table(held["snapshots"], held, chosen, FIELDS)
    return fetched(engine, table.order_by("snapshot_id"))


# The oracle: one snapshot, one list of facts, one loop.


def known(facts, lead_ids, as_of, days=None):
    """Facts of the leads that happened and were recorded before the moment, oldest first."""
    first = datetime.min if days is None else as_of - days * DAY  # noqa: DTZ901  # naive UTC
    seen = [
        fact
        for fact in facts
        if fact["lead_id"] in lead_ids
        and fact["recorded_at"] < as_of
        and first <= fact["occurred_at"] < as_of
    ]
    return sorted(seen, key=lambda fact: (fact["occurred_at"], fact["row_number"]))


def age(fact, as_of):
    return (as_of - fact["occurred_at"]) / DAY


def colleagues(tables, lead_id):
    account = {lead["lead_id"]: lead["account_id"] for lead in tables["leads"]}
    if account[lead_id] is None:
        return set()
    return {other for other, its in account.items() if its == account[lead_id] and other != lead_id}


def expected(tables, snapshot):
    """What the manual says of one snapshot; numbers not rounded."""
    lead, as_of = snapshot["lead_id"], snapshot["as_of"]
    ever = known(tables["touches"], {lead}, as_of)
    values = {"touches_ever": len(ever)}
    for days in (7, 30, 90):
        seen = known(tables["touches"], {lead}, as_of, days)
        kinds = Counter(touch["kind"] for touch in seen)
        values[f"touches_{days}d"] = len(seen)
        values |= {f"kind_touches[{kind}]_{days}d": kinds[kind] for kind in KINDS}
        values[f"active_days_{days}d"] = sum(
            any(as_of - (back + 1) * DAY <= t["occurred_at"] < as_of - back * DAY for t in seen)
            for back in range(days)
        )
        others = known(tables["touches"], colleagues(tables, lead), as_of, days)
        values[f"colleague_touches_{days}d"] = len(others)
        if days > 7:
            values[f"distinct_kinds_{days}d"] = len(kinds)
            values[f"active_colleagues_{days}d"] = len({touch["lead_id"] for touch in others})
            lasted = [t["duration_seconds"] for t in seen if t["duration_seconds"] is not None]
            values[f"duration_seconds_{days}d"] = sum(lasted) if lasted else None
        if days == 30:
            inbound = [touch["direction"] == "in" for touch in seen]
            values["inbound_share_30d"] = sum(inbound) / len(inbound) if inbound else None
        if days == 90:
            recent = [age(touch, as_of) <= 7 for touch in seen]
            values["burst_share_90d"] = sum(recent) / len(recent) if recent else None
            values["days_since_colleague_90d"] = min((age(t, as_of) for t in others), default=None)
    ages = [age(touch, as_of) for touch in ever]
    values["days_since_last_touch"] = min(ages, default=None)
    values["days_since_first_touch"] = max(ages, default=None)
    values["last_touch_kind"] = ever[-1]["kind"] if ever else None
    gaps = [(later, age(former, as_of) - age(later, as_of)) for former, later in pairwise(ever)]
    values["mean_gap_days"] = math.fsum(gap for _, gap in gaps) / len(gaps) if gaps else None
    ended = [gap for later, gap in gaps if age(later, as_of) <= 90]
    values["longest_gap_days_90d"] = max(ended, default=None)
    for kind in KINDS:
        of_kind = [age(touch, as_of) for touch in ever if touch["kind"] == kind]
        values[f"days_since[{kind}]"] = min(of_kind, default=None)
        values[f"kind_touches_ever[{kind}]"] = len(of_kind)
    stages = known(tables["outcomes"], {lead}, as_of)
    values["latest_stage"] = stages[-1]["stage"] if stages else None
    values["stages_reached"] = len(stages)
    values["days_in_stage"] = age(stages[-1], as_of) if stages else None
    row = next(row for row in tables["leads"] if row["lead_id"] == lead)
    values["lead_age_days"] = (as_of - row["created_at"]) / DAY
    values |= {name: row[name] for name in ("industry", "seats", "is_vip")}
    values["asked_at"] = None if row["asked_at"] is None else (as_of - row["asked_at"]) / DAY
    values |= {name: tracked(tables, row, name, as_of) for name in ("status", "size", "agreed", "due_at")}
    account = next((a for a in tables["accounts"] if a["account_id"] == row["account_id"]), None)
    values |= {f"account.{name}": account and account[name] for name in ("sector", "employees")}
    founded = account and account["founded_at"]
    values["account.founded_at"] = founded and (as_of - founded) / DAY
    return values


def tracked(tables, row, name, as_of):
    """The last known new value; before the first change, its old value; without changes, today's."""
    changes = [c for c in tables["field_history"] if (c["lead_id"], c["field"]) == (row["lead_id"], name)]
    changes.sort(key=lambda change: change["changed_at"])
    before = [c for c in changes if c["changed_at"] < as_of and c["recorded_at"] < as_of]
    if not changes:
        value = row[name]
        return value if name != "due_at" or value is None else (as_of - value) / DAY
    text = before[-1]["new_value"] if before else changes[0]["old_value"]
    if text is None or name == "status":
        return text
    if name == "size":
        return None if text == "not a number" else float(text)
    return (
        float(text in ("yes", "true")) if name == "agreed" else (as_of - datetime.fromisoformat(text)) / DAY
    )


def test_every_feature_of_random_histories_is_what_a_slow_loop_says(duck):
    tables = stacked([history(seed) for seed in range(3)])
    got = built(duck, tables)
    checked = set()
    for place, snapshot in enumerate(tables["snapshots"]):
        for name, value in expected(tables, snapshot).items():
            found = got[name][place]
            if isinstance(value, float | int):
                assert found == pytest.approx(value, abs=1e-6), (name, snapshot)
            else:
                assert found == value, (name, snapshot)
            checked.add(name)
    assert checked == {feature.name for feature in EVERY}


def test_a_feature_does_not_depend_on_which_others_are_asked_for(duck):
    tables = history(3, leads=15)
    together = built(duck, tables)
    for name in ("longest_gap_days_90d", "touches_30d", "status", "last_touch_kind", "active_colleagues_30d"):
        alone = built(duck, tables, [feature for feature in EVERY if feature.name == name])
        assert alone[name] == together[name], name


def worlds_of(table, number):
    """The columns of each of the worlds that were stacked: equal if and only if the worlds gave the same."""
    size = len(table["lead_id"]) // number
    own = {name: column for name, column in table.items() if name not in ("snapshot_id", "lead_id")}
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


@settings(
    max_examples=3,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
@given(seeds=st.lists(st.integers(0, 2**31), min_size=10, max_size=10))
def test_what_is_recorded_later_changes_nothing(duck, seeds):
    """Forget all that is recorded at the moment or later, or learn other things then: all is the same."""
    histories = [tables for seed in seeds for tables in with_other_futures(seed)]
    got = worlds_of(built(duck, stacked(histories)), len(seeds))
    for world in got:
        for name, column in world.items():
            size = len(column) // 3
            assert column[:size] == column[size : 2 * size] == column[2 * size :], name


def with_other_futures(seed):
    """A history, the same without its future after ``TONIGHT``, and with the future of another one."""
    tables, other = history(seed, leads=8, touches=6), history(seed + 1, leads=8, touches=6)
    tables["snapshots"] = [snapshot for snapshot in tables["snapshots"] if snapshot["as_of"] == TONIGHT]
    forgotten, replaced = dict(tables), dict(tables)
    for name in ("touches", "outcomes"):
        before = [row for row in tables[name] if max(row["occurred_at"], row["recorded_at"]) < TONIGHT]
        after = [row for row in other[name] if max(row["occurred_at"], row["recorded_at"]) >= TONIGHT]
        forgotten[name], replaced[name] = before, [*after, *before]
    forgotten["leads"], forgotten["field_history"] = as_it_was(tables)
    return tables, forgotten, replaced


def as_it_was(tables):
    """Leads and field history as they stood before ``TONIGHT``: later changes are undone in the leads."""
    text = {
        "status": str,
        "size": lambda t: None if t == "not a number" else float(t),
        "agreed": lambda t: float(t in ("yes", "true")),
        "due_at": datetime.fromisoformat,
    }
    later = [c for c in tables["field_history"] if max(c["changed_at"], c["recorded_at"]) >= TONIGHT]
    leads = {row["lead_id"]: dict(row) for row in tables["leads"]}
    for change in sorted(later, key=lambda change: change["changed_at"], reverse=True):
        old = change["old_value"]
        leads[change["lead_id"]][change["field"]] = None if old is None else text[change["field"]](old)
    return list(leads.values()), [change for change in tables["field_history"] if change not in later]


@pytest.mark.spark
def test_spark_gives_what_duckdb_gives(duck, spark):
    tables = history(5)
    ours, theirs = built(duck, tables), built(ibis.pyspark.connect(spark), tables)
    assert list(ours) == list(theirs)
    for name, column in ours.items():
        for ours_value, theirs_value in zip(column, theirs[name], strict=True):
            if isinstance(ours_value, float):
                assert theirs_value == pytest.approx(ours_value, rel=1e-9, abs=1e-9), name
            elif name != "as_of":
                assert theirs_value == ours_value, name


def is_open(tables, lead, as_of):
    """Open: exists, and each closing known before the moment has a later reopening known before it."""
    told = [
        o
        for o in tables["outcomes"]
        if o["lead_id"] == lead["lead_id"] and o["occurred_at"] < as_of and o["recorded_at"] < as_of
    ]
    back = [outcome["occurred_at"] for outcome in told if outcome["stage"] == "reopened"]
    ends = [o["occurred_at"] for o in told if o["stage"] in ("won", "lost", "disqualified")]
    return lead["created_at"] < as_of and all(any(b >= end for b in back) for end in ends)


@pytest.mark.parametrize("seed", range(5))
def test_who_is_open_on_which_night_is_what_a_slow_loop_says(duck, seed):
    tables = history(seed, leads=60)
    held = install(duck, **arrow({name: tables[name] for name in ("leads", "outcomes")}))
    nights = [TONIGHT - timedelta(days=days) for days in (0, 1, 7, 45, 90)]
    expected_pairs = {
        (lead["lead_id"], night)
        for lead in tables["leads"]
        for night in nights
        if is_open(tables, lead, night)
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


def test_candidates_of_one_night_keep_only_open_leads(duck):
    tables = history(6, leads=60)
    held = install(duck, **arrow({name: tables[name] for name in ("leads", "outcomes", "snapshots")}))
    pairs = held["snapshots"].select("lead_id", "as_of")
    got = fetched(duck, open_only(pairs, held["outcomes"]))
    leads = {lead["lead_id"]: {**lead, "created_at": datetime.min} for lead in tables["leads"]}  # noqa: DTZ901
    wanted = {
        (s["lead_id"], s["as_of"])
        for s in tables["snapshots"]
        if is_open(tables, leads[s["lead_id"]], s["as_of"])
    }
    assert set(zip(got["lead_id"], got["as_of"], strict=True)) == wanted
