"""From the tables of a replay to what is trained and judged: tasks, lists, orders without a model, slices."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from features.errors import InputError, ParameterError
from features.fit import field_column
from features.origins import Origin, Replay
from models.backtests.contenders import orders
from models.backtests.lists import Lists
from models.backtests.replay import Task
from models.backtests.slices import AGE, by_age, groups
from pipelines.inputs import Inputs
from pipelines.params import Params


@dataclass(frozen=True)
class Past:
    """The rows of all lists, and what each origin learns from and orders.

    Attributes
    ----------
    tasks
        One per origin.
    rows
        Row of the feature table that each row of the lists is, shape (n,).
    lists
        With every order that needs no model.
    steps
        By age of a model in days: how many origins before a list it was trained.
    """

    tasks: list[Task]
    rows: Any
    lists: Lists
    steps: dict[int, int]


def arranged(params: Params, replay: Replay, table: Any, chosen: Sequence[Origin]) -> Past:
    """The lists and tasks of a replay.

    Parameters
    ----------
    table
        Feature table of ``replay.snapshots``, in the order of ``snapshot_id``, with ``label`` and ``amount``.

    Raises
    ------
    InputError
        No lead was open on any night of the lists.
    """
    learning = _columns(replay.learning)
    origin, rows = _columns(replay.lists).values()
    if not len(rows):
        raise InputError("no lead was open at any origin", hint="give a longer history, or fewer origins")
    given = params.backtest
    steps = _steps(given.ages_days, given.every_days, len(chosen))
    tasks = []
    for number in range(len(chosen)):
        own = learning["origin"] == number
        asked = np.isin(origin, [number + step for step in steps.values()])
        learn, label, stands_for = (learning[name][own] for name in ("snapshot_id", "label", "stands_for"))
        tasks.append(Task(learn, label, np.unique(rows[asked]), stands_for))
    listed = table.take(rows)
    lists = Lists(
        origin=origin,
        night=_codes(listed.column("as_of")),
        lead=_codes(listed.column("lead_id")),
        won=_numbers(listed.column("label")),
        amount=np.nan_to_num(_numbers(listed.column("amount"))),
        orders=orders(listed, params.scorecard.card, today=todays_order(params, listed)),
    )
    return Past(tasks, rows, lists, steps)


def check_order_field(params: Params) -> None:
    """Refuse an order of today that cannot be looked up in the past.

    Raises
    ------
    ParameterError
        ``backtest.order_field`` is no number field whose past is known.
    """
    name = params.backtest.order_field
    field = None if name is None else params.tables["leads"].fields.get(name)
    if name is not None and (field is None or field.kind != "number" or field.time == "current"):
        raise ParameterError(
            f"backtest.order_field names '{name}', which is no number whose past values are known",
            hint=f"declare tables.leads.fields.{name} as kind: number with time: tracked (or static)",
        )


def todays_order(params: Params, listed: pa.Table) -> Any:
    """The order in which the team calls today, shape (n,), highest first; None if no field says it."""
    name = params.backtest.order_field
    if name is None:
        return None
    values = _numbers(listed.column(name))
    return values if params.backtest.order_first == "highest" else -values


def sliced(
    params: Params, inputs: Inputs, replay: Replay, listed: pa.Table, rows: Any
) -> Iterator[tuple[str, str, Any]]:
    """Slice, group and its rows of the lists; a field that is nowhere gives none.

    A field that the feature table has is taken as of each night, another column of ``leads`` as it is today.
    """
    for name in params.backtest.slices:
        column = _column(name, inputs, replay, listed, rows)
        if column is not None:
            yield from ((name, group, flags) for group, flags in groups(column))
    if AGE in listed.column_names:
        yield from (("age of the lead", group, flags) for group, flags in by_age(listed.column(AGE)))


def _column(name: str, inputs: Inputs, replay: Replay, listed: pa.Table, rows: Any) -> Any:
    for own in (name, field_column("accounts", name), f"account_{name}"):
        if own in listed.column_names:
            return listed.column(own)
    leads = inputs.tables["leads"]
    if name not in leads.columns:
        return None
    found = replay.snapshots.left_join(leads.select("lead_id", value=name), "lead_id")
    return found.order_by("snapshot_id").select("value").to_pyarrow().column("value").take(rows)


def _steps(ages_days: Sequence[int], every_days: int, count: int) -> dict[int, int]:
    """Origins back by age in days, as near as origins allow; the own model is always among them."""
    steps = sorted({0, *(round(days / every_days) for days in ages_days)})
    return {step * every_days: step for step in steps if step < count}


def _columns(table: Any) -> dict[str, Any]:
    """The columns of a table in the order of origins and snapshots."""
    arrow = table.order_by(["origin", "snapshot_id"]).to_pyarrow()
    return {name: arrow.column(name).to_numpy() for name in arrow.column_names}


def _codes(column: Any) -> Any:
    return np.unique(column.to_numpy(zero_copy_only=False), return_inverse=True)[1]


def _numbers(column: Any) -> Any:
    return column.cast(pa.float64()).to_numpy()
