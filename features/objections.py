"""Who objected to being profiled: not ranked any more, and learned from only as of moments before.

``opted_out`` says so, ``opted_out_at`` since when. A date alone says so too; a flag that says no takes it
back.
"""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

FLAG, SINCE = "opted_out", "opted_out_at"


def tells(leads: ir.Table) -> bool:
    """Whether the table says who has opted out."""
    return not {FLAG, SINCE}.isdisjoint(leads.columns)


def has_objected(leads: ir.Table) -> ir.BooleanValue:
    """Whether each lead has opted out, as of today; false for all where the table does not say."""
    has_date = leads[SINCE].notnull() if SINCE in leads.columns else ibis.literal(False)  # noqa: FBT003  # a value
    if FLAG not in leads.columns:
        return has_date
    return leads[FLAG].notnull().ifelse(leads[FLAG] == 1, has_date)


def objected_at(leads: ir.Table, undated: ir.TimestampValue) -> ir.TimestampValue:
    """When each lead opted out, in UTC; null: it did not.

    Parameters
    ----------
    undated
        The moment of those of which nobody knows when.
    """
    since = leads[SINCE].fill_null(undated) if SINCE in leads.columns else undated
    return has_objected(leads).ifelse(since, ibis.null("timestamp"))


def may_be_asked(leads: ir.Table) -> ir.Table:
    """The leads that have not opted out, as of today."""
    return leads.filter(~has_objected(leads)) if tells(leads) else leads


def objectors(leads: ir.Table) -> ir.Table:
    """The leads that have opted out, as if they had not: without the columns that say so."""
    told = [name for name in (FLAG, SINCE) if name in leads.columns]
    return leads.filter(has_objected(leads)).drop(*told)
