"""How much the owner of a lead has on his hands at the moment: a number of leads, never who it is."""

from __future__ import annotations

from collections.abc import Mapping

import ibis
import ibis.expr.types as ir

from features.lifetimes import NEVER, lifetimes
from features.running import running
from features.snapshots import closures


def owner_load(snapshots: ir.Table, tables: Mapping[str, ir.Table]) -> ir.Table:
    """Open leads of each snapshot's owner.

    Parameters
    ----------
    snapshots
        ``snapshot_id``, ``lead_id``, ``as_of``.
    tables
        ``leads`` with ``owner`` and ``created_at``, and ``outcomes``. The owner is taken as unchanging.

    Returns
    -------
    ir.Table
        ``snapshot_id`` and ``open_leads`` (that exist at the moment and are not known to be closed, as
        ``features/snapshots.py`` has it; the lead itself among them). A lead without an owner has no row.
    """
    asked = snapshots.join(_owned(tables), "lead_id").select("snapshot_id", "as_of", "owner")
    return running(changes(tables), asked, by="owner", sums=("open_leads",))


def changes(tables: Mapping[str, ir.Table]) -> ir.Table:
    """``owner``, ``at`` and ``open_leads``: how many open leads more an owner has from a moment on."""
    born = _owned(tables).join(lifetimes(tables["leads"]), "lead_id")
    return ibis.union(_change(born, "created_at", 1), *_closings(born, tables["outcomes"]))


def _owned(tables: Mapping[str, ir.Table]) -> ir.Table:
    return tables["leads"].filter(lambda t: t.owner.notnull()).select("lead_id", "owner")


def _closings(born: ir.Table, outcomes: ir.Table) -> tuple[ir.Table, ir.Table]:
    """One lead less where a lead is closed or gone, one more where it is back.

    Of spans that overlap, each gives only what those before it leave open: a lead is closed once.
    """
    never = ibis.timestamp(NEVER)
    gone = born.select("lead_id", closed_from="gone_at", closed_until=never)
    ends = ibis.union(*(_of_one_type(part) for part in (closures(outcomes), gone)))
    spans = ends.join(born, "lead_id")
    order = {"group_by": "lead_id", "order_by": ["closed_from", "closed_until"]}
    reaching = spans.mutate(reach=spans.closed_until.max().over(ibis.cumulative_window(**order)))
    told = reaching.mutate(reach=reaching.reach.lag().over(ibis.window(**order)))
    start = ibis.greatest(told.closed_from, told.created_at, told.reach.fill_null(told.created_at))
    uncovered = told.mutate(start=start).filter(lambda t: t.start < t.closed_until)
    return _change(uncovered, "start", -1), _change(
        uncovered.filter(uncovered.closed_until < never), "closed_until", 1
    )


def _of_one_type(spans: ir.Table) -> ir.Table:
    """The spans with moments of whatever scale as one type."""
    ends = {name: spans[name].cast("timestamp") for name in ("closed_from", "closed_until")}
    return spans.select("lead_id", **ends)


def _change(rows: ir.Table, at: str, leads: int) -> ir.Table:
    """``owner``, ``at`` and ``open_leads``: how many leads more."""
    return rows.select("owner", at=rows[at].cast("timestamp"), open_leads=ibis.literal(leads, "int64"))
