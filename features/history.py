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
        ``snapshot_id``, the columns of the facts, and ``age_us``.
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
    return with_age(known).drop("snapshot_lead")


def with_age(known: ir.Table) -> ir.Table:
    """Add ``age_us`` to facts with ``as_of`` and ``occurred_at``: microseconds to the moment, above 0."""
    # Microseconds: a delta in days counts boundaries on DuckDB and whole units on Spark.
    return known.mutate(age_us=known.as_of.delta(known.occurred_at, unit="microsecond"))


def with_order(known: ir.Table) -> ir.Table:
    """Add what features may read beside the columns of the table; the same on every engine.

    Returns
    -------
    ir.Table
        With ``age_days`` (from the fact to the moment), ``gap_days`` (days since the previous fact of the
        same snapshot; null for the first) and ``latest`` (a key that is greatest for the latest fact; of
        equal moments, for the later row of the table).
    """
    order = ibis.window(group_by="snapshot_id", order_by=known.age_us.desc())
    return known.mutate(
        age_days=known.age_us / MICROSECONDS_PER_DAY,
        gap_days=(known.age_us.lag().over(order) - known.age_us) / MICROSECONDS_PER_DAY,
        latest=ibis.struct({"younger": -known.age_us, "row": known.row_number}),
    )


def within(known: ir.Table, days: int | None) -> ir.Table:
    """The facts of the window that ends at the moment, ``[as_of - days, as_of)``; None keeps all."""
    return known if days is None else known.filter(known.age_us <= days * MICROSECONDS_PER_DAY)
