"""Leads that are not scored although they can be: they have opted out, or were erased."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import ibis

from features.ingest.erased import ROWS
from features.objections import objectors, tells
from features.snapshots import objecting as left_out
from features.snapshots import undecided_objecting
from pipelines.inputs import Inputs
from serve.predictions import ERASED, OPTED_OUT


def objecting(inputs: Inputs, as_of: datetime) -> int:
    """How many leads would be ranked at a moment if they had not opted out."""
    leads = inputs.tables["leads"]
    if not tells(leads):
        return 0
    if inputs.is_flat:
        return int(undecided_objecting(leads).count().to_pyarrow().as_py())
    return int(left_out(leads, inputs.tables["outcomes"], as_of).count().to_pyarrow().as_py())


def answerable(inputs: Inputs) -> Any:
    """The rows to predict, without those of leads that have opted out."""
    rows = _asked_for(inputs)
    return rows.filter(~_is_objecting(rows, inputs)) if tells(inputs.tables["leads"]) else rows


def refused(inputs: Inputs) -> Any:
    """The rows to predict that get no answer.

    Returns
    -------
    pyarrow.Table
        ``row`` (from 1), ``lead_id`` and ``as_of`` (null where the row of an erased lead was dropped), and
        ``problem``.
    """
    rows, gone = _asked_for(inputs), inputs.backend.table(ROWS)
    moment = "timestamp" if inputs.is_flat else rows.as_of.type()
    theirs = rows.filter(_is_objecting(rows, inputs))
    told = theirs.select(
        row=theirs.row_number + 1,
        lead_id="lead_id",
        as_of=ibis.null(moment) if inputs.is_flat else theirs.as_of,
        problem=ibis.literal(OPTED_OUT),
    )
    dropped = gone.filter(gone.table_name == _name(inputs)).select(
        row=gone.row_number + 1,
        lead_id=ibis.null(rows.lead_id.type()),
        as_of=ibis.null(moment),
        problem=ibis.literal(ERASED),
    )
    return told.union(dropped).to_pyarrow()


def _name(inputs: Inputs) -> str:
    return "leads" if inputs.is_flat else "rows"


def _asked_for(inputs: Inputs) -> Any:
    return inputs.tables[_name(inputs)]


def _is_objecting(rows: Any, inputs: Inputs) -> Any:
    return rows.lead_id.isin(objectors(inputs.tables["leads"]).lead_id)
