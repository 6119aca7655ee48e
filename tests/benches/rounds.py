"""Runs ways of computing the columns in turn, each time in a new process, and collects what they measured."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 3600
ONCE = ("by_featuretools", "by_getml")  # the one takes minutes, the other keeps what it computed


@dataclass(frozen=True)
class Competitor:
    """A module beside this one that times one way, and the Python that runs it."""

    module: str
    python: str = sys.executable


@dataclass
class Measured:
    """What the processes of one way measured: seconds, MiB, columns."""

    module: str
    columns: int = 0
    version: str = ""
    failure: str = ""
    has_values: bool = False
    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    read_seconds: list[float] = field(default_factory=list)
    peak_mib: list[float] = field(default_factory=list)

    @property
    def best(self) -> float:
        """Least wall seconds of a run."""
        return min(self.wall)

    @property
    def best_cpu(self) -> float:
        """Least CPU seconds of a run."""
        return min(self.cpu)


def can_import(python: str, library: str) -> bool:
    """Whether this Python has the library."""
    command = [python, "-W", "ignore", "-c", f"import {library}"]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


def race(ways: Sequence[Competitor], folder: Path, *, rounds: int, runs: int) -> list[Measured]:
    """Run each way in ``rounds`` processes, every other round in the opposite order.

    The first process of a way saves its values as ``<module>.parquet`` in ``folder``.
    """
    measured = {way.module: Measured(way.module) for way in ways}
    for number in range(rounds):
        for way in ways if number % 2 == 0 else reversed(ways):
            if number == 0 or way.module not in ONCE:
                _collect(measured[way.module], way, folder, runs=1 if way.module in ONCE else runs)
    return list(measured.values())


def child(
    way: Competitor, folder: Path, options: Sequence[str], settings: Mapping[str, str]
) -> dict[str, object]:
    """What one process measured.

    Raises
    ------
    subprocess.CalledProcessError
        It failed; its ``stderr`` says why.
    """
    command = [way.python, "-m", f"tests.benches.{way.module}", str(folder), *options]
    done = subprocess.run(
        command, check=True, capture_output=True, text=True, cwd=ROOT, env={**os.environ, **settings},
        timeout=PATIENCE_SECONDS,
    )  # fmt: skip
    found: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return found


def _collect(measured: Measured, way: Competitor, folder: Path, *, runs: int) -> None:
    file = folder / f"{way.module}.parquet"
    options = ["--runs", str(runs), *([] if measured.wall else ["--save", str(file)])]
    try:
        found = child(way, folder, options, {})
    except subprocess.CalledProcessError as error:
        if not way.module.startswith("by_"):
            raise
        measured.failure = (error.stderr.strip().splitlines() or ["no message"])[-1]
        return
    measured.columns, measured.version = found["columns"], found["version"]
    measured.wall += found["wall"]
    measured.cpu += found["cpu"]
    measured.read_seconds.append(found["read_seconds"])
    measured.peak_mib.append(found["peak_mib"])
    measured.has_values = file.exists()
