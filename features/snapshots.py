"""Which leads are asked about, and at which moments.

A lead is open at a moment if it exists then (``features/lifetimes.py``) and no ``won``, ``lost`` or
``disqualified`` is known before it without a later ``reopened``. Training takes past nights of open leads,
the nightly run takes tonight: the same population.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import ibis
import ibis.expr.types as ir

from features.lifetimes import NEVER, existing
from features.moments import CLOSING, REOPENING, as_moments
from features.objections import may_be_asked, objectors

FLAT_MOMENT = datetime(1970, 1, 1)  # noqa: DTZ001  # stamps are naive UTC inside an engine
_ENDS_OF_FLAT = ("merged_into", "merged_at", "deleted_at")


def closures(outcomes: ir.Table) -> ir.Table:
    """The spans in which a lead is known to be closed.

    Returns
    -------
    ir.Table
        ``lead_id``, ``closed_from`` (moment from which the closing is known) and ``closed_until`` (moment
        from which a later reopening is known; the year 9999 if none, so that a join needs no "or").
    """
    known = outcomes.mutate(known_at=ibis.greatest(outcomes.occurred_at, outcomes.recorded_at))
    closing = known.filter(known.stage.isin(CLOSING)).select(
        "lead_id", closed_at="occurred_at", closed_from="known_at"
    )
    reopening = known.filter(known.stage == REOPENING).select(
        reopened_lead="lead_id", reopened_at="occurred_at", reopened_from="known_at"
    )
    later = [closing.lead_id == reopening.reopened_lead, reopening.reopened_at >= closing.closed_at]
    return (
        closing.left_join(reopening, later)
        .group_by("lead_id", "closed_at", "closed_from")
        .aggregate(closed_until=lambda t: t.reopened_from.min().fill_null(ibis.timestamp(NEVER)))
        .select("lead_id", "closed_from", "closed_until")
    )


def open_only(candidates: ir.Table, outcomes: ir.Table) -> ir.Table:
    """The candidates (``lead_id``, ``as_of``) whose lead is open at the moment."""
    spans = closures(outcomes)
    closed = [
        candidates.lead_id == spans.lead_id,
        spans.closed_from < candidates.as_of,
        spans.closed_until >= candidates.as_of,
    ]
    return candidates.anti_join(spans, closed)


def tonight(leads: ir.Table, outcomes: ir.Table, as_of: datetime) -> ir.Table:
    """One snapshot per lead that exists and is open at ``as_of``: ``snapshot_id``, ``lead_id``, ``as_of``.

    Who has opted out by today is not among them, even if ``as_of`` is long before.
    """
    return numbered(open_only(existing(may_be_asked(leads), as_moments([as_of])), outcomes))


def objecting(leads: ir.Table, outcomes: ir.Table, as_of: datetime) -> ir.Table:
    """The leads that `tonight` leaves out because they have opted out: ``lead_id``, ``as_of``."""
    return open_only(existing(objectors(leads), as_moments([as_of])), outcomes)


def past_nights(
    leads: ir.Table, outcomes: ir.Table, nights: Sequence[datetime], *, max_per_lead: int
) -> ir.Table:
    """Snapshots of open leads on past nights, at most ``max_per_lead`` of each lead: see `drawn`."""
    return drawn(open_only(existing(leads, as_moments(nights)), outcomes), max_per_lead=max_per_lead)


def drawn(candidates: ir.Table, *, max_per_lead: int) -> ir.Table:
    """At most ``max_per_lead`` of each lead's candidates (``lead_id``, ``as_of``), as snapshots.

    Which are kept is drawn by a hash of lead and moment, so that the draw depends neither on what became of
    the lead nor on the order of the rows.

    Returns
    -------
    ir.Table
        ``snapshot_id``, ``lead_id``, ``as_of``.
    """
    moment = candidates.as_of.truncate("s").epoch_seconds().cast("string")
    marked = candidates.mutate(draw=(candidates.lead_id + "|" + moment).hexdigest("md5"))
    order = ibis.window(group_by="lead_id", order_by="draw")
    kept = marked.mutate(place=ibis.row_number().over(order)).filter(lambda t: t.place < max_per_lead)
    return numbered(kept.select("lead_id", "as_of"))


def drawn_for(candidates: ir.Table, *, max_per_lead: int) -> ir.Table:
    """As `drawn`, with how many of its lead's candidates each drawn one stands for.

    Of a lead that stays open for long a smaller share is drawn than of one that is soon won or lost: without
    this the draw would know the lead's future.

    Returns
    -------
    ir.Table
        The columns of `drawn` and of the candidates, and ``stands_for``: candidates of the lead to those
        drawn, at least 1.
    """
    every = ibis.window(group_by="lead_id")
    counted = candidates.mutate(stands_for=ibis.greatest(1.0, candidates.count().over(every) / max_per_lead))
    return drawn(candidates, max_per_lead=max_per_lead).join(counted, ["lead_id", "as_of"])


def flat(leads: ir.Table) -> ir.Table:
    """One snapshot per lead of a table without moments, in the order of the table.

    Returns
    -------
    ir.Table
        ``snapshot_id`` (the row number), ``lead_id`` and ``as_of`` (the same constant for all).
    """
    moment = ibis.timestamp(FLAT_MOMENT)
    return leads.select(snapshot_id="row_number", lead_id="lead_id", as_of=moment)


def undecided(leads: ir.Table) -> ir.Table:
    """The leads of a flat table that may still be won: without an outcome, or if all have one, the not won.

    A lead that was merged into another, deleted or has opted out is not among them, whenever that was.

    Returns
    -------
    ir.Table
        As ``flat``.
    """
    return flat(may_be_asked(_undecided(leads)))


def undecided_objecting(leads: ir.Table) -> ir.Table:
    """The leads that `undecided` leaves out because they have opted out, as ``flat``."""
    return flat(objectors(_undecided(leads)))


def _undecided(leads: ir.Table) -> ir.Table:
    rows = leads.mutate(undecided=leads.outcome.isnull().any().over(ibis.window()))
    open_rows = rows.filter(ibis.ifelse(rows.undecided, rows.outcome.isnull(), rows.outcome == 0))
    for name in _ENDS_OF_FLAT:
        if name in leads.columns:
            open_rows = open_rows.filter(open_rows[name].isnull())
    return open_rows.drop("undecided")


def asked(rows: ir.Table) -> ir.Table:
    """The snapshots of explicit rows (``lead_id``, ``as_of``): ``snapshot_id`` is the row number."""
    return rows.select(snapshot_id="row_number", lead_id="lead_id", as_of="as_of")


def known_until(tables: Mapping[str, ir.Table]) -> datetime:
    """The midnight after the latest recorded touch or outcome: the history's own present, in UTC."""
    facts = [tables[name] for name in ("touches", "outcomes") if name in tables]
    latest = [table.recorded_at.max().to_pyarrow().as_py() for table in facts]
    newest: datetime = max(moment for moment in latest if moment is not None)
    return newest.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=UTC) + timedelta(days=1)


def numbered(rows: ir.Table) -> ir.Table:
    """The rows (``lead_id``, ``as_of``) as snapshots: ``snapshot_id`` counts them by moment and lead."""
    order = ibis.window(order_by=["as_of", "lead_id"])
    return rows.mutate(snapshot_id=ibis.row_number().over(order)).select("snapshot_id", "lead_id", "as_of")
