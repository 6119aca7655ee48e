"""What else may become of a lead: a further stage, a hand-back, silence; and whom to ask about.

An aim is asked of a snapshot by what was known then, so that training and the nightly run ask the same leads.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import ibis
import ibis.expr.types as ir

from features.censoring import with_follow_up
from features.moments import naive_utc

Kind = Literal["reached", "first_reached", "silent"]


@dataclass(frozen=True)
class Aim:
    """One thing that may happen to a lead within some days.

    Attributes
    ----------
    name
        Part of column names.
    kind
        ``reached``: one of the stages, asked of every snapshot. ``first_reached``: likewise, asked unless one
        of them was known to be reached before. ``silent``: no touch by the lead, asked where it had one in as
        many days before the moment.
    horizon_days
        Days ahead; the window is ``[as_of, as_of + horizon_days)``.
    stages
        Stages of ``outcomes``; none for ``silent``.
    """

    name: str
    kind: Kind
    horizon_days: int
    stages: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """Name of the column that says whether it happened."""
        return f"label[{self.name}]"

    @property
    def is_mature(self) -> str:
        """Name of the column that says whether that is known."""
        return f"is_mature[{self.name}]"

    @property
    def is_asked(self) -> str:
        """Name of the column that says whether the snapshot is asked."""
        return f"is_asked[{self.name}]"


def asked(snapshots: ir.Table, tables: Mapping[str, ir.Table], aims: Sequence[Aim]) -> ir.Table:
    """Whether each snapshot is asked about each aim.

    Parameters
    ----------
    snapshots
        ``snapshot_id``, ``lead_id``, ``as_of``.
    tables
        ``outcomes``, and ``touches`` where an aim is ``silent``.

    Returns
    -------
    ir.Table
        ``snapshot_id``, ``lead_id``, ``as_of`` and ``is_asked[<aim>]``.
    """
    rows = snapshots.select("snapshot_id", "lead_id", "as_of")
    known = _before(rows, tables, aims)
    found = rows.left_join(known, "snapshot_id").drop("snapshot_id_right")
    return found.select(*rows.columns, **{aim.is_asked: _is_asked(found, aim) for aim in aims})


def answered(
    snapshots: ir.Table,
    tables: Mapping[str, ir.Table],
    aims: Sequence[Aim],
    *,
    known_at: datetime,
    reporting_delay_days: int = 0,
) -> ir.Table:
    """What became of each snapshot.

    Parameters
    ----------
    tables
        As for `asked`, and ``leads``.
    known_at
        Moment at which the history is looked at: only what was recorded before it counts.
    reporting_delay_days
        Days that a fact may take to be recorded.

    Returns
    -------
    ir.Table
        As `asked`, with ``label[<aim>]`` (1.0 or 0.0) and ``is_mature[<aim>]`` (window and delay were over at
        ``known_at``, and the lead was not merged into another before). The label of an immature snapshot is
        not a negative.
    """
    rows = asked(snapshots, tables, aims)
    followed = with_follow_up(
        rows, tables["leads"], horizon_days=0, known_at=known_at, reporting_delay_days=reporting_delay_days
    )
    after = _after(rows, tables, aims, known_at)
    found = followed.left_join(after, "snapshot_id").drop("snapshot_id_right")
    columns = {aim.label: _label(found, aim) for aim in aims}
    for aim in aims:
        columns[aim.is_mature] = found.as_of + ibis.interval(days=aim.horizon_days) <= found.followed_until
    return found.select(*rows.columns, **columns)


def amounts(
    snapshots: ir.Table, outcomes: ir.Table, *, stage: str, horizon_days: int, known_at: datetime
) -> ir.Table:
    """What each snapshot was worth: ``snapshot_id`` and ``amount``.

    The sum over the outcomes of the stage in ``[as_of, as_of + horizon_days)`` that were recorded before
    ``known_at``; null where there is none with an amount.
    """
    won = outcomes.filter((outcomes.stage == stage) & (outcomes.recorded_at < _stamp(known_at))).select(
        "lead_id", won_at="occurred_at", amount="amount"
    )
    pairs = snapshots.select("snapshot_id", "lead_id", "as_of").inner_join(won, "lead_id")
    inside = (pairs.won_at >= pairs.as_of) & (pairs.won_at < pairs.as_of + ibis.interval(days=horizon_days))
    return pairs.filter(inside).group_by("snapshot_id").aggregate(amount=lambda t: t.amount.sum())


def _before(rows: ir.Table, tables: Mapping[str, ir.Table], aims: Sequence[Aim]) -> ir.Table:
    """``before[<aim>]``: facts of each snapshot that were known at its moment."""

    def is_before(pairs: ir.Table, aim: Aim) -> ir.BooleanValue:
        known = (pairs.fact_at < pairs.as_of) & (pairs.said_at < pairs.as_of)
        if aim.kind == "silent":
            known &= pairs.fact_at >= pairs.as_of - ibis.interval(days=aim.horizon_days)
        return known

    return _counted(rows, tables, aims, "before", is_before)


def _after(
    rows: ir.Table, tables: Mapping[str, ir.Table], aims: Sequence[Aim], known_at: datetime
) -> ir.Table:
    """``after[<aim>]``: facts in the window of each snapshot."""

    def is_after(pairs: ir.Table, aim: Aim) -> ir.BooleanValue:
        end = pairs.as_of + ibis.interval(days=aim.horizon_days)
        return (pairs.fact_at >= pairs.as_of) & (pairs.fact_at < end) & (pairs.said_at < _stamp(known_at))

    return _counted(rows, tables, aims, "after", is_after)


def _counted(
    rows: ir.Table, tables: Mapping[str, ir.Table], aims: Sequence[Aim], when: str, test: object
) -> ir.Table:
    """One row per snapshot with the number of facts of each aim that pass the test."""
    pairs = rows.inner_join(_facts(tables, aims), "lead_id")
    counts = {
        f"{when}[{aim.name}]": pairs.count(where=_concerns(pairs, aim) & test(pairs, aim))  # type: ignore[operator]
        for aim in aims
    }
    return pairs.group_by("snapshot_id").aggregate(**counts)


def _facts(tables: Mapping[str, ir.Table], aims: Sequence[Aim]) -> ir.Table:
    """Outcomes and, where an aim needs them, touches by leads: ``lead_id, fact, fact_at, said_at``."""
    stages = sorted({stage for aim in aims for stage in aim.stages})
    outcomes = tables["outcomes"]
    found = outcomes.filter(outcomes.stage.isin(stages)).select(
        "lead_id", fact="stage", fact_at="occurred_at", said_at="recorded_at"
    )
    if all(aim.kind != "silent" for aim in aims):
        return found
    own = by_the_lead(tables["touches"])
    heard = own.select("lead_id", fact=ibis.null("string"), fact_at="occurred_at", said_at="recorded_at")
    return ibis.union(found, heard)


def by_the_lead(touches: ir.Table) -> ir.Table:
    """The touches of known leads that came from them; without ``direction`` that is every touch."""
    known = touches.filter(touches.lead_id.notnull())
    return known.filter(known.direction.fill_null("in") != "out") if "direction" in known.columns else known


def _concerns(pairs: ir.Table, aim: Aim) -> ir.BooleanValue:
    return pairs.fact.isnull() if aim.kind == "silent" else pairs.fact.isin(aim.stages)


def _is_asked(found: ir.Table, aim: Aim) -> ir.BooleanValue:
    if aim.kind == "reached":
        return ibis.literal(value=True)
    count = found[f"before[{aim.name}]"].fill_null(0)
    return count > 0 if aim.kind == "silent" else count == 0


def _label(found: ir.Table, aim: Aim) -> ir.FloatingValue:
    count = found[f"after[{aim.name}]"].fill_null(0)
    return ((count == 0) if aim.kind == "silent" else (count > 0)).ifelse(1.0, 0.0)


def _stamp(moment: datetime) -> ir.TimestampScalar:
    return ibis.timestamp(naive_utc(moment))
