"""What could be known at past origins: the rows to learn from there, and the lists to judge on.

An origin is a past moment at which a model is trained anew. Until the next origin it makes a list of all open
leads every few days; each list is judged by what became of its leads within the horizon. An origin may learn
from a snapshot whose label window and reporting delay were over by then (``as_of + horizon + delay <=
origin``), with the label as it was recorded before the origin; which snapshots of a lead are drawn depends on
those alone. The lists are whole: no moment of a lead is left out of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import ibis
import ibis.expr.types as ir

from features.censoring import with_follow_up
from features.lifetimes import counted_once, existing
from features.moments import as_moments, candidates, naive_utc
from features.questions import Plan, Tables
from features.snapshots import drawn_for, known_until, numbered, open_only


@dataclass(frozen=True)
class Origin:
    """One retraining, and the nights of its lists: the first at the origin, the last before the next one."""

    at: datetime
    nights: tuple[datetime, ...]


@dataclass(frozen=True)
class Replay:
    """Tables of the workspace.

    Attributes
    ----------
    snapshots
        ``snapshot_id``, ``lead_id``, ``as_of``, ``label`` (1.0 or 0.0, as known today) and ``amount`` (sum of
        the stage's outcomes in the window; null without one).
    learning
        ``origin`` (place among the origins), ``snapshot_id``, ``label`` as recorded before the origin, and
        ``stands_for`` (`features.snapshots.drawn_for`).
    lists
        ``origin``, ``snapshot_id``.
    """

    snapshots: ir.Table
    learning: ir.Table
    lists: ir.Table


def origins(
    known_at: datetime, plan: Plan, *, count: int, every_days: int, lists_every_days: int
) -> list[Origin]:
    """The latest origins whose every list is mature, oldest first.

    Parameters
    ----------
    known_at
        Moment from which the history is looked at.
    every_days
        Days from one origin to the next.
    lists_every_days
        Days from one list to the next.
    """
    steps = [timedelta(days=days) for days in range(0, every_days, lists_every_days)]
    wait = timedelta(days=plan.horizon_days + plan.reporting_delay_days)
    last = known_at - wait - steps[-1]
    starts = [last - timedelta(days=every_days * place) for place in range(count - 1, -1, -1)]
    return [Origin(at, tuple(at + step for step in steps)) for at in starts]


def replayed(backend: Any, tables: Tables, plan: Plan, chosen: Sequence[Origin]) -> Replay:
    """The snapshots that the origins learn from and list.

    Parameters
    ----------
    backend
        Ibis backend that keeps the tables.
    plan
        What is predicted and from which moments is learned; ``censoring`` is not used, for weights would need
        the future of each origin: only mature rows are learned from.
    """
    known_at = plan.known_at or known_until(tables)
    leads, outcomes = tables["leads"], tables["outcomes"]
    looked = open_only(candidates(leads, outcomes, plan.moments, known_at=known_at), outcomes)
    past = backend.create_table(
        "replay_past", _judgeable(looked, leads, plan, known_at).select("lead_id", "as_of"), overwrite=True
    )
    wait = ibis.interval(days=plan.horizon_days + plan.reporting_delay_days)
    learned = [
        _of(
            number,
            origin,
            drawn_for(past.filter(past.as_of + wait <= _stamp(origin.at)), max_per_lead=plan.max_per_lead),
        )
        for number, origin in enumerate(chosen)
    ]
    listed = [
        _of(number, origin, _judgeable(_open_on(tables, origin.nights), leads, plan, known_at))
        for number, origin in enumerate(chosen)
    ]
    learning = backend.create_table("replay_learning", _union(learned), overwrite=True)
    lists = backend.create_table("replay_lists", _union(listed), overwrite=True)
    pairs = ibis.union(learning.select("lead_id", "as_of"), lists.select("lead_id", "as_of"), distinct=True)
    snapshots = backend.create_table("replay_snapshots", numbered(pairs), overwrite=True)
    judged = backend.create_table(
        "replay_judged", _judged(snapshots, counted_once(leads, outcomes), plan, known_at), overwrite=True
    )
    return Replay(
        judged.drop("known_from"),
        _labelled(learning, judged),
        lists.join(judged.select("snapshot_id", "lead_id", "as_of"), ["lead_id", "as_of"]).select(
            "origin", "snapshot_id"
        ),
    )


def _open_on(tables: Tables, nights: Sequence[datetime]) -> ir.Table:
    return open_only(existing(tables["leads"], as_moments(nights)), tables["outcomes"])


def _judgeable(rows: ir.Table, leads: ir.Table, plan: Plan, known_at: datetime) -> ir.Table:
    """The rows whose whole window is known today: a lead that was merged away within it is not judged."""
    followed = with_follow_up(
        rows,
        leads,
        horizon_days=plan.horizon_days,
        known_at=known_at,
        reporting_delay_days=plan.reporting_delay_days,
    )
    return followed.filter(followed.is_mature)


def _of(number: int, origin: Origin, rows: ir.Table) -> ir.Table:
    stands_for = [name for name in ("stands_for",) if name in rows.columns]
    at = {"origin": ibis.literal(number, "int64"), "origin_at": _stamp(origin.at)}
    return rows.select("lead_id", "as_of", *stands_for, **at)


def _union(parts: Sequence[ir.Table]) -> ir.Table:
    return ibis.union(*parts) if len(parts) > 1 else parts[0]


def _judged(snapshots: ir.Table, outcomes: ir.Table, plan: Plan, known_at: datetime) -> ir.Table:
    """Add ``label``, ``amount`` and ``known_from``: when the first of the window's outcomes was recorded."""
    amount = outcomes.amount if "amount" in outcomes.columns else ibis.null("float64")
    known = outcomes.filter(
        (outcomes.stage == plan.stage) & (outcomes.recorded_at < _stamp(known_at))
    ).select(won_lead="lead_id", won_at="occurred_at", said_at="recorded_at", amount=amount)
    in_window = [
        snapshots.lead_id == known.won_lead,
        known.won_at >= snapshots.as_of,
        known.won_at < snapshots.as_of + ibis.interval(days=plan.horizon_days),
    ]
    found = (
        snapshots.select("snapshot_id", "lead_id", "as_of")
        .inner_join(known, in_window)
        .group_by("snapshot_id")
        .aggregate(known_from=lambda t: t.said_at.min(), amount=lambda t: t.amount.sum())
    )
    rows = snapshots.left_join(found, "snapshot_id")
    return rows.select(
        *snapshots.columns, "known_from", "amount", label=rows.known_from.notnull().ifelse(1.0, 0.0)
    )


def _labelled(learning: ir.Table, judged: ir.Table) -> ir.Table:
    rows = learning.join(judged.select("snapshot_id", "lead_id", "as_of", "known_from"), ["lead_id", "as_of"])
    is_known = (rows.known_from < rows.origin_at).fill_null(False)  # noqa: FBT003  # Ibis's own argument
    return rows.select("origin", "snapshot_id", "stands_for", label=is_known.ifelse(1.0, 0.0))


def _stamp(moment: datetime) -> ir.TimestampScalar:
    return ibis.timestamp(naive_utc(moment))
