"""The same columns by our features on Spark: ``python -m tests.benches.ours_on_spark FOLDER [--every]``.

With ``--every`` it computes all behaviour and recency features instead, for every kind and place.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import ibis.expr.types as ir

from features.backend import engine, workspace
from features.build import feature_table
from features.engines.asked import Asked
from tests.benches import by_pyspark, history, ours
from tests.benches.stopwatch import Way, timed

OURS = ("spark.sql.shuffle.partitions",)
"""What the engine chooses by itself."""


@contextmanager
def way(folder: Path) -> Iterator[Way]:
    """As a command with ``engine.name: spark`` computes features, from files to files."""
    settings = {name: value for name, value in by_pyspark.SETTINGS.items() if name not in OURS}
    asked = Asked("spark", by_pyspark.MASTER, settings=settings)
    with workspace(folder) as home, engine(asked, home, folder) as spark:
        history.read(home.con, folder)
        features = ours.every_column(home) if "--every" in sys.argv else ours.same_columns()
        tables = spark.held({name: home.table(name) for name in history.TABLES})
        last: dict[str, ir.Table] = {}

        def run() -> None:
            snapshots, touches = tables["snapshots"], tables["touches"]
            made = feature_table(snapshots, {"touches": touches}, features, {}, keep=spark.keep)
            last["table"] = spark.fetched(made)

        def save(file: Path) -> None:
            last["table"].to_parquet(file)

        yield Way(run, save, columns=len(features), **by_pyspark.used())


if __name__ == "__main__":
    timed(way)
