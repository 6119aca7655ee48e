"""What training asks of the past beside the ranking target: further horizons, stages, tags and amounts.

Each only where the tables can say it; what cannot be asked is named with its reason.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from features.aims import Aim, amounts, answered
from features.lifetimes import counted_once
from features.snapshots import known_until
from models.fitting.rows import History
from models.further.answers import Answers
from models.metrics import Vector
from models.phrases import Phrase
from pipelines.inputs import Inputs
from pipelines.params import Params
from pipelines.tag_rules import USUAL_STAGES, TagRule


@dataclass(frozen=True)
class Plan:
    """What is asked.

    Attributes
    ----------
    aims
        Every aim by its name: a target's, or a horizon's.
    horizons
        Days of further horizons, those that only a tag needs among them.
    stages
        Name of the aim by stage.
    tags
        Name of the aim by tag on what becomes of a lead; None for one on the ranking target or on amounts.
    left_out
        Why a stage or tag is not asked, by its name.
    """

    aims: Mapping[str, Aim]
    horizons: tuple[int, ...]
    stages: Mapping[str, str]
    tags: Mapping[str, str | None]
    left_out: Mapping[str, str]


def plan(params: Params, inputs: Inputs) -> Plan:
    """What the tables can answer of what the parameters ask."""
    found = set(inputs.tables["outcomes"].stage.value_counts().to_pyarrow().column("stage").to_pylist())
    stages = _stages(params, found)
    left_out: dict[str, str] = {
        name: Phrase("no outcome has this stage") for name in stages if name not in found
    }
    aims = {name: _first_reached(params, (name,), name) for name in stages if name in found}
    tags: dict[str, Aim | None] = {}
    for name, rule in params.tags.items():
        if rule.field is not None:
            continue  # nothing becomes of the lead: `pipelines.field_tags`
        if why := _why_not(rule, found, inputs):
            left_out[name] = why
        else:
            tags[name] = _aim(params, name, rule, found)
    horizons = _horizons(params, tags)
    every = [*aims.values(), *(aim for aim in tags.values() if aim)]
    every += [Aim(horizon(days), "reached", days, (params.train.stage,)) for days in horizons]
    return Plan(
        {aim.name: aim for aim in every},
        horizons,
        {stage: aim.name for stage, aim in aims.items()},
        {name: aim.name if aim else None for name, aim in tags.items()},
        left_out,
    )


def horizon(days: float) -> str:
    """Name of the aim of a horizon."""
    return f"within-{days:g}d"


def answers(
    params: Params, inputs: Inputs, snapshots: Any, asked_for: Plan, history: History
) -> tuple[dict[str, Answers], Vector | None]:
    """What became of the rows of a training, by aim, and what each was booked at.

    Parameters
    ----------
    snapshots
        Table of the workspace with the snapshots of the training.
    history
        Its rows; the answers are in their order.

    Returns
    -------
    Answers and amounts
        Amounts have shape (n,), NaN where nothing was booked; None where outcomes carry no amount.
    """
    known_at = params.train.as_of or known_until(inputs.tables)
    outcomes = counted_once(inputs.tables["leads"], inputs.tables["outcomes"])
    tables = {**inputs.tables, "outcomes": outcomes}
    rows = snapshots.select("snapshot_id", "lead_id", "as_of")
    aims = list(asked_for.aims.values())
    found: dict[str, Answers] = {}
    if aims:
        delay = params.train.reporting_delay_days
        table = answered(rows, tables, aims, known_at=known_at, reporting_delay_days=delay)
        place = placed(table, history)
        columns = place.table
        for aim in aims:
            label, is_asked, is_mature = (
                np.asarray(columns.column(name).to_numpy())[place.rows]
                for name in (aim.label, aim.is_asked, aim.is_mature)
            )
            found[aim.name] = Answers.of(label, is_asked, is_mature, history.weight)
    if "amount" not in outcomes.columns:
        return found, None
    worth = amounts(
        rows,
        outcomes,
        stage=params.train.stage,
        horizon_days=params.train.horizon_days,
        known_at=known_at,
    )
    place = placed(rows.left_join(worth, "snapshot_id").drop("snapshot_id_right"), history)
    values = place.table.column("amount").cast("float64").to_numpy()
    return found, np.asarray(values, dtype=np.float64)[place.rows]


@dataclass(frozen=True)
class Placed:
    """A table of snapshots in Arrow, and the row of it that each row of a history is."""

    table: Any
    rows: Any


def placed(table: Any, history: History) -> Placed:
    """Fetch a table with one row per snapshot."""
    sorted_rows = table.order_by("snapshot_id").to_pyarrow()
    ids = sorted_rows.column("snapshot_id").to_numpy()
    return Placed(sorted_rows, np.searchsorted(ids, history.table.column("snapshot_id").to_numpy()))


def _stages(params: Params, found: Collection[str]) -> list[str]:
    given = params.train.stages
    wanted = [name for name in USUAL_STAGES if name in found] if given is None else given
    return [name for name in dict.fromkeys(wanted) if name != params.train.stage]


def _first_reached(params: Params, stages: tuple[str, ...], name: str, days: int | None = None) -> Aim:
    days = days or params.train.horizon_days
    return Aim(f"{name}-{days}d", "first_reached", days, stages)


def _aim(params: Params, name: str, rule: TagRule, found: Collection[str]) -> Aim | None:
    """What a tag asks of its own; None if the ranking target or the amounts answer it."""
    if rule.rule == "high_amount" or rule.stages == (params.train.stage,):
        return None
    days = rule.horizon_days or params.train.horizon_days
    if rule.rule == "silent":
        return Aim(f"{name}-{days}d", "silent", days)
    stages = tuple(stage for stage in rule.stages if stage in found)
    return _first_reached(params, stages, stages[0] if len(rule.stages) == 1 else name, days)


def _horizons(params: Params, tags: Mapping[str, Aim | None]) -> tuple[int, ...]:
    """Days beside the ranking target's own that are published or that a tag needs."""
    of_tags = [
        rule.horizon_days
        for name, rule in params.tags.items()
        if name in tags and rule.stages == (params.train.stage,) and rule.horizon_days
    ]
    return tuple(sorted({*params.train.horizons_days, *of_tags} - {params.train.horizon_days}))


def _why_not(rule: TagRule, found: Collection[str], inputs: Inputs) -> str | None:
    if rule.rule == "reaches" and not set(rule.stages) & set(found):
        return Phrase("no outcome has one of its stages")
    if rule.rule == "silent" and "touches" not in inputs.tables:
        return Phrase("there are no touches")
    if rule.rule == "high_amount" and "amount" not in inputs.tables["outcomes"].columns:
        return Phrase("the outcomes carry no amount")
    return None
