"""The one place that decides which facts a feature may see.

A fact counts for a snapshot when it both happened and was recorded before the snapshot's moment.
Windows are half-open and end at the moment: ``[as_of - days, as_of)``.
"""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

MICROSECONDS_PER_DAY = 86_400_000_000


def history(snapshots: ir.Table, facts: ir.Table) -> ir.Table:
    """Pair every snapshot with the lead's facts known before it.

    Parameters
    ----------
    snapshots
        One row per ``snapshot_id``, with ``lead_id`` and ``as_of``.
    facts
        One row per fact: ``lead_id``, ``occurred_at``, ``recorded_at`` and its own columns.

    Returns
    -------
    ir.Table
        ``snapshot_id``, the columns of the facts, and three that are the same on every engine:
        ``age_days`` (days from the fact to the moment, above 0), ``gap_days`` (days since the previous
        fact of the same snapshot; null for the first) and ``place_in_history`` (0 for the oldest; of
        equal moments the later row of the table comes later).
    """
    moments = snapshots.select("snapshot_id", as_of="as_of", snapshot_lead="lead_id")
    known = moments.inner_join(
        facts,
        [
            moments.snapshot_lead == facts.lead_id,
            facts.occurred_at < moments.as_of,
            facts.recorded_at < moments.as_of,
        ],
    )
    return with_ages(known).drop("snapshot_lead")


def with_ages(known: ir.Table) -> ir.Table:
    """Add ``age_days``, ``gap_days`` and ``place_in_history`` to facts with ``as_of`` and ``occurred_at``."""
    # Microseconds: a delta in days counts boundaries on DuckDB and whole units on Spark.
    known = known.mutate(age_us=known.as_of.delta(known.occurred_at, unit="microsecond"))
    order = ibis.window(group_by="snapshot_id", order_by=[known.age_us.desc(), known.row_number])
    previous_us = known.age_us.lag().over(order)
    return known.mutate(
        age_days=known.age_us / MICROSECONDS_PER_DAY,
        gap_days=(previous_us - known.age_us) / MICROSECONDS_PER_DAY,
        place_in_history=ibis.row_number().over(order),
    )


def within(known: ir.Table, days: int | None) -> ir.Table:
    """The facts of the window that ends at the moment, ``[as_of - days, as_of)``; None keeps all."""
    return known if days is None else known.filter(known.age_us <= days * MICROSECONDS_PER_DAY)
