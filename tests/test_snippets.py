"""Every snippet of the manual is one that works: YAML is loaded, Python is compiled, commands are run."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer.main
import yaml

from pipelines import params as parameters
from pipelines.cli import app
from tests.pipelines.conftest import leadrank  # noqa: F401  # a fixture

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
LEAD = "00Q5e000001abcd"
"""A lead in the manual."""
ELSEWHERE = "/var/lib/node_exporter/"
"""A folder in the manual that this machine may not have."""
NEEDS = {
    "--changed-since": "a run of today",
    "serve": "does not end",
    "watch": "does not end",
    "init": "tests/test_docs.py runs it",
    "retrain": "tests/pipelines/test_retrain.py runs it",
    "promote": "tests/pipelines/test_promotion.py runs it on two versions",
    "rollback": "the same",
    "--card": "the same",
    "pull": "tests/pipelines/test_objects_sinking.py runs it with a store",
    "--resume": "a database",
}
"""What keeps a command from being run here as it stands."""


def blocks(*languages: str) -> Iterator[tuple[str, str]]:
    """Page and text of the fenced blocks in some languages."""
    for page in PAGES:
        found = re.findall(
            r"^```(\w*)\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
        )
        yield from ((page.name, text) for language, text in found if language in languages)


def commands() -> Iterator[tuple[str, list[str]]]:
    """Page and words of every command of ours."""
    for page, text in blocks("sh", "console", "bash"):
        for line in text.splitlines():
            said = line.removeprefix("$ ").strip()
            if said.startswith("leadrank "):
                yield page, shlex.split(said, comments=True)[1:]


YAML = list(blocks("yaml"))
CALLS = list(commands())


@pytest.mark.parametrize(("page", "text"), YAML, ids=[f"{page}-{n}" for n, (page, _) in enumerate(YAML)])
def test_yaml_of_the_manual_is_taken(page, text):
    given = yaml.safe_load(text)
    if not set(given) <= set(parameters.Params.model_fields):
        pytest.skip(f"{page}: of another file than params.yaml")
    tables = given.get("tables", {})
    is_flat = "outcome_column" in tables.get("leads", {})
    for name in ("leads",) if is_flat else ("leads", "touches", "outcomes"):
        source = tables.setdefault(name, {})
        if not source.keys() & {"path", "database_table", "query", "spark_table"}:
            source["path"] = f"{name}.csv"
    parameters.parse(yaml.safe_dump({**given, "tables": tables}, sort_keys=False))


@pytest.mark.parametrize("text", [text for _, text in blocks("python")])
def test_python_of_the_manual_is_python(text):
    compile(text, "manual", "exec")


@pytest.mark.parametrize("words", [words for _, words in CALLS], ids=lambda words: " ".join(words)[:60])
def test_a_command_of_the_manual_exists_with_its_options(words):
    known = typer.main.get_command(app).commands  # type: ignore[attr-defined]  # a group has commands
    assert words[0] in known
    given = [word for word in words[1:] if word.startswith("--")]
    options = {option for part in known[words[0]].params for option in part.opts}
    options |= {
        option
        for part in getattr(known[words[0]], "commands", {}).values()
        for each in part.params
        for option in each.opts
    }
    assert set(given) <= options | {"--help"}


def test_commands_of_the_manual_run_on_a_demo(demo, tmp_path, leadrank):  # noqa: F811
    home = Path(shutil.copytree(demo.home, tmp_path / "crm"))
    shown, erased, other = (lead["lead_id"] for lead in demo.result["score"]["leads"][5:8])
    (home / "requests.txt").write_text(f"{other}\n", encoding="utf-8")
    ran = 0
    for page, words in CALLS:
        if page == "README.md" or NEEDS.keys() & set(words):
            continue
        lead = erased if words[0] == "erase" else shown
        said = [word.replace(LEAD, lead).removeprefix(ELSEWHERE) for word in words]
        if said[0] in ("score", "trace", "features") and "--as-of" not in said:
            said += ["--as-of", demo.result["as_of"]]
        code, _, err = leadrank(*said, home=home)
        assert code == 0, (page, said, err)
        ran += 1
    assert ran >= 4
