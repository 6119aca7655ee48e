"""The one place that decides which facts a feature may see.

A fact counts for a snapshot when it both happened and was recorded before the snapshot's moment.
Windows are half-open and end at the moment: ``[as_of - days, as_of)``.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import ibis
import ibis.expr.types as ir
from ibis import _

MICROSECONDS_PER_DAY = 86_400_000_000
IN_ORDER = ("gap_days", "previous_kind", "previous_means", "previous_direction", "facts_known")
"""What a fact has from the others of its snapshot: an engine has to sort for these."""
BY_ITSELF: Mapping[str, tuple[str, ...]] = {
    "age_days": ("age_us",),
    "days_after_creation": ("age_us", "lead_age_us"),
    "weekday": ("occurred_at",),
    "hour": ("occurred_at",),
    "latest": ("age_us", "row_number"),
}
"""What follows from the columns of one fact, and from which."""


def history(moments: ir.Table, facts: ir.Table) -> ir.Table:
    """Pair every snapshot with the lead's facts known before it.

    Parameters
    ----------
    moments
        One row per ``snapshot_id``, with ``lead_id``, ``as_of`` and ``lead_age_us``.
    facts
        One row per fact: ``lead_id``, ``occurred_at``, ``recorded_at`` and its own columns.

    Returns
    -------
    ir.Table
        ``snapshot_id``, ``lead_age_us``, the columns of the facts, and ``age_us``.
    """
    asked = moments.rename(snapshot_lead="lead_id")
    return known_before(asked, facts, asked.snapshot_lead == facts.lead_id).drop("snapshot_lead")


def known_before(asked: ir.Table, facts: ir.Table, link: ir.BooleanValue) -> ir.Table:
    """Pairs of a snapshot (``as_of``) and a fact that the link allows, known before the moment."""
    is_known = [link, facts.occurred_at < asked.as_of, facts.recorded_at < asked.as_of]
    return with_age(asked.inner_join(facts, is_known, rname="{name}_of_fact"))


def with_age(known: ir.Table) -> ir.Table:
    """Add ``age_us`` to facts with ``as_of`` and ``occurred_at``: microseconds to the moment, above 0."""
    # Microseconds: a delta in days counts boundaries on DuckDB and whole units on Spark.
    return known.mutate(age_us=known.as_of.delta(known.occurred_at, unit="microsecond"))


def with_order(known: ir.Table) -> ir.Table:
    """Add what features may read beside the columns of the table; the same on every engine.

    Returns
    -------
    ir.Table
        With the columns of `with_previous` and of `with_times`.
    """
    return with_times(with_previous(known, IN_ORDER), BY_ITSELF)


def with_previous(known: ir.Table, names: Collection[str]) -> ir.Table:
    """Add the named columns of `IN_ORDER`.

    ``gap_days`` are the days since the previous fact of the same snapshot; ``previous_kind``,
    ``previous_means`` and ``previous_direction`` are that fact's, where the table has them. Null for the
    first fact; of equal moments, the later row of the table is the later fact. ``facts_known`` counts all
    facts of the snapshot.
    """
    order = ibis.window(group_by="snapshot_id", order_by=[known.age_us.desc(), known.row_number])
    columns = {
        "gap_days": in_days(known.age_us.lag().over(order) - known.age_us),
        "facts_known": known.count().over(ibis.window(group_by="snapshot_id")),
    }
    for name in ("kind", "means", "direction"):
        if name in known.columns:
            columns[f"previous_{name}"] = known[name].lag().over(order)
    return known.mutate(**{name: value for name, value in columns.items() if name in names})


def with_times(known: ir.Table, names: Collection[str]) -> ir.Table:
    """Add the named columns of `BY_ITSELF`.

    ``age_days`` (from the fact to the moment), ``days_after_creation`` (from the lead's creation to the fact;
    below 0 before it, null if it is unknown), ``weekday`` (0 Monday to 6) and ``hour`` (0 to 23), both UTC,
    and ``latest`` (a key that is greatest for the latest fact; of equal moments, the later row).
    """
    columns = {
        "age_days": in_days(_.age_us),
        "days_after_creation": in_days(_.lead_age_us - _.age_us),
        "weekday": _.occurred_at.day_of_week.index(),
        "hour": _.occurred_at.hour(),
        "latest": ibis.struct({"younger": -_.age_us, "row": _.row_number}),
    }
    return known.mutate(**{name: value for name, value in columns.items() if name in names})


def in_days(microseconds: ir.Value) -> ir.Value:
    """As a fraction: Snowflake divides whole numbers as decimals with six places."""
    return microseconds.cast("float64") / MICROSECONDS_PER_DAY


def is_within(age_us: ir.IntegerValue, days: int) -> ir.BooleanValue:
    """Whether a fact of this age lies in the window that ends at the moment, ``[as_of - days, as_of)``."""
    return age_us <= days * MICROSECONDS_PER_DAY


def within(known: ir.Table, days: int | None) -> ir.Table:
    """The facts of the window that ends at the moment; None keeps all."""
    return known if days is None else known.filter(is_within(known.age_us, days))
