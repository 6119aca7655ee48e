"""``leadrank monitor``: look at a published run, keep and tell what was found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from features.errors import GateError, InputError, Place, StorageError
from pipelines.inputs import opened
from pipelines.monitoring import watched
from pipelines.params import Params
from pipelines.progress import Progress
from pipelines.rankers import ranker_of
from pipelines.report import write_page
from serve import runs
from serve.monitoring import alarms, store
from serve.monitoring import metrics as prometheus
from serve.monitoring.figure import LEVELS, OK
from serve.monitoring.page import page


def run(
    params: Params,
    home: Path,
    *,
    run_id: str | None,
    report: Path | None,
    metrics: Path | None,
    progress: Progress,
) -> dict[str, Any]:
    """Measure, judge and keep.

    Parameters
    ----------
    run_id
        The run; None is the one in force.
    report
        HTML file that receives everything; None writes none.
    metrics
        File for the textfile collector of a Prometheus node exporter; None writes none.

    Returns
    -------
    dict
        ``run_id``, ``as_of``, ``level`` (``ok``, ``warning`` or ``alarm``), ``retrain``, ``advice``,
        ``reasons``, ``model_digest``, ``last_week`` (the run that it was held against; None without one),
        ``lists`` (past rankings that are ``mature``, ``immature``, ``unreadable``; None in a flat start),
        ``knows_training`` (whether the model keeps what its leads looked like), ``figures`` (the few that are
        followed over weeks), ``found`` (rows of `serve.monitoring.figure.Figure` that are not ``ok``, the
        worst first), ``logged`` (whether MLflow has them), ``table`` and ``report`` (files).

    Raises
    ------
    InputError
        There is no such run.
    StorageError
        A file cannot be read or written.
    """
    folder = home / params.score.runs
    asked = _asked(folder, run_id)
    with opened(params, home, progress, said_until=datetime.fromisoformat(asked.as_of)) as inputs:
        with progress.stage("fetching the model"):
            by = ranker_of(asked, params, home, inputs)
        seen = watched(params, home, inputs, asked, by, progress)
    if metrics is not None:
        prometheus.write(metrics, seen.verdict)
    if report is not None:
        with progress.stage("writing the report"):
            write_page(
                report,
                page(
                    seen.verdict,
                    seen.figures,
                    seen.tables,
                    store.verdicts(home),
                    params.score.language,
                ),
            )
    return {
        **seen.verdict,
        "found": [asdict(figure) for figure in alarms.ordered(seen.figures)],
        "table": str(home / store.FOLDER / f"{asked.run_id}.parquet"),
        "report": None if report is None else str(report),
    }


def check(result: Mapping[str, Any], fail_on: str | None) -> None:
    """Refuse a level from which on the command has to fail.

    Raises
    ------
    GateError
        The level is as bad as that.
    """
    level = result["level"]
    if fail_on is None or level == OK or LEVELS.index(level) < LEVELS.index(fail_on):
        return
    raise GateError(
        f"{level}: {'; '.join(result['reasons'][:3])}",
        hint=str(result["advice"]),
        place=Place(stage="monitor"),
    )


def _asked(folder: Path, run_id: str | None) -> runs.Run:
    found = runs.current(folder) if run_id is None else runs.find(folder, run_id)
    if found is None:
        what = "no ranking is in force" if run_id is None else f"there is no run '{run_id}'"
        raise InputError(what, hint="`leadrank runs` lists them; `leadrank score` publishes one")
    damaged = runs.damaged_files(found)
    if damaged:
        raise StorageError(
            f"file '{damaged[0]}' of run '{found.run_id}' is damaged", hint="score that night again"
        )
    return found
