"""From which moments training looks, and what became of each: against a slow loop over plain rows."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import ibis
import pytest

from features.labels import Target, labels
from features.lifetimes import still_there
from features.moments import Moments, candidates, stage_entries
from features.snapshots import drawn as draw
from features.snapshots import open_only
from tests.features.drawn import drawn, fetched, install
from tests.features.random_history import TONIGHT, arrow, history

DAY = timedelta(days=1)
NOW = TONIGHT.replace(tzinfo=UTC)
CLOSING = ("won", "lost", "disqualified")


@pytest.fixture(scope="module")
def duck():
    return ibis.duckdb.connect()


def midnight_after(moment):
    """The first midnight strictly later."""
    return moment.replace(hour=0, minute=0, second=0, microsecond=0) + DAY


def midnight_from(moment):
    """The first midnight at or after."""
    return midnight_after(moment - timedelta(microseconds=1))


def moments_of(lead, outcomes, *, every_days, ages, last):
    """Moments of one lead, from the manual."""
    if lead["created_at"] is None:
        return set()
    found = {last - every_days * n * DAY for n in range(200)}
    found |= {midnight_from(lead["created_at"] + age * DAY) for age in ages}
    for outcome in outcomes:
        if outcome["lead_id"] == lead["lead_id"] and outcome["stage"] not in CLOSING:
            found.add(midnight_after(max(outcome["occurred_at"], outcome["recorded_at"])))
    gone_at = lead.get("deleted_at") or last
    return {moment for moment in found if lead["created_at"] < moment <= min(last, gone_at)}


def is_open(lead, outcomes, moment):
    own = [o for o in outcomes if o["lead_id"] == lead["lead_id"]]
    known = [o for o in own if o["occurred_at"] < moment and o["recorded_at"] < moment]
    return all(
        any(r["stage"] == "reopened" and r["occurred_at"] >= o["occurred_at"] for r in known)
        for o in known
        if o["stage"] in CLOSING
    )


@pytest.mark.parametrize("seed", range(3))
def test_all_kinds_of_moments_together_are_what_a_slow_loop_says(duck, seed):
    tables = history(seed, leads=60, touches=1)
    held = install(duck, **arrow({name: tables[name] for name in ("leads", "outcomes")}))
    wanted = Moments(every_days=9, at_stage_entry=True, at_days_after_creation=(1, 3, 7))
    rows = open_only(candidates(held["leads"], held["outcomes"], wanted, known_at=NOW), held["outcomes"])
    got = fetched(duck, rows)
    pairs = list(zip(got["lead_id"], got["as_of"], strict=True))
    expected = {
        (lead["lead_id"], moment)
        for lead in tables["leads"]
        for moment in moments_of(lead, tables["outcomes"], every_days=9, ages=(1, 3, 7), last=TONIGHT)
        if is_open(lead, tables["outcomes"], moment)
    }
    assert set(pairs) == expected
    assert len(pairs) == len(expected), "no lead and moment twice"
    few = fetched(duck, draw(rows, max_per_lead=3))
    asked_for = Counter(lead for lead, _ in expected)
    assert Counter(few["lead_id"]) == {lead: min(3, count) for lead, count in asked_for.items()}
    assert set(zip(few["lead_id"], few["as_of"], strict=True)) <= expected


def test_what_becomes_of_a_lead_later_does_not_change_which_moments_are_drawn(duck):
    """Two leads of one name and the same moments; the draw reads nothing else."""
    pairs = "lead_id | as_of\n--+--\n" + "\n".join(f"a | 2026-01-{day:02d}" for day in range(1, 29))
    rows = install(duck, pairs=drawn(pairs))["pairs"].select("lead_id", "as_of")
    first = fetched(duck, draw(rows, max_per_lead=5))["as_of"]
    again = fetched(duck, draw(rows.order_by(ibis.desc("as_of")), max_per_lead=5))["as_of"]
    assert first == again
    assert len(first) == 5


def test_a_stage_is_looked_at_from_the_first_midnight_after_it_was_known(engine):
    outcomes = """
    lead_id  | stage    | occurred_at      | recorded_at
    ---------+----------+------------------+-----------------
    day      | mql      | 2026-01-05 09:00 |
    midnight | sql      | 2026-01-05 00:00 |
    late     | mql      | 2026-01-05 09:00 | 2026-01-07 00:00
    lost     | lost     | 2026-01-05 09:00 |
    back     | reopened | 2026-01-05 09:00 |
    """
    table = install(engine, outcomes=drawn(outcomes))["outcomes"]
    got = fetched(engine, stage_entries(table))
    day = {lead: moment.day for lead, moment in zip(got["lead_id"], got["as_of"], strict=True)}
    # At the midnight itself the stage is not known yet: a fact counts when it was recorded before the moment.
    assert day == {"day": 6, "midnight": 6, "late": 8, "back": 6}


def test_a_moment_at_which_the_lead_is_not_there_is_not_looked_from(duck):
    leads = """
    lead_id | created_at       | merged_into | merged_at
    --------+------------------+-------------+-----------------
    early   | 2026-01-05 23:59 |             |
    newborn | 2026-01-06 00:00 |             |
    leaving | 2026-01-01 00:00 | early       | 2026-01-06 00:00
    gone    | 2026-01-01 00:00 | early       | 2026-01-05 23:59
    """
    stages = "\n".join(f"{lead} | mql | 2026-01-05 12:00" for lead in ("early", "newborn", "leaving", "gone"))
    outcomes = "lead_id | stage | occurred_at\n--+--+--\n" + stages
    tables = install(duck, leads=drawn(leads), outcomes=drawn(outcomes))
    pairs = still_there(tables["leads"], stage_entries(tables["outcomes"]))
    assert sorted(fetched(duck, pairs)["lead_id"]) == ["early", "leaving"]


def test_a_moment_after_the_present_is_not_looked_from(duck):
    leads = "lead_id | created_at\n--+--\nyoung | 2026-03-29\nold | 2026-03-01\n"
    tables = install(
        duck,
        leads=drawn(leads),
        outcomes=drawn("lead_id | stage | occurred_at\n--+--+--\nx | mql | 2026-01-01"),
    )
    now = datetime(2026, 3, 31, tzinfo=UTC)
    wanted = Moments(every_days=365, at_days_after_creation=(2, 3))
    got = fetched(duck, candidates(tables["leads"], tables["outcomes"], wanted, known_at=now))
    ages = sorted((lead, moment.day) for lead, moment in zip(got["lead_id"], got["as_of"], strict=True))
    assert ages == [("old", 3), ("old", 4), ("old", 31), ("young", 31)]


def test_labels_of_several_stages_and_horizons_are_what_a_slow_loop_says(duck):
    tables = history(7, leads=80, touches=1)
    for number, snapshot in enumerate(tables["snapshots"]):
        snapshot["as_of"] -= (number % 50) * DAY
    for number, snapshot in enumerate(tables["snapshots"][::3]):  # on the edges of the windows
        at = snapshot["as_of"] + (0, 10, 45)[number % 3] * DAY - timedelta(microseconds=number % 2)
        tables["outcomes"].append(
            {"lead_id": snapshot["lead_id"], "stage": ("mql", "won")[number % 2], "occurred_at": at,
             "recorded_at": at, "row_number": 9_000 + number}
        )  # fmt: skip
    held = install(duck, **arrow({name: tables[name] for name in ("snapshots", "outcomes")}))
    targets = [Target("won", 10), Target("won", 45), Target("mql", 10), Target("nobody", 10)]
    rows = labels(
        held["snapshots"], held["outcomes"], targets, known_at=NOW, reporting_delay_days=2
    ).order_by("snapshot_id")
    got = fetched(duck, rows)
    assert len(got["snapshot_id"]) == len(tables["snapshots"])
    for target in targets:
        for place, snapshot in enumerate(tables["snapshots"]):
            as_of, end = snapshot["as_of"], snapshot["as_of"] + target.horizon_days * DAY
            reached = any(
                o["lead_id"] == snapshot["lead_id"]
                and o["stage"] == target.stage
                and o["recorded_at"] < TONIGHT
                and as_of <= o["occurred_at"] < end
                for o in tables["outcomes"]
            )
            assert got[target.label][place] == float(reached), (target, snapshot)
            assert got[target.is_mature][place] == (end + 2 * DAY <= TONIGHT), (target, snapshot)
        assert len(set(got[target.label])) == (1 if target.stage == "nobody" else 2)
