"""What is decided already, over time, for reports: immature is not lost."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from features.funnel import Window
from features.questions import Question


def leads_by_month(leads: ir.Table, outcomes: ir.Table, window: Window, *, stage: str = "won") -> ir.Table:
    """Leads by month of creation: how many can be judged, and how many reached the stage so far.

    Returns
    -------
    ir.Table
        One row per month, oldest first: ``month``, ``leads``, ``mature`` (the window after their creation and
        the reporting delay are over), ``reached`` (at any time until now) and ``reached_in_window`` (mature
        ones that reached the stage within the window).
    """
    reached = (
        outcomes.filter((outcomes.stage == stage) & (outcomes.recorded_at < window.moment))
        .group_by("lead_id")
        .aggregate(reached_at=lambda t: t.occurred_at.min())
        .rename(reached_lead="lead_id")
    )
    born = leads.filter(leads.created_at < window.moment).select("lead_id", "created_at")
    table = born.left_join(reached, born.lead_id == reached.reached_lead)
    end = table.created_at + ibis.interval(days=window.days)
    is_mature = window.is_over(table.created_at)
    in_window = (table.reached_at >= table.created_at) & (table.reached_at < end)
    marked = table.mutate(
        month=table.created_at.truncate("M"),
        is_mature=is_mature,
        is_in_window=is_mature & in_window.fill_null(False),  # noqa: FBT003  # Ibis's own argument
    )
    by_month = marked.group_by("month").aggregate(
        leads=marked.count(),
        mature=marked.is_mature.sum(),
        reached=marked.reached_at.count(),
        reached_in_window=marked.is_in_window.sum(),
    )
    return by_month.order_by("month")


def snapshots_by_month(question: Question) -> ir.Table:
    """Snapshots of a question by month of their moment: ``month``, ``mature``, ``immature``, oldest first.

    Training learns from the mature ones and leaves the immature ones out, those that are decided early with
    weights aside (``question.early``): here they are immature too.
    """
    table = question.snapshots
    is_mature = table.is_mature.cast("int64") if "is_mature" in table.columns else ibis.literal(1, "int64")
    rows = table.select(month=table.as_of.truncate("M"), is_mature=is_mature)
    if question.young is not None:
        young = question.young.select(
            month=lambda t: t.as_of.truncate("M"), is_mature=ibis.literal(0, "int64")
        )
        rows = rows.union(young)
    counted = rows.group_by("month").aggregate(
        mature=rows.is_mature.sum(), immature=(1 - rows.is_mature).sum()
    )
    return counted.order_by("month")


def rates_by_night(snapshots: ir.Table) -> ir.Table:
    """Labelled snapshots by their moment: ``as_of``, ``rows``, ``positives``, oldest first."""
    counted = snapshots.group_by("as_of").aggregate(
        rows=snapshots.count(), positives=snapshots.label.sum().cast("int64")
    )
    return counted.order_by("as_of")
