"""The examples of docs/running.md are checked with the tools of their kind, and name commands that exist."""

from __future__ import annotations

import ast
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from pipelines.cli import app

ROOT = Path(__file__).parents[1]
RUNNING = ROOT / "docs" / "running"
CODES = {0, 2, 3, 4, 5, 6, 7, 8, 70}


def text(name):
    return (RUNNING / name).read_text(encoding="utf-8")


def cronjob():
    return yaml.safe_load(text("cronjob.yaml"))["spec"]


def container():
    return cronjob()["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]


def commands():
    """The command lines of the examples, from the word after ``leadrank``."""
    service = re.search(r"^ExecStart=\S+/leadrank (.+)$", text("leadrank.service"), re.MULTILINE)[1]
    cron = re.search(r"bin/leadrank (.+?) >", text("crontab"))[1]
    docker = re.search(r"^CMD (\[.+\])$", text("Dockerfile"), re.MULTILINE)[1]
    dag = re.search(r'"leadrank (.+?)"', text("leadrank_dag.py"))[1].replace("{{ data_interval_end", "{{x")
    dag = re.sub(r"\{\{.*?\}\}", "2026-06-30", dag)
    return [
        shlex.split(service),
        shlex.split(cron),
        ast.literal_eval(docker),
        shlex.split(dag),
        container()["args"],
    ]


@pytest.mark.parametrize("command", commands(), ids=["service", "cron", "docker", "airflow", "kubernetes"])
def test_every_example_calls_a_command_with_options_that_it_has(command, tmp_path):
    ended = CliRunner().invoke(app, [*command, "--params", str(tmp_path / "params.yaml")])
    assert "no params.yaml here" in str(ended.exception)  # all else was understood


def test_what_passes_by_itself_is_tried_again_and_nothing_else():
    final = {2, 3, 4, 8, 70}
    prevented = re.search(r"^RestartPreventExitStatus=(.+)$", text("leadrank.service"), re.MULTILINE)[1]
    assert {int(code) for code in prevented.split()} == final
    rules = cronjob()["jobTemplate"]["spec"]["podFailurePolicy"]["rules"]
    assert set(rules[0]["onExitCodes"]["values"]) == final
    told = (ROOT / "docs" / "running.md").read_text(encoding="utf-8")
    named = {int(code) for line in re.findall(r"exit code ([\d, ]+)", told) for code in line.split(",")}
    assert named == CODES - {0}


def test_a_stopped_night_has_longer_than_the_ten_seconds_it_needs():
    assert re.search(r"^TimeoutStopSec=15$", text("leadrank.service"), re.MULTILINE)
    assert cronjob()["jobTemplate"]["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] == 15


def test_kubernetes_never_starts_two_nights_and_counts_in_utc():
    assert (cronjob()["concurrencyPolicy"], cronjob()["timeZone"]) == ("Forbid", "Etc/UTC")


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_understands_the_units(tmp_path):
    for name in ("leadrank.service", "leadrank.timer", "leadrank-alert@.service"):
        # The programs of the examples are not installed here, and no user is named leadrank.
        unit = re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", text(name), flags=re.MULTILINE)
        (tmp_path / name).write_text(unit, encoding="utf-8")
    units = [str(tmp_path / name) for name in ("leadrank.service", "leadrank.timer")]
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *units], capture_output=True, text=True, check=False
    )
    assert (done.returncode, re.findall(r"leadrank\S*:\d+: .*", done.stderr)) == (0, []), done.stderr


def test_the_dag_is_python():
    ast.parse(text("leadrank_dag.py"))


def test_the_image_is_made_of_files_that_exist_and_of_the_lock():
    copied = re.findall(r"^COPY (\S+)", text("Dockerfile"), re.MULTILINE)
    assert copied == ["requirements.lock", "."]
    assert "--require-hashes --requirement requirements.lock" in text("Dockerfile")
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    assert {".git", ".venv", "runs", "mlflow.db", ".leadrank"} <= set(ignored)


def test_the_document_names_every_file():
    told = (ROOT / "docs" / "running.md").read_text(encoding="utf-8")
    assert {path.name for path in RUNNING.iterdir()} == set(re.findall(r"\(running/([^)]+)\)", told))
