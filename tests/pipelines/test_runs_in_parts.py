"""A night whose large files are folders of parts is read, compared, cleaned and built upon like any other."""

from __future__ import annotations

import re
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from features.errors import StorageError
from pipelines import calling, erase, remembering, report, rollback, score, show
from pipelines import params as parameters
from pipelines.again import IfExists
from pipelines.progress import Progress
from serve import parts, runs

NIGHT, NINE = (datetime(2026, 6, 30, hour, tzinfo=UTC) for hour in (0, 9))
PART = 200  # of about 640 leads; the file would have to say a thousand at least
FILES = ("ranking.parquet", "reasons.parquet", "contributions.parquet", "features.parquet")
QUIET = Progress(is_quiet=True)


def params_of(home, part_leads):
    params = parameters.load(home / "params.yaml")
    return params.model_copy(update={"score": params.score.model_copy(update={"part_leads": part_leads})})


def nights(home, part_leads):
    """Two nights, the second looks back at the first; their folder, the parameters and what is told."""
    params = params_of(home, part_leads)
    shutil.rmtree(home / "runs")
    told = [score.run(params, home, as_of=at, progress=QUIET) for at in (NIGHT, NINE)]
    return home, params, told


@pytest.fixture(scope="module")
def whole(demo, tmp_path_factory):
    """Every file is one file."""
    return nights(Path(shutil.copytree(demo.home, tmp_path_factory.mktemp("whole") / "crm")), None)


@pytest.fixture(scope="module")
def parted(demo, tmp_path_factory):
    """Large files are in parts."""
    return nights(Path(shutil.copytree(demo.home, tmp_path_factory.mktemp("parted") / "crm")), PART)


@pytest.fixture
def copied(parted, tmp_path):
    """The nights in parts, of which a test may change something."""
    home = Path(shutil.copytree(parted[0], tmp_path / "crm"))
    return home, parted[1], runs.current(home / "runs")


def folder(told):
    return Path(told["folder"])


def plain(answer):
    """What a command says, without the names of runs and their folders."""
    text = re.sub(r"20260630T\d+Z-[0-9a-f]{12}", "RUN", repr(answer))
    return re.sub(r"/[^' ]*/runs", "RUNS", text)


@pytest.mark.parametrize("night", [0, 1])
def test_every_file_has_the_rows_and_columns_of_the_one_file(whole, parted, night):
    one, many = folder(whole[2][night]), folder(parted[2][night])
    for name in FILES:
        assert len(parts.of(many / name)) == 4
        tables = [pq.read_table(run / name).replace_schema_metadata(None) for run in (one, many)]
        assert tables[0].equals(tables[1]), name
    others = [
        path for path in one.rglob("*.*") if path.is_file() and path.name not in {*FILES, "manifest.json"}
    ]
    assert len(others) > 20
    for path in others:
        assert path.read_bytes() == (many / path.relative_to(one)).read_bytes(), path.name


def test_each_command_that_reads_says_the_same(whole, parted):
    lead = whole[2][1]["leads"][2]["lead_id"]
    ask = {
        "current": lambda params, home: show.current(params, home, 5, now=NINE),
        "explain": lambda params, home: show.explain(params, home, lead),
        "runs": show.runs,
        "calls": lambda params, home: calling.run(params, home, None),
        "report": lambda params, home: report.run(params, home, "sources"),
    }
    for name, command in ask.items():
        answers = [plain(command(params, home)) for home, params, _ in (whole, parted)]
        assert answers[0] == answers[1], name


def test_training_remembers_the_features_and_not_those_of_a_torn_part(copied):
    home, params, run = copied
    remembers = params.model_copy(update={"train": params.train.model_copy(update={"memory": True})})
    known = remembering.memory(remembers, home, is_flat=False)
    assert len(known.nights) == 2
    parts.part(run.folder / "features.parquet", 3).write_bytes(b"torn")
    known = remembering.memory(remembers, home, is_flat=False)
    assert (len(known.nights), known.damaged) == (1, (run.run_id,))


def test_a_night_with_a_damaged_part_is_made_again_the_same(copied):
    home, params, run = copied
    part = parts.part(run.folder / "ranking.parquet", 1)
    before = part.read_bytes()
    part.write_bytes(b"torn")
    told = score.run(params, home, as_of=NINE, progress=QUIET)
    assert (told["run_id"], told["is_new"]) == (run.run_id, True)
    assert part.read_bytes() == before
    assert score.run(params, home, as_of=NINE, progress=QUIET, if_exists=IfExists.VERIFY)["is_new"] is False


def test_a_run_of_what_changed_is_that_of_the_one_file(whole, copied, tmp_path):
    at = datetime(2026, 6, 30, 12, tzinfo=UTC)
    home = Path(shutil.copytree(whole[0], tmp_path / "whole"))
    tables = []
    for where, params in ((home, whole[1]), copied[:2]):
        since = runs.current(where / "runs").run_id
        told = score.run(params, where, as_of=at, progress=QUIET, changed_since=since)
        assert told["changed_since"]["kept"] > 500
        found = [pq.read_table(folder(told) / name).replace_schema_metadata(None) for name in FILES]
        tables.append(found)
    assert all(one.equals(other) for one, other in zip(*tables, strict=True))
    run = runs.current(copied[0] / "runs")
    leads = [pq.read_table(part)["lead_id"].to_pylist() for part in parts.of(run.folder / "features.parquet")]
    assert [len(part) for part in leads] == [PART, PART, PART, told["counts"]["ranked"] - 3 * PART]
    for name in ("contributions.parquet", "reasons.parquet"):
        of_part = [set(pq.read_table(part)["lead_id"].to_pylist()) for part in parts.of(run.folder / name)]
        assert of_part == [set(part) for part in leads], name


def test_an_erased_lead_is_in_no_part_and_is_told_by_file(copied):
    home, params, run = copied
    rows = pq.read_table(run.folder / "ranking.parquet")
    lead = rows["lead_id"][PART].as_py()  # the first one of the second part
    told = erase.run(params, home, lead_ids=[lead], reason="request", on=NINE, is_dry=False, progress=QUIET)
    assert [each["files"]["ranking.parquet"] for each in told["runs"]] == [1, 1]
    cleaned = runs.current(home / "runs")
    assert runs.damaged_files(cleaned) == []
    assert cleaned.manifest["counts"]["ranked"] == rows.num_rows - 1
    left = pq.read_table(cleaned.folder / "ranking.parquet")
    assert left.equals(rows.take([row for row in range(rows.num_rows) if row != PART]))
    for name in FILES:
        assert lead not in pq.read_table(cleaned.folder / name)["lead_id"].to_pylist()


def test_the_night_before_is_brought_back_unless_a_part_of_it_is_torn(copied):
    home, params, run = copied
    before = next(found for found in runs.published(home / "runs") if found.run_id != run.run_id)
    rollback.ranking(params, home, run_id=None, reason="it was right")
    assert runs.current(home / "runs").run_id == before.run_id
    parts.part(before.folder / "ranking.parquet", 2).unlink()
    with pytest.raises(StorageError, match=r"ranking\.parquet"):
        show.current(params, home, 3, now=NINE)
