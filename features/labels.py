"""What became of a snapshot: whether the stage happened within the horizon, and whether that is known yet."""

from __future__ import annotations

from datetime import datetime

import ibis
import ibis.expr.types as ir


def labelled(
    snapshots: ir.Table,
    outcomes: ir.Table,
    *,
    stage: str,
    horizon_days: int,
    known_at: datetime,
    reporting_delay_days: int = 0,
) -> ir.Table:
    """Add ``label`` and ``is_mature`` to every snapshot.

    Parameters
    ----------
    snapshots
        ``snapshot_id``, ``lead_id``, ``as_of``.
    outcomes
        ``lead_id``, ``stage``, ``occurred_at``, ``recorded_at``.
    stage
        Stage whose arrival is predicted, for example ``won``.
    horizon_days
        The label window is ``[as_of, as_of + horizon_days)``.
    known_at
        Moment at which the history is looked at: only outcomes recorded before it count.
    reporting_delay_days
        Days that an outcome may take to be recorded.

    Returns
    -------
    ir.Table
        The snapshots with ``label`` (1.0 if the stage happened in the window, else 0.0) and ``is_mature``
        (the window and the delay were over at ``known_at``). An immature snapshot is not a negative.
    """
    moment = ibis.timestamp(known_at.replace(tzinfo=None))
    reached = outcomes.filter((outcomes.stage == stage) & (outcomes.recorded_at < moment)).select(
        reached_lead="lead_id", reached_at="occurred_at"
    )
    in_window = [
        snapshots.lead_id == reached.reached_lead,
        reached.reached_at >= snapshots.as_of,
        reached.reached_at < snapshots.as_of + ibis.interval(days=horizon_days),
    ]
    hits = snapshots.semi_join(reached, in_window).select("snapshot_id").mutate(label=ibis.literal(1.0))
    ends = snapshots.as_of + ibis.interval(days=horizon_days + reporting_delay_days)
    marked = snapshots.mutate(is_mature=ends <= moment)
    return marked.left_join(hits, "snapshot_id").select(
        *snapshots.columns, "is_mature", label=lambda t: t.label.fill_null(0.0)
    )
