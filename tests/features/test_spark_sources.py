"""A table of Spark's catalog is the same as its export as Parquet, and what Spark refuses is told by name."""

# ruff: noqa: S608  # a test names its own tables

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from features.backend import engine, workspace
from features.engines.asked import Asked
from features.errors import InputError, ParameterError, UpstreamError
from features.ingest import Loaded, load, spread
from features.tables import Field, Source

pytestmark = pytest.mark.spark

FIELDS = {"size": Field("number"), "is_new": Field("flag"), "signed_on": Field("timestamp")}
COLUMNS = "id BIGINT, created_at TIMESTAMP, Source STRING, size DECIMAL(10,2), is_new BOOLEAN, signed_on DATE"
ROWS = """
    (1, TIMESTAMP '2024-07-01 10:00:00.123456', 'Müller ', 1.50, true,  DATE '2024-01-31'),
    (2, TIMESTAMP '0001-01-01 00:00:00',        NULL,      NULL, false, NULL),
    (3, NULL,                                   '',        2.00, NULL,  DATE '0001-01-01')
"""
ROOT = Path(__file__).resolve().parents[2]
CANARY = "erika.mustermann@example.com"


class Catalog:
    """A Spark session, and the command's own DuckDB beside it."""

    def __init__(self, session: Any, home: Any, computing: Any, folder: Path) -> None:
        self.session, self.home, self.computing, self.folder = session, home, computing, folder

    def table(self, columns: str = COLUMNS, rows: str = ROWS) -> None:
        """The table ``crm.leads``, which lies in the folder ``warehouse/leads``."""
        self.session.sql(f"CREATE TABLE crm.leads ({columns}) USING parquet")
        self.session.sql(f"INSERT INTO crm.leads VALUES {rows}")

    def load(self, name: str, **settings: Any) -> Loaded:
        return self._loaded(Source(format="spark", spark_table=name, **_given(settings)))

    def load_path(self, path: str, **settings: Any) -> Loaded:
        return self._loaded(Source(format="parquet", path=path, **_given(settings)))

    def _loaded(self, source: Source) -> Loaded:
        return load(self.home.con, {"leads": source}, folder=self.folder, exporter=self.computing)

    def rows(self, query: str) -> list[tuple]:
        return self.home.con.execute(query).fetchall()


def _given(settings: dict[str, Any]) -> dict[str, Any]:
    return {"mapping": {"lead_id": "id"}, "fields": FIELDS, **settings}


@pytest.fixture
def catalog(spark: Any, tmp_path: Path) -> Iterator[Catalog]:
    spark.sql(f"CREATE DATABASE crm LOCATION '{tmp_path}/warehouse'")
    with workspace(tmp_path) as home, engine(Asked("spark"), home, tmp_path) as computing:
        yield Catalog(spark, home, computing, tmp_path)
    spark.sql("DROP DATABASE crm CASCADE")
    spark.catalog.dropTempView("told")


def test_a_table_has_the_digest_of_its_export_and_of_its_files(catalog: Catalog) -> None:
    catalog.table()
    catalog.session.table("crm.leads").repartition(3).write.parquet(str(catalog.folder / "export"))
    loaded = catalog.load("crm.leads")
    assert catalog.rows(
        "SELECT lead_id, created_at, source, size, is_new, signed_on FROM leads ORDER BY 1"
    ) == [
        ("1", datetime(2024, 7, 1, 10, 0, 0, 123456), "Müller", 1.5, 1.0, datetime(2024, 1, 31)),  # noqa: DTZ001
        ("2", None, None, None, 0.0, None),
        ("3", None, None, 2.0, None, None),
    ]
    assert loaded.digest == catalog.load("spark_catalog.crm.leads").digest
    assert loaded.digest == catalog.load_path("export").digest
    assert loaded.digest == catalog.load_path("warehouse/leads").digest
    assert loaded.counts == catalog.load_path("export").counts
    catalog.session.sql("INSERT INTO crm.leads VALUES (4, NULL, NULL, NULL, NULL, NULL)")
    assert catalog.load("crm.leads").digest != loaded.digest


def test_executors_convert_a_large_table_and_the_load_is_the_same(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalog.table()
    catalog.session.table("crm.leads").repartition(3).write.parquet(str(catalog.folder / "export"))
    here = catalog.load_path("export")
    tasks: list[int] = []
    each = catalog.computing.each
    monkeypatch.setattr(
        catalog.computing, "each", lambda work, places: (tasks.append(places), each(work, places))
    )
    monkeypatch.setattr(spread, "FEWEST_ROWS", 1)
    monkeypatch.setattr(spread, "ROWS_PER_TASK", 1)
    assert catalog.load_path("export") == here
    assert catalog.load("crm.leads").digest == here.digest
    assert tasks[0] == 3
    assert len(tasks) == 2
    assert list((catalog.folder / ".leadrank").rglob("*.parquet")) == []


def test_executors_see_what_lies_in_their_folder_whatever_it_is_called(tmp_path: Path) -> None:
    pytest.importorskip("pyspark", reason="Spark tests want the extra [spark]")
    from features.engines.spark import Spark

    theirs, elsewhere = tmp_path / "theirs", tmp_path / "elsewhere"
    for folder in (theirs, elsewhere):
        folder.mkdir()
        (folder / "file").touch()
    (theirs / "out").symlink_to(elsewhere / "file")
    (elsewhere / "in").symlink_to(theirs / "file")
    files = (theirs / "file", elsewhere / "in", elsewhere / "file", theirs / "out")
    cluster = Spark(None, tmp_path, master="spark://there:7077", settings={}, seen=theirs)
    assert [cluster.sees(file) for file in files] == [True, True, False, False]
    here = Spark(None, tmp_path, master="local[2]", settings={}, seen=theirs)
    assert all(map(here.sees, files))


HIVE = """
import sys
from pathlib import Path
from features.backend import engine, workspace
from features.engines.asked import Asked
from features.ingest import load
from features.tables import Source

home = Path.cwd()
settings = {
    "spark.sql.catalogImplementation": "hive",
    "spark.sql.warehouse.dir": str(home / "warehouse"),
    "spark.hadoop.javax.jdo.option.ConnectionURL": f"jdbc:derby:{home}/metastore;create=true",
    "spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1",
}
asked = Asked("spark", master="local[1]", settings=settings)
with workspace(home) as backend, engine(asked, backend, home) as computing:
    session = computing._session()
    session.sql("CREATE DATABASE crm")
    columns, first = "lead_id BIGINT, created_at TIMESTAMP", "1, TIMESTAMP '2024-07-01 10:00:00.5'"
    session.sql(f"CREATE TABLE crm.leads ({columns}) PARTITIONED BY (source STRING) STORED AS ORC")
    session.sql(f"INSERT INTO crm.leads PARTITION (source = 'web') VALUES ({first})")
    session.sql("INSERT INTO crm.leads PARTITION (source = 'fair') VALUES (2, NULL)")
    session.sql("CREATE TABLE crm.texts STORED AS TEXTFILE AS SELECT * FROM crm.leads")
    session.table("crm.leads").write.partitionBy("source").parquet("export")
    for source in (
        Source(format="spark", spark_table="crm.leads"),
        Source(format="spark", spark_table="crm.texts"),
        Source(format="parquet", path="export"),
    ):
        loaded = load(backend.con, {"leads": source}, folder=home, exporter=computing)
        print("digest", loaded.counts["leads"].accepted, loaded.digest)
"""


@pytest.mark.slow
@pytest.mark.usefixtures("spark")  # skips without Java
def test_a_table_of_a_hive_metastore_has_the_digest_of_its_export(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", HIVE],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    told = [line.split() for line in ended.stdout.splitlines() if line.startswith("digest")]
    assert [accepted for _, accepted, _ in told] == ["2", "2", "2"], ended.stderr[-2000:]
    assert len({digest for _, _, digest in told}) == 1


def test_a_path_and_a_view_are_named_as_spark_names_them(catalog: Catalog) -> None:
    catalog.table()
    whole = catalog.load("crm.leads").digest
    assert catalog.load(f"parquet.`{catalog.folder}/warehouse/leads`").digest == whole
    catalog.session.sql("CREATE TEMP VIEW told AS SELECT * FROM crm.leads")
    assert catalog.load("told").digest == whole


def test_a_moment_is_one_and_a_stamp_without_a_zone_is_of_the_declared_zone(catalog: Catalog) -> None:
    stamps = "(1, TIMESTAMP '2024-07-01 10:00:00', TIMESTAMP_NTZ '2024-07-01 10:00:00')"
    catalog.table("id BIGINT, created_at TIMESTAMP, signed_on TIMESTAMP_NTZ", stamps)
    local = {"timezone": "Europe/Berlin", "fields": {"signed_on": Field("timestamp")}}
    for name in ("crm.leads", f"parquet.`{catalog.folder}/warehouse/leads`"):
        catalog.load(name, **local)
        found = catalog.rows("SELECT hour(created_at), hour(signed_on) FROM leads")
        assert found == [(10, 8)]


def test_the_session_is_left_as_it_was(catalog: Catalog) -> None:
    catalog.table()
    names = ("spark.sql.parquet.outputTimestampType", "spark.sql.parquet.inferTimestampNTZ.enabled")
    catalog.session.conf.set(names[0], "TIMESTAMP_MILLIS")
    try:
        catalog.computing.columns_of("crm.leads")
        before = [catalog.session.conf.get(name, None) for name in names]
        catalog.load("crm.leads")
        assert catalog.rows("SELECT microsecond(created_at) FROM leads WHERE lead_id = '1'") == [(123456,)]
        assert [catalog.session.conf.get(name, None) for name in names] == before
        assert before[0] == "TIMESTAMP_MILLIS"
    finally:
        catalog.session.conf.unset(names[0])


def test_only_wanted_columns_are_written_and_nothing_stays(catalog: Catalog) -> None:
    catalog.session.sql(
        "CREATE TEMP VIEW told AS SELECT 1 AS id, NULL AS void, make_interval(1) AS length, 'x' AS `a.b``c`"
    )
    fields = {"own": Field("category")}
    mapping = {"lead_id": "id", "own": "a.b`c"}
    loaded = catalog.load("told", fields=fields, mapping=mapping)
    assert catalog.rows("SELECT lead_id, own FROM leads") == [("1", "x")]
    assert loaded.ignored["leads"] == ("void", "length")
    assert list((catalog.folder / ".leadrank").rglob("*.parquet")) == []


def test_rows_are_quarantined_by_the_number_that_they_came_with(catalog: Catalog) -> None:
    catalog.table("lead_id STRING", "('L1'), (''), ('L3')")
    counts = catalog.load("crm.leads", fields={}, mapping={}).counts["leads"]
    assert (counts.read, counts.accepted, counts.quarantined) == (3, 2, 1)
    [(file, line)] = catalog.rows("SELECT file, line FROM quarantine")
    assert file == "crm.leads"
    assert 1 <= line <= 3


@pytest.mark.parametrize(
    "name", ["nowhere", "no_such.schema", "parquet.`/nowhere`", "a b c", "delta.`/nowhere`"]
)
def test_a_table_that_spark_does_not_find_is_named(catalog: Catalog, name: str) -> None:
    with pytest.raises(ParameterError) as caught:
        catalog.load(name)
    assert f"Spark cannot read the table '{name}'" in caught.value.reason
    assert "spark_table" in caught.value.hint


def test_a_wanted_column_that_parquet_cannot_hold_is_told_with_its_table(catalog: Catalog) -> None:
    catalog.session.sql("CREATE TEMP VIEW told AS SELECT 1 AS id, make_interval(1) AS source")
    with pytest.raises(ParameterError, match=r"Spark cannot read the table 'told' \(UNSUPPORTED"):
        catalog.load("told", fields={})


def test_a_table_that_lacks_a_column_is_refused_before_anything_is_written(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalog.table()
    monkeypatch.setattr(catalog.computing, "exported", None)
    with pytest.raises(InputError, match=r"'crm.leads' has no column 'sice'.*did you mean 'size'"):
        catalog.load("crm.leads", mapping={"lead_id": "id", "size": "sice"})


def test_an_empty_table_is_refused(catalog: Catalog) -> None:
    catalog.session.sql("CREATE TABLE crm.leads (id INT) USING parquet")
    with pytest.raises(InputError, match=r"'crm.leads' has no data rows"):
        catalog.load("crm.leads", fields={})


def test_a_table_that_fails_while_it_is_read_is_told_without_its_rows(catalog: Catalog) -> None:
    catalog.session.sql(f"CREATE TEMP VIEW told AS SELECT 1 AS id, raise_error('{CANARY}') AS source")
    with pytest.raises(UpstreamError) as caught:
        catalog.load("told", fields={})
    assert CANARY not in str(caught.value)


def test_another_engine_reads_no_table_of_spark(tmp_path: Path) -> None:
    sources = {"leads": Source(format="spark", spark_table="crm.leads")}
    with pytest.raises(ParameterError, match=r"'crm.leads' is one of Spark.*engine.name: spark"):
        load(duckdb.connect(), sources, folder=tmp_path)
    unnamed = {"leads": dataclasses.replace(sources["leads"], spark_table=None)}
    with pytest.raises(ParameterError, match="spark_table"):
        load(duckdb.connect(), unnamed, folder=tmp_path)
