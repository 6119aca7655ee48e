"""How long conversions take, and how late they are recorded: measured, with what ``train`` should be told.

Quick conversions are known first. So a horizon is judged on leads only that are as old as a full cycle, the
longest of ``HORIZONS`` for which there are conversions enough. And it has to leave a history to learn from:
training waits one horizon for its labels and keeps up to three between its slices.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

import ibis
import ibis.expr.types as ir

from features.history import MICROSECONDS_PER_DAY
from features.lifetimes import dated
from features.moments import naive_utc

HORIZONS = (30, 60, 90, 180, 365)
ENOUGH_SHARE = 0.8
"""Share of a cycle's conversions that a horizon should hold."""

FEWEST = 30
"""Conversions, or recorded outcomes, that are worth a figure."""

MOST_HISTORY_SHARE = 1 / 6
"""Largest part of the history that a horizon may be: four of them leave a third."""

RECORDED_SHARE = 0.99
"""Share of the outcomes that is recorded within the reporting delay."""

_QUANTILES = {"days_q50": 0.5, "days_q80": 0.8, "days_q90": 0.9, "days_q99": 0.99}


@dataclass(frozen=True)
class Cycle:
    """What was measured of one stage; None where there is too little to measure.

    Attributes
    ----------
    stage
        The stage.
    horizon_days
        The smallest of ``HORIZONS`` by which at least 80 % of the conversions of a full cycle had happened,
        or the largest that leaves enough history, if that is shorter.
    horizon_share
        Share of those conversions that had happened by then, 0 to 1.
    cycle_days, conversions
        Length of the cycle, and the conversions that were looked at.
    reporting_delay_days
        99th percentile of the days from an outcome to its record, rounded up; None also where every record
        has the moment of its outcome, for then nobody kept the other.
    outcomes
        Outcomes that the delay was measured on.
    """

    stage: str
    horizon_days: int | None
    horizon_share: float | None
    cycle_days: int | None
    conversions: int
    reporting_delay_days: int | None
    outcomes: int

    def proposals(self) -> dict[str, tuple[int, str]]:
        """Days and the measured figure in words, by key of ``train``; only what could be measured."""
        found = {}
        if self.horizon_days is not None and self.horizon_share is not None:
            said = f"measured: {self.horizon_share:.0%} of {self.conversions:,} conversions took less"
            longer = "; a longer one would leave too little history"
            found["horizon_days"] = (
                self.horizon_days,
                said if self.horizon_share >= ENOUGH_SHARE else said + longer,
            )
        if self.reporting_delay_days is not None:
            said = f"measured: 99% of {self.outcomes:,} outcomes were recorded within so many days"
            found["reporting_delay_days"] = (self.reporting_delay_days, said)
        return found


def days_to_stages(leads: ir.Table, outcomes: ir.Table, *, known_at: datetime) -> ir.Table:
    """Days from a lead's creation to each stage that it reached, for those that did so far.

    Returns
    -------
    ir.Table
        One row per stage, by name: ``stage``, ``leads``, and the quantiles ``days_q50``, ``days_q80``,
        ``days_q90``, ``days_q99``.
    """
    reached = _reached(leads, outcomes, known_at)
    quantiles = {name: reached.days.quantile(at) for name, at in _QUANTILES.items()}
    return reached.group_by("stage").aggregate(leads=reached.count(), **quantiles).order_by("stage")


def recording_delays(outcomes: ir.Table, *, known_at: datetime) -> ir.Table:
    """Days from an outcome to its record, by stage: ``stage``, ``outcomes`` and quantiles as above."""
    delays = _delays(outcomes, known_at)
    quantiles = {name: delays.days.quantile(at) for name, at in _QUANTILES.items()}
    return delays.group_by("stage").aggregate(outcomes=delays.count(), **quantiles).order_by("stage")


def cycle(leads: ir.Table, outcomes: ir.Table, *, stage: str, known_at: datetime) -> Cycle:
    """Measure the horizon and the reporting delay of a stage.

    Parameters
    ----------
    leads, outcomes
        Loaded tables; ``leads`` with ``created_at``.
    known_at
        Moment from which the history is looked at.
    """
    reached = _reached(leads, outcomes.filter(outcomes.stage == stage), known_at)
    longest = MOST_HISTORY_SHARE * _history_days(leads, known_at)
    days, share, length, conversions = _horizon(_counts(reached, known_at), longest)
    delays = _delays(outcomes.filter(outcomes.stage == stage), known_at)
    row = delays.aggregate(
        outcomes=delays.count(), latest=delays.days.max(), late=delays.days.quantile(RECORDED_SHARE)
    )
    found = row.to_pyarrow().to_pylist()[0]
    is_measured = found["outcomes"] >= FEWEST and found["latest"] > 0
    delay = math.ceil(found["late"]) if is_measured else None
    return Cycle(stage, days, share, length, conversions, delay, int(found["outcomes"]))


def _reached(leads: ir.Table, outcomes: ir.Table, known_at: datetime) -> ir.Table:
    """``stage``, ``created_at`` and ``days`` from the creation to the first time, once per lead and stage."""
    known = outcomes.filter(outcomes.recorded_at < ibis.timestamp(naive_utc(known_at)))
    first = known.group_by("lead_id", "stage").aggregate(reached_at=known.occurred_at.min())
    rows = first.inner_join(dated(leads).select("lead_id", "created_at"), "lead_id")
    rows = rows.filter(rows.reached_at >= rows.created_at)
    return rows.select("stage", "created_at", days=_days(rows.reached_at, rows.created_at))


def _delays(outcomes: ir.Table, known_at: datetime) -> ir.Table:
    known = outcomes.filter(outcomes.recorded_at < ibis.timestamp(naive_utc(known_at)))
    return known.select(
        "stage", days=ibis.greatest(_days(known.recorded_at, known.occurred_at), ibis.literal(0.0))
    )


def _counts(reached: ir.Table, known_at: datetime) -> dict[tuple[int, int], int]:
    """Conversions of leads that are a cycle old, by cycle and by the days within which they happened."""
    moment = ibis.timestamp(naive_utc(known_at))
    counts = {
        f"{length}|{days}": reached.count(
            where=(reached.created_at + ibis.interval(days=length) <= moment) & (reached.days < days)
        )
        for length in HORIZONS
        for days in HORIZONS
        if days <= length
    }
    row = reached.aggregate(**counts).to_pyarrow().to_pylist()[0]
    return {
        (length, days): row[f"{length}|{days}"] for length in HORIZONS for days in HORIZONS if days <= length
    }


def _history_days(leads: ir.Table, known_at: datetime) -> float:
    first = dated(leads).created_at.min().to_pyarrow().as_py()
    return 0.0 if first is None else (naive_utc(known_at) - first) / timedelta(days=1)


def _horizon(
    counts: dict[tuple[int, int], int], longest: float
) -> tuple[int | None, float | None, int | None, int]:
    """Horizon, its share, the cycle and its conversions."""
    for length in reversed(HORIZONS):
        total = counts[length, length]
        if total < FEWEST:
            continue
        shares = {days: counts[length, days] / total for days in HORIZONS if days <= length}
        enough = next(days for days, share in shares.items() if share >= ENOUGH_SHARE)
        days = max((days for days in HORIZONS if days <= min(enough, longest)), default=HORIZONS[0])
        return days, shares[days], length, total
    return None, None, None, 0


def _days(later: ir.Value, earlier: ir.Value) -> ir.Value:
    return later.delta(earlier, unit="microsecond") / MICROSECONDS_PER_DAY
