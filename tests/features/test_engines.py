"""Engines: what is sent comes back the same, and each gives the features of the command's own DuckDB."""

from __future__ import annotations

from datetime import timedelta

import pyarrow as pa
import pytest

from features.backend import engine, workspace
from features.build import feature_table
from features.engines.asked import Asked
from features.errors import ModelError, ParameterError, UpstreamError
from tests.features.drawn import drawn
from tests.features.oracle.engines import FIELDS, differences, every, one_of_each
from tests.features.random_history import TONIGHT, WORDS, arrow, history

ROWS = {
    "snapshot_id": pa.array([0, 1, 2, 3], pa.int64()),
    "text": pa.array(["\\N", "", None, 'a "quoted", line\nand another'], pa.string()),
    "number": pa.array([0.1 + 0.2, None, -1e300, 5e-324], pa.float64()),
    "is_open": pa.array([True, None, False, True], pa.bool_()),
    "at": pa.array(
        [
            TONIGHT,
            None,
            TONIGHT - timedelta(days=40_000, microseconds=1),
            TONIGHT + timedelta(days=2_900_000),
        ],
        pa.timestamp("us"),
    ),
}


@pytest.fixture
def home(tmp_path):
    with workspace(tmp_path) as backend:
        yield backend


@pytest.fixture(params=["duckdb", pytest.param("spark", marks=pytest.mark.spark), "postgres"])
def computing(request, home, tmp_path, monkeypatch):
    asked = Asked(request.param)
    if request.param == "spark":
        request.getfixturevalue("spark")  # a session that runs is used, and left
    if request.param == "postgres":
        asked = Asked("postgres", url_env=url_of(request.getfixturevalue("postgres"), monkeypatch))
    with engine(asked, home, tmp_path) as made:
        yield made


def url_of(server, monkeypatch):
    info = server.con.info
    monkeypatch.setenv(
        "FEATURES_AT", f"postgresql+psycopg://{info.user}@{info.host}:{info.port}/{info.dbname}"
    )
    return "FEATURES_AT"


def rows_of(table):
    return table.order_by("snapshot_id").to_pyarrow().to_pydict()


def test_every_value_comes_back_as_it_was_sent(computing, home):
    sent = home.create_table("sent", pa.table(ROWS))
    expected = pa.table(ROWS).to_pydict()
    assert rows_of(computing.fetched(computing.taken(sent))) == expected
    assert rows_of(computing.fetched(computing.keep(computing.taken(sent)))) == expected


def test_a_table_of_the_load_is_sent_once_and_another_each_time(computing, home):
    table = home.create_table("leads", pa.table({"snapshot_id": [1]}))
    held = computing.held({"leads": table})
    assert computing.held({"again": table})["again"] is held["leads"]
    computing.taken(table)
    home.raw_sql("INSERT INTO leads VALUES (2)")
    assert rows_of(computing.fetched(computing.taken(table))) == {"snapshot_id": [1, 2]}


def test_an_engine_has_the_features_of_the_command_s_own(computing, home):
    tables = {name: home.create_table(name, rows) for name, rows in arrow(history(5)).items()}
    chosen = one_of_each() if computing.name == "spark" else every()
    ours = feature_table(tables["snapshots"], tables, chosen, FIELDS, WORDS)
    held = computing.held(tables)
    theirs = feature_table(held["snapshots"], held, chosen, FIELDS, WORDS, keep=computing.keep)
    assert differences(rows_of(ours), rows_of(computing.fetched(theirs))) == []


def test_nothing_stays_behind(computing, home, tmp_path):
    computing.fetched(computing.keep(computing.taken(home.create_table("sent", pa.table(ROWS)))))
    if computing.name == "postgres":
        left = computing._backend.con.execute("SELECT relname FROM pg_class WHERE relpersistence = 'p'")
        assert not [name for (name,) in left if name.startswith("leadrank")]
        computing.close()
        assert not list(tmp_path.rglob("leadrank_*"))


def test_the_middle_between_two_roundings_goes_up_on_every_engine(computing, home):
    """27 s are 0.0003125 days: DuckDB rounds the binary number, Spark and PostgreSQL its decimal digits."""
    at = drawn("as_of | lead_id\n2026-06-01 | a")["as_of"][0].as_py()
    leads = pa.table({"lead_id": ["a"], "created_at": [at - timedelta(days=90)], "row_number": [0]})
    touch = {
        "lead_id": ["a"],
        "occurred_at": [at - timedelta(seconds=27)],
        "kind": ["call"],
        "row_number": [0],
    }
    touches = pa.table({**touch, "recorded_at": touch["occurred_at"]})
    asked = pa.table({"snapshot_id": [0], "lead_id": ["a"], "as_of": [at]})
    held = computing.held(
        {
            name: home.create_table(name, rows)
            for name, rows in {"leads": leads, "touches": touches, "snapshots": asked}.items()
        }
    )
    since = [feature for feature in every() if feature.name == "days_since_last_touch"]
    table = feature_table(held["snapshots"], held, since, {}, keep=computing.keep)
    assert rows_of(computing.fetched(table))["days_since_last_touch"] == [0.000313]


def test_a_name_that_postgres_would_cut_is_refused(postgres, home, tmp_path, monkeypatch):
    asked = Asked("postgres", url_env=url_of(postgres, monkeypatch))
    long = home.create_table("long", pa.table({"x" * 64: [1]}))
    with engine(asked, home, tmp_path) as made, pytest.raises(ParameterError, match="63 bytes"):
        made.taken(long)


def test_a_server_that_is_not_there_is_an_upstream_error(home, tmp_path, monkeypatch):
    monkeypatch.setenv("FEATURES_AT", "postgresql+psycopg://nobody:secret@127.0.0.1:1/none")
    rows = home.create_table("rows", pa.table({"snapshot_id": [1]}))
    asked = Asked("postgres", url_env="FEATURES_AT")
    with engine(asked, home, tmp_path) as made, pytest.raises(UpstreamError) as refused:
        made.taken(rows)
    assert "secret" not in str(refused.value)


def test_a_database_engine_needs_an_address(home, tmp_path):
    with pytest.raises(ParameterError, match="without a server"), engine(Asked("postgres"), home, tmp_path):
        pass


@pytest.mark.spark
@pytest.mark.usefixtures("spark")
def test_work_that_an_executor_refuses_ends_as_what_it_is(home, tmp_path):
    def refuses(_):
        raise ModelError("no", hint="none")

    def breaks(_):
        raise ValueError("a@b.example")

    with engine(Asked("spark"), home, tmp_path) as made:
        with pytest.raises(ModelError):
            made.each(refuses, 2)
        with pytest.raises(UpstreamError) as failed:
            made.each(breaks, 2)
    assert "example" not in str(failed.value)


@pytest.mark.spark
@pytest.mark.usefixtures("spark")
def test_each_number_is_worked_on_beside_the_others(home, tmp_path):
    with engine(Asked("spark"), home, tmp_path) as made:
        folder = made.shared
        made.each(lambda place: (folder / f"done-{place}").touch(), 5)
        assert sorted(file.name for file in folder.glob("done-*")) == [f"done-{place}" for place in range(5)]
