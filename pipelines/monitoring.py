"""What has moved since training and since last week: measured, judged, kept, and told to MLflow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from features.errors import LeadrankError
from models import registry
from pipelines.deferring import within
from pipelines.inputs import Inputs
from pipelines.monitoring_parts import Night, measured
from pipelines.params import Params
from pipelines.progress import Progress
from pipelines.rankers import ByModel, ByScorecard
from serve import runs
from serve.monitoring import alarms, store
from serve.monitoring.figure import Figure
from serve.monitoring.summary import summary

LOG_SECONDS = 20.0
OWN_FAULTS = (
    LeadrankError,
    OSError,
    ArithmeticError,
    AttributeError,
    LookupError,
    MemoryError,
    TypeError,
    ValueError,
    pa.ArrowException,
    duckdb.Error,
)
"""What may go wrong in the monitor without taking the night with it: the ranking is published by then."""


@dataclass(frozen=True)
class Watched:
    """What was found of a run.

    Attributes
    ----------
    verdict
        Plain data: see `run_of`.
    figures
        All figures.
    tables
        Further tables for the page, by name.
    """

    verdict: dict[str, Any]
    figures: Sequence[Figure]
    tables: Mapping[str, pa.Table]


def watched(
    params: Params,
    home: Path,
    inputs: Inputs,
    run: runs.Run,
    by: ByModel | ByScorecard,
    progress: Progress,
) -> Watched:
    """Measure and judge a published run, keep what was found beside the runs, and log it with its model.

    Raises
    ------
    StorageError
        A file of the run cannot be read, or what was found cannot be kept.
    """
    night = Night.of(params, home, inputs, run, by)
    found, last_week = measured(night, progress), night.last_week
    verdict = {
        "run_id": run.run_id,
        "as_of": run.as_of,
        **alarms.verdict(found.figures),
        "model_digest": by.digest,
        "last_week": None if last_week is None else last_week.run_id,
        "knows_training": night.population is not None,
        "figures": summary(found.figures),
        "lists": _lists(found.tables),
    }
    store.write(home, verdict, found.figures)
    logged = isinstance(by, ByModel) and _logged(params, home, by, verdict)
    return Watched({**verdict, "logged": logged}, found.figures, found.tables)


def at_score(
    params: Params,
    home: Path,
    inputs: Inputs,
    run: runs.Run,
    by: ByModel | ByScorecard,
    progress: Progress,
) -> dict[str, Any] | None:
    """The verdict on a ranking that was just published; it stays published whatever is found.

    Returns
    -------
    dict or None
        As `watched`, or ``level`` None with the ``problem`` that the monitor had; None if it is not asked.
    """
    if not params.monitor.at_score:
        return None
    try:
        return watched(params, home, inputs, run, by, progress).verdict
    except OWN_FAULTS as error:
        reason = str(error) if isinstance(error, LeadrankError) else type(error).__name__
        return {"run_id": run.run_id, "level": None, "problem": reason}


def _lists(tables: Mapping[str, pa.Table]) -> dict[str, int] | None:
    """How many past rankings have known outcomes, and how many not; None in a flat start."""
    counts = tables.get("realised_lists")
    return None if counts is None else {name: int(counts[name][0].as_py()) for name in counts.column_names}


def _logged(params: Params, home: Path, by: ByModel, verdict: Mapping[str, Any]) -> bool:
    """Whether MLflow has the figures, beside those of the model's training; it may be down."""
    uri = registry.anchored(params.tracking.uri, home)
    at = datetime.fromisoformat(verdict["as_of"])
    ask = partial(registry.log_monitoring, uri, by.name, by.champion.version, verdict["figures"], at)
    try:
        within(LOG_SECONDS, ask)
    except LeadrankError:
        return False
    return True
