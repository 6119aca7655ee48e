"""The lists of a night as a step of ``leadrank score``: whom each rep calls, and whom nurturing writes to."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from features.errors import Place, StorageError
from features.moments import naive_utc
from pipelines.inputs import Inputs
from pipelines.params import Params
from pipelines.rankers import ByModel, ByScorecard
from serve import runs
from serve.lists import routing
from serve.lists.calls import write_calls
from serve.lists.consumed import role_of
from serve.lists.holdout import GROUPS, write_groups
from serve.lists.nurture import write_nurture
from serve.runs import Run


def check(params: Params, inputs: Inputs) -> None:
    """Refuse, before hours of scoring, what the lists cannot do with these tables.

    Raises
    ------
    ParameterError
        ``capacity.recycle_days`` needs what the tables do not have.
    """
    routing.check(_columns(inputs), params.capacity.plan)


def write_lists(
    params: Params,
    inputs: Inputs,
    by: ByModel | ByScorecard,
    staged: Path,
    *,
    as_of: datetime,
    previous: Run | None = None,
) -> None:
    """Write the lists of the staged ranking; no call list where no capacity is given.

    Parameters
    ----------
    previous
        The run before this moment, whose holdout goes on; None without one.

    Raises
    ------
    StorageError
        It is not known any more who belongs to the holdout.
    """
    tables, moment = _columns(inputs), naive_utc(as_of).isoformat()
    capacity, holdout = params.capacity.plan, params.holdout.plan
    if holdout is not None and not holdout.runs_at(moment):
        holdout = None
    if holdout is not None:
        write_groups(inputs.connection, staged, holdout, as_of=moment, previous=_with_groups(previous))
    if capacity.has_list:
        write_calls(
            inputs.connection,
            staged,
            capacity,
            as_of=moment,
            seed=params.seed,
            ranked_by=by.ranked_by,
            tables=tables,
            holdout=holdout,
        )
    write_nurture(
        inputs.connection,
        staged,
        params.nurture.evidence(params.train.horizon_days, params.train.reporting_delay_days),
        as_of=moment,
        tables=tables,
        role=role_of(tables["leads"], inputs.fields["leads"]),
        words=by.vocabulary.knowing(kinds=_kinds(inputs), places=()),
    )


def _columns(inputs: Inputs) -> Mapping[str, tuple[str, ...]]:
    return {name: tuple(table.columns) for name, table in inputs.tables.items()}


def _kinds(inputs: Inputs) -> list[str]:
    if "touches" not in inputs.tables:
        return []
    found: list[tuple[Any, ...]] = inputs.connection.execute(
        "SELECT DISTINCT kind FROM touches WHERE kind IS NOT NULL ORDER BY kind"
    ).fetchall()
    return [kind for (kind,) in found]


def _with_groups(run: Run | None) -> Path | None:
    """The folder of a run whose holdout is whole: without it every lead would begin the experiment anew."""
    if run is None:
        return None
    if runs.damaged_files(run, GROUPS):
        raise StorageError(
            f"file '{GROUPS}' of run '{run.run_id}' is gone or damaged: who is in the holdout since when",
            hint=f"`leadrank score --as-of {run.as_of[:10]}` makes a damaged run anew",
            place=Place(stage="lists"),
        )
    return run.folder
