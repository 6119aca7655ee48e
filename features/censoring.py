"""Weights for snapshots whose window is not over: inverse probability of censoring.

A snapshot is followed from its moment until the history ends (less the reporting delay) or its lead is merged
away. Within that time its result may be decided: the stage is reached (label 1), the lead is won, lost or
disqualified otherwise and not reopened since (label 0), or the horizon is over (label 0). To keep the early
decisions and drop the undecided would count quick conversions too often: so each decided snapshot stands for
those that were censored before they could be decided, with the weight 1 / G(t), G the chance of being
followed for longer than the time t to its decision. The undecided have weight 0. Where a lead had more
moments than it may give, each that was drawn stands for its share of them, in the weights as in G.

G is the Kaplan-Meier estimate of the censoring times, in which a decision ends the observation (Graf,
Schmoor, Sauerbrei and Schumacher 1999, *Statistics in Medicine* 18, section 3; Vock et al. 2016, *Journal of
Biomedical Informatics* 61, section 3.1). A lost lead is a competing event that is observed, hence decided at
the moment of the loss (Blanche, Dartigues and Jacqmin-Gadda 2013, *Statistics in Medicine* 32, section 3).
Windows are half-open here: a decision at the end of the follow-up itself is not seen, so that censoring comes
first among equal times; and a horizon that ends exactly there is over.

What it takes for granted: how long a snapshot is followed says nothing about its conversion, that is,
conversion does not drift over the period; and a lost lead stays lost, though some are reopened after the
follow-up.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import ibis
import ibis.expr.types as ir

from features.history import MICROSECONDS_PER_DAY
from features.labels import Target, first_reached
from features.lifetimes import NEVER, lifetimes
from features.moments import CLOSING, REOPENING, naive_utc

SMALLEST = 1e-12  # keeps the logarithm of a chance of nought finite


def with_follow_up(
    snapshots: ir.Table,
    leads: ir.Table,
    *,
    horizon_days: int,
    known_at: datetime,
    reporting_delay_days: int,
) -> ir.Table:
    """Add ``followed_until`` and ``is_mature`` to rows with ``lead_id`` and ``as_of``.

    Returns
    -------
    ir.Table
        ``followed_until`` is ``known_at`` less the delay, or the lead's merge if that was earlier;
        ``is_mature`` says whether the horizon is over by then.
    """
    end = naive_utc(known_at) - timedelta(days=reporting_delay_days)
    horizon = ibis.interval(days=horizon_days)
    if not {"merged_into", "merged_at"} & set(leads.columns):
        until = ibis.timestamp(end)
        return snapshots.mutate(followed_until=until, is_mature=snapshots.as_of + horizon <= until)
    merged = lifetimes(leads).select(merged_lead="lead_id", merged_at="merged_at")
    rows = snapshots.left_join(merged, snapshots.lead_id == merged.merged_lead)
    until = ibis.least(rows.merged_at.fill_null(ibis.timestamp(NEVER)), ibis.timestamp(end))
    return rows.select(
        *snapshots.columns,
        followed_until=until,
        is_mature=rows.as_of + horizon <= until,
    )


def weighed(followed: ir.Table, outcomes: ir.Table, target: Target, *, known_at: datetime) -> ir.Table:
    """Label and weigh snapshots, mature or not.

    Parameters
    ----------
    followed
        ``snapshot_id``, ``lead_id``, ``as_of``, ``followed_until``, ``is_mature`` (`with_follow_up`), and
        ``stands_for``: how many candidates of its lead each was drawn from, at least 1.
    outcomes
        ``lead_id``, ``stage``, ``occurred_at``, ``recorded_at``; only what was recorded before ``known_at``
        counts.

    Returns
    -------
    ir.Table
        The snapshots with ``label`` (1.0 or 0.0) and ``weight``: at least 1 if decided, else 0.
    """
    decided = _decided(followed, outcomes, target, known_at=known_at)
    chances = _followed_longer(decided)
    joined = decided.left_join(chances, "time_us", rname="{name}_of_time")
    weight = ibis.cases((joined.is_decided, joined.stands_for / joined.longer), else_=0.0)
    return joined.select(*followed.columns, "label", weight=weight)


def _decided(followed: ir.Table, outcomes: ir.Table, target: Target, *, known_at: datetime) -> ir.Table:
    """Add ``label``, ``time_us`` (to decision or censoring) and ``is_decided``."""
    days, column = target.horizon_days, f"reached[{target.stage}]"
    rows = first_reached(followed, outcomes, [target.stage], known_at=known_at, within_days=days)
    rows = _with_closing(rows, outcomes, known_at=known_at, within_days=days)
    is_reached = (rows[column] < rows.followed_until).fill_null(False)  # noqa: FBT003  # Ibis's own argument
    is_closed = (rows.finally_closed_at < rows.followed_until).fill_null(False)  # noqa: FBT003  # likewise
    time_us = ibis.cases(
        (is_reached, _since(rows, rows[column])),
        (is_closed, ibis.greatest(_since(rows, rows.finally_closed_at), 0)),
        (rows.is_mature, ibis.literal(days * MICROSECONDS_PER_DAY)),
        else_=_since(rows, rows.followed_until),
    )
    return rows.select(
        *followed.columns,
        label=is_reached.ifelse(1.0, 0.0),
        time_us=time_us,
        is_decided=is_reached | is_closed | rows.is_mature,
    )


def _with_closing(
    snapshots: ir.Table, outcomes: ir.Table, *, known_at: datetime, within_days: int
) -> ir.Table:
    """Add ``finally_closed_at``: the first closing before the window's end that no reopening follows."""
    known = outcomes.filter(outcomes.recorded_at < ibis.timestamp(naive_utc(known_at)))
    closing = known.filter(known.stage.isin(CLOSING)).select(closed_lead="lead_id", closed_at="occurred_at")
    reopening = known.filter(known.stage == REOPENING).select(
        reopened_lead="lead_id", reopened_at="occurred_at"
    )
    later = [closing.closed_lead == reopening.reopened_lead, reopening.reopened_at >= closing.closed_at]
    final = closing.anti_join(reopening, later)
    in_window = [
        snapshots.lead_id == final.closed_lead,
        final.closed_at < snapshots.as_of + ibis.interval(days=within_days),
    ]
    pairs = snapshots.select("snapshot_id", "lead_id", "as_of").inner_join(final, in_window)
    first = pairs.group_by("snapshot_id").aggregate(finally_closed_at=pairs.closed_at.min())
    return snapshots.left_join(first, "snapshot_id").drop("snapshot_id_right")


def _followed_longer(decided: ir.Table) -> ir.Table:
    """By time: ``longer``, the chance to be followed for longer; nobody is censored at the horizon itself.

    Snapshots that were not followed at all are left aside: they say nothing of any time.
    """
    seen = decided.filter(decided.is_decided | (decided.time_us > 0))
    counted = seen.group_by("time_us").aggregate(
        rows=seen.stands_for.sum(),
        decided=seen.stands_for.sum(where=seen.is_decided).fill_null(0.0),
    )
    later = ibis.window(order_by=ibis.desc("time_us"), preceding=None, following=0)
    staying = counted.mutate(at_risk=counted.rows.sum().over(later))
    censored = staying.rows - staying.decided
    # Where everybody left is censored nobody is decided later, so the chance of that time is never used.
    staying_share = ibis.greatest(1 - censored / staying.at_risk, SMALLEST)
    logs = staying.mutate(log=staying_share.ln())
    earlier = ibis.window(order_by="time_us", preceding=None, following=0)
    summed = logs.mutate(total=logs.log.sum().over(earlier))
    return summed.select("time_us", longer=summed.total.exp())


def _since(rows: ir.Table, moment: ir.Value) -> ir.Value:
    return moment.delta(rows.as_of, unit="microsecond")
