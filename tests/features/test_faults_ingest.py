"""Files and databases that no exporter should write, read under the rules of the load."""

from __future__ import annotations

import gzip
import io
import os
import time
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from features.errors import InputError, UpstreamError
from features.ingest import connecting
from features.tables import Field, Source
from tests.features.ingested import Ingested
from tests.timing import quickest

SIZE = {"size": Field("number")}
NAMES = {"cp1251": "Иванов", "shift_jis": "田中", "gb18030": "王小明", "cp1252": "Jäger", "euc_kr": "김"}


@pytest.fixture
def crm(tmp_path: Path) -> Ingested:
    return Ingested(tmp_path)


@pytest.mark.parametrize("encoding", NAMES)
def test_a_declared_encoding_gives_the_digest_of_utf_8_and_an_undeclared_one_is_refused(
    crm: Ingested, encoding: str
) -> None:
    text = "lead_id,source\n" + "".join(f"L{row},{NAMES[encoding]}\n" for row in range(200))
    plain = crm.load(content=text)
    assert crm.load(content=text.encode(encoding), encoding=encoding).digest == plain.digest
    assert crm.column("source") == [NAMES[encoding]] * 200
    error = crm.refused(content=text.encode(encoding))
    assert (error.code, "does not decode" in error.reason) == (3, True)
    assert NAMES[encoding] not in f"{error}"


def test_surrogates_and_control_characters_cost_their_line_alone(crm: Ingested) -> None:
    names = [b"a"] * 300
    names[7], names[99], names[250] = b"\xed\xa0\x80", b"x\x1by", b"\x00"
    rows = b"".join(b"L%d,\xc3\xa4%s\n" % (row, name) for row, name in enumerate(names))
    loaded = crm.load(content=b"lead_id,source\n" + rows)
    assert crm.away == [
        (9, None, "undecodable"),
        (101, None, "control_character"),
        (252, None, "control_character"),
    ]
    assert loaded.counts["leads"].accepted == 297


def test_a_type_that_changes_far_down_the_file_costs_its_row(crm: Ingested) -> None:
    rows = "".join(f"L{row},{row if row != 25_000 else 'CANARY'}\n" for row in range(30_000))
    loaded = crm.load(content=f"lead_id,size\n{rows}", fields=SIZE)
    assert crm.away == [(25_002, "size", "not_a_number")]
    assert loaded.counts["leads"].accepted == 29_999
    assert "CANARY" not in repr(loaded) + repr(crm.rows("SELECT * FROM quarantine"))


@pytest.mark.parametrize("cut", [b"L41,web", b'L41,"we', b"L4"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_csv_file_that_ends_in_the_middle_of_a_row_is_refused(
    crm: Ingested, cut: bytes, encoding: str
) -> None:
    text = "lead_id,source,size\n" + "".join(f"L{row},web,1\n" for row in range(40)) + cut.decode()
    error = crm.refused(content=text.encode(encoding))
    assert "looks cut off" in error.reason
    assert (error.code, error.place.file, error.place.row) == (3, "leads.csv", 42)
    assert crm.load(content=f"{text}\n".encode(encoding)).counts["leads"].quarantined == 1  # a bad row, then
    whole = text.removesuffix(cut.decode()) + "L41,web,1"
    assert crm.load(content=whole.encode(encoding)).counts["leads"].accepted == 41


def test_a_cut_gzip_file_is_refused_by_name(crm: Ingested) -> None:
    packed = gzip.compress(b"lead_id,source\n" + b"L1,web\n" * 9000)
    error = crm.refused(content=packed[: len(packed) // 2])
    assert (error.code, error.place.file) == (3, "leads.csv")


def bomb(kind: str) -> bytes:
    """A hundred megabytes of a table in a few kilobytes."""
    table = b"lead_id,source\n" + b"L1,web\n" * (14 << 20)
    if kind == "gzip":
        return gzip.compress(table, 1)
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("leads.csv", table)
    return held.getvalue()


@pytest.mark.parametrize("kind", ["gzip", "zip"])
def test_a_bomb_is_refused_unopened(crm: Ingested, kind: str) -> None:
    content = bomb(kind)
    opened = {
        "gzip": gzip.decompress,
        "zip": lambda held: zipfile.ZipFile(io.BytesIO(held)).read("leads.csv"),
    }
    assert crm.refused(content=content).code == 3
    assert quickest(lambda: crm.refused(content=content)) < quickest(lambda: opened[kind](content)) / 5
    assert crm.refused(path="leads.parquet", format="parquet", content=content).code == 3


def test_a_pipe_or_a_device_holds_nobody_up(crm: Ingested) -> None:
    os.mkfifo(crm.folder / "leads.csv")
    began = time.perf_counter()
    for given in ({}, {"path": "/dev/zero"}, {"path": "/dev/stdin"}):
        with pytest.raises(InputError):
            crm.load(**given)
    assert time.perf_counter() - began < 5


def test_a_folder_of_small_csv_files_is_no_table(crm: Ingested) -> None:
    for row in range(1000):
        (crm.folder / f"part-{row}.csv").write_text("lead_id\nL1\n")
    for path in ("part-*.csv", "."):
        assert crm.refused(path=path).code == 3


def test_what_a_parquet_file_of_pandas_has_beside_its_columns_is_no_column(crm: Ingested) -> None:
    table = pa.table({"lead_id": ["L1", "L2"], "size": [1, 2], "__index_level_0__": [5, 7]})
    pq.write_table(table, crm.folder / "x.parquet")
    loaded = crm.load(path="x.parquet", format="parquet", fields=SIZE)
    assert loaded.ignored["leads"] == ("__index_level_0__",)
    assert loaded.digest == crm.load(content="lead_id,size\nL1,1\nL2,2\n", fields=SIZE).digest


def test_ids_are_one_text_whatever_their_unicode_form_and_look_alikes_stay_apart(crm: Ingested) -> None:
    content = "lead_id,territory\ncafe\u0301,Nord\ncaf\u00e9,Nord\nNord,1\nN\u043erd,1\nNo\u200brd,1\n"
    loaded = crm.load(content=content, fields={"territory": Field("category")})
    assert loaded.counts["leads"].deduplicated == 1
    assert crm.column("lead_id") == ["caf\u00e9", "Nord", "N\u043erd", "No\u200brd"]


def test_a_category_of_two_hundred_thousand_values_is_loaded_like_any_other(crm: Ingested) -> None:
    rows = "".join(f"L{row},v{row:06}x{row % 7}\n" for row in range(200_000))
    assert crm.load(content=f"lead_id,source\n{rows}").counts["leads"].accepted == 200_000


# Databases.


class Crm:
    """A schema of PostgreSQL with tables of a test."""

    def __init__(self, postgres: object, held: Ingested) -> None:
        self.port = postgres.con.info.port  # type: ignore[attr-defined]
        self.held = held
        self.url = f"postgresql+psycopg://tests:hunter2@127.0.0.1:{self.port}/postgres"

    def say(self, statement: str) -> None:
        import psycopg

        with psycopg.connect(self.url.replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute(statement)

    def load(self, *names: str, url: str | None = None) -> object:
        sources = {
            name: Source(format="database", url_env="CRM", database_table=f"faults.{name}") for name in names
        }
        return self.held.loads(sources, environment={"CRM": url or self.url})

    def refused(self, *names: str, url: str | None = None) -> UpstreamError:
        with pytest.raises(UpstreamError) as caught:
            self.load(*names, url=url)
        assert caught.value.code == 5
        told = repr((caught.value, caught.value.__cause__))
        assert not [hidden for hidden in ("hunter2", "127.0.0.1", "CANARY") if hidden in told]
        return caught.value


@pytest.fixture
def source(postgres: object, crm: Ingested) -> object:
    held = Crm(postgres, crm)
    held.say("CREATE SCHEMA faults")
    held.say("CREATE TABLE faults.leads (lead_id text, created_at timestamp, source text)")
    held.say("INSERT INTO faults.leads SELECT 'L' || n, '2026-01-01', 'web' FROM generate_series(1, 50) n")
    yield held
    held.say("DROP SCHEMA faults CASCADE")


@pytest.mark.parametrize(
    ("change", "state"),
    [
        ("DROP TABLE faults.leads", "42P01"),
        ("ALTER TABLE faults.leads RENAME TO gone", "42P01"),
        (
            "DROP TABLE faults.leads; CREATE VIEW faults.leads AS SELECT 1 / 0 AS lead_id",
            "22012",
        ),
    ],
)
def test_a_changed_database_is_told_by_table_and_sqlstate(source: Crm, change: str, state: str) -> None:
    source.say(change)
    error = source.refused("leads")
    assert f"'faults.leads' cannot be read (SQLSTATE {state})" in error.reason
    assert error.place.file == "faults.leads"


def test_a_right_that_was_lost_is_told(source: Crm) -> None:
    source.say("CREATE ROLE reader LOGIN; GRANT USAGE ON SCHEMA faults TO reader; "
               "GRANT SELECT (lead_id) ON faults.leads TO reader")  # fmt: skip
    try:
        error = source.refused("leads", url=source.url.replace("tests:", "reader:"))
        assert "SQLSTATE 42501" in error.reason
    finally:
        source.say("DROP OWNED BY reader; DROP ROLE reader")


def test_moments_that_python_cannot_hold_are_sentinels_or_told(source: Crm) -> None:
    source.say("UPDATE faults.leads SET created_at = 'infinity' WHERE lead_id = 'L7'")
    error = source.refused("leads")
    assert "'faults.leads' cannot be read" in error.reason
    source.say("ALTER TABLE faults.leads ALTER created_at TYPE text USING created_at::text")
    source.say("UPDATE faults.leads SET created_at = '0044-03-15 BC' WHERE lead_id = 'L8'")
    source.load("leads")
    moments = dict(source.held.rows("SELECT lead_id, created_at::VARCHAR FROM leads"))
    assert moments["L7"] is None
    assert "L8" not in moments
    assert moments["L9"] == "2026-01-01 00:00:00"


def test_all_tables_are_read_as_they_stood_at_one_moment(source: Crm) -> None:
    source.say("CREATE TABLE faults.outcomes (lead_id text, stage text, occurred_at timestamp)")
    source.say("INSERT INTO faults.outcomes VALUES ('L1', 'won', '2026-02-01')")
    held = connecting.Connections({"CRM": source.url})
    with held:
        first = held.to("CRM").exec_driver_sql("SELECT count(*) FROM faults.leads").scalar()
        source.say("INSERT INTO faults.leads VALUES ('L51', '2026-02-01', 'fair')")
        source.say("INSERT INTO faults.outcomes VALUES ('L51', 'won', '2026-02-01')")
        again = held.to("CRM").exec_driver_sql("SELECT count(*) FROM faults.outcomes").scalar()
        assert (first, again) == (50, 1)
        with pytest.raises(sa.exc.DBAPIError, match="read-only"):
            held.to("CRM").exec_driver_sql("DELETE FROM faults.leads")
    loaded = source.load("leads", "outcomes")
    assert (loaded.counts["leads"].read, loaded.counts["outcomes"].read) == (51, 2)


def test_a_database_that_is_down_is_asked_again_for_a_while(crm: Ingested, monkeypatch) -> None:
    from tests.postgres import free_port

    monkeypatch.setattr(connecting, "PAUSES_SECONDS", (0.02, 0.04))
    pytest.importorskip("psycopg")
    tried = []
    connect = connecting._connected
    monkeypatch.setattr(connecting, "_connected", lambda engine: (tried.append(engine), connect(engine))[1])
    url = f"postgresql+psycopg://tests:hunter2@127.0.0.1:{free_port()}/postgres"
    source = Source(format="database", url_env="CRM", database_table="leads")
    with pytest.raises(UpstreamError) as caught:
        crm.loads({"leads": source}, environment={"CRM": url})
    assert len(tried) == 3
    assert (caught.value.code, "hunter2" in repr(caught.value)) == (5, False)
    assert crm.rows("SHOW TABLES") == [("erased",), ("quarantine",)]


def test_a_connection_that_is_lost_in_the_middle_leaves_no_half_table(source: Crm) -> None:
    source.say("ALTER TABLE faults.leads RENAME TO t")
    source.say(
        "CREATE VIEW faults.leads AS SELECT t.lead_id, CASE WHEN t.lead_id = 'L40' "
        "THEN pg_terminate_backend(pg_backend_pid())::text ELSE 'web' END AS source FROM faults.t"
    )
    source.refused("leads")
    assert ("leads",) not in source.held.rows("SHOW TABLES")


def test_a_slow_database_is_given_up_when_its_time_is_over(crm: Ingested, monkeypatch) -> None:
    url = f"sqlite:///{crm.folder / 'crm.db'}"
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE leads (lead_id TEXT)")
        connection.exec_driver_sql("INSERT INTO leads VALUES ('L1')")
    engine.dispose()
    source = {"leads": Source(format="database", url_env="CRM", database_table="leads")}
    assert crm.loads(source, environment={"CRM": url}).counts["leads"].accepted == 1
    monkeypatch.setattr(connecting, "MOST_SECONDS", 0.0)
    with pytest.raises(UpstreamError, match="'leads' could not be read within 0 s"):
        crm.loads(source, environment={"CRM": url})


def test_a_statement_of_a_slow_server_ends_in_its_time(source: Crm, monkeypatch) -> None:
    monkeypatch.setattr(connecting, "MOST_SECONDS", 1.0)
    source.say("ALTER TABLE faults.leads RENAME TO t")
    source.say("CREATE VIEW faults.leads AS SELECT lead_id, pg_sleep(1)::text AS source FROM faults.t")
    began = time.perf_counter()
    assert "SQLSTATE 57014" in source.refused("leads").reason
    assert time.perf_counter() - began < 5
