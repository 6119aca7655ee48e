"""Replay the past: train at each origin on what was known there, and order the lists of later nights.

The tables are those of ``features/origins.py``: which row an origin may learn from, and with which label, is
decided there. Origins are trained side by side in processes of their own, each on its share of the cores.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from features.catalogue import FeatureSpec
from features.errors import ModelError, TooFewOutcomesError
from models.audit.association import Codes
from models.backtests.lists import Lists
from models.fitting.options import TrainOptions
from models.metrics import Vector
from models.scoring import Scorer
from models.training import train
from models.weights import STANDS_FOR

_RESAMPLES = 20  # the intervals of each training are not shown, so few resamples are drawn
_KEYS = ("snapshot_id", "lead_id", "as_of")


@dataclass(frozen=True)
class Task:
    """One origin.

    Attributes
    ----------
    learn, label
        Rows of the table to learn from, shape (n,), and their labels as they were known at the origin.
    asked
        Rows that the model of this origin orders: its own lists, and those of later origins.
    stands_for
        How often each row to learn from counts, shape (n,); None is once.
    """

    learn: Codes
    label: Vector
    asked: Codes
    stands_for: Vector | None = None


@dataclass(frozen=True)
class Answer:
    """What became of a task.

    Attributes
    ----------
    order
        Shape (len(asked),): the place of each row, the highest first; None if nothing could be trained.
    report
        ``rows``, ``positives``, ``trees``; empty without a model.
    reason
        Why nothing could be trained.
    """

    order: Vector | None
    report: Mapping[str, Any]
    reason: str | None = None


def replay(
    table: pa.Table,
    tasks: Sequence[Task],
    specs: Sequence[FeatureSpec],
    options: TrainOptions,
    *,
    stage: str,
    horizon_days: float,
    processes: int | None = None,
    on_done: Callable[[int], None] = lambda _: None,
) -> list[Answer]:
    """Train at every origin and order its rows.

    Parameters
    ----------
    table
        ``snapshot_id``, ``lead_id``, ``as_of`` and one column per feature.
    specs
        Features to use.
    processes
        Origins trained side by side; None: as many as there are cores. The answers do not depend on it.
    on_done
        Called with 1 after each origin.

    Returns
    -------
    list of Answer
        In the order of the tasks.

    Raises
    ------
    TooFewOutcomesError
        No origin has enough outcomes to learn from.
    """
    from joblib import Parallel, cpu_count, delayed

    cores = int(cpu_count())
    side_by_side = max(1, min(processes or cores, len(tasks)))
    options = replace(options, threads=max(1, cores // side_by_side), resamples=_RESAMPLES)
    with tempfile.TemporaryDirectory(prefix="leadrank-") as scratch:
        file = _written(table.select([*_KEYS, *(spec.name for spec in specs)]), Path(scratch) / "rows.arrow")
        jobs = (
            delayed(_answered)(number, file, task, specs, options, stage, horizon_days)
            for number, task in enumerate(tasks)
        )
        answers: list[Answer] = [Answer(None, {})] * len(tasks)
        for number, answer in Parallel(n_jobs=side_by_side, return_as="generator_unordered")(jobs):
            answers[number] = answer
            on_done(1)
    if all(answer.order is None for answer in answers):
        raise TooFewOutcomesError(
            f"none of {len(answers)} origins can be trained: at the last {answers[-1].reason}",
            hint="add history, or shorten train.horizon_days or backtest.every_days",
        )
    return answers


def model_order(
    lists: Lists, rows: Codes, tasks: Sequence[Task], answers: Sequence[Answer], *, age: int
) -> Vector:
    """The order of the lists by models that were trained some origins before, shape (n,), highest first.

    Parameters
    ----------
    rows
        Row of the table that each row of the lists is, shape (n,).
    age
        How many origins before the list's own; 0 is the own.

    Returns
    -------
    ndarray
        NaN where there is no such model.
    """
    order = np.full(len(rows), np.nan)
    for number in np.unique(lists.origin):
        found = answers[number - age].order if number >= age else None
        if found is not None:
            own = lists.origin == number
            asked = tasks[number - age].asked
            place = np.argsort(asked, kind="stable")
            order[own] = found[place][np.searchsorted(asked[place], rows[own])]
    return order


def _written(table: pa.Table, file: Path) -> Path:
    """The table as a file that every process maps into its memory."""
    table = table.combine_chunks()
    with pa.OSFile(str(file), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    return file


def _answered(
    number: int,
    file: Path,
    task: Task,
    specs: Sequence[FeatureSpec],
    options: TrainOptions,
    stage: str,
    horizon_days: float,
) -> tuple[int, Answer]:
    with pa.memory_map(str(file)) as source:
        table = pa.ipc.open_file(source).read_all()
        rows = table.take(task.learn).append_column("label", pa.array(task.label))
        if task.stands_for is not None:
            rows = rows.append_column(STANDS_FOR, pa.array(task.stands_for))
        try:
            trained = train(rows, specs, options, stage=stage, horizon_days=horizon_days)
        except ModelError as error:
            return number, Answer(None, {}, error.reason)
        scores = Scorer(trained.bundle).score(table.take(task.asked))
    told = {name: trained.report[name] for name in ("rows", "positives")}
    return number, Answer(_ranked(scores.probability, scores.margin), told)


def _ranked(probability: Vector, margin: Vector) -> Vector:
    """The published order as numbers, the highest first: by probability, ties by margin."""
    order = np.lexsort((margin, probability))
    is_new = np.append(True, (np.diff(probability[order]) != 0) | (np.diff(margin[order]) != 0))
    place = np.empty(len(order))
    place[order] = np.cumsum(is_new)
    return place
