"""Published lists whose outcomes are known by now: what was said of each lead then, and what became of it.

One list a week: a lead stands on all lists of its week, and seven of them are hardly more evidence than one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc

from features.errors import StorageError
from features.labels import Target
from features.moments import naive_utc
from features.published import reached
from models.metrics import Vector
from serve import runs
from serve.keeping import reading
from serve.monitoring.listed import Listed, moment_of, of_rows, rows_of
from serve.runs import Run


@dataclass(frozen=True)
class Weeks:
    """The published lists, one a week, as they can be judged at a moment.

    Attributes
    ----------
    mature
        Those whose window and reporting delay are over, the earliest first.
    immature
        How many are not: nothing is said of them, for their early outcomes are those of fast leads.
    """

    mature: tuple[Run, ...]
    immature: int


@dataclass(frozen=True)
class Matured(Listed):
    """A list, and what became of its leads.

    Attributes
    ----------
    label
        1.0 if the lead reached the stage within the horizon after the run's moment, else 0.0; shape (n,).
    """

    label: Vector


def weekly(folder: Path, *, known_at: datetime, target: Target, delay_days: int) -> Weeks:
    """The published lists of a folder, the first of each week (from Monday, UTC); withdrawn ones never.

    Lists that say they were made for another stage or horizon are not among them.

    Raises
    ------
    StorageError
        The list of withdrawn runs is damaged.
    """
    gone = runs.withdrawn(folder)
    first: dict[Any, Run] = {}
    for run in runs.published(folder):  # the latest moment first, and of one moment the latest copy first
        moment = moment_of(run)
        if run.run_id not in gone and moment < known_at and is_for(run, target):
            week = moment.isocalendar()[:2]
            if week not in first or first[week].as_of > run.as_of:
                first[week] = run
    window = timedelta(days=target.horizon_days + delay_days)
    every = sorted(first.values(), key=lambda run: run.as_of)
    mature = tuple(run for run in every if moment_of(run) + window <= known_at)
    return Weeks(mature, len(every) - len(mature))


def matured(
    chosen: Sequence[Run],
    backend: Any,
    tables: Mapping[str, Any],
    *,
    target: Target,
    known_at: datetime,
    unreadable: list[str],
) -> Iterator[Matured]:
    """The rows of some mature lists, one list in memory at a time; a run that was just collected is left out.

    Parameters
    ----------
    unreadable
        Is given the runs whose list is damaged: they are left out, too.
    """
    if not chosen:
        return
    nights = sorted({moment_of(run) for run in chosen})
    winners = reached(backend, tables, nights, target=target, known_at=known_at)
    for run in chosen:
        try:
            with reading(run):
                rows = rows_of(run)
        except FileNotFoundError:
            continue
        except StorageError:
            unreadable.append(run.run_id)
            continue
        leads, said = rows.column("lead_id"), of_rows(run, rows)
        won = winners.filter(pc.equal(winners.column("as_of"), naive_utc(moment_of(run))))
        label = np.asarray(pc.is_in(leads, won.column("lead_id")), dtype=np.float64)
        yield Matured(**vars(said), label=label)


def is_for(run: Run, target: Target) -> bool:
    """Whether a list was made for a stage and a horizon; one that does not say is taken for it."""
    said = run.manifest.get("model") or {}
    stage, days = said.get("stage", target.stage), said.get("horizon_days", target.horizon_days)
    return bool(stage == target.stage and days == target.horizon_days)
