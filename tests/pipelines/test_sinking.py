"""From the published files to other systems: their order, and what is noted when a database is down."""

# ruff: noqa: S608  # names of columns are our own

from __future__ import annotations

import csv
import json
from contextlib import suppress
from datetime import UTC, datetime

import duckdb
import pytest

from features.errors import GateError, ParameterError, UpstreamError
from pipelines import params as parameters
from pipelines import rollback, show, sinking
from serve import runs
from tests.postgres import free_port
from tests.serve.rankings import ranking

TABLES = "tables: {leads: {path: leads.csv, outcome_column: won}}\n"
PARAMS = parameters.parse(f"{TABLES}sinks: {{sql: RANKING_URL, sql_schema: sinking, sql_retry_seconds: 0}}\n")


@pytest.fixture
def asked(postgres):
    """Ask the server, in a schema that is empty at first."""
    import psycopg

    port = postgres.con.info.port

    def ask(query, *values):
        with psycopg.connect(host="127.0.0.1", port=port, user="tests", dbname="postgres") as connection:
            done = connection.execute(query, values)
            return done.fetchall() if done.description else None

    ask("CREATE SCHEMA sinking")
    ask.url = f"postgresql://tests@127.0.0.1:{port}/postgres"
    yield ask
    ask("DROP SCHEMA sinking CASCADE")


@pytest.fixture
def down(monkeypatch):
    monkeypatch.setenv("RANKING_URL", f"postgresql://tests:hunter2@127.0.0.1:{free_port()}/postgres")


def published(home, day, announced):
    """Publish a night of June with two leads."""
    folder = home / "runs"
    with runs.lock(folder), runs.staging(folder) as staged:
        ranking(staged, [{"lead_id": "A", "probability": day / 30}, {"lead_id": "B", "probability": 0.01}])
        manifest = {"as_of": datetime(2026, 6, day, tzinfo=UTC).isoformat(), "counts": {"ranked": 2}}
        return runs.publish(staged, folder, announced(f"202606{day:02}T000000Z-a"), manifest).run_id


def night(home, day, *, ended_by=None):
    with sinking.carried_on(PARAMS, home) as announced:
        name = published(home, day, announced)
        if ended_by is not None:
            raise ended_by
        return name


def in_database(asked):
    return [run_id for (run_id,) in asked("SELECT run_id FROM sinking.leadrank_runs ORDER BY run_id")]


@pytest.mark.usefixtures("down")
def test_a_database_that_is_down_leaves_the_files_and_a_note(tmp_path, asked, monkeypatch):
    with pytest.raises(UpstreamError) as raised:
        night(tmp_path, 1)
    assert raised.value.code == 5
    assert "hunter2" not in str(raised.value)
    first = runs.current(tmp_path / "runs").run_id
    lacking = sinking.pending(PARAMS, tmp_path)
    assert lacking["runs"] == [first]
    assert lacking["reason"] == raised.value.reason
    current = show.current(PARAMS, tmp_path, 1, now=datetime(2026, 6, 2, tzinfo=UTC))
    assert (current["run_id"], current["pending"], current["last_failure"]) == (first, lacking, None)

    monkeypatch.setenv("RANKING_URL", asked.url)
    second = night(tmp_path, 2)  # the next night carries both
    assert in_database(asked) == [first, second]
    assert asked("SELECT run_id FROM sinking.leadrank_current") == [(second,)]
    assert sinking.pending(PARAMS, tmp_path) is None


@pytest.mark.usefixtures("down")
def test_publish_resume_carries_on(tmp_path, asked, monkeypatch):
    with pytest.raises(UpstreamError):
        night(tmp_path, 1)
    monkeypatch.setenv("RANKING_URL", asked.url)
    name = runs.current(tmp_path / "runs").run_id
    done = {"run_id": name, "loaded": (name,), "removed": (), "objects": None}
    assert sinking.resume(PARAMS, tmp_path) == done
    assert sinking.pending(PARAMS, tmp_path) is None
    assert sinking.resume(PARAMS, tmp_path)["loaded"] == ()


def test_a_crash_between_files_and_database_is_made_good(tmp_path, asked, monkeypatch):
    monkeypatch.setenv("RANKING_URL", asked.url)
    with pytest.raises(KeyboardInterrupt):
        night(tmp_path, 1, ended_by=KeyboardInterrupt())
    first = runs.current(tmp_path / "runs").run_id
    assert sinking.pending(PARAMS, tmp_path)["runs"] == [first]
    night(tmp_path, 2)
    assert in_database(asked)[0] == first


def test_what_was_announced_and_never_published_is_forgotten(tmp_path, asked, monkeypatch):
    monkeypatch.setenv("RANKING_URL", asked.url)
    with suppress(GateError), sinking.carried_on(PARAMS, tmp_path) as announced:
        raise GateError(announced("20260601T000000Z-never"))
    assert (tmp_path / ".leadrank" / sinking.FILE).exists()
    assert sinking.pending(PARAMS, tmp_path) is None
    name = night(tmp_path, 2)
    assert in_database(asked) == [name]
    assert not (tmp_path / ".leadrank" / sinking.FILE).exists()


def test_a_past_night_does_not_come_into_force_in_the_database(tmp_path, asked, monkeypatch):
    monkeypatch.setenv("RANKING_URL", asked.url)
    today = night(tmp_path, 9)
    past = night(tmp_path, 3)
    assert in_database(asked) == [past, today]
    assert asked("SELECT run_id FROM sinking.leadrank_current") == [(today,)]


def test_a_rollback_moves_the_database_too_even_later(tmp_path, asked, monkeypatch):
    monkeypatch.setenv("RANKING_URL", asked.url)
    past, today = night(tmp_path, 3), night(tmp_path, 9)
    monkeypatch.setenv("RANKING_URL", f"postgresql://tests@127.0.0.1:{free_port()}/postgres")
    with pytest.raises(UpstreamError):
        rollback.ranking(PARAMS, tmp_path, run_id=None, reason="wrong amounts")
    assert runs.current(tmp_path / "runs").run_id == past
    assert asked("SELECT run_id FROM sinking.leadrank_current") == [(today,)]
    monkeypatch.setenv("RANKING_URL", asked.url)
    assert sinking.resume(PARAMS, tmp_path)["run_id"] == past


def test_a_variable_that_is_not_set_is_told_before_any_work(tmp_path, monkeypatch):
    monkeypatch.delenv("RANKING_URL", raising=False)
    with (
        pytest.raises(ParameterError, match="'RANKING_URL' is not set"),
        sinking.carried_on(PARAMS, tmp_path),
    ):
        pytest.fail("the work began")


def test_without_a_database_nothing_is_noted(tmp_path):
    without = parameters.parse(TABLES)
    with sinking.carried_on(without, tmp_path) as announced:
        published(tmp_path, 1, announced)
    assert not (tmp_path / ".leadrank").exists()
    with pytest.raises(ParameterError, match=r"sinks\.sql is not set"):
        sinking.resume(without, tmp_path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("ads: {click_id: {google: gclid}}", "'ads' must be given with a currency"),
        ("ads: {click_id: {yahoo: y}, currency: EUR}", "ads.click_id.yahoo"),
        ("ads: {goals: {brand: demo_booked}}", "the stage 'demo_booked'"),
        ("train: {stages: [sql]}\nads: {goals: {brand: mql}}", "the stage 'mql'"),
        ("exports: {crm: sap}", "exports.crm"),
        ("exports: {crm: hubspot, fields: {score: A, grade: a}}", "'exports.fields' must be columns"),
    ],
)
def test_sections_that_cannot_be_meant_are_refused(text, said):
    with pytest.raises(ParameterError, match=said.replace(".", r"\.")):
        parameters.parse(f"{TABLES}{text}\n")


def test_a_night_publishes_every_sink_and_all_agree(crm, leadrank, asked, monkeypatch, demo):
    leads = (crm / "data" / "leads.csv").read_text(encoding="utf-8").splitlines()
    with_clicks = [f"{leads[0]},gclid", *(f"{line},Cj-{n}" for n, line in enumerate(leads[1:]))]
    (crm / "data" / "leads.csv").write_text("\n".join(with_clicks) + "\n", encoding="utf-8")
    more = "\nexports: {crm: salesforce}\nads: {click_id: {google: gclid}, currency: EUR, amount: 100}\n"
    more += "sinks: {sql: RANKING_URL, sql_schema: sinking, sql_retry_seconds: 0}\n"
    with (crm / "params.yaml").open("a", encoding="utf-8") as file:
        file.write(more)
    monkeypatch.setenv("RANKING_URL", f"postgresql://tests:hunter2@127.0.0.1:{free_port()}/postgres")
    as_of = demo.result["score"]["as_of"]
    code, _, told = leadrank("score", "--as-of", as_of, "--json", home=crm)
    assert code == 5, told
    assert "hunter2" not in told
    code, shown, _ = leadrank("current", "--json")
    current = json.loads(shown)
    run = runs.current(crm / "runs")
    assert current["run_id"] == run.run_id != demo.result["score"]["run_id"]
    assert current["pending"]["runs"] == [run.run_id]
    assert current["last_failure"] is None
    code, shown, _ = leadrank("current")
    assert "leadrank publish --resume" in " ".join(shown.split())

    monkeypatch.setenv("RANKING_URL", asked.url)
    code, shown, told = leadrank("publish", "--resume", "--json")
    assert (code, json.loads(shown)["run_id"]) == (0, run.run_id), told

    assert runs.damaged_files(run) == []
    columns = "rank, lead_id, score, probability, grade"
    with duckdb.connect() as engine:
        file = str(run.folder / "ranking.parquet")
        parquet = engine.execute(f"SELECT {columns} FROM read_parquet(?) ORDER BY rank", [file]).fetchall()
    assert asked(f"SELECT {columns} FROM sinking.leadrank_ranking ORDER BY rank") == parquet
    with (run.folder / "exports" / "salesforce-001.csv").open(encoding="utf-8", newline="") as file:
        uploaded = list(csv.DictReader(file))
    assert [row["Id"] for row in uploaded] == [lead_id for _, lead_id, *_ in parquet]
    told = json.loads((run.folder / "exports" / "summary.json").read_text(encoding="utf-8"))
    assert told["crm"]["files"] == {"salesforce-001.csv": len(parquet)}
    google = told["ads"]["google"]
    assert google["rows"] > 0
    assert google["rows"] + sum(google["left_out"].values()) == len(parquet)
    features = engine_columns(run.folder / "features.parquet")
    assert "gclid" not in features
    assert "gclid" not in engine_columns(run.folder / "ranking.parquet")


def engine_columns(file):
    with duckdb.connect() as engine:
        return engine.read_parquet(str(file)).columns
