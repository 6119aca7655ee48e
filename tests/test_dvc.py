"""``dvc.yaml`` is right beside ``params.yaml`` wherever it stands, and DVC itself can follow it."""

from __future__ import annotations

import importlib.util
import os
import shlex
import shutil
import subprocess
import sys
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml

from pipelines import params as parameters
from pipelines.cli import app
from pipelines.demo import world
from pipelines.demo.command import WORKING_FILES

ROOT = Path(__file__).parents[1]
DVC = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))
STAGES: dict[str, Any] = DVC["stages"]
AS_OF = DVC["vars"][0]["as_of"]


def command(stage: Any) -> tuple[list[str], str]:
    """The words of a stage's command, and the file that its output goes to."""
    call, _, out = stage["cmd"].replace("${as_of}", AS_OF).partition(" > ")
    return shlex.split(call), out


def made(stage: Any) -> list[str]:
    """What a stage leaves."""
    found = [*stage.get("outs", ()), *stage.get("metrics", ()), *stage.get("plots", ())]
    return [name for entry in found for name in (entry if isinstance(entry, dict) else [entry])]


def test_the_stages_are_check_train_and_score_in_that_order():
    assert list(STAGES) == ["check", "train", "score"]


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_calls_its_own_command_with_options_that_it_has(name):
    words, out = command(STAGES[name])
    assert words[:2] == ["leadrank", name]
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]  # a group has commands
    context = commands[name].make_context(name, words[2:])  # refuses an unknown option
    assert context.params["as_json"]
    assert out in made(STAGES[name])


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_watches_sections_that_exist_here_and_in_what_init_writes(name, flat):
    from pipelines import init

    here = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    init.run([flat / "leads.csv"], folder=flat, outcome="Bought", yes=True, overwrite=True)
    written = yaml.safe_load((flat / "params.yaml").read_text(encoding="utf-8"))
    for section in STAGES[name]["params"]:
        assert section in parameters.Params.model_fields
        assert section in here  # DVC refuses to run when a section it watches is absent
        assert section in written


def test_every_section_of_the_parameters_is_watched_by_a_stage():
    watched = {section for stage in STAGES.values() for section in stage["params"]}
    unwatched = {
        "preset",  # it only shortens what tables say
        "backtest",  # asked for by hand: no stage needs its answer
        "promotion",  # likewise
        "exports",  # with ads and sinks: what goes to other systems, and DVC refuses absent sections
        "ads",
        "sinks",
        "watch",  # of a command that does not end
        "serve",  # likewise
        "engine",  # it changes nothing in what comes out
    }
    assert set(parameters.Params.model_fields) - watched == unwatched


def test_every_dependency_is_made_by_an_earlier_stage_or_lies_in_the_folder(demo):
    earlier: set[str] = set()
    for stage in STAGES.values():
        for dependency in stage["deps"]:
            assert dependency in earlier or (demo.home / dependency).exists(), dependency
        earlier.update(made(stage))


def test_every_table_of_params_yaml_lies_in_the_folder_that_the_stages_depend_on():
    params = parameters.load(ROOT / "params.yaml")
    assert {Path(source.path or "").parts[0] for source in params.tables.values()} == {"data"}
    assert all("data" in stage["deps"] for stage in STAGES.values())
    assert params.score.runs in made(STAGES["score"])


def test_a_demo_folder_holds_the_files_of_the_repository(demo):
    for name, packaged in WORKING_FILES.items():
        mine = (ROOT / name).read_text(encoding="utf-8")
        assert (demo.home / name).read_text(encoding="utf-8") == mine
        assert (files("pipelines.demo") / packaged).read_text(encoding="utf-8") == mine


def test_the_moment_that_is_ranked_is_the_end_of_the_demo():
    assert f"{world.AS_OF:%Y-%m-%d}" == AS_OF


def test_dvc_itself_finds_the_three_stages_and_would_run_them(demo, tmp_path):
    dvc = _dvc()
    for name in ("data", *WORKING_FILES):
        copy = shutil.copytree if (demo.home / name).is_dir() else shutil.copyfile
        copy(demo.home / name, tmp_path / name)
    for name in ("check.json", "train.json", "mlflow.db"):  # a dry run wants what earlier stages would leave
        (tmp_path / name).touch()
    quiet = {"DVC_NO_ANALYTICS": "1", "DVC_SITE_CACHE_DIR": str(tmp_path / "cache"), "HOME": str(tmp_path)}

    def run(*words: str) -> str:
        done = subprocess.run(
            [*dvc, *words],
            cwd=tmp_path,
            env={**os.environ, **quiet},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    run("init", "--no-scm", "--quiet")
    run("config", "core.check_update", "false")
    said = run("repro", "--dry")
    for stage in STAGES.values():
        assert f"> {stage['cmd'].replace('${as_of}', AS_OF)}" in said


def _dvc() -> list[str]:
    """How DVC is called here; skips where it is not installed."""
    if (path := shutil.which("dvc")) is not None:
        return [path]
    if importlib.util.find_spec("dvc") is None:
        pytest.skip("DVC is not installed: pip install 'leadrank[dvc]'")
    return [sys.executable, "-m", "dvc"]
