"""Weights of censored snapshots: they undo the haste of those that are decided early."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import ibis
import numpy as np
import pyarrow as pa
import pytest

from features.censoring import weighed, with_follow_up
from features.labels import Target
from features.moments import Moments
from features.questions import Plan, past
from tests.features.drawn import drawn, fetched, install
from tests.features.random_history import TONIGHT, arrow, history

NOW = datetime(2026, 3, 1, tzinfo=UTC)
HORIZON = 90


@pytest.fixture(scope="module")
def duck():
    return ibis.duckdb.connect()


SNAPSHOTS = """
    snapshot_id | lead_id   | as_of
    ------------+-----------+-----------------
    0           | old       | 2026-01-01 00:00
    1           | won       | 2026-02-19 00:00
    2           | lost      | 2026-02-19 00:00
    3           | back      | 2026-02-19 00:00
    4           | waiting   | 2026-02-19 00:00
    5           | won_at_end| 2026-02-19 00:00
    6           | edge      | 2026-01-30 00:00
    7           | merged    | 2026-01-01 00:00
"""
LEADS = """
    lead_id    | created_at
    -----------+-----------
    old        | 2025-12-01
    won        | 2025-12-01
    lost       | 2025-12-01
    back       | 2025-12-01
    waiting    | 2025-12-01
    won_at_end | 2025-12-01
    edge       | 2025-12-01
    merged     | 2025-12-01
"""
OUTCOMES = """
    lead_id    | stage    | occurred_at      | recorded_at
    -----------+----------+------------------+-----------------
    won        | won      | 2026-02-24 00:00 |
    lost       | lost     | 2026-02-22 00:00 |
    back       | lost     | 2026-02-22 00:00 |
    back       | reopened | 2026-02-22 00:00 |
    won_at_end | won      | 2026-03-01 00:00 | 2026-02-28 00:00
"""


def test_what_is_decided_is_weighed_by_the_chance_of_being_followed_as_long(duck):
    """By hand: five are followed for 10 days, of whom one is decided after 5 and one after 3; three last 30.

    Three of the six that are left at day 10 are censored there, so who lasts 30 days stands for two.
    """
    merged = pa.array([None] * 7 + [datetime(2026, 2, 15)], pa.timestamp("us"))  # noqa: DTZ001
    tables = install(
        duck,
        leads=drawn(LEADS).append_column("merged_at", merged),
        snapshots=drawn(SNAPSHOTS),
        outcomes=drawn(OUTCOMES),
    )
    followed = with_follow_up(
        tables["snapshots"], tables["leads"], horizon_days=30, known_at=NOW, reporting_delay_days=0
    )
    followed = followed.mutate(stands_for=1.0)
    rows = weighed(followed, tables["outcomes"], Target("won", 30), known_at=NOW)
    got = fetched(duck, rows.order_by("snapshot_id"))
    assert got["is_mature"] == [True, False, False, False, False, False, True, True]
    assert got["label"] == [0, 1, 0, 0, 0, 0, 0, 0]
    assert got["weight"] == pytest.approx([2, 1, 1, 0, 0, 0, 2, 2])


def test_a_merged_lead_is_followed_until_its_merge(duck):
    leads = drawn(LEADS).append_column("merged_at", pa.array([datetime(2026, 1, 30)] * 8, pa.timestamp("us")))  # noqa: DTZ001
    tables = install(duck, leads=leads, snapshots=drawn(SNAPSHOTS), outcomes=drawn(OUTCOMES))
    followed = with_follow_up(
        tables["snapshots"], tables["leads"], horizon_days=30, known_at=NOW, reporting_delay_days=0
    )
    got = fetched(duck, followed.order_by("snapshot_id"))
    assert set(got["followed_until"]) == {datetime(2026, 1, 30)}  # noqa: DTZ001
    assert not any(got["is_mature"])


def simulated(seed, *, leads=20_000):
    """Leads of one kind created over 200 days: each is won after an exponential time, or lost after another.

    A win within 90 days of the look, a day after creation, has the chance that the integral says.
    """
    random = np.random.default_rng(seed)
    created = NOW.replace(tzinfo=None) - random.uniform(1, 200, leads) * timedelta(days=1)
    looked = np.array([(moment + timedelta(days=2)).replace(hour=0, minute=0, second=0, microsecond=0)
                       for moment in created])  # fmt: skip
    won, lost = random.exponential(150, leads), random.exponential(300, leads)
    first = np.minimum(won, lost)
    at = looked + first * timedelta(days=1)
    names = np.array([f"l{number}" for number in range(leads)])
    is_known = at < NOW.replace(tzinfo=None)
    return {
        "leads": pa.table({"lead_id": names, "created_at": pa.array(list(created), pa.timestamp("us"))}),
        "outcomes": pa.table(
            {
                "lead_id": names[is_known],
                "stage": np.where(won < lost, "won", "lost")[is_known],
                "occurred_at": pa.array(list(at[is_known]), pa.timestamp("us")),
                "recorded_at": pa.array(list(at[is_known]), pa.timestamp("us")),
            }
        ),
    }


TRUTH = (1 / 150) / (1 / 150 + 1 / 300) * (1 - np.exp(-HORIZON * (1 / 150 + 1 / 300)))


def asked(backend, tables, censoring):
    plan = Plan(
        stage="won",
        horizon_days=HORIZON,
        moments=Moments(every_days=10_000, at_days_after_creation=(1,)),
        max_per_lead=1,
        reporting_delay_days=0,
        known_at=NOW,
        censoring=censoring,
    )
    return past(backend, tables, plan)


def test_the_weighted_base_rate_is_the_true_one_where_early_wins_alone_would_exaggerate(duck):
    tables = install(duck, **simulated(0))
    label, weight, is_mature = columns(asked(duck, tables, "weight"))
    left_out = asked(duck, tables, "leave_out").snapshots.label.to_pyarrow().to_numpy()
    error = np.sqrt(TRUTH * (1 - TRUTH) / len(left_out))
    assert weight @ label / weight.sum() == pytest.approx(TRUTH, abs=3 * error)
    assert left_out.mean() == pytest.approx(TRUTH, abs=3 * error)
    # Decided early and kept, undecided and dropped: quick conversions count too often.
    assert label.mean() > TRUTH + 3 * error
    # Early wins kept, early losses dropped with the undecided: worse.
    assert label[is_mature | (label == 1)].mean() > TRUTH + 6 * error
    assert weight.min() >= 1


def columns(question):
    """Label, weight and maturity of its snapshots."""
    rows = question.snapshots.to_pyarrow()
    return [
        rows[name].to_numpy(zero_copy_only=False).astype(kind)
        for name, kind in (("label", float), ("weight", float), ("is_mature", bool))
    ]


def test_weights_of_the_decided_add_up_to_all_that_were_asked_about(duck):
    tables = install(duck, **simulated(1, leads=5_000))
    question = asked(duck, tables, "weight")
    label, weight, is_mature = columns(question)
    total = len(label) + question.immature
    assert question.early == (~is_mature).sum() > 0
    assert question.immature == question.young.count().to_pyarrow().as_py() > 0
    assert weight.sum() == pytest.approx(total, rel=0.02)


def by_hand(snapshot, outcomes, horizon, until):
    """Label, time to decision or censoring, and whether it is decided or survived: one snapshot, one loop."""
    as_of, end = snapshot["as_of"], snapshot["as_of"] + timedelta(days=horizon)
    own = [o for o in outcomes if o["lead_id"] == snapshot["lead_id"] and o["recorded_at"] < TONIGHT]
    won = [
        o["occurred_at"] for o in own if o["stage"] == "won" and as_of <= o["occurred_at"] < min(end, until)
    ]
    if won:
        return 1.0, min(won) - as_of, "decided"
    closed = [
        o["occurred_at"]
        for o in own
        if o["stage"] in ("won", "lost", "disqualified")
        and o["occurred_at"] < min(end, until)
        and not any(r["stage"] == "reopened" and r["occurred_at"] >= o["occurred_at"] for r in own)
    ]
    if closed:
        return 0.0, max(min(closed) - as_of, timedelta(0)), "decided"
    return (0.0, end - as_of, "survived") if end <= until else (0.0, until - as_of, "censored")


def chance_of_more(time, seen, *, is_strict):
    """Kaplan-Meier of the censoring: of being followed for longer than a time, or for at least that long."""
    chance = 1.0
    for at in sorted({t for _, t, state in seen if state == "censored"}):
        if at < time or (at == time and is_strict):
            at_risk = sum(t >= at for _, t, _ in seen)
            chance *= 1 - sum(t == at and state == "censored" for _, t, state in seen) / at_risk
    return chance


@pytest.mark.parametrize("seed", range(3))
def test_weights_of_random_histories_are_what_a_slow_loop_says(duck, seed):
    tables = history(seed, leads=80, touches=1)
    for number, snapshot in enumerate(tables["snapshots"]):
        snapshot["as_of"] -= timedelta(days=number % 40)
    held = install(duck, **arrow({name: tables[name] for name in ("leads", "snapshots", "outcomes")}))
    now, horizon, delay = TONIGHT.replace(tzinfo=UTC), 25, 3
    followed = with_follow_up(
        held["snapshots"], held["leads"], horizon_days=horizon, known_at=now, reporting_delay_days=delay
    )
    rows = weighed(followed.mutate(stands_for=1.0), held["outcomes"], Target("won", horizon), known_at=now)
    got = fetched(duck, rows.order_by("snapshot_id"))
    until = TONIGHT - timedelta(days=delay)
    found = [by_hand(snapshot, tables["outcomes"], horizon, until) for snapshot in tables["snapshots"]]
    seen = [entry for entry in found if entry[2] != "censored" or entry[1] > timedelta(0)]
    for place, (label, time, state) in enumerate(found):
        chance = chance_of_more(time, seen, is_strict=state == "decided") if state != "censored" else None
        assert got["label"][place] == label
        assert got["weight"][place] == pytest.approx(0 if chance is None else 1 / chance), state
    assert {state for _, _, state in found} == {"decided", "survived", "censored"}
