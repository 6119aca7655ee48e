"""What a person may ask for: no trace in what is kept, to be forgotten for good, and not to be profiled."""

from __future__ import annotations

import csv
import io
import json
import shutil
import sys
import warnings
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from random import Random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features import tombstones
from models.cards.forward_test import lead_numbers
from pipelines import cli, console
from pipelines.progress import Progress

# mlflow and its dependencies warn about themselves while they are imported.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")

CANARIES = ("Zebediah", "Quuxworth", "canary.example", "5550199", "Mockingbird")
"""Parts of every name, address, number and note."""
LEADS, OPEN = 360, 40
PARAMS = """\
tables:
  leads:
    path: leads.csv
    mapping: {lead_id: Id, email: Mail, phone: Tel}
    outcome_column: Bought
    won_values: ["yes"]
    fields:
      Calls: {kind: number, time: static}
      Visits: {kind: number, time: static}
      Channel: {kind: category, time: static}
train: {bags: 1, max_trees: 20}
"""


def lead(row):
    return f"CRM-00{row:04}"


def leads(*, also=""):
    """The export: each lead with its person in it; the last ones are undecided."""
    drawn = Random(5)  # noqa: S311  # a made-up history
    yield f"Id,Name,Mail,Tel,Note,Calls,Visits,Channel,Bought{',opted_out' if also else ''}"
    for row in range(LEADS):
        calls, visits = drawn.randrange(12), drawn.randrange(12)
        won = "" if row >= LEADS - OPEN else "yes" if calls + visits + drawn.uniform(0, 12) > 17 else "no"
        person = f"Zebediah Quuxworth {row},zeb{row}@canary.example,+1 212 5550199,Mockingbird sang {row}"
        out = f",{'true' if lead(row) in also else ''}" if also else ""
        yield f"{lead(row)},{person},{calls},{visits},{'fair' if row % 3 else 'web'},{won}{out}"


def write(home, rows):
    (home / "leads.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")


def said(home, *words):
    """Run a command in this process: its exit code, and all that it said."""
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        for category in (DeprecationWarning, FutureWarning):
            warnings.simplefilter("ignore", category)
        patch.chdir(home)
        patch.setattr(console, "PROGRESS", Progress())
        patch.setattr(sys, "argv", ["leadrank", *map(str, words)])
        patch.setattr("signal.signal", lambda *_: None)
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as ended:
            cli.main()
    return ended.value.code, out.getvalue(), err.getvalue()


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A CRM of canaries that was checked, trained on and ranked; what the commands said."""
    home = tmp_path_factory.mktemp("canaries")
    (home / "params.yaml").write_text(PARAMS, encoding="utf-8")
    write(home, leads())
    told = [said(home, *words) for words in (("check",), ("train",), ("score", "--as-of", "2026-07-01"))]
    assert [code for code, _, _ in told] == [0, 0, 0], told
    return home, "".join(out + err for _, out, err in told)


@pytest.fixture
def home(trained, tmp_path):
    """A copy that a test may change."""
    return Path(shutil.copytree(trained[0], tmp_path / "crm"))


def kept(home):
    """Name and content of all that leadrank and MLflow have written."""
    for path in sorted(home.rglob("*")):
        if path.is_file() and path.name not in {"leads.csv", "params.yaml", ".lock"}:
            content = str(pq.read_table(path).to_pydict()) if path.suffix == ".parquet" else ""
            yield path.relative_to(home).as_posix(), path.read_bytes() + content.encode()


def holding(home, *words):
    found = {name for name, content in kept(home) if any(word.encode() in content for word in words)}
    return found | {name for name, _ in kept(home) if any(word in name for word in words)}


def test_no_person_is_in_logs_mlflow_models_manifests_or_published_files(trained):
    home, told = trained
    assert {"mlflow.db"} < {path.name for path in home.iterdir()}
    assert holding(home, *CANARIES) == set()
    assert not [word for word in CANARIES if word in told]


def test_no_lead_is_in_mlflow_or_a_model(trained):
    home, _ = trained
    assert {name.split("/")[0] for name in holding(home, "CRM-00")} == {"runs"}


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda text: text.replace("Calls", "Rings", 1), 3),
        (lambda text: text.replace("CRM-00", ",", 60), 4),  # cells too many
        (lambda text: text.encode().replace(b"Mockingbird", b"Mocking\xe9bird"), 3),
        (lambda text: text.replace(",fair,", ",z@canary.example,").replace(",web,", ",a@canary.example,"), 2),
    ],
)  # fmt: skip
def test_no_person_is_in_what_a_failing_command_says_or_leaves(home, spoil, code):
    text = spoil((home / "leads.csv").read_text(encoding="utf-8"))
    (home / "leads.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
    for words in (("check",), ("train",), ("score", "--as-of", "2026-07-02")):
        ended, out, err = said(home, *words)
        assert ended == code
        assert not [word for word in (*CANARIES, "CRM-00") if word in out + err]
    assert holding(home, *CANARIES) == set()


def ranked(home):
    run = home / "runs" / (home / "runs" / "CURRENT").read_text().strip()
    return pq.read_table(run / "ranking.parquet"), json.loads((run / "manifest.json").read_text())


def test_an_erased_lead_is_nowhere_and_neither_a_load_nor_a_night_brings_it_back(home):
    table, _ = ranked(home)
    first = table.column("lead_id")[0].as_py()
    decided = lead(3)
    tests = list(home.rglob("test/rows.parquet"))
    numbers = lead_numbers(pa.chunked_array([[first, decided, *map(lead, range(LEADS))]])).tolist()
    told = json.loads(said(home, "erase", first, "--reason", "request 7", "--json")[1])
    assert (told["asked"], told["merged"], told["there"], told["holding"]) == (1, 0, 1, [])
    assert {"ranking.parquet", "ranking.csv", "reasons.parquet", "features.parquet"} <= told["runs"][0][
        "files"
    ].keys()
    assert holding(home, first) == set()
    in_tests = {n for path in tests for n in pq.read_table(path).column("lead").to_pylist()}
    tested = next(row for row, number in enumerate(numbers[2:]) if number in in_tests)
    (home / "gone.txt").write_text(f"\n{lead(tested)}\n{decided}\n", encoding="utf-8")
    code, out, _ = said(home, "erase", "--lead-file", "gone.txt", "--reason", "request 8")
    assert code == 0
    assert "what remains" in out
    in_tests = {n for path in tests for n in pq.read_table(path).column("lead").to_pylist()}
    assert numbers[2 + tested] not in in_tests
    (home / "gone.txt").unlink()
    checked = json.loads(said(home, "check", "--json")[1])["counts"][0]
    assert (checked["read"], checked["accepted"], checked["erased"]) == (LEADS, LEADS - 3, 3)
    assert said(home, "score", "--as-of", "2026-07-02")[0] == 0
    table, manifest = ranked(home)
    assert table.num_rows == OPEN - 1 - (lead(tested) in table.column("lead_id").to_pylist())
    assert manifest["counts"]["tables"][0]["erased"] == 3
    assert holding(home, first) == set()


def test_what_an_erasure_would_do_is_told_and_nothing_is_done(home):
    before = dict(kept(home))
    first = ranked(home)[0].column("lead_id")[0].as_py()
    told = json.loads(said(home, "erase", first, "--reason", "r", "--dry-run", "--json")[1])
    assert told["is_dry"]
    assert told["runs"][0]["files"]["ranking.parquet"] == 1
    assert dict(kept(home)) == before
    assert not (home / tombstones.FILE).exists()


@pytest.mark.parametrize(
    ("words", "code", "reason"),
    [
        (("--reason", "r"), 2, "no lead is named"),
        ((lead(1),), 2, "--reason is empty"),
        ((lead(1), "--reason", f"about {lead(1)}"), 2, "names the lead"),
        (("--lead-file", "absent.txt", "--reason", "r"), 3, "absent.txt"),
    ],
)
def test_an_erasure_that_cannot_be_meant_is_refused(home, words, code, reason):
    ended, out, err = said(home, "erase", *words)
    line = json.loads(err.splitlines()[-1])
    assert (ended, line["code"], out) == (code, code, "")
    assert reason in line["reason"]
    assert not (home / tombstones.FILE).exists()


def test_who_has_opted_out_is_a_number_and_nothing_else(home):
    objecting = [lead(LEADS - 1), lead(LEADS - 2), lead(0)]  # the third is decided
    write(home, leads(also=objecting))
    code, out, _ = said(home, "score", "--as-of", "2026-07-02")
    assert code == 0
    assert "2 leads have opted out and are not scored" in out
    table, manifest = ranked(home)
    assert manifest["counts"]["opted_out"] == 2
    assert table.num_rows == OPEN - 2
    run = home / "runs" / (home / "runs" / "CURRENT").read_text().strip()
    assert holding(run, *objecting) == set()
    said(home, "erase", lead(5), "--reason", "request 9")
    code, out, err = said(home, "predict", "--rows", "leads.csv", "--out", "out.csv")
    assert code == 0, err
    with (home / "out.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == LEADS
    problems = {int(row["row"]) - 1: (row["lead_id"], row["problem"]) for row in rows if row["problem"]}
    said_out = "the lead has opted out of being scored"
    assert problems == {
        0: (lead(0), said_out),
        5: ("", "the lead was erased"),
        LEADS - 2: (lead(LEADS - 2), said_out),
        LEADS - 1: (lead(LEADS - 1), said_out),
    }
    assert not [row for row in rows if row["problem"] and row["probability"]]


@pytest.mark.parametrize("mask", [0o000, 0o077])
def test_private_state_is_the_owners_alone(home, mask):
    import os

    before = os.umask(mask)
    try:
        shutil.rmtree(home / ".leadrank")
        said(home, "score", "--as-of", "2026-07-03")
        said(home, "erase", lead(9), "--reason", "r")
    finally:
        os.umask(before)
    assert (home / ".leadrank").stat().st_mode & 0o777 == 0o700
    run = home / "runs" / (home / "runs" / "CURRENT").read_text().strip()
    for path in (run, *run.rglob("*")):
        assert path.stat().st_mode & 0o777 == (0o750 if path.is_dir() else 0o640)
    assert (home / "runs" / "CURRENT").stat().st_mode & 0o777 == 0o640
