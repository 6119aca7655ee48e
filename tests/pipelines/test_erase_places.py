"""Whom an erasure means, and where else it looks: merged records, clicks, scratch folders, any file."""

from __future__ import annotations

import multiprocessing
import os
import signal
from datetime import UTC, datetime

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features import tombstones
from features.backend import workspace
from features.errors import InputError, ParameterError
from features.scratch import abandoned
from features.tables import Source
from models.cards.forward_test import lead_numbers
from pipelines import remnants
from pipelines.erase import conversion_keys
from pipelines.inputs import opened
from pipelines.merged_records import _family, records_of
from pipelines.params import load, parse
from pipelines.progress import Progress
from pipelines.refusing import answerable, refused
from serve.predictions import ERASED, OPTED_OUT
from serve.sinks import ads
from serve.sinks.platforms import PLATFORMS
from serve.without import Gone

SPAWN = multiprocessing.get_context("spawn")
LEADS = """\
Id,Master,Click
alone,,
loser,master,click-1
older,loser,click-2
master,,
sibling,master,
gone,deleted_master,
"""
PARAMS = """\
tables:
  leads:
    path: leads.csv
    mapping: {lead_id: Id, merged_into: Master}
    fields: {Click: {kind: category, time: static}}
  outcomes: {path: outcomes.csv}
ads: {click_id: {google: Click}, currency: EUR, goals: {fair: sql}}
"""


@pytest.fixture
def home(tmp_path):
    (tmp_path / "leads.csv").write_text(LEADS, encoding="utf-8")
    (tmp_path / "params.yaml").write_text(PARAMS, encoding="utf-8")
    return tmp_path


def params(home):
    return load(home / "params.yaml")


@pytest.mark.parametrize("asked", ["loser", "older", "master", "sibling"])
def test_all_records_that_were_merged_are_one_person(home, asked):
    found = records_of(params(home), home, frozenset({asked}))
    assert found.ids == {"loser", "older", "master", "sibling"}
    assert found.clicks == {"click-1", "click-2"}
    assert found.there == 4


def test_nobody_of_them_is_ever_overlooked():
    with duckdb.connect() as connection:
        connection.execute(
            "CREATE TABLE leads AS FROM (VALUES ('loser', 'master'), ('older', 'loser'), ('master', NULL), "
            "('sibling', 'master')) AS leads(lead_id, merged_into)"
        )
        connection.execute("CREATE TABLE _asked AS SELECT 'loser' AS lead_id")
        found = {_family(connection, has_merges=True) for _ in range(300)}
    assert found == {frozenset({"loser", "older", "master", "sibling"})}


def test_a_click_id_that_nobody_declared_as_a_field_is_found_too(home):
    text = (home / "params.yaml").read_text(encoding="utf-8")
    (home / "params.yaml").write_text(
        text.replace("    fields: {Click: {kind: category, time: static}}\n", ""), encoding="utf-8"
    )
    assert params(home).tables["leads"].fields == {}
    assert records_of(params(home), home, frozenset({"loser"})).clicks == {"click-1", "click-2"}


def test_a_master_that_the_table_has_no_more_is_the_same_person_too(home):
    found = records_of(params(home), home, frozenset({"gone"}))
    assert (found.ids, found.there) == ({"gone", "deleted_master"}, 1)


@pytest.mark.parametrize(("asked", "there"), [("alone", 1), ("unheard of", 0)])
def test_a_record_that_was_not_merged_is_alone(home, asked, there):
    found = records_of(params(home), home, frozenset({asked}))
    assert (found.ids, found.there, found.clicks) == ({asked}, there, frozenset())


def test_a_table_that_cannot_be_read_stops_the_erasure(home):
    (home / "leads.csv").unlink()
    with pytest.raises(InputError):
        records_of(params(home), home, frozenset({"alone"}))


def test_a_table_without_ids_names_nobody(home):
    (home / "leads.csv").write_text("size,won\n1,yes\n2,no\n", encoding="utf-8")
    (home / "params.yaml").write_text("tables: {leads: {path: leads.csv, outcome_column: won}}")
    with pytest.raises(ParameterError, match="has no ids"):
        records_of(params(home), home, frozenset({"row-1"}))


def test_conversions_are_called_as_the_uploads_call_them(home, tmp_path):
    with duckdb.connect() as connection:
        leads = pa.table({
            "lead_id": ["a", "b"], "click": ["c1", "c2"], "source": ["fair", None],
            "created_at": pa.array([datetime(2026, 1, 1)] * 2, pa.timestamp("us")),  # noqa: DTZ001
        })  # fmt: skip
        connection.register("_leads", leads)
        connection.execute("CREATE TABLE leads AS FROM _leads")
        ranking = tmp_path / "ranking.parquet"
        ranked = "row_number() OVER () AS rank, lead_id, 0.5 AS probability, 0.5 AS probability_sql"
        connection.table("leads").project(ranked).write_parquet(str(ranking))
        goals = ads.Goals("won", "EUR", {"fair": "sql"}, amount=1.0)
        moment = datetime(2026, 1, 2, tzinfo=UTC)
        platform, path = PLATFORMS["microsoft"], tmp_path / "ads.csv"
        ads.write(connection, ranking, path, platform=platform, click_id="click", goals=goals, as_of=moment)
        sent = connection.read_csv(str(path), header=True, all_varchar=True)
        keys = {key for (key,) in sent.project('"Client Id"').fetchall() if key}
    assert len(keys) == 2
    assert keys <= conversion_keys(params(home), frozenset({"a", "b"}))


def _dying(home):
    with workspace(home):
        os.kill(os.getpid(), signal.SIGKILL)


def test_a_scratch_folder_is_removed_when_its_command_was_killed_and_only_then(tmp_path):
    here = parse("tables: {leads: {path: leads.csv, outcome_column: won}}")
    child = SPAWN.Process(target=_dying, args=(tmp_path,))
    child.start()
    child.join(60)
    [left] = abandoned(tmp_path)
    with workspace(tmp_path):
        assert abandoned(tmp_path) == [left]
        assert remnants.scratch(here, tmp_path, is_dry=True) == 1
        assert left.is_dir()
        assert remnants.scratch(here, tmp_path, is_dry=False) == 1
        assert len(list((tmp_path / ".leadrank").iterdir())) == 1
    assert list((tmp_path / ".leadrank").iterdir()) == []


def test_what_a_killed_command_left_for_executors_goes_too(tmp_path):
    engine = "engine: {name: spark, shared: shared}"
    params = parse(f"tables: {{leads: {{path: leads.csv, outcome_column: won}}}}\n{engine}\n")
    (tmp_path / "shared").mkdir()
    child = SPAWN.Process(target=_dying, args=(tmp_path / "shared",))
    child.start()
    child.join(60)
    with workspace(tmp_path / "shared"):
        assert remnants.scratch(params, tmp_path, is_dry=False) == 1
        assert len(list((tmp_path / "shared" / ".leadrank").iterdir())) == 1


def test_a_file_of_any_kind_that_names_a_lead_is_told_and_one_that_only_looks_alike_is_not(home):
    for name, text in {
        "runs/20260630T000000Z-a/notes.txt": "see 00Q1234.",
        "runs/20260630T000000Z-a/other.txt": "see 00Q12345, x00Q1234",
        ".leadrank/outbox.json": '{"lead": "00Q1234"}',
        "mlartifacts/1/r/artifacts/empty.txt": "",
        "mine.txt": "00Q1234",  # nothing that leadrank wrote
    }.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(text)
    told = remnants.holding(params(home), home, {"00Q1234", "short"})
    assert told == ["runs/20260630T000000Z-a/notes.txt", ".leadrank/outbox.json"]
    assert remnants.holding(params(home), home, {"short"}) == []


@pytest.mark.parametrize("tells", [False, True])
def test_rows_of_dated_tables_get_no_answer_if_their_lead_has_opted_out_or_was_erased(home, tells):
    (home / "outcomes.csv").write_text("lead_id,stage,occurred_at\nalone,won,2026-01-01\n")
    (home / "rows.csv").write_text("lead_id,as_of\nalone,2026-01-01\nsibling,2026-01-02\nloser,2026-01-03\n")
    if tells:
        header, *rows = LEADS.splitlines()
        text = [
            f"{header},opted_out",
            *(f"{row},{'yes' if row.startswith('sibling') else ''}" for row in rows),
        ]
        (home / "leads.csv").write_text("\n".join(text) + "\n")
    given = params(home)
    tombstones.bury(home, ["alone"], erased_on="2026-01-01", reason="r")
    tables = {**given.tables, "rows": Source(path="rows.csv")}
    quiet = Progress(is_quiet=True)
    with opened(given.model_copy(update={"tables": tables}), home, quiet, is_prediction=True) as inputs:
        told = refused(inputs).sort_by("row").to_pydict()
        answered = answerable(inputs).lead_id.to_pyarrow().to_pylist()
    assert told["row"] == ([1, 2] if tells else [1])
    assert told["problem"] == [ERASED, OPTED_OUT][: 1 + tells]
    assert told["lead_id"] == [None, "sibling"][: 1 + tells]
    assert answered == (["loser"] if tells else ["sibling", "loser"])


def test_tables_beside_the_runs_are_cleaned_and_one_that_cannot_be_read_is_told(home):
    cache, test = home / ".leadrank" / "c.parquet", home / "mlartifacts" / "1" / "r" / "artifacts" / "test"
    for folder in (cache.parent, test):
        folder.mkdir(parents=True)
    pq.write_table(pa.table({"lead_id": ["00Q1234", "other"]}), cache)
    numbers = lead_numbers(pa.chunked_array([["00Q1234", "other"]]))
    pq.write_table(pa.table({"lead": numbers, "label": [1.0, 0.0]}), test / "rows.parquet")
    (home / ".leadrank" / "torn.parquet").write_bytes(b"PAR1")
    gone = Gone(frozenset({"00Q1234"}))
    expected = {".leadrank/c.parquet": 1, "mlartifacts/1/r/artifacts/test/rows.parquet": 1}
    for is_dry in (True, False):
        told = remnants.clean(params(home), home, gone, is_dry=is_dry)
        assert (told.rows, told.unreadable) == (expected, [".leadrank/torn.parquet"])
    assert pq.read_table(cache).to_pydict() == {"lead_id": ["other"]}
    assert pq.read_table(test / "rows.parquet").to_pydict() == {"lead": [numbers[1]], "label": [0.0]}
    assert remnants.clean(params(home), home, gone, is_dry=False).rows == {}
