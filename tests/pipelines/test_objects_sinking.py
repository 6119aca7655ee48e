"""Nights that an object store takes part in: what is noted when it is down, who carries on, and who pulls."""

from __future__ import annotations

import hashlib
import json
import sys
from datetime import UTC, datetime

import pytest

from features.errors import LockedError, ModelError, ParameterError, StorageError, UpstreamError
from pipelines import collecting, erase, pull, rollback, show, sinking
from pipelines import params as parameters
from pipelines.progress import Progress
from serve import runs
from tests.objects import BUCKET, SECRET
from tests.postgres import free_port
from tests.serve.rankings import ranking

TABLES = "tables: {leads: {path: leads.csv, outcome_column: won}}\n"
TEXT = f"{TABLES}sinks: {{objects: 's3://{BUCKET}/crm/'}}\n"
PARAMS = parameters.parse(TEXT)
POINTER = "crm/CURRENT"


@pytest.fixture
def down(monkeypatch):
    def away():
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port()}")

    return away


@pytest.fixture
def up(monkeypatch, object_store_url):
    return lambda: monkeypatch.setenv("AWS_ENDPOINT_URL", object_store_url)


def published(home, day, announced, leads=("A", "B")):
    folder = home / "runs"
    with runs.lock(folder), runs.staging(folder) as staged:
        ranking(staged, [{"lead_id": lead, "probability": day / 30} for lead in leads])
        manifest = {
            "as_of": datetime(2026, 6, day, tzinfo=UTC).isoformat(),
            "counts": {"ranked": len(leads), "tables": []},
            "ranked_by": "scorecard",
        }
        return runs.publish(staged, folder, announced(f"202606{day:02}T000000Z-a"), manifest).run_id


def night(home, day, params=PARAMS, *, ended_by=None):
    with sinking.carried_on(params, home) as announced:
        name = published(home, day, announced)
        if ended_by is not None:
            raise ended_by
        return name


def in_force(store):
    return json.loads(store.read(POINTER))["run_id"]


def kept(store):
    return sorted({key.split("/")[1] for key in store.keys("crm/2026")})


def pulled(home, params=PARAMS):
    return pull.run(params, home, progress=Progress(is_quiet=True))


def test_a_night_is_in_the_store_when_it_ends(tmp_path, store):
    first, second = night(tmp_path, 1), night(tmp_path, 2)
    assert (in_force(store), kept(store)) == (second, [first, second])
    assert sinking.pending_objects(PARAMS, tmp_path) is None
    assert not (tmp_path / ".leadrank" / sinking.OBJECTS_FILE).exists()


def test_a_store_that_is_down_leaves_the_ranking_in_force_and_a_note(tmp_path, store, down, up):
    down()
    with pytest.raises(UpstreamError) as raised:
        night(tmp_path, 1)
    assert raised.value.code == 5
    assert SECRET not in str(raised.value)
    first = runs.current(tmp_path / "runs").run_id
    lacking = sinking.pending_objects(PARAMS, tmp_path)
    assert lacking == {"runs": [first], "reason": raised.value.reason}
    assert sinking.pending(PARAMS, tmp_path) is None
    up()
    second = night(tmp_path, 2)  # the next night carries both
    assert (in_force(store), kept(store)) == (second, [first, second])
    assert sinking.pending_objects(PARAMS, tmp_path) is None


def test_publish_resume_carries_on_and_again_changes_nothing(tmp_path, store, down, up):
    down()
    with pytest.raises(UpstreamError):
        night(tmp_path, 1)
    up()
    name = runs.current(tmp_path / "runs").run_id
    of_tables = {"run_id": None, "loaded": (), "removed": ()}
    done = {"run_id": name, "loaded": (name,), "removed": ()}
    assert sinking.resume(PARAMS, tmp_path) == {**of_tables, "objects": done}
    before = store.versions()
    assert sinking.resume(PARAMS, tmp_path)["objects"]["loaded"] == ()
    assert store.versions() == before


def test_a_crash_between_files_and_store_is_made_good_by_the_next_night(tmp_path, store):
    with pytest.raises(KeyboardInterrupt):
        night(tmp_path, 1, ended_by=KeyboardInterrupt())
    first = runs.current(tmp_path / "runs").run_id
    assert sinking.pending_objects(PARAMS, tmp_path)["runs"] == [first]
    second = night(tmp_path, 2)
    assert kept(store) == [first, second]


def test_a_database_that_is_down_does_not_keep_the_store_from_the_night(tmp_path, store, monkeypatch):
    pytest.importorskip("psycopg", reason="wants the extra [postgres]")
    both = parameters.parse(TEXT.replace("sinks: {", "sinks: {sql: RANKING_URL, sql_retry_seconds: 0, "))
    monkeypatch.setenv("RANKING_URL", f"postgresql://tests@127.0.0.1:{free_port()}/postgres")
    with pytest.raises(UpstreamError, match="SQL tables"):
        night(tmp_path, 1, both)
    assert in_force(store) == runs.current(tmp_path / "runs").run_id
    assert sinking.pending(both, tmp_path) is not None
    assert sinking.pending_objects(both, tmp_path) is None


def test_a_rollback_moves_the_store_too_even_later(tmp_path, store, down, up):
    past, today = night(tmp_path, 3), night(tmp_path, 9)
    down()
    with pytest.raises(UpstreamError):
        rollback.ranking(PARAMS, tmp_path, run_id=None, reason="wrong amounts")
    up()
    assert in_force(store) == today
    assert sinking.resume(PARAMS, tmp_path)["objects"]["run_id"] == past
    assert json.loads(store.read(POINTER))["withdrawn"] == {today: "wrong amounts"}


def test_old_nights_go_from_the_store_with_keep_runs_and_with_gc(tmp_path, store):
    few = parameters.parse(f"{TEXT}score: {{keep_runs: 2}}\n")
    nights = [night(tmp_path, day, few) for day in (1, 2, 3)]
    assert kept(store) == nights[1:]
    told = collecting.run(few, tmp_path, keep=1, is_dry=True)
    assert (told["objects_removed"], kept(store)) == (None, nights[1:])
    assert collecting.run(few, tmp_path, keep=1, is_dry=False)["objects_removed"] == (nights[1],)
    assert kept(store) == nights[2:]


def test_what_cannot_be_used_is_told_before_any_work(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "s3fs", None)
    with pytest.raises(ParameterError, match="s3fs"), sinking.carried_on(PARAMS, tmp_path):
        pytest.fail("the work began")


@pytest.mark.parametrize(
    "given", ["bucket/x", "s3://", "s3://A_", f"s3://me:{SECRET}@{BUCKET}/x", "gs://b/x"]
)
def test_an_address_that_names_no_bucket_is_refused_and_not_shown(given):
    with pytest.raises(ParameterError) as raised:
        parameters.parse(f"{TABLES}sinks: {{objects: '{given}'}}\n")
    assert "sinks.objects" in str(raised.value)
    assert SECRET not in str(raised.value)


# ── erase ────────────────────────────────────────────────────────────────────────────────────────


def erased(home, *leads):
    return erase.run(
        PARAMS,
        home,
        lead_ids=leads,
        reason="case 7",
        on=datetime(2026, 7, 1, tzinfo=UTC),
        is_dry=False,
        progress=Progress(is_quiet=True),
    )


@pytest.fixture
def home(tmp_path):
    (tmp_path / "leads.csv").write_text("lead_id,won\nA,1\nB,0\nC,\n", encoding="utf-8")
    return tmp_path


def test_erase_reaches_the_store_and_says_what_a_bucket_may_keep(home, store, tmp_path_factory):
    first, second = night(home, 1), night(home, 2)
    there = tmp_path_factory.mktemp("elsewhere")
    third = night(there, 3)  # another host's
    told = erased(home, "B")
    assert told["object_runs"] == [third, second, first]
    assert in_force(store) == third
    assert not _naming(store, b"B")
    assert any("versioning" in part["why"] for part in told["remains"])
    assert erased(home, "B")["object_runs"] == []


def _naming(store, lead):
    import pyarrow as pa
    import pyarrow.parquet as pq

    tables = {key: store.read(key) for key in store.keys("crm/") if key.endswith(".parquet")}
    return [key for key, body in tables.items()
            if lead.decode() in pq.read_table(pa.BufferReader(body))["lead_id"].to_pylist()]  # fmt: skip


def test_an_erasure_whose_store_is_down_is_ended_by_the_same_command(home, store, down, up):
    run = night(home, 1)
    down()
    with pytest.raises(UpstreamError):
        erased(home, "B")
    assert _naming(store, b"B")
    up()
    assert erased(home, "B")["object_runs"] == [run]
    assert not _naming(store, b"B")


def test_a_run_of_the_store_that_cannot_be_cleaned_is_named(home, store, tmp_path_factory):
    run = night(tmp_path_factory.mktemp("elsewhere"), 3)
    key = next(key for key in store.keys("crm/") if key.endswith("ranking.parquet"))
    store.write(key, b"?")
    with pytest.raises(StorageError, match=r"1 runs of sinks\.objects cannot be read") as raised:
        erased(home, "B")
    assert run in raised.value.hint


# ── pull ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def page(tmp_path_factory):
    """The folder of the host with the page: parameters and nothing else."""
    made = tmp_path_factory.mktemp("page")
    (made / "params.yaml").write_text(TEXT, encoding="utf-8")
    return made


def test_another_host_pulls_the_run_in_force_and_shows_it(tmp_path, store, page, leadrank):
    name = night(tmp_path, 1)
    code, told, said = leadrank("pull", "--json", home=page)
    assert (code, json.loads(told)["run_id"]) == (0, name), said
    mine, theirs = runs.current(tmp_path / "runs"), runs.current(page / "runs")
    assert (theirs.run_id, runs.damaged_files(theirs)) == (name, [])
    assert (theirs.folder / runs.MANIFEST).read_bytes() == (mine.folder / runs.MANIFEST).read_bytes()
    assert (theirs.folder / "ranking.parquet").stat().st_mode & 0o777 == 0o640
    code, told, said = leadrank("pull")
    assert (code, "was here already" in told) == (0, True), said
    assert show.runs(PARAMS, page)["current"] == name
    store.remove(POINTER)
    code, _, said = leadrank("pull", "--json")
    assert (code, json.loads(said.splitlines()[-1])["current_run_id"]) == (8, name)


@pytest.mark.usefixtures("store")
def test_a_pull_follows_a_later_night_and_a_withdrawal_and_nothing_else_back(tmp_path, page):
    first = night(tmp_path, 1)
    assert pulled(page)["is_new"]
    second = night(tmp_path, 2)
    assert pulled(page)["run_id"] == second == runs.current(page / "runs").run_id
    rollback.ranking(PARAMS, tmp_path, run_id=None, reason="wrong amounts")
    back = pulled(page)
    assert (back["run_id"], back["is_new"], back["is_in_force"]) == (first, False, True)
    assert runs.current(page / "runs").run_id == first
    assert runs.withdrawn(page / "runs") == {second: "wrong amounts"}
    rollback.ranking(PARAMS, tmp_path, run_id=second, reason="they were right")
    assert pulled(page)["run_id"] == second == runs.current(page / "runs").run_id
    own = published(page, 20, str)
    assert pulled(page)["is_in_force"] is False
    assert runs.current(page / "runs").run_id == own


def test_what_was_erased_or_is_gone_in_the_store_goes_from_the_page_too(home, store, page):
    first = night(home, 1)
    pulled(page)
    own = published(page, 1, lambda name: f"{name}-own")  # that host's own, and never the store's
    second = night(home, 2)
    pulled(page)
    (page / ".leadrank" / "pages").mkdir()
    index = page / ".leadrank" / "pages" / "of-both.duckdb"
    index.write_bytes(b"B")
    erased(home, "B")
    told = pulled(page)
    assert (told["run_id"], told["is_new"], told["replaced"]) == (second, True, [second, first])
    assert not index.exists()
    for run in (runs.find(page / "runs", name) for name in (first, second)):
        assert run.manifest["counts"]["ranked"] == 1
        assert runs.damaged_files(run) == []
    for key in store.keys(f"crm/{first}/"):
        store.remove(key)
    assert pulled(page)["removed"] == [first]
    assert [run.run_id for run in runs.published(page / "runs")] == [second, own]


@pytest.mark.parametrize("name", ["ranking.parquet", "manifest.json"])
def test_a_run_that_was_tampered_with_in_the_store_never_comes_into_force(tmp_path, store, page, name):
    first = night(tmp_path, 1)
    pulled(page)
    night(tmp_path, 2)
    key = next(key for key in store.keys("crm/20260602") if key.endswith(name))
    store.write(key, store.read(key)[:-1] + b" ")
    with pytest.raises(StorageError, match="not what was published"):
        pulled(page)
    assert runs.current(page / "runs").run_id == first
    assert [run.run_id for run in runs.published(page / "runs")] == [first]


def test_a_manifest_that_leads_out_of_its_run_is_refused(tmp_path, store, page):
    night(tmp_path, 1)
    pointer = json.loads(store.read(POINTER))
    key = f"crm/{pointer['folder']}/manifest.json"
    manifest = json.loads(store.read(key))
    manifest["files"]["../../../stolen.txt"] = {"bytes": 1, "sha256": hashlib.sha256(b"x").hexdigest()}
    body = json.dumps(manifest).encode()
    store.write(key, body)
    store.write(f"crm/{pointer['folder']}/../../../stolen.txt", b"x")
    store.write(POINTER, json.dumps({**pointer, "manifest_sha256": hashlib.sha256(body).hexdigest()}))
    with pytest.raises(StorageError, match="not what was published"):
        pulled(page)
    assert not list(page.rglob("stolen.txt"))


def test_a_pull_that_finds_the_run_gone_follows_the_pointer_again(tmp_path, page, store, monkeypatch):
    from serve.sinks import objects_runs

    night(tmp_path, 1)
    real, is_done = objects_runs.fetch, []

    def fetch(opened, prefix, folder, target, sha256=None):
        if not is_done:
            is_done.append(folder)
            night(tmp_path, 2)
            objects_runs.remove(opened, prefix, folder)
            from features.ingest.objects import AbsentError

            raise AbsentError
        return real(opened, prefix, folder, target, sha256)

    monkeypatch.setattr(objects_runs, "fetch", fetch)
    assert pulled(page)["run_id"] == in_force(store)
    assert runs.current(page / "runs").as_of.startswith("2026-06-02")


@pytest.mark.usefixtures("store")
def test_a_pull_that_cannot_be_says_why(tmp_path, page, down):
    with pytest.raises(ModelError, match="no ranking yet"):
        pulled(page)
    with pytest.raises(ParameterError, match=r"sinks\.objects is not set"):
        pulled(page, parameters.parse(TABLES))
    night(tmp_path, 1)
    with runs.lock(page / "runs"), pytest.raises(LockedError):
        pulled(page)
    down()
    with pytest.raises(UpstreamError) as raised:
        pulled(page)
    assert SECRET not in str(raised.value)
    assert runs.current(page / "runs") is None
