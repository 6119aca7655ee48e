"""Engines and drawn tables shared by all tests."""

from __future__ import annotations

import json
import os
import shutil
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ibis
import pytest
from filelock import FileLock

SHARED = Path(__file__).resolve().parents[2] / "shared"
DEMO_LEADS, DEMO_SEED = 2_000, 7


@dataclass(frozen=True)
class Demo:
    """A demo CRM that was trained on and ranked.

    Attributes
    ----------
    home
        Its working folder: read it; a test that changes something copies it first.
    result
        What ``leadrank demo --json`` would print.
    """

    home: Path
    result: dict[str, Any]


def made_once(
    factory: pytest.TempPathFactory, name: str, make: Callable[[Path], dict[str, Any]]
) -> tuple[Path, dict[str, Any]]:
    """A folder and what ``make`` returned of it, made by the first process of a test run that asks.

    The processes of pytest-xdist have folders of their own under one; a process that is alone has that one.
    """
    own = factory.getbasetemp()
    folder = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / f"once-{name}"
    home, told = folder / "home", folder / "told.json"
    folder.mkdir(exist_ok=True)
    with FileLock(folder / "lock"), warnings.catch_warnings():
        # mlflow and its dependencies warn about themselves while they are imported.
        for category in (DeprecationWarning, FutureWarning):
            warnings.simplefilter("ignore", category)
        if not told.exists():
            shutil.rmtree(home, ignore_errors=True)
            told.write_text(json.dumps(make(home)), encoding="utf-8")
    return home, json.loads(told.read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """The demo CRM with 2,000 leads, seed 7, made once for the whole test run."""
    from pipelines.demo import command
    from pipelines.progress import Progress

    def make(home: Path) -> dict[str, Any]:
        quiet = Progress(is_quiet=True)
        return command.run(home, leads=DEMO_LEADS, seed=DEMO_SEED, data_only=False, progress=quiet)

    return Demo(*made_once(tmp_path_factory, "demo", make))


@pytest.fixture
def flat(tmp_path: Path) -> Path:
    """A folder with one flat table: 400 leads, two fields, the outcome, and params.yaml for it."""
    rows = ["Channel,Visits,Bought"]
    for row in range(400):
        visits, is_fair = row * 7 % 23, row % 3 == 0
        won = "yes" if visits + 5 * is_fair + row % 5 > 17 else "no"
        rows.append(f"{'fair' if is_fair else 'web'},{visits},{won}")
    (tmp_path / "leads.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    (tmp_path / "params.yaml").write_text(
        """\
tables:
  leads:
    path: leads.csv
    outcome_column: Bought
    won_values: ["yes"]
    fields:
      Channel: {kind: category}
      Visits: {kind: number}
""",
        encoding="utf-8",
    )
    return tmp_path


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
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)  # other interpreters have no pyarrow
    session = (
        pyspark_sql.SparkSession.builder.master("local[2]")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.shuffle.partitions", "1")
        .config("spark.default.parallelism", "1")
        .config("spark.sql.codegen.wholeStage", "false")
        .config("spark.sql.codegen.factoryMode", "NO_CODEGEN")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.execution.arrow.pyspark.enabled", "true")
        .config(
            "spark.driver.extraJavaOptions", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
        )  # lives for minutes
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("ERROR")
    yield session
    session.stop()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Any]:
    """An Ibis backend on a throwaway PostgreSQL server of the test run; skips where none can be run."""
    pytest.importorskip("psycopg", reason="PostgreSQL tests want the extra [postgres]")
    from tests.postgres import NoServerError, server

    with ExitStack() as running:
        try:
            port = running.enter_context(server())
        except NoServerError as error:
            pytest.skip(f"PostgreSQL tests want a server: {error}")
        backend = ibis.postgres.connect(host="127.0.0.1", port=port, user="tests", database="postgres")
        running.callback(backend.disconnect)
        yield backend


@pytest.fixture(params=["duckdb", pytest.param("pyspark", marks=pytest.mark.spark)], scope="session")
def engine(request: pytest.FixtureRequest) -> Any:
    """An Ibis backend: DuckDB, and Spark where Java is present."""
    if request.param == "duckdb":
        return ibis.duckdb.connect()
    return ibis.pyspark.connect(request.getfixturevalue("spark"))


@pytest.fixture(scope="module")
def object_store_url() -> Iterator[str]:
    """Address of an object store on loopback."""
    from tests.objects import server

    with server() as url:
        yield url


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch, object_store_url: str) -> Iterator[Any]:
    """An empty bucket of it, and this process signed in."""
    from tests.objects import bucket

    with bucket(monkeypatch, object_store_url) as made:
        yield made
