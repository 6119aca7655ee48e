"""The ranking in a PostgreSQL database: whole or not at all, once, and the same as the files."""

# ruff: noqa: S608  # names of tables and columns are our own

from __future__ import annotations

import threading
from itertools import pairwise
from random import Random

import duckdb
import pyarrow.parquet as pq
import pytest

from features.errors import InputError, ParameterError, UpstreamError
from serve.runs import Run
from serve.sinks import sql
from serve.sinks.columns import NAME_BYTES, sql_columns
from serve.sinks.database import Database, usable, within
from serve.sinks.sql import Wanted
from tests.serve.losing import losing
from tests.serve.rankings import ranking

SCRAMBLED = Random(1).randbytes(50).hex()  # noqa: S311  # text that does not shrink
SECRET = "hunter2"  # noqa: S105  # to be looked for in messages


@pytest.fixture
def server(postgres):
    """Port of the server, with a schema of its own that is empty."""
    yield postgres.con.info.port
    with psycopg_to(postgres.con.info.port) as connection:
        connection.execute("DROP SCHEMA sinks CASCADE")


@pytest.fixture(autouse=True)
def schema(request):
    if "server" in request.fixturenames:
        with psycopg_to(request.getfixturevalue("postgres").con.info.port) as connection:
            connection.execute("CREATE SCHEMA sinks")


def psycopg_to(port):
    import psycopg

    return psycopg.connect(host="127.0.0.1", port=port, user="tests", dbname="postgres")


def environment(port):
    return {"RANKING_URL": f"postgresql+psycopg://tests:{SECRET}@127.0.0.1:{port}/postgres"}


def database(**bounds):
    return Database("RANKING_URL", "sinks", **({"lock_seconds": 1, "retry_seconds": 0} | bounds))


def night(folder, day, rows=None):
    """A published run of a day of June with three leads."""
    name = f"202606{day:02}T000000Z-abc"
    given = rows or [
        {"lead_id": f"L{n}", "probability": n / 7 + day * 1e-13, "for_1": f"day {day}"} for n in range(3)
    ]
    ranking(folder / name, given)
    manifest = {"as_of": f"2026-06-{day:02}T00:00:00+00:00", "files": {}, "ranked_by": "model"}
    return Run(name, folder / name, manifest)


def deliver(port, *runs, in_force=None, **more):
    wanted = Wanted(runs=runs, in_force=in_force or runs[-1], **more)
    return sql.deliver(database(), environment(port), wanted)


def asked(port, query, *values):
    with psycopg_to(port) as connection:
        return connection.execute(query, values).fetchall()


def runs_and_current(port):
    known = [name for (name,) in asked(port, "SELECT run_id FROM sinks.leadrank_runs ORDER BY run_id")]
    return known, asked(port, "SELECT run_id FROM sinks.leadrank_current")[0][0]


def test_rows_are_those_of_the_parquet_file_bit_for_bit(server, tmp_path):
    texts = ["plain", 'quo"te, comma', "line\nend", "=1+1", "", None, "ümlaut 中", "back\\slash", "\\N"]
    rows = [
        {"lead_id": f"L{n}", "probability": (n + 1) / 7, "score": 1e-300 * n, "for_1": t}
        for n, t in enumerate(texts)
    ]
    run = night(tmp_path, 1, rows)
    done = deliver(server, run)
    assert (done.loaded, done.current, done.removed) == ((run.run_id,), run.run_id, ())
    columns = "rank, lead_id, probability, score, for_1"
    found = asked(
        server, f"SELECT {columns} FROM sinks.leadrank_ranking WHERE run_id = %s ORDER BY rank", run.run_id
    )
    with duckdb.connect() as engine:
        file = str(run.folder / "ranking.parquet")
        assert (
            found == engine.execute(f"SELECT {columns} FROM read_parquet(?) ORDER BY rank", [file]).fetchall()
        )
    assert asked(server, "SELECT leads FROM sinks.leadrank_runs") == [(len(texts),)]


def test_twice_is_once(server, tmp_path):
    run = night(tmp_path, 1)
    deliver(server, run)
    assert deliver(server, run).loaded == ()
    assert asked(server, "SELECT count(*) FROM sinks.leadrank_ranking") == [(3,)]


@pytest.mark.parametrize("last_words", [b"COMMIT", b"leadrank_current"])
def test_a_connection_that_is_lost_gives_one_run_when_it_is_tried_again(server, tmp_path, last_words):
    run = night(tmp_path, 1)
    with losing(server, at=last_words, times=1) as port:
        done = sql.deliver(database(retry_seconds=20), environment(port), Wanted([run], run))
    # Whether the first COMMIT was done nobody could know: the second attempt finds the run, or makes it.
    assert done.current == run.run_id
    assert asked(server, "SELECT run_id, leads FROM sinks.leadrank_runs") == [(run.run_id, 3)]
    assert asked(server, "SELECT count(*) FROM sinks.leadrank_ranking") == [(3,)]


def test_a_loss_before_the_commit_leaves_the_old_ranking_whole(server, tmp_path):
    first, second = night(tmp_path, 1), night(tmp_path, 2)
    deliver(server, first)
    with losing(server, at=b"EXCLUDED.run_id", times=99) as port, pytest.raises(UpstreamError):
        sql.deliver(database(), environment(port), Wanted([second], second))
    # What arrived was in no committed transaction.
    wait_for_no_writer(server)
    assert runs_and_current(server) == ([first.run_id], first.run_id)
    assert deliver(server, second).current == second.run_id
    assert asked(server, "SELECT count(*) FROM sinks.leadrank_ranking") == [(6,)]


def wait_for_no_writer(port):
    """Until the server has noticed that its client is gone."""
    with psycopg_to(port) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS sinks.waiting ()")
    for _ in range(100):
        left = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'leadrank'"
        if asked(port, left) == [(0,)]:
            return
        threading.Event().wait(0.05)
    raise AssertionError("a session is left")


def test_a_reader_sees_the_old_ranking_or_the_new_one(server, tmp_path):
    runs = [night(tmp_path, day) for day in range(1, 13)]
    deliver(server, runs[0])
    seen, done = [], threading.Event()

    def read():
        query = """SELECT min(c.run_id), count(*), count(DISTINCT r.for_1) FROM sinks.leadrank_current AS c
            JOIN sinks.leadrank_ranking AS r USING (run_id)"""
        with psycopg_to(server) as connection:
            connection.autocommit = True
            while not done.is_set():
                seen.append(connection.execute(query).fetchone())

    reader = threading.Thread(target=read)
    reader.start()
    for run in runs[1:]:
        deliver(server, run, keep=2)
    done.set()
    reader.join()
    assert {(leads, nights) for _, leads, nights in seen} == {(3, 1)}
    assert all(earlier <= later for (earlier, *_), (later, *_) in pairwise(seen))


def test_a_past_night_is_kept_and_does_not_come_into_force(server, tmp_path):
    today, past = night(tmp_path, 9), night(tmp_path, 3)
    deliver(server, today)
    assert deliver(server, past, in_force=today).loaded == (past.run_id,)
    assert runs_and_current(server) == ([past.run_id, today.run_id], today.run_id)


def test_a_host_whose_files_are_old_moves_nothing_back(server, tmp_path):
    today, past = night(tmp_path, 9), night(tmp_path, 3)
    deliver(server, today)
    assert deliver(server, past, in_force=past).current == today.run_id


def test_a_rollback_moves_back_from_a_withdrawn_run(server, tmp_path):
    today, past = night(tmp_path, 9), night(tmp_path, 3)
    deliver(server, past, today)
    assert deliver(server, past, withdrawn=[today.run_id]).current == past.run_id


def test_another_run_of_the_same_night_comes_into_force(server, tmp_path):
    first = night(tmp_path, 9)
    ranking(tmp_path / "other", [{"lead_id": "L9", "probability": 0.5}])
    second = Run("20260609T000000Z-xyz", tmp_path / "other", first.manifest)
    deliver(server, first)
    assert deliver(server, second).current == second.run_id


def test_old_runs_go_but_never_the_one_in_force(server, tmp_path):
    runs = [night(tmp_path, day) for day in (1, 2, 3, 4)]
    deliver(server, *runs)
    withdrawn = [runs[3].run_id]
    done = deliver(server, runs[0], withdrawn=withdrawn, keep=2)
    assert done.removed == (runs[1].run_id,)
    assert runs_and_current(server) == ([runs[0].run_id, runs[2].run_id, runs[3].run_id], runs[0].run_id)
    assert asked(server, "SELECT count(*) FROM sinks.leadrank_ranking") == [(9,)]


def test_a_night_with_other_columns_fits_into_the_same_table(server, tmp_path):
    deliver(server, night(tmp_path, 1, [{"lead_id": "A", "score": 1.0}]))
    deliver(server, night(tmp_path, 2, [{"lead_id": "A", "for_1": "new"}]))
    found = asked(server, "SELECT rank, score, for_1 FROM sinks.leadrank_ranking ORDER BY run_id")
    assert found == [(1, 1.0, None), (1, None, "new")]


def test_a_column_of_another_type_is_named(server, tmp_path):
    deliver(server, night(tmp_path, 1, [{"lead_id": "A", "score": 1.0}]))
    with psycopg_to(server) as connection:
        connection.execute("ALTER TABLE sinks.leadrank_ranking ALTER COLUMN score TYPE text")
    with pytest.raises(UpstreamError, match="'score' of leadrank_ranking is text"):
        deliver(server, night(tmp_path, 2, [{"lead_id": "A", "score": 1.0}]))
    assert len(runs_and_current(server)[0]) == 1


def test_text_loses_its_nul_and_nothing_else(server, tmp_path):
    deliver(server, night(tmp_path, 1, [{"lead_id": "A", "for_1": "a\0b"}]))
    assert asked(server, "SELECT for_1 FROM sinks.leadrank_ranking") == [("ab",)]


def test_a_lead_is_erased_from_every_run(server, tmp_path):
    assert sql.erase(database(), environment(server), ["L1"]) == 0  # there is no table yet
    deliver(server, night(tmp_path, 1), night(tmp_path, 2))
    assert sql.erase(database(), environment(server), ["L1", "nobody"]) == 2
    assert asked(server, "SELECT DISTINCT lead_id FROM sinks.leadrank_ranking ORDER BY 1") == [
        ("L0",),
        ("L2",),
    ]


def test_a_reader_in_an_open_transaction_does_not_hold_the_next_night(server, tmp_path):
    deliver(server, night(tmp_path, 1))
    with psycopg_to(server) as reader:
        reader.execute("SELECT * FROM sinks.leadrank_ranking, sinks.leadrank_current")
        assert deliver(server, night(tmp_path, 2), keep=1).removed != ()


def test_a_lock_that_stays_ends_the_attempt_and_names_who_holds_it(server, tmp_path):
    deliver(server, night(tmp_path, 1))
    with psycopg_to(server) as other:
        other.execute("LOCK TABLE sinks.leadrank_ranking IN ACCESS EXCLUSIVE MODE")
        held_by = f"55P03, held by server process {other.info.backend_pid}"
        with pytest.raises(UpstreamError, match=held_by):
            deliver(server, night(tmp_path, 2))
    assert len(runs_and_current(server)[0]) == 1


def test_two_hosts_take_turns(server, tmp_path):
    runs = [night(tmp_path, day) for day in (1, 2, 3, 4)]
    patient = database(lock_seconds=20)
    failed = []

    def one(run):
        try:
            sql.deliver(patient, environment(server), Wanted([run], run))
        except UpstreamError as error:
            failed.append(error)

    threads = [threading.Thread(target=one, args=(run,)) for run in runs for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert runs_and_current(server) == ([run.run_id for run in runs], runs[-1].run_id)
    assert asked(server, "SELECT count(*) FROM sinks.leadrank_ranking") == [(12,)]


def test_a_statement_ends_in_its_time(server):
    with pytest.raises(UpstreamError, match="57014"):
        within(database(statement_seconds=1), environment(server), lambda c: c.execute("SELECT pg_sleep(20)"))


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:hunter2@127.0.0.1:1/x",
        "postgresql://u:hunter2@no-such-host.invalid/x",
    ],
)
def test_no_message_tells_the_address(url):
    pytest.importorskip("psycopg")
    with pytest.raises(UpstreamError) as raised:
        within(database(), {"RANKING_URL": url}, lambda c: c)
    assert raised.value.code == 5
    for hidden in (SECRET, "127.0.0.1", "invalid"):
        assert hidden not in str(raised.value)
    assert raised.value.__cause__ is None


@pytest.mark.parametrize(
    "url", ["", "nonsense", "mysql://u:hunter2@h/x", "postgresql+asyncpg://u:hunter2@h/x"]
)
def test_what_is_no_url_of_postgresql_is_refused_without_telling_it(url):
    with pytest.raises(ParameterError, match="'RANKING_URL'") as raised:
        usable(database(), {"RANKING_URL": url})
    assert SECRET not in str(raised.value)
    with pytest.raises(ParameterError, match="is not set"):
        usable(database(), {})


def test_long_names_stay_different_and_fit():
    names = [f"{'ü' * 40}{end}" for end in ("first", "second")]
    found = [column.name for column in sql_columns(dict.fromkeys(names, "VARCHAR")).values()]
    assert len(set(found)) == 2
    assert all(len(name.encode()) <= NAME_BYTES for name in found)
    whole = "x" * NAME_BYTES
    assert sql_columns({whole: "VARCHAR"})[whole].name == whole


@pytest.mark.parametrize("name", ["run_id", "ctid", "xmin"])
def test_a_column_called_like_one_of_the_table_gets_another_name(server, tmp_path, name):
    deliver(server, night(tmp_path, 1, [{"lead_id": "A", name: "mine"}]))
    column = sql_columns({name: "VARCHAR"})[name].name
    assert asked(server, f'SELECT "{column}" FROM sinks.leadrank_ranking') == [("mine",)]


@pytest.mark.parametrize(("widest", "kind", "value"), [
    (971, "DOUBLE", 1 / 3),
    (323, "VARCHAR", SCRAMBLED),
    (323, "VARCHAR", SCRAMBLED[:24]),
])  # fmt: skip
def test_a_ranking_as_wide_as_a_table_can_be_is_kept_and_a_wider_one_refused(
    server, tmp_path, widest, kind, value
):
    names = [f"c{n}" for n in range(widest)]
    kinds = {"rank": "BIGINT", "lead_id": "VARCHAR"} | dict.fromkeys(names, kind)
    with pytest.raises(InputError, match=f"{widest + 3} columns, more than a PostgreSQL table can hold"):
        sql_columns({**kinds, "one_more": kind})
    with duckdb.connect() as engine:
        file = ranking(tmp_path / "20260601T000000Z-abc", [{"lead_id": "A"}])
        columns = ", ".join(f"{value!r}::{kind} AS {name}" for name in names)
        wide = engine.sql(f"SELECT *, {columns} FROM read_parquet('{file}')").to_arrow_table()
        pq.write_table(wide, file)
    deliver(server, Run("20260601T000000Z-abc", file.parent, night(tmp_path, 2).manifest))
    assert asked(server, f"SELECT {names[-1]} FROM sinks.leadrank_ranking") == [(value,)]
