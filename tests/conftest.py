"""Engines and drawn tables shared by all tests."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ibis
import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with the real data sets and their fixed splits; skips where it is absent."""
    if not (SHARED / "data").is_dir():
        pytest.skip("the real data sets (../shared/data) are not on this machine")
    sys.path.insert(0, str(SHARED / "bench"))
    return SHARED


@pytest.fixture(scope="session")
def spark() -> Iterator[Any]:
    """One local Spark session for the whole test run; skips without Java."""
    if shutil.which("java") is None:
        pytest.skip("Spark tests want Java 17, which is not on this machine")
    pyspark_sql = pytest.importorskip("pyspark.sql", reason="Spark tests want the extra [spark]")
    session = (
        pyspark_sql.SparkSession.builder.master("local[2]")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.shuffle.partitions", "2")
        .config("spark.default.parallelism", "2")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.execution.arrow.pyspark.enabled", "true")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("ERROR")
    yield session
    session.stop()


@pytest.fixture(params=["duckdb", pytest.param("pyspark", marks=pytest.mark.spark)], scope="session")
def engine(request: pytest.FixtureRequest) -> Any:
    """An Ibis backend: DuckDB, and Spark where Java is present."""
    if request.param == "duckdb":
        return ibis.duckdb.connect()
    return ibis.pyspark.connect(request.getfixturevalue("spark"))
