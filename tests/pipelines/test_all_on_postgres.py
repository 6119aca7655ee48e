"""Tables, features, ranking, state and MLflow on one PostgreSQL server, as docs/postgres.md sets them up."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from contextlib import closing
from pathlib import Path

import pytest
import yaml

from features.ingest import connecting, sources
from pipelines import params as parameters
from pipelines import picturing, rankers, serving
from pipelines.inputs import opened
from pipelines.progress import Progress
from serve.web.place import Place
from serve.web.settings import Settings
from tests.pipelines.ends import asked, failed
from tests.pipelines.server_crm import PASSWORDS, SMALL, addresses, documented, done, served, service
from tests.pipelines.trained_crm import LOST, answer, project, serving_in
from tests.postgres import free_port, program
from tests.serve.web.conftest import Clock, Site

# mlflow and its dependencies warn about themselves while they are imported.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")

TABLES = ("leads", "touches", "outcomes")


@pytest.fixture(scope="module")
def server(postgres):
    with served(postgres.con.info.port) as made:
        yield made


@pytest.fixture(scope="module")
def on_server(server, tmp_path_factory):
    """All of it on the server."""
    home = tmp_path_factory.mktemp("server") / "crm"
    home.mkdir()
    (home / "params.yaml").write_text(documented(server.port) + SMALL, encoding="utf-8")
    return project(home, addresses("night", server.port))


@pytest.fixture(scope="module")
def from_files(server, tmp_path_factory):
    """The same tables as PostgreSQL exports them; DuckDB and SQLite for all else."""
    home = tmp_path_factory.mktemp("files")
    tables = yaml.safe_load(documented(server.port))["tables"]
    for table in TABLES:
        server.export(table, home / f"{table}.csv")
        tables[table] = {"path": f"{table}.csv", "fields": tables[table].get("fields", {})}
    text = yaml.safe_dump({"tables": tables}, sort_keys=False)  # the order of fields is that of columns
    (home / "params.yaml").write_text(text + SMALL, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(picturing, "drawn", lambda *_, **__: {})  # a third of the time, and nothing is compared
        return project(home, {})


@pytest.fixture
def there(server, monkeypatch):
    """The environment of the night."""
    for name, value in addresses("night", server.port).items():
        monkeypatch.setenv(name, value)


def test_model_and_ranking_are_those_of_the_exported_tables_bit_for_bit(server, on_server, from_files):
    # The session shows moments otherwise than the export does, and the rows come in another order.
    assert server.ask("SHOW timezone", role="leadrank_reader") == [("Europe/Berlin",)]
    for name in ("data_digest", "features", "digest", "aliases"):
        assert on_server.trained[name] == from_files.trained[name], name
    assert on_server.trained["aliases"] == ["champion"]
    assert on_server.ranking.num_rows > 200
    assert on_server.ranking.equals(from_files.ranking)


def test_every_row_of_the_typed_tables_is_taken(on_server):
    counts = {row["table"]: row for row in on_server.scored["counts"]["tables"]}
    assert set(counts) == set(TABLES)
    assert all(row["read"] == row["accepted"] > 100 for row in counts.values())


@pytest.mark.usefixtures("there")
def test_the_registry_is_in_the_database_with_the_model_in_force(server, on_server, leadrank):
    found = "SELECT alias, version FROM registered_model_aliases"
    assert server.ask(found, role="leadrank_mlflow") == [("champion", 1)]
    finished = server.ask("SELECT status FROM runs", role="leadrank_mlflow")
    assert finished == [("FINISHED",)]
    (version,) = asked(leadrank, "models", home=on_server.home)["versions"]
    assert (version["digest"], version["aliases"]) == (on_server.trained["digest"], ["champion"])
    assert not (on_server.home / "mlflow.db").exists()
    assert list((on_server.home / "mlruns").rglob("bundle/model.json"))


def test_the_tables_of_the_ranking_and_their_pointer_say_what_the_files_say(server, on_server):
    columns = ["rank", "lead_id", "probability", "score", "margin"]
    query = f"SELECT {', '.join(columns)} FROM ranking.leadrank_current"  # noqa: S608  # our own names
    rows = server.ask(f"{query} JOIN ranking.leadrank_ranking USING (run_id) ORDER BY rank")
    assert [dict(zip(columns, row, strict=True)) for row in rows] == on_server.ranking.select(
        columns
    ).to_pylist()
    current = server.ask("SELECT run_id FROM ranking.leadrank_current", role="leadrank_writer")
    assert current == [((on_server.home / "runs" / "CURRENT").read_text().strip(),)]


def test_users_and_feedback_are_in_the_database_and_count_in_the_night(server, on_server):
    assert server.ask("SELECT name FROM users", role="leadrank_page") == [("ann",)]
    assert on_server.scored["counts"]["feedback"]["accepted"] == 1
    assert LOST not in on_server.ranking.column("lead_id").to_pylist()
    assert not (on_server.home / ".leadrank" / "state.db").exists()


def test_the_page_needs_its_own_address_only(server, on_server):
    params = parameters.load(on_server.home / "params.yaml")
    with closing(serving.state(params, on_server.home, addresses("page", server.port))) as store:
        assert store.is_there()


def test_no_password_is_left_in_a_file(on_server):
    texts = {path: path.read_bytes() for path in on_server.home.rglob("*") if path.is_file()}
    assert len(texts) > 20
    assert [
        path for path, text in texts.items() for secret in PASSWORDS.values() if secret.encode() in text
    ] == []


@pytest.mark.usefixtures("on_server")
def test_the_backup_of_the_manual_has_all_of_it(server, tmp_path):
    assert done("pg_dump", server, tmp_path, {}, {}) == 0
    listed = [program("pg_restore"), "--list", "leadrank.dump"]
    told = subprocess.run(listed, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    for table in ("crm leads", "ranking leadrank_ranking", "page users", "mlflow registered_model_aliases"):
        assert re.search(rf"TABLE DATA {table} ", told), table


@pytest.mark.usefixtures("there")
def test_rows_that_are_committed_between_two_tables_of_a_load_are_not_seen(server, on_server, monkeypatch):
    spill, read = sources.spill, []

    def interrupted(table, *rest):
        spill(table, *rest)
        read.append(table)
        if len(read) == 1:
            for other in TABLES:
                server.ask(f"INSERT INTO crm.{other} (lead_id) VALUES ('LATE')")  # noqa: S608

    monkeypatch.setattr(sources, "spill", interrupted)
    params = parameters.load(on_server.home / "params.yaml")
    try:
        with opened(params, on_server.home, Progress(is_quiet=True)) as inputs:
            counts = {name: count.read for name, count in inputs.loaded.counts.items()}
    finally:
        for table in TABLES:
            server.ask(f"DELETE FROM crm.{table} WHERE lead_id = 'LATE'")  # noqa: S608
    assert len(read) == len(TABLES)
    assert counts == {row["table"]: row["read"] for row in on_server.scored["counts"]["tables"]}


@pytest.fixture
def copy(on_server, tmp_path):
    return Path(shutil.copytree(on_server.home, tmp_path / "crm"))


@pytest.mark.usefixtures("there")
@pytest.mark.parametrize("gone", ["CRM_URL", "ENGINE_URL", "STATE_URL"])
def test_a_server_that_is_gone_ends_the_night_and_leaves_the_ranking(copy, leadrank, monkeypatch, gone):
    monkeypatch.setattr(connecting, "PAUSES_SECONDS", (0.01,))
    monkeypatch.setenv(gone, addresses("night", free_port())[gone])
    line = failed(leadrank, "score", "--as-of", "2026-02-02", home=copy)
    assert line["code"] == 5
    assert not [secret for secret in PASSWORDS.values() if secret in str(line)]
    current = asked(leadrank, "current", home=copy)
    assert current["run_id"] == (copy / "runs" / "CURRENT").read_text().strip()
    assert current["last_failure"]["code"] == 5


class HasRanking:
    """After a night, whatever its ranking is."""

    def index(self, _run_id=None):
        return self


def test_the_page_says_that_its_server_is_gone_and_goes_on_when_it_is_back(server, on_server):
    params = parameters.load(on_server.home / "params.yaml")
    with closing(serving.state(params, on_server.home, addresses("page", server.port))) as store:
        place = Place(HasRanking(), store, Settings(), Clock(), on_server.home)
        browser = Site(place, place.clock).browser()

        def answers():
            said = {"name": "ann", "password": "correct horse"}
            return browser.get("/api/v1/ready").status_code, browser.post("/login", data=said).status_code

        assert answers() == (200, 401)
        server.ask("ALTER ROLE leadrank_page NOLOGIN")
        try:
            sessions = "FROM pg_stat_activity WHERE usename = 'leadrank_page'"
            server.ask(f"SELECT pg_terminate_backend(pid) {sessions}")
            assert answers() == (503, 500)
        finally:
            server.ask("ALTER ROLE leadrank_page LOGIN")
        assert answers() == (200, 401)


@pytest.mark.usefixtures("there")
def test_a_night_without_mlflows_database_takes_the_model_of_the_night_before(copy, leadrank, monkeypatch):
    monkeypatch.setattr(rankers, "PATIENCE_SECONDS", 1.0)
    # MLflow asks for a minute and a half, and whoever wants a store of it waits meanwhile: later tests.
    monkeypatch.setattr("mlflow.store.db.utils.MAX_RETRY_COUNT", 4)  # 1.1 seconds
    text = (copy / "params.yaml").read_text(encoding="utf-8")
    gone = re.sub(r"(leadrank_mlflow@127.0.0.1:)\d+", rf"\g<1>{free_port()}", text)
    (copy / "params.yaml").write_text(gone.replace("sinks: ", "# sinks: "), encoding="utf-8")
    scored = asked(leadrank, "score", "--as-of", "2026-02-02", home=copy)
    manifest = json.loads((Path(scored["folder"]) / "manifest.json").read_text(encoding="utf-8"))
    assert (scored["ranked_by"], manifest["tracking"]) == ("model", "deferred")


@pytest.mark.slow  # MLflow's server takes its time to start
def test_the_service_mlflow_shows_the_training(server, on_server, tmp_path):
    words, port = service("mlflow", server.port), free_port()
    words[words.index("--port") + 1] = str(port)
    api = f"http://127.0.0.1:{port}/api/2.0/mlflow"
    with serving_in(tmp_path, words, addresses("mlflow", server.port)):
        model = answer(f"{api}/registered-models/get?name=leadrank")["registered_model"]
        files = answer(f"{api}/artifacts/list?run_id={on_server.trained['run_id']}")["files"]
    assert model["aliases"] == [{"alias": "champion", "version": "1"}]
    assert {"model", "test", "pictures"} <= {file["path"] for file in files}
