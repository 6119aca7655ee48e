"""Spark Connect: a server of its own, which the command reaches by its address alone."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cluster.standalone import awaited, environment, start, stop
from tests.features.oracle.engines import one_of_each
from tests.postgres import free_port

ROOT = Path(__file__).resolve().parents[2]
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
    """In a process of its own: Spark Connect leaves traces in the environment that no other session likes."""
    own = [sys.executable, "-W", "ignore", "-m", "tests.cluster.connected", address, str(tmp_path)]
    said = subprocess.run(own, check=True, capture_output=True, text=True, cwd=ROOT, timeout=400)
    assert json.loads(said.stdout.splitlines()[-1]) == {"columns": len(one_of_each()) + 3, "differences": []}
