"""Scores, contributions and reasons on Spark against one process: the same rows, files to files.

``python -m tests.benches.scoring_on_spark HOME [--leads N]``. HOME is a folder that ``leadrank demo`` made:
the feature table of its run in force is repeated under new ids, and its champion's bundle scores it. Three
ways, in processes of their own, in alternating order: ``local`` is `serve.batch.score_leads` with the threads
of this machine; ``frame`` is a frame of Spark through `serve.frames.scorer`, written by the executors;
``stage`` is what a night on Spark does, with the way there and back. The first run of a process waits for
imports and machine code on the executors.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import duckdb
from rich.console import Console

from features.backend import engine, workspace
from features.engines.asked import Asked
from models.bundle import Bundle
from models.store import load, place
from serve import frames, runs
from serve.batch import SCORES, Shown, score_leads
from serve.spread import score_leads as score_on_engine
from tests.benches import by_pyspark
from tests.benches.report import conditions
from tests.benches.rounds import Competitor, child
from tests.benches.stopwatch import Way, timed

FEATURES, WHO = "features.parquet", "bundle.json"
CARRIED = ("snapshot_id",)
PARTITIONS = 8
SAID = ("lead_id", "probability", "score", "margin")
"""Columns in which the ways must agree to the last bit."""


@contextmanager
def local(folder: Path) -> Iterator[Way]:
    """One process of this machine."""
    bundle, features, staged = _bundle(folder), folder / FEATURES, folder / "local"
    staged.mkdir(exist_ok=True)
    yield Way(
        run=lambda: score_leads(bundle, features, staged, shown=Shown()),
        save=lambda file: file.write_bytes((staged / SCORES).read_bytes()),
        columns=len(bundle.specs),
    )


@contextmanager
def frame(folder: Path) -> Iterator[Way]:
    """A team's own frame: what the executors write is the answer."""
    from pyspark.sql.functions import struct

    bundle, answers = _bundle(folder), folder / "frame"
    with by_pyspark.session(folder) as session:
        rows = session.read.parquet(str(folder / FEATURES))
        packed = rows.repartition(PARTITIONS).select(struct("*").alias("row"))
        columns = frames.spark_schema(bundle, packed.schema, carried=CARRIED)
        work = frames.scorer(bundle, carried=CARRIED)

        def save(file: Path) -> None:
            with duckdb.connect() as connection:
                connection.read_parquet(f"{answers}/*.parquet").write_parquet(str(file))

        yield Way(
            run=lambda: packed.mapInArrow(work, columns).write.mode("overwrite").parquet(str(answers)),
            save=save,
            columns=len(bundle.specs),
            **by_pyspark.used(),
        )


@contextmanager
def stage(folder: Path) -> Iterator[Way]:
    """The stage of a night whose engine is Spark, with the files of a run at its end."""
    bundle, features, staged = _bundle(folder), folder / FEATURES, folder / "stage"
    staged.mkdir(exist_ok=True)
    asked = Asked("spark", by_pyspark.MASTER, settings=by_pyspark.SETTINGS)
    with workspace(folder) as home, engine(asked, home, folder) as spark:
        spark.taken(home.read_parquet(str(features)).limit(1))  # starts Java
        yield Way(
            run=lambda: score_on_engine(spark, bundle, features, staged, shown=Shown(), asked={}),
            save=lambda file: file.write_bytes((staged / SCORES).read_bytes()),
            columns=len(bundle.specs),
            **by_pyspark.used(),
        )


WAYS = {"local": local, "frame": frame, "stage": stage}


def enlarged(home: Path, folder: Path, leads: int) -> None:
    """Write so many rows of features, and which bundle scores them."""
    run = runs.current(home / "runs")
    if run is None:
        raise SystemExit(f"no run in force in {home}: make one with `leadrank demo`")
    champion = json.loads((run.folder / "manifest.json").read_text(encoding="utf-8"))["model"]["digest"]
    told = {"folder": str(place(home, champion)), "digest": champion}
    (folder / WHO).write_text(json.dumps(told), encoding="utf-8")
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.read_parquet(str(run.folder / FEATURES)).create("few")
        connection.execute(f"""
            COPY (
                SELECT few.* REPLACE (
                    lead_id || '-' || again AS lead_id, row_number() OVER () - 1 AS snapshot_id)
                FROM few, range(ceil({leads} / (SELECT count(*) FROM few))::INT) repeated(again) LIMIT {leads}
            ) TO '{folder / FEATURES}' (FORMAT parquet)
        """)  # noqa: S608  # a path and a number of ours


def _bundle(folder: Path) -> Bundle:
    told = json.loads((folder / WHO).read_text(encoding="utf-8"))
    return load(told["folder"], digest=told["digest"])


def _unequal(folder: Path, way: str) -> int:
    """Leads to whom a way gives other numbers than ``local``."""
    said = ", ".join(SAID)
    with duckdb.connect() as connection:
        one, other = (
            connection.read_parquet(str(folder / f"{name}.parquet")).project(said) for name in ("local", way)
        )
        return len(one.except_(other)) + len(other.except_(one))


def _raced(folder: Path, rounds: int, runs_of_each: int) -> dict[str, list[dict[str, Any]]]:
    """What each process measured, by way."""
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in WAYS}
    for number in range(rounds):
        for name in WAYS if number % 2 == 0 else reversed(WAYS):
            saved = [] if found[name] else ["--save", str(folder / f"{name}.parquet")]
            options = ["--way", name, "--runs", str(runs_of_each), *saved]
            found[name].append(child(Competitor("scoring_on_spark"), folder, options, {}))
    return found


def _least(found: Sequence[Mapping[str, Any]], what: str) -> float:
    return float(min(min(process[what]) for process in found))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("home", type=Path)
    parser.add_argument("--leads", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=1, help="processes for each way")
    parser.add_argument("--runs", type=int, default=2, help="runs in each process")
    asked, screen = parser.parse_args(), Console(width=110)
    screen.print(conditions())
    with tempfile.TemporaryDirectory(prefix="bench-", dir=asked.home.resolve().parent) as made:
        folder = Path(made)
        enlarged(asked.home.resolve(), folder, asked.leads)
        found = _raced(folder, asked.rounds, asked.runs)
        unequal = {name: leads for name in WAYS if (leads := _unequal(folder, name))}
    for name, leads in unequal.items():
        screen.print(f"[red]{name}: other numbers than local for {leads:,} leads")
    wall, cpu = (_least(found["local"], what) for what in ("wall", "cpu"))
    for name, processes in found.items():
        first = median(process["wall"][0] for process in processes)
        best, best_cpu = _least(processes, "wall"), _least(processes, "cpu")
        screen.print(
            f"{name}: first run {first:.1f} s, least {best:.1f} s, {asked.leads / best:,.0f} rows/s, "
            f"{wall / best:.2f} of local's rows a second ({cpu / best_cpu:.2f} by CPU, {best_cpu:.0f} s)"
        )
    screen.print(conditions())
    return 1 if unequal else 0


if __name__ == "__main__":
    if "--way" in sys.argv:
        timed(WAYS[sys.argv[sys.argv.index("--way") + 1]])
    else:
        sys.exit(main())
