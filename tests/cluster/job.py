"""The job of the cluster's tests: scores the files of a folder, each as a partition, and writes the answers.

python job.py SPARK_URL FEATURES BUNDLE DIGEST ANSWERS
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from models.store import load
from serve.frames import scorer, spark_schema

CARRIED = ["snapshot_id"]


def session(url: str, largest: int) -> Any:
    """A session of the cluster whose driver stays on loopback; no two files fit into one partition."""
    from pyspark.sql import SparkSession

    options = {
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.session.timeZone": "UTC",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.memory": "512m",
        "spark.executor.memory": "1g",
        "spark.executor.cores": "1",
        "spark.sql.files.maxPartitionBytes": str(largest),
        "spark.sql.files.openCostInBytes": str(largest),
    }
    builder = SparkSession.builder.master(url).appName("frames")
    for name, value in options.items():
        builder = builder.config(name, value)
    return builder.getOrCreate()


def run(url: str, features: str, bundle: str, digest: str, answers: str) -> None:
    """Score the folder ``features`` into the folder ``answers``."""
    model = load(bundle, digest=digest)
    largest = max(file.stat().st_size for file in Path(features).glob("*.parquet"))
    spark = session(url, largest)
    try:
        frame = spark.read.parquet(features)
        columns = spark_schema(model, frame.schema, carried=CARRIED)
        frame.mapInArrow(scorer(model, carried=CARRIED), columns).write.parquet(answers)
    finally:
        spark.stop()


if __name__ == "__main__":
    run(*sys.argv[1:])
