"""``dvc.yaml`` is right beside ``params.yaml`` wherever it stands, and DVC itself can follow it."""

from __future__ import annotations

import importlib.util
import json
import os
import shlex
import shutil
import subprocess
import sys
from importlib.resources import files
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import typer.main
import yaml
from pyarrow import csv

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


def watched(stage: Any) -> dict[str, str]:
    """What a stage asks of params.yaml: the section of each key that it watches."""
    return {key: key.partition(".")[0] for key in stage["params"]}


def test_the_stages_are_check_train_backtest_and_score_in_that_order():
    assert list(STAGES) == ["check", "train", "backtest", "score"]


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
    for key, section in watched(STAGES[name]).items():
        assert section in parameters.Params.model_fields
        for file in (here, written):
            assert section in file  # DVC refuses to run when a section it watches is absent
            assert key == section or key.partition(".")[2] in file[section]


def test_every_section_of_the_parameters_is_watched_by_a_stage():
    asked = {section for stage in STAGES.values() for section in watched(stage).values()}
    unwatched = {
        "preset",  # it only shortens what tables say
        "retrain",  # of a command that DVC does not run
        "shadow",  # what is beside a night, never in it
        "exports",  # with ads and sinks: what goes to other systems, and DVC refuses absent sections
        "ads",
        "sinks",
        "watch",  # of a command that does not end
        "serve",  # likewise
        "engine",  # it changes nothing in what comes out
        "monitor",  # it looks at what has come out
    }
    assert set(parameters.Params.model_fields) - asked == unwatched


def test_another_horizon_trains_and_replays_again_and_nothing_before_them():
    assert [name for name, stage in STAGES.items() if "train" in watched(stage)] == ["train", "backtest"]
    assert "train.json" in STAGES["score"]["deps"]  # which a new training writes anew


def test_what_other_commands_write_between_two_repros_is_watched_by_none():
    assert not {"mlflow.db", "mlartifacts"} & {entry for stage in STAGES.values() for entry in stage["deps"]}


def test_a_metric_is_one_number_a_name_and_a_plot_has_the_columns_that_it_draws(tmp_path):
    from models.cards.forward_test import ForwardTest
    from pipelines import figuring

    rows = pa.table({
        "lead": range(40), "label": [float(row % 4 == 0) for row in range(40)],
        "probability": [row / 50 for row in range(40)], "scorecard": [float(row) for row in range(40)],
    })  # fmt: skip
    tested = {"n": 40, "positives": 10, "roc_auc": {"value": 0.7, "low": 0.6, "high": 0.8}}
    told = {"rows": 90, "positives": 20, "base_rate": 0.25, "metrics": {"model": tested}}
    figuring.of_training(tmp_path / "figures/train", told, ForwardTest(rows, {}))
    contender = {"contender": "model", "figure": "capture_20", "value": 0.5, "low": 0.4, "high": 0.6}
    past = {"lists": 9, "rows": 90, "won_leads": 5, "base_rate": 0.1, "contenders": [contender]}
    curve = [{"contender": name, "share": 0.2, "capture": 0.5} for name in ("model", "scorecard")]
    figuring.of_backtest(tmp_path / "figures/backtest", past, curve)
    for stage in STAGES.values():
        for entry in stage.get("metrics", ()):
            (name,) = entry
            numbers = json.loads((tmp_path / name).read_text())
            assert all(isinstance(number, int | float) for number in numbers.values())
            assert len(numbers) < 30
        for entry in stage.get("plots", ()):
            ((name, look),) = entry.items()
            if name.endswith(".csv"):
                assert {look["x"], look["y"]} <= set(csv.read_csv(tmp_path / name).column_names)
    assert json.loads((tmp_path / "figures/train/metrics.json").read_text())["roc_auc"] == 0.7


def test_every_dependency_is_made_by_an_earlier_stage_or_lies_in_the_folder(demo):
    earlier: set[str] = set()
    for stage in STAGES.values():
        for dependency in stage["deps"]:
            assert dependency in earlier or (demo.home / dependency).exists(), dependency
        earlier.update(made(stage))


def test_a_training_and_a_night_leave_the_name_of_who_is_in_force(demo):
    told = json.loads((demo.home / ".leadrank/champion.json").read_text())
    assert (told["version"], told["digest"]) == ("1", demo.result["train"]["digest"])


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


def test_dvc_itself_finds_the_stages_and_would_run_them(demo, tmp_path):
    dvc = _dvc()
    for name in ("data", *WORKING_FILES):
        copy = shutil.copytree if (demo.home / name).is_dir() else shutil.copyfile
        copy(demo.home / name, tmp_path / name)
    (tmp_path / ".leadrank").mkdir()
    for name in ("check.json", "train.json", ".leadrank/champion.json"):  # a dry run wants what others leave
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
