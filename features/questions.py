"""What to learn from: labelled snapshots, kept as one table of the workspace.

Every table has ``snapshot_id``, ``lead_id``, ``as_of`` and ``label`` (1.0 or 0.0); a flat one also ``order``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import ibis.expr.types as ir

from features.errors import InputError, TooFewOutcomesError
from features.labels import labelled
from features.snapshots import asked, flat, known_until, nights, past_nights, tonight

Tables = Mapping[str, ir.Table]


@dataclass(frozen=True)
class Question:
    """Labelled snapshots to learn from.

    Attributes
    ----------
    snapshots
        The table.
    immature
        Snapshots left out because their label window was not over and recorded: they are not negatives.
    young
        Those snapshots, without a label; None if there are none, or in a flat start.
    """

    snapshots: ir.Table
    immature: int = 0
    young: ir.Table | None = None


def past(
    backend: Any,
    tables: Tables,
    *,
    stage: str,
    horizon_days: int,
    every_days: int,
    max_per_lead: int,
    reporting_delay_days: int,
    known_at: datetime | None,
) -> Question:
    """Open leads on past nights, and whether each reached the stage within the horizon.

    Parameters
    ----------
    backend
        Ibis backend that keeps the table.
    known_at
        Moment from which the history is looked at; None is the midnight after the latest recorded fact.

    Raises
    ------
    TooFewOutcomesError
        No night is mature.
    """
    moment = known_at or known_until(tables)
    every = nights(tables["leads"], known_at=moment, every_days=every_days)
    last_mature = moment - timedelta(days=horizon_days + reporting_delay_days)
    mature = [night for night in every if night <= last_mature]
    if not mature:
        raise TooFewOutcomesError(
            f"no past moment is {horizon_days + reporting_delay_days} days old, so no outcome is mature",
            hint="shorten train.horizon_days, or wait",
        )
    leads, outcomes = tables["leads"], tables["outcomes"]
    kept = backend.create_table(
        "snapshots", past_nights(leads, outcomes, mature, max_per_lead=max_per_lead), overwrite=True
    )
    rows = labelled(
        kept,
        outcomes,
        stage=stage,
        horizon_days=horizon_days,
        known_at=moment,
        reporting_delay_days=reporting_delay_days,
    )
    young = every[len(mature) :]
    table = backend.create_table("question", rows.filter(rows.is_mature).drop("is_mature"), overwrite=True)
    immature = past_nights(leads, outcomes, young, max_per_lead=max_per_lead) if young else None
    return Question(table, 0 if immature is None else _rows(immature), immature)


def explicit(backend: Any, tables: Tables) -> Question:
    """The rows that the user gave: ``lead_id``, ``as_of``, ``label``.

    Raises
    ------
    InputError
        There is no label, or it is neither 0 nor 1, or a lead is unknown.
    """
    rows = tables["rows"]
    if "label" not in rows.columns:
        raise InputError("the rows have no column 'label'", hint="add it: 1 for converted, 0 for not")
    wrong = _rows(rows.filter(rows.label.isnull() | rows.label.notin([0.0, 1.0])))
    if wrong:
        raise InputError(f"{wrong} rows have a label other than 0 and 1", hint="correct the column 'label'")
    unknown = _rows(rows.anti_join(tables["leads"], "lead_id"))
    if unknown:
        raise InputError(f"{unknown} rows name a lead that 'leads' does not have", hint="correct the ids")
    labels = rows.select(snapshot_id="row_number", label="label")
    return Question(_kept(backend, asked(rows).join(labels, "snapshot_id")))


def flat_history(backend: Any, tables: Tables) -> Question:
    """The decided leads of a flat table, in the order of its order column or of the file."""
    leads = tables["leads"]
    known = leads.filter(leads.outcome.notnull())
    position = known.row_number.cast("float64")
    order = known.order_value.fill_null(float("inf")) if "order_value" in known.columns else position
    beside = known.select(snapshot_id="row_number", label="outcome", order=order)
    return Question(_kept(backend, flat(known).join(beside, "snapshot_id")), _rows(leads) - _rows(known))


def open_now(backend: Any, tables: Tables, *, known_at: datetime | None) -> ir.Table | None:
    """Snapshots of the leads that may still be won; None if there are none."""
    if "outcomes" not in tables:
        leads = tables["leads"]
        is_open = leads.filter(leads.outcome.isnull())
        snapshots = flat(is_open)
    else:
        moment = known_at or known_until(tables)
        snapshots = tonight(tables["leads"], tables["outcomes"], moment)
    kept = backend.create_table("open_now", snapshots, overwrite=True)
    return kept if _rows(kept) else None


def _kept(backend: Any, rows: ir.Table) -> ir.Table:
    return backend.create_table("question", rows, overwrite=True)


def _rows(table: ir.Table) -> int:
    return int(table.count().to_pyarrow().as_py())
