"""From which past moments training looks at a lead: every few nights, after each stage, at certain ages.

All moments are midnights of UTC unless ``known_at`` is not: training looks from where the nightly run looks.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import ibis
import ibis.expr.types as ir

from features.lifetimes import dated, existing, still_there

CLOSING = ("won", "lost", "disqualified", "won_as_merged")
"""Stages that close a lead; the last is written by ingest, where a record that was merged into it was won."""

REOPENING = "reopened"


@dataclass(frozen=True)
class Moments:
    """Which past moments of a lead are candidates.

    Attributes
    ----------
    every_days
        Days between the nights on which every lead is looked at, back from the present.
    at_stage_entry
        Whether also at the first midnight after each outcome that does not close the lead was known.
    at_days_after_creation
        Whether also at the first midnight at which the lead is so many days old.
    also_at
        Further moments at which every lead is looked at.
    """

    every_days: int
    at_stage_entry: bool = False
    at_days_after_creation: tuple[int, ...] = ()
    also_at: tuple[datetime, ...] = ()


def candidates(leads: ir.Table, outcomes: ir.Table, moments: Moments, *, known_at: datetime) -> ir.Table:
    """Existing leads at the moments that are asked for, none twice and none after ``known_at``.

    Returns
    -------
    ir.Table
        ``lead_id``, ``as_of``; closed leads too.
    """
    regular = nights(leads, known_at=known_at, every_days=moments.every_days)
    looked = [existing(leads, as_moments(sorted({*regular, *moments.also_at})))] if regular else []
    if moments.at_stage_entry:
        looked.append(still_there(leads, stage_entries(outcomes)))
    looked += [still_there(leads, _of_age(leads, days)) for days in moments.at_days_after_creation]
    if not looked:
        return existing(leads, as_moments([known_at])).limit(0)
    every = ibis.union(*looked, distinct=True) if len(looked) > 1 else looked[0]
    return every.filter(every.as_of <= ibis.timestamp(naive_utc(known_at)))


def nights(leads: ir.Table, *, known_at: datetime, every_days: int) -> list[datetime]:
    """Past moments at which leads existed, oldest first.

    They are ``known_at`` minus whole multiples of ``every_days``, back to the first lead's creation.
    """
    first = dated(leads).created_at.min().to_pyarrow().as_py()
    if first is None:
        return []
    span_days = (naive_utc(known_at) - first) / timedelta(days=1)
    steps = math.ceil(span_days / every_days)
    return [known_at - timedelta(days=every_days * step) for step in range(steps - 1, -1, -1)]


def stage_entries(outcomes: ir.Table) -> ir.Table:
    """``lead_id`` and ``as_of``: the first midnight after each outcome that closes nothing was known."""
    steps = outcomes.filter(outcomes.stage.notin(CLOSING))
    known_at = ibis.greatest(steps.occurred_at, steps.recorded_at)
    return steps.select("lead_id", as_of=known_at.truncate("D") + ibis.interval(days=1))


def as_moments(moments: Sequence[datetime]) -> ir.Table:
    """A table of moments: ``as_of``."""
    stamps = ibis.array([ibis.timestamp(naive_utc(moment)) for moment in moments])
    return stamps.unnest().name("as_of").as_table()


def naive_utc(moment: datetime) -> datetime:
    """Stamps inside an engine are UTC without a zone."""
    return moment if moment.tzinfo is None else moment.astimezone(UTC).replace(tzinfo=None)


def _of_age(leads: ir.Table, days: int) -> ir.Table:
    """The first midnight at which each lead is so many days old."""
    born = dated(leads)
    aged = born.filter(born.created_at.notnull()).select(
        "lead_id", aged_at=born.created_at + ibis.interval(days=days)
    )
    night = aged.aged_at.truncate("D")
    is_midnight = night == aged.aged_at
    return aged.select("lead_id", as_of=is_midnight.ifelse(night, night + ibis.interval(days=1)))
