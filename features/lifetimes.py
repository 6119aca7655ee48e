"""From when until when a lead exists, and may be asked about: created, perhaps merged, deleted or opted out.

A merged or deleted lead is gone from the first moment that comes after its merge or deletion. What happened
on a merged record is its master's from the merge on: ingest hands that over (``features/ingest/merging.py``).
"""

from __future__ import annotations

from datetime import datetime

import ibis
import ibis.expr.types as ir

from features.errors import InputError, Place
from features.objections import objected_at, tells

NEVER = datetime(9999, 1, 1)  # noqa: DTZ001  # stamps are naive UTC inside an engine
_ENDS = ("merged_at", "deleted_at")


def dated(leads: ir.Table) -> ir.Table:
    """The leads, if they have ``created_at``.

    Raises
    ------
    InputError
        They do not.
    """
    if "created_at" not in leads.columns:
        raise InputError(
            "the table 'leads' has no column 'created_at', so nobody knows which leads existed when",
            hint="map it under tables.leads.mapping, or start flat with tables.leads.outcome_column",
            place=Place(column="created_at"),
        )
    return leads


def lifetimes(leads: ir.Table) -> ir.Table:
    """``lead_id``, ``created_at``, and the ends of every lead with a moment of creation.

    Returns
    -------
    ir.Table
        ``merged_at``, ``gone_at`` (the earlier of merge and deletion) and ``ask_until`` (the earlier of that
        and the person's objection) are the year 9999 if it is there still, so that a join needs no "or". A
        merged lead without ``merged_at`` was merged when it was deleted; without that either it is gone from
        the beginning, for nobody knows since when it was another's. Likewise a lead that opted out nobody
        knows when may never be asked about.
    """
    rows = dated(leads)
    rows = rows.filter(rows.created_at.notnull())
    never = ibis.timestamp(NEVER)
    ends = {name: rows[name].fill_null(never) if name in rows.columns else never for name in _ENDS}
    if "merged_into" in rows.columns:
        is_loser = rows.merged_into.notnull() & (rows.merged_into != rows.lead_id)
        merged_at = ibis.cases(
            (ends["merged_at"] != never, ends["merged_at"]),
            (ends["deleted_at"] != never, ends["deleted_at"]),
            else_=rows.created_at,
        )
        # A record that names itself as its master was not merged, whatever its date says.
        ends["merged_at"] = ibis.cases(
            (is_loser, merged_at), (rows.merged_into.notnull(), never), else_=ends["merged_at"]
        )
    gone_at = ibis.least(ends["merged_at"], ends["deleted_at"])
    return rows.select(
        "lead_id",
        "created_at",
        merged_at=ends["merged_at"],
        gone_at=gone_at,
        ask_until=ibis.least(gone_at, objected_at(rows, rows.created_at).fill_null(never))
        if tells(leads)
        else gone_at,
    )


def existing(leads: ir.Table, moments: ir.Table) -> ir.Table:
    """Every lead at every one of the moments (``as_of``) at which it exists: ``lead_id``, ``as_of``.

    A lead that has opted out is not among them from its objection on.
    """
    born = lifetimes(leads)
    alive = [born.created_at < moments.as_of, born.ask_until >= moments.as_of]
    return born.inner_join(moments, alive).select("lead_id", "as_of")


def still_there(leads: ir.Table, pairs: ir.Table) -> ir.Table:
    """The pairs (``lead_id``, ``as_of``) whose lead exists, and has not opted out, at the moment."""
    born = lifetimes(leads).rename(born_lead="lead_id")
    alive = [
        pairs.lead_id == born.born_lead,
        born.created_at < pairs.as_of,
        born.ask_until >= pairs.as_of,
    ]
    return pairs.inner_join(born, alive).select("lead_id", "as_of")


def counted_once(leads: ir.Table, outcomes: ir.Table) -> ir.Table:
    """The outcomes without those of a merged lead that its master has too, for one win is one win."""
    if "merged_into" not in leads.columns:
        return outcomes
    losers = leads.filter(leads.merged_into.notnull() & (leads.merged_into != leads.lead_id))
    masters = losers.select("lead_id", master="merged_into")
    theirs = outcomes.select(master="lead_id", stage="stage", occurred_at="occurred_at")
    copies = masters.inner_join(theirs, "master").select("lead_id", "stage", "occurred_at").distinct()
    return outcomes.anti_join(copies, ["lead_id", "stage", "occurred_at"])
