"""About as many features by getML's FastProp: ``python -m tests.benches.by_getml FOLDER``.

Not the same ones: it chooses 41 of those it finds in windows of 7, 30 and 90 days and ever, so values are not
compared. Timed is the transform alone, into its own engine, after reading, the fit on 2,000 leads and leaving
out touches recorded too late (it has one time a row). CPU and memory are those of the engine's processes.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import getml
import pandas as pd
import psutil

from tests.benches.plain import COLUMNS, KINDS, WINDOWS
from tests.benches.stopwatch import Way, peak_mib, timed

FITTED_ON = 2_000
WAITS = 60


def _pipeline(leads: Any, facts: Any) -> Any:
    population = leads.to_placeholder("leads")
    for days in (*WINDOWS, None):
        memory = None if days is None else getml.data.time.days(days)
        population.join(
            facts.to_placeholder("touches"), on="lead_id", time_stamps=("as_of", "occurred_at"), memory=memory
        )
    model = getml.data.DataModel(population)
    learner = getml.feature_learning.FastProp(
        num_features=len(COLUMNS), n_most_frequent=len(KINDS),
        loss_function=getml.feature_learning.loss_functions.SquareLoss,
        aggregation=["COUNT", "COUNT DISTINCT", "SUM", "AVG", "MIN", "MAX"],
    )  # fmt: skip
    return getml.Pipeline(data_model=model, feature_learners=[learner])


def _frames(folder: Path) -> tuple[Any, Any, Any]:
    touches, snapshots = (pd.read_parquet(folder / f"{name}.parquet") for name in ("touches", "snapshots"))
    both = touches.merge(snapshots[["lead_id", "as_of"]], on="lead_id")
    known = both[both.recorded_at < both.as_of][
        ["lead_id", "occurred_at", "kind", "direction", "duration_seconds"]
    ]
    counts = known.lead_id.value_counts()
    # A number to choose features by; which one does not matter for the time.
    leads = snapshots[["lead_id", "as_of"]].assign(bought=snapshots.lead_id.map(counts).fillna(0.0))
    roles = getml.data.Roles(join_key=["lead_id"], time_stamp=["as_of"], target=["bought"])
    of_facts = getml.data.Roles(
        join_key=["lead_id"], time_stamp=["occurred_at"], categorical=["kind", "direction"],
        numerical=["duration_seconds"],
    )  # fmt: skip
    few = leads.head(FITTED_ON)
    return (
        getml.DataFrame.from_pandas(leads, "leads", roles),
        getml.DataFrame.from_pandas(few, "few", roles),
        getml.DataFrame.from_pandas(known, "touches", of_facts),
    )


def _engine() -> list[psutil.Process]:
    """The processes whose program lies in getML's own folder."""
    running = psutil.process_iter(["exe"])
    return [process for process in running if "getml-community" in (process.info["exe"] or "")]


def _cpu() -> float:
    times = [process.cpu_times() for process in _engine()]
    return float(sum(spent.user + spent.system for spent in times))


def _peak() -> float:
    return sum(peak_mib(process.pid) for process in _engine())


@contextmanager
def _launched(folder: Path) -> Iterator[None]:
    if _engine():
        raise SystemExit("an engine of getML runs already; one of its own was expected; stop that one first")
    getml.engine.launch(
        home_directory=str(folder), launch_browser=False, allow_push_notifications=False, quiet=True
    )
    try:
        for _ in range(WAITS):
            if getml.engine.is_engine_alive():
                break
            time.sleep(0.5)
        getml.set_project("bench")
        yield
    finally:
        getml.engine.shutdown()


@contextmanager
def way(folder: Path) -> Iterator[Way]:
    """With the tables in the engine's memory and the features chosen."""
    with _launched(folder):
        leads, few, facts = _frames(folder)
        pipeline = _pipeline(leads, facts)
        pipeline.fit(few, [facts], check=False)
        yield Way(
            run=lambda: pipeline.transform(leads, [facts], df_name="result"),
            save=lambda file: file.unlink(missing_ok=True),
            columns=len(pipeline.features),
            version=f"getml {getml.__version__}",
            cpu=_cpu,
            peak=_peak,
        )


if __name__ == "__main__":
    timed(way)
