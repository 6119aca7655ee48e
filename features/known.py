"""The tables as they were known at an earlier moment: what a lead looks like tonight if nothing new had come.

Between two nights a lead changes because facts arrive and because time passes. Features of tonight's moment
over these tables show the second alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import ibis
import ibis.expr.types as ir

from features.moments import naive_utc

MOMENTS: Mapping[str, tuple[str, ...]] = {
    "leads": ("created_at",),
    "touches": ("occurred_at", "recorded_at"),
    "outcomes": ("occurred_at", "recorded_at"),
    "field_history": ("changed_at", "recorded_at"),
    "identities": ("linked_at",),
}
"""What says since when a row of a table is known; the other tables have no past."""


def as_known(tables: Mapping[str, ir.Table], at: datetime) -> dict[str, ir.Table]:
    """The rows that happened and were recorded before a moment.

    Parameters
    ----------
    tables
        Loaded tables by canonical name.
    at
        The moment; a fact at the moment itself is not known yet.

    Returns
    -------
    dict
        The same tables; a row without a moment stays.
    """
    return {name: _before(table, MOMENTS.get(name, ()), at) for name, table in tables.items()}


def _before(table: ir.Table, columns: tuple[str, ...], at: datetime) -> ir.Table:
    moment = ibis.timestamp(naive_utc(at))
    here = [table[name] for name in columns if name in table.columns]
    return table.filter([column.isnull() | (column < moment) for column in here]) if here else table
