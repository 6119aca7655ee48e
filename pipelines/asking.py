"""What training asks of the history: the sections of ``params.yaml`` as one plan, said once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

import pyarrow.compute as pc

from features.cycle import Cycle, cycle
from features.moments import Moments
from features.questions import Plan, Question, explicit, flat_history, past
from features.snapshots import known_until
from features.worked import Calls
from pipelines.inputs import Inputs
from pipelines.params import Params


def plan(params: Params, *, also_at: Sequence[datetime] = (), calls: Calls | None = None) -> Plan:
    """The plan that ``train`` declares.

    Parameters
    ----------
    also_at
        Further moments to look from, such as those of published runs.
    calls
        Who was called, where nobody else is learned from (`pipelines.working`).
    """
    given = params.train
    moments = Moments(
        every_days=given.every_days,
        at_stage_entry=given.at_stage_entry,
        at_days_after_creation=given.at_days_after_creation,
        also_at=tuple(also_at),
    )
    return Plan(
        stage=given.stage,
        horizon_days=given.horizon_days,
        moments=moments,
        max_per_lead=given.max_per_lead,
        reporting_delay_days=given.reporting_delay_days,
        known_at=given.as_of,
        censoring=given.censoring,
        max_rows=given.max_rows,
        calls=calls,
    )


def question(
    params: Params,
    inputs: Inputs,
    *,
    has_rows: bool = False,
    also_at: Sequence[datetime] = (),
    calls: Calls | None = None,
) -> Question:
    """The labelled snapshots to learn from: of a flat table, of explicit rows, or of past moments."""
    if inputs.is_flat:
        return flat_history(inputs.backend, inputs.tables)
    if has_rows:
        return explicit(inputs.backend, inputs.tables)
    return past(inputs.backend, inputs.tables, plan(params, also_at=also_at, calls=calls))


def measured(params: Params, inputs: Inputs) -> Cycle | None:
    """How long the outcomes of the stage take, and how late they are recorded; None without dated leads."""
    if inputs.is_flat or "created_at" not in inputs.tables["leads"].columns:
        return None
    known_at = params.train.as_of or known_until(inputs.tables)
    return cycle(
        inputs.tables["leads"], inputs.tables["outcomes"], stage=params.train.stage, known_at=known_at
    )


def sample_told(asked: Question) -> dict[str, int] | None:
    """How many snapshots were drawn, of how many, as plain data; None where all are learned from."""
    return None if asked.sample is None else {"rows": asked.sample.rows, "of": asked.sample.of}


def evenly(asked: Question, table: Any) -> Any:
    """The rows of an Arrow table that are among `Question.even`."""
    if asked.sample is None:
        return table
    return table.filter(pc.is_in(table.column("snapshot_id"), asked.even.snapshot_id.to_pyarrow()))


def told(found: Cycle | None, params: Params) -> dict[str, Any] | None:
    """What was measured beside what is declared, as plain data."""
    if found is None:
        return None
    declared = params.train.reporting_delay_days
    is_late = found.reporting_delay_days is not None and found.reporting_delay_days > declared
    return {**asdict(found), "declared_delay_days": declared, "is_delay_too_short": is_late}
