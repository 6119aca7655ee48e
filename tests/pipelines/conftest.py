"""Commands run in the test's own process, on copies of the demo."""

from __future__ import annotations

import shutil
import signal
import sys
from pathlib import Path

import pytest

from pipelines import cli
from pipelines.progress import Progress


@pytest.fixture
def leadrank(monkeypatch, capfd):
    """Run a command in this process: its exit code, stdout and stderr."""
    before = signal.getsignal(signal.SIGTERM)

    def run(*words, home=None):
        if home is not None:
            monkeypatch.chdir(home)
        monkeypatch.setattr(cli, "PROGRESS", Progress())
        monkeypatch.setattr(sys, "argv", ["leadrank", *map(str, words)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return ended.value.code, *capfd.readouterr()

    yield run
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def crm(demo, tmp_path):
    """A copy of the demo that a test may change."""
    return Path(shutil.copytree(demo.home, tmp_path / "crm"))
