"""The same columns in PySpark by hand: ``python -m tests.benches.by_pyspark FOLDER``.

One join, one aggregation with conditional aggregates, one join that brings back the leads without a touch.
Sets are collected, not counted distinct: six of those would make Spark copy every row six times.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import psutil
import pyspark
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812  # as everybody writes it

from pipelines.resources import peak_mib
from tests.benches.plain import COLUMNS, KINDS, WINDOWS
from tests.benches.stopwatch import Way, timed

MASTER = "local[2]"
SETTINGS = {
    "spark.driver.memory": "4g",  # a local driver is the executor
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
    "spark.sql.parquet.inferTimestampNTZ.enabled": "false",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.shuffle.partitions": "16",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
}
DAY_US = 86_400_000_000


@contextmanager
def session(folder: Path) -> Iterator[SparkSession]:
    """Spark on two cores of this machine with 4 GiB; what it spills lies below the folder."""
    os.environ["PYSPARK_PYTHON"] = sys.executable
    builder = SparkSession.builder.master(MASTER).config("spark.local.dir", str(folder / "spill"))
    made = builder.config(map=SETTINGS).getOrCreate()
    made.sparkContext.setLogLevel("ERROR")
    try:
        yield made
    finally:
        made.stop()


def features(touches: DataFrame, snapshots: DataFrame) -> DataFrame:
    """One row per snapshot."""
    known = (F.col("occurred_at") < F.col("as_of")) & (F.col("recorded_at") < F.col("as_of"))
    age_us = F.unix_micros("as_of") - F.unix_micros("occurred_at")
    past = touches.join(snapshots, "lead_id").where(known)
    aged = past.select("snapshot_id", "kind", "direction", "duration_seconds", (age_us / DAY_US).alias("age"))
    made = aged.groupBy("snapshot_id").agg(*_aggregates())
    counts = [name for name in COLUMNS if "touches" in name or "active" in name or "distinct" in name]
    asked = snapshots.select("snapshot_id", "lead_id", "as_of")
    return asked.join(made, "snapshot_id", "left").fillna(0, subset=counts)


def _aggregates() -> list[Column]:
    made = {**_ever()}
    for days in WINDOWS:
        made |= _window(days)
    return [made[name].alias(name) for name in COLUMNS]


def _window(days: int) -> dict[str, Column]:
    age, kind = F.col("age"), F.col("kind")
    inside = age <= days
    is_inbound = F.when(F.col("direction") == "in", 1.0).otherwise(0.0)
    return {
        f"touches_{days}d": F.count_if(inside),
        f"active_days_{days}d": F.size(F.collect_set(F.when(inside, F.ceil(age)))),
        f"distinct_kinds_{days}d": F.size(F.collect_set(F.when(inside, kind))),
        f"duration_seconds_{days}d": F.sum(F.when(inside, F.col("duration_seconds"))),
        f"inbound_share_{days}d": F.avg(F.when(inside, is_inbound)),
        f"burst_share_{days}d": F.avg(F.when(inside, F.when(age <= WINDOWS[0], 1.0).otherwise(0.0))),
        **{f"kind_touches[{name}]_{days}d": F.count_if(inside & (kind == name)) for name in KINDS},
    }


def _ever() -> dict[str, Column]:
    age, kind, rows = F.col("age"), F.col("kind"), F.count("*")
    return {
        "touches_ever": rows,
        "days_since_last_touch": F.min(age),
        "days_since_first_touch": F.max(age),
        "mean_gap_days": F.when(rows > 1, (F.max(age) - F.min(age)) / (rows - 1)),
        **{f"kind_touches_ever[{name}]": F.count_if(kind == name) for name in KINDS},
        **{f"days_since[{name}]": F.min(F.when(kind == name, age)) for name in KINDS},
    }


def used() -> dict[str, Callable[[], float]]:
    """CPU seconds of this process, its Java and Spark's Python workers; the memory peak of Java in MiB."""
    own = psutil.Process()
    java = own.children()[0]

    def cpu() -> float:
        # A worker that has ended is among the ended children of the process that made it.
        spent = [sum(process.cpu_times()[:4]) for process in own.children(recursive=True)]
        return time.process_time() + float(sum(spent))

    return {"cpu": cpu, "peak": lambda: peak_mib(java.pid)}


@contextmanager
def way(folder: Path) -> Iterator[Way]:
    """From files to files: Spark reads, computes and writes."""
    result = folder / "written-by-hand"
    with session(folder) as made:
        read = [made.read.parquet(str(folder / f"{name}.parquet")) for name in ("touches", "snapshots")]

        def save(file: Path) -> None:
            with duckdb.connect() as connection:
                connection.read_parquet(f"{result}/*.parquet").write_parquet(str(file))

        yield Way(
            run=lambda: features(*read).write.mode("overwrite").parquet(str(result)),
            save=save,
            columns=len(COLUMNS),
            version=f"pyspark {pyspark.__version__}",
            **used(),
        )


if __name__ == "__main__":
    timed(way)
