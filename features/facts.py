"""The facts of one lead that counted at a moment, and those that did not yet."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import ibis
import ibis.expr.types as ir

from features.known import MOMENTS
from features.moments import naive_utc

DATED = ("touches", "outcomes", "field_history")
_COUNTS = "|counts"  # a bar is in no column's name


def facts_of(tables: Mapping[str, ir.Table], lead_id: str, as_of: datetime, *, most: int) -> dict[str, Any]:
    """The dated facts of a lead, the latest first.

    Parameters
    ----------
    tables
        Loaded tables by canonical name.
    most
        The most rows of each table.

    Returns
    -------
    dict
        By table (``touches``, ``outcomes``, ``field_history``, as far as they are there): ``known`` (facts
        that happened and were recorded before the moment), ``later`` (those that did not count yet) and
        ``rows`` (the latest known ones).
    """
    return {name: _facts(tables[name], name, lead_id, as_of, most) for name in DATED if name in tables}


def _facts(table: ir.Table, name: str, lead_id: str, as_of: datetime, most: int) -> dict[str, Any]:
    moment = ibis.timestamp(naive_utc(as_of))
    happened, recorded = MOMENTS[name]
    own = table.filter(table.lead_id == lead_id)
    counts = (own[happened] < moment) & (own[recorded] < moment)
    marked = own.mutate(**{_COUNTS: counts})
    known = marked.filter(marked[_COUNTS]).drop(_COUNTS, "row_number", "lead_id")
    total, of_known = (int(part.count().to_pyarrow().as_py()) for part in (own, known))
    rows = known.order_by(ibis.desc(happened)).limit(most).to_pyarrow().to_pylist()
    return {"known": of_known, "later": total - of_known, "rows": rows}
