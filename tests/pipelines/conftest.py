"""Commands run in the test's own process, on copies of the demo."""

from __future__ import annotations

import shutil
import signal
import sys
import warnings
from pathlib import Path
from random import Random

import pytest

from pipelines import cli, console, stopping, train
from pipelines import params as parameters
from pipelines.progress import Progress


@pytest.fixture
def leadrank(monkeypatch, capfd):
    """Run a command in this process: its exit code, stdout and stderr."""
    before = {number: signal.getsignal(number) for number in stopping.SIGNALS}

    def run(*words, home=None):
        if home is not None:
            monkeypatch.chdir(home)
        monkeypatch.setattr(console, "PROGRESS", Progress())
        monkeypatch.setattr(sys, "argv", ["leadrank", *map(str, words)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return ended.value.code, *capfd.readouterr()

    yield run
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def crm(demo, tmp_path):
    """A copy of the demo that a test may change."""
    return Path(shutil.copytree(demo.home, tmp_path / "crm"))


@pytest.fixture(scope="module")
def two_versions(tmp_path_factory):
    """A flat CRM with two versions: the champion, and a challenger that does without the telling field."""
    home = tmp_path_factory.mktemp("two") / "crm"
    home.mkdir()
    drawn, rows = Random(3), ["Calls,Visits,Bought"]  # noqa: S311  # a made-up history
    for _ in range(800):
        calls, visits = drawn.randrange(12), drawn.randrange(12)
        won = calls + 1.6 * visits + drawn.uniform(0, 20) > 26
        rows.append(f"{calls},{visits},{'yes' if won else 'no'}")
    (home / "leads.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    table = (
        "  leads:\n    path: leads.csv\n    outcome_column: Bought\n    won_values: ['yes']\n    fields:\n"
    )
    calls, visits = (f"      {name}: {{kind: number, time: static}}\n" for name in ("Calls", "Visits"))
    rest = "train: {bags: 2, max_trees: 60}\npromotion: {min_outcomes: 10, min_slice_outcomes: 10}\n"
    (home / "params.yaml").write_text(f"tables:\n{table}{calls}{visits}{rest}", encoding="utf-8")
    (home / "without.yaml").write_text(f"tables:\n{table}{calls}{rest}", encoding="utf-8")
    with warnings.catch_warnings():
        # mlflow and its dependencies warn about themselves while they are imported.
        for category in (DeprecationWarning, FutureWarning):
            warnings.simplefilter("ignore", category)
        for name in ("params.yaml", "without.yaml"):
            train.run(parameters.load(home / name), home, rows=None, progress=Progress(is_quiet=True))
    return home
