"""What the README and the manual promise is run or compared with the code."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
import tomllib
import warnings
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import get_args

import duckdb
import pyarrow.parquet as pq
import pytest
import typer
from pydantic import BaseModel

from features import errors
from features.catalogue import catalogue
from features.ingest.quarantine import Reason
from features.pasts import PASTS
from features.tables import LOADABLE, Source, TimeClass
from features.vocabulary import Vocabulary, Word
from models.audit.findings import DETECTORS
from models.fitting.split import Shares
from models.metrics import Metrics
from pipelines.cli import app
from pipelines.params import Params, parse

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = {path.name: path for path in (*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"))}
DOCS = {name: path.read_text(encoding="utf-8") for name, path in PAGES.items()}
LEADRANK = Path(sys.executable).with_name("leadrank")
COMMANDS = typer.main.get_command(app).commands


def marked(name: str) -> str:
    """The block of the README below ``<!-- test: name -->``."""
    found = re.search(rf"<!-- test: {re.escape(name)} -->\n```\w+\n(.*?)```", README, re.DOTALL)
    assert found, f"the README has no block marked {name}"
    return found[1]


def cells(text: str) -> list[list[str]]:
    """Rows of all pipe tables of a text, without headers' rules, each cell without backticks."""
    lines = [line for line in text.splitlines() if line.startswith("|") and not set(line) <= set("|- ")]
    return [[cell.strip().replace("`", "") for cell in line.strip("|").split("|")] for line in lines]


def section(page: str, heading: str) -> str:
    """The text below a heading, down to the next one of the same or a higher level."""
    level = len(heading.split(" ", maxsplit=1)[0])
    text = DOCS[page].partition(f"\n{heading}\n")[2]
    assert text, f"{page} has no '{heading}'"
    return re.split(rf"\n#{{1,{level}}} ", text)[0]


# ── the README's commands ────────────────────────────────────────────────────────────────────────


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], None]:
    """Work in a folder."""
    return monkeypatch.chdir


def run_block(block: str) -> None:
    """Run each ``$ leadrank …`` line as a shell would."""
    lines = [shlex.split(line.removeprefix("$ ")) for line in block.splitlines() if line.startswith("$ ")]
    assert lines
    with warnings.catch_warnings():
        # mlflow and its dependencies warn about themselves while they are imported.
        for category in (DeprecationWarning, FutureWarning):
            warnings.simplefilter("ignore", category)
        for command, *arguments in lines:
            assert command == "leadrank"
            app(arguments, standalone_mode=False)


def flat_rows() -> Iterator[str]:
    for row in range(400):
        visits, is_fair = row * 7 % 23, row % 3 == 0
        won = "yes" if visits + 5 * is_fair + row % 5 > 17 else "no"
        yield f"L{row},{'fair' if is_fair else 'web'},{visits},{won if row < 380 else ''}"


def write_flat(folder: Path) -> None:
    rows = ["id,source,visits,converted", *flat_rows()]
    (folder / "leads.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")


def test_one_csv_file_becomes_a_ranking_by_the_commands_of_the_readme(tmp_path, at, capsys):
    write_flat(tmp_path)
    at(tmp_path)
    run_block(marked("flat"))
    predicted = duckdb.read_csv(str(tmp_path / "probabilities.csv")).fetchall()
    assert len(predicted) == 400
    run = tmp_path / "runs" / (tmp_path / "runs" / "CURRENT").read_text().strip()
    assert duckdb.read_csv(str(run / "ranking.csv")).shape[0] == 20  # the undecided
    shown = capsys.readouterr().out
    assert "L38" in shown
    assert "roc auc" in shown


@pytest.fixture(scope="module")
def crm(demo, tmp_path_factory) -> Path:
    """A sixth of the demo's leads as three CSV files with canonical names."""
    folder = tmp_path_factory.mktemp("crm")
    text = "all_varchar = true, quote = '\"', escape = '\"', ignore_errors = true"
    data = demo.home / "data"
    for table, scan in {
        "leads": f"read_csv('{data}/leads.csv', {text})",
        "touches": f"read_parquet('{data}/touches.parquet')",
        "outcomes": f"read_csv('{data}/outcomes.csv', {text})",
    }.items():
        rows = duckdb.sql(f"FROM {scan} WHERE hash(lead_id) % 6 = 0")
        rows.write_csv(str(folder / f"{table}.csv"), header=True)
    return folder


def test_three_tables_become_a_ranking_by_the_commands_of_the_readme(crm, at, capsys):
    at(crm)
    run_block(marked("tables"))
    assert "as of 2026-06-30" in capsys.readouterr().out
    assert (crm / "runs" / "CURRENT").is_file()


def test_the_feature_of_the_readme_is_built(crm, at, monkeypatch, capsys):
    monkeypatch.setattr(catalogue, "_features", dict(catalogue._features))  # other tests build without it
    monkeypatch.setattr(sys, "path", list(sys.path))
    (crm / "my_features.py").write_text(marked("my_features.py"), encoding="utf-8")
    tables = "".join(f"  {file.stem}: {{path: {file.name}}}\n" for file in crm.glob("*.csv"))
    small = "train: {every_days: 28, bags: 1, max_trees: 30}\n"
    params = f"tables:\n{tables}features:\n  modules: [my_features]\n{small}"
    (crm / "own.yaml").write_text(params, encoding="utf-8")
    at(crm)
    run_block("$ leadrank train --params own.yaml --json")
    sys.modules.pop("my_features", None)
    trained = json.loads(capsys.readouterr().out)
    assert {"long_calls_7d", "long_calls_30d"} <= set(trained["features"]) | set(trained["dropped_columns"])


def test_the_test_of_the_readme_runs_in_the_folder_of_its_feature(tmp_path):
    for name in ("my_features.py", "test_my_features.py"):
        (tmp_path / name).write_text(marked(name), encoding="utf-8")
    command = [sys.executable, "-W", "error", "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout


def test_a_database_table_is_declared_as_in_the_readme(tmp_path, at, monkeypatch, capsys):
    import sqlite3

    with sqlite3.connect(tmp_path / "crm.db") as connection:
        connection.execute("CREATE TABLE leads (id TEXT, source TEXT, visits INTEGER, converted TEXT)")
        rows = [row.split(",") for row in flat_rows()]
        connection.executemany("INSERT INTO leads VALUES (?, ?, ?, nullif(?, ''))", rows)
    connection.close()
    (tmp_path / "params.yaml").write_text(marked("database"), encoding="utf-8")
    monkeypatch.setenv("CRM_URL", f"sqlite:///{tmp_path / 'crm.db'}")
    at(tmp_path)
    run_block("$ leadrank check --json")
    assert json.loads(capsys.readouterr().out)["counts"][0]["accepted"] == 400


def test_the_words_of_the_readme_mean_what_it_says():
    said = parse(f"tables: {{leads: {{path: leads.csv, outcome_column: won}}}}\n{marked('words')}").features
    words = Vocabulary(said.kinds, said.places).knowing(kinds=["pricing_visit", "rückruf"], places=[])
    assert words.kinds["angebot_angefragt"] == Word("form", "direct", 1.0)
    assert words.kinds["messe_scan"] == Word("event", "contextual", 2.0)
    assert words.kinds["kündigung"] == Word("unsubscribe", "negative", -1.0)
    assert words.places["/preise"] == Word(None, "direct", 1.5)
    assert words.kinds["pricing_visit"] == Word("visit", "direct", 1.0)
    assert words.kinds["rückruf"] == Word("other", None, 0.25)
    assert said.half_life_days == 14


@pytest.mark.parametrize("on", PASTS)
def test_the_readme_names_all_rows_that_a_feature_may_receive(on):
    named = {name for row in cells(section("README.md", "## A feature in five lines")) for name in row[:1]}
    assert on in {part.strip() for name in named for part in name.split(",")}


def test_the_two_commands_are_in_the_makefile():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = {
        target for text in DOCS.values() for target in re.findall(r"^make ([a-z-]+)", text, re.MULTILINE)
    }
    assert {"demo", "test"} <= targets
    assert targets <= set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))


def test_the_readme_names_every_parameter():
    named = {
        name.strip() for row in cells(section("README.md", "## Parameters")) for name in row[0].split(",")
    }
    assert named - {"Key"} == set(parameters(Params))


def test_the_readme_says_the_default_of_every_number():
    rows = {}
    for names, said, *_ in cells(section("README.md", "## Parameters")):
        rows |= zip(names.split(", "), said.split(", ") * (1 if ", " in said else 9), strict=False)
    for name, default in defaults(Params.model_construct(tables={})):
        if isinstance(default, int | float) and name in rows:  # a flag, too
            assert json.loads(rows[name]) == default, name


def defaults(section_of: BaseModel, prefix: str = "") -> Iterator[tuple[str, object]]:
    for name, value in section_of:
        if isinstance(value, BaseModel):
            yield from defaults(value, f"{name}.")
        elif is_dataclass(value):
            yield from ((f"{prefix}{name}.{part.name}", getattr(value, part.name)) for part in fields(value))
        else:
            yield f"{prefix}{name}", value


def parameters(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    for name, info in model.model_fields.items():
        kind = info.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from parameters(kind, f"{name}.")
        elif is_dataclass(kind):
            yield from (f"{prefix}{name}.{part.name}" for part in fields(kind))
        else:
            yield f"{prefix}{name}"


def test_every_kind_of_error_is_in_the_table_of_exit_codes():
    rows = {row[0]: row[1] for row in cells(section("README.md", "## Exit codes"))}
    kinds = [errors.LeadrankError, *errors.LeadrankError.__subclasses__()]
    kinds += [leaf for kind in kinds[1:] for leaf in kind.__subclasses__()]
    for kind in (kind for kind in kinds if kind.__module__ == errors.__name__):
        assert kind.__name__ in rows[str(kind.code)]
    assert set(rows) - {"Code"} == {"0", "128 + n", *(str(kind.code) for kind in kinds)}


# ── docs/commands.md ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", COMMANDS)
def test_the_manual_has_every_option_of_a_command(name):
    text = section("commands.md", f"## {name}")
    parts = (COMMANDS[name], *getattr(COMMANDS[name], "commands", {}).values())
    words = (o for part in parts for param in part.params for o in (*param.opts, *param.secondary_opts))
    assert set(re.findall(r"`(--?[a-z-]+)", text)) == {word for word in words if word.startswith("-")}


def test_the_manual_has_no_command_that_does_not_exist():
    named = set(re.findall(r"^## ([a-z]+)$", DOCS["commands.md"], re.MULTILINE))
    assert named == set(COMMANDS)


def test_a_failure_ends_as_the_manual_shows(tmp_path):
    shown = re.search(r"```json\n(.*?)\n```", DOCS["commands.md"], re.DOTALL)
    done = subprocess.run([LEADRANK, "check"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert json.loads(done.stderr) == json.loads(shown[1])
    keys = {
        key for row in cells(section("commands.md", "## When a command fails")) for key in row[0].split(", ")
    }
    assert keys - {"Key"} == set(json.loads(shown[1]))


# ── docs/features.md ─────────────────────────────────────────────────────────────────────────────


def made_by(script: str) -> ModuleType:
    """The module of a script beside the manual."""
    spec = spec_from_file_location(script, ROOT / "docs" / f"{script}.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_tables_of_features_are_those_of_the_catalogue():
    script = made_by("make_features")
    assert DOCS["features.md"] == script.written(DOCS["features.md"]), "run docs/make_features.py"


def test_every_feature_of_the_manual_has_its_unit_and_says_what_null_means():
    rows = [row for row in cells(made_by("make_features").tables()) if row[0] != "Feature"]
    assert len(rows) > 100
    assert [row[0] for row in rows if not all(row)] == []
    assert [row[0] for row in rows if not re.search(r"null|^0 ", row[4])] == []


# ── docs/tables.md ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", LOADABLE)
def test_the_manual_has_the_contract_of_a_table(name):
    rows = {row[0]: (row[1], row[2] == "yes") for row in cells(section("tables.md", f"### {name}"))[1:]}
    assert rows == {column: (kind.type, kind.required) for column, kind in LOADABLE[name].columns.items()}


def test_the_manual_says_which_tables_have_keys_and_take_fields():
    for name, table in LOADABLE.items():
        text = section("tables.md", f"### {name}")
        assert ("Takes own fields" in text) == table.has_own_fields
        key = ", ".join(f"`{column}`" for column in table.key)
        assert (f"Key: {key}." in text) == bool(key)


def test_the_manual_has_every_key_of_a_source():
    named = {row[0] for row in cells(section("tables.md", "## How a file is declared").partition("###")[0])}
    assert named - {"Key"} == {field.name for field in fields(Source)}


def test_the_manual_has_every_reason_and_time_class():
    reasons = {row[0] for row in cells(section("tables.md", "## Quarantine"))}
    assert reasons - {"Reason"} == set(get_args(Reason))
    classes = {row[0].split()[0] for row in cells(section("tables.md", "### Fields"))}
    assert classes - {"Time"} == set(get_args(TimeClass))


# ── docs/model.md, docs/runs.md ──────────────────────────────────────────────────────────────────


def test_the_manual_has_every_figure_and_the_slices_of_the_split():
    figures = {name for row in cells(section("model.md", "## Figures")) for name in row[0].split(", ")}
    assert figures - {"Figure"} == {field.name for field in fields(Metrics)}
    shares = {row[0]: row[1] for row in cells(section("model.md", "## Rows and split"))}
    for name in ("stop", "calibrate", "test"):
        assert shares[name] == f"{getattr(Shares(), name):.0%}".replace("%", " %")


def test_the_manual_has_every_detector_of_the_audit_in_its_order():
    rows = [row[0] for row in cells(section("model.md", "## Leakage audit"))]
    assert tuple(rows[rows.index("Detector") + 1 :]) == DETECTORS


def test_the_manual_has_every_file_of_a_run_and_every_column(demo):
    run = Path(demo.result["score"]["folder"])
    text = DOCS["runs.md"]
    assert all(file.name in text for file in run.iterdir())
    manifest = {row[0] for row in cells(section("runs.md", "## manifest.json"))}
    assert manifest - {"Key"} == set(json.loads((run / "manifest.json").read_text()))
    shown = {"rank", "lead_id", "probability", "score", "margin", "margin_base"}
    shown |= {"grade", "route", "rank_before", "change", "change_1"}
    columns = set(pq.read_schema(run / "ranking.parquet").names) - {"name", "owner", "territory", "source"}
    beside = {"expected_value", "tags", "rfm_octant", "top_place", "ranked_by"}  # as far as they are there
    named = {c for c in columns if not re.match(r"margin_|for_|against_|probability_", c)} - beside
    assert named | {"margin_base"} == shown
    assert all(f"`{name}`" in text for name in beside)
    others = [c.removeprefix("probability_") for c in columns if c.startswith("probability_")]
    own = ("low", "high", "withheld")
    forms = {"<days>d" if re.fullmatch(r"\d+d", o) else o if o in own else "<stage>" for o in others}
    assert all(f"`probability_{form}`" in text for form in forms)
    families = {c.removeprefix("margin_") for c in columns if c.startswith("margin_")} - {"base"}
    assert all(f"`{name}`" in text for name in (*shown, *families))
    lists = ("calls", "call_totals", "nurture", "nurture_content")
    for file in ("reasons", "quarantine", "leads", "timeline", *lists):
        names = (re.sub(r"_[2-9]$", "_1", name) for name in pq.read_schema(run / f"{file}.parquet").names)
        assert all(f"`{name}`" in text for name in names)


# ── dependencies, links, the picture ─────────────────────────────────────────────────────────────


def test_every_dependency_has_its_reason_and_no_other_is_named():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    needed = {re.match(r"[\w-]+", line)[0].lower() for group in groups for line in group} - {"leadrank"}
    named = {row[0].lower() for row in cells(DOCS["dependencies.md"])} - {"package"}
    assert named == needed


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", DOCS[page]):
        path, _, anchor = target.partition("#")
        if path.startswith("https://"):
            continue
        found = (PAGES[page].parent / path).resolve() if path else PAGES[page]
        assert found.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.+)$", found.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w -]", "", h.lower()).replace(" ", "-") for h in headings}, target


def test_the_picture_is_drawn_from_a_run_and_asks_nobody(demo):
    script = made_by("make_picture")
    svg = script.picture(demo.home)
    first = demo.result["score"]["leads"][0]
    assert first["lead_id"] in svg
    assert f"{first['probability']:.1%}" in svg
    assert str(demo.home.parent) not in svg
    for drawn in (svg, script.PICTURE.read_text(encoding="utf-8")):
        assert set(re.findall(r"https?://[^\"')\s]+", drawn)) == {"http://www.w3.org/2000/svg"}
