"""Spark Connect: a server of its own, which the command reaches by its address alone."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from features.backend import Own, engine, workspace
from features.build import feature_table
from features.engines.asked import Asked
from tests.cluster.standalone import awaited, environment, start, stop
from tests.features.oracle.engines import FIELDS, differences, one_of_each
from tests.features.random_history import WORDS, arrow, history
from tests.postgres import free_port

pytestmark = [pytest.mark.slow, pytest.mark.spark]
SERVER = "org.apache.spark.sql.connect.service.SparkConnectServer"


@pytest.fixture
def address(tmp_path):
    """Of a server on loopback with two cores."""
    if shutil.which("java") is None:
        pytest.skip("Spark tests want Java 17, which is not on this machine")
    port = free_port()
    settings = {
        "spark.connect.grpc.binding.address": "127.0.0.1",
        "spark.connect.grpc.binding.port": str(port),
        "spark.ui.enabled": "false",
    }
    given = [word for name, value in settings.items() for word in ("--conf", f"{name}={value}")]
    spark_class = str(Path(environment(tmp_path)["SPARK_HOME"]) / "bin" / "spark-class")
    # Its server takes the memory that Spark gives to daemons.
    submit = [
        "env",
        "SPARK_DAEMON_MEMORY=1g",
        "bash",
        spark_class,
        "org.apache.spark.deploy.SparkSubmit",
        "--class",
        SERVER,
    ]
    words = [*submit, "--master", "local[2]", *given, "spark-internal"]
    running = start(words, tmp_path, tmp_path / "connect.log")
    try:
        awaited(lambda: "Spark Connect server started" in running.said(), running)
        yield f"sc://127.0.0.1:{port}"
    finally:
        stop([running])


def test_features_over_spark_connect_are_those_of_the_command_s_own(address, tmp_path):
    with workspace(tmp_path) as home, engine(Asked("spark", master=address), home, tmp_path) as remote:
        tables = {name: home.create_table(name, rows) for name, rows in arrow(history(5)).items()}
        assert differences(_features(Own(), tables), _features(remote, tables)) == []


def _features(computing, tables):
    held = computing.held(tables)
    table = feature_table(held["snapshots"], held, one_of_each(), FIELDS, WORDS, keep=computing.keep)
    return computing.fetched(table).order_by("snapshot_id").to_pyarrow().to_pydict()
