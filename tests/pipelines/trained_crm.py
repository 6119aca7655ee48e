"""A project that is trained and ranked in this process, and a web server in one of its own."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager, redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pyarrow.parquet as pq
import pytest

from pipelines import params as parameters
from pipelines import serving
from pipelines.cli import app
from serve.state.feedback import Action, Said
from tests.pipelines.server_crm import NIGHT

LOST = "L7"


@dataclass(frozen=True)
class Project:
    """A project that was trained and ranked; what the two commands said."""

    home: Path
    trained: dict[str, Any]
    scored: dict[str, Any]

    @property
    def ranking(self) -> Any:
        return pq.read_table(Path(self.scored["folder"]) / "ranking.parquet")


def project(home: Path, environment: dict[str, str]) -> Project:
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        for category in (DeprecationWarning, FutureWarning):
            warnings.simplefilter("ignore", category)
        patch.chdir(home)
        for name, value in environment.items():
            patch.setenv(name, value)
        run("users", "add", "ann", "--role", "rep", "--no-password")
        trained = run("train")
        say(home, LOST, Action.LOST)
        return Project(home, trained, run("score", *NIGHT))


def run(*words: str) -> dict[str, Any]:
    with redirect_stdout(io.StringIO()) as told:
        app([*words, "--json"], standalone_mode=False)
    return json.loads(told.getvalue())


def say(home: Path, lead_id: str, action: Action) -> None:
    """What a rep says of a lead on the page, on the day before the night."""
    params = parameters.load(home / "params.yaml")
    with closing(serving.state(params, home, os.environ)) as store:
        said = Said(store.users.named("ann").user_id, lead_id, action, "run", key=lead_id)
        store.feedback.give(said, datetime(2026, 1, 31, tzinfo=UTC))


@contextmanager
def serving_in(folder: Path, words: list[str], environment: dict[str, str]) -> Iterator[None]:
    """Run a program of the tests' own environment, with all that it starts, until the block ends."""
    command = [str(Path(sys.executable).with_name(words[0])), *words[1:]]
    with (folder / "log").open("wb") as log:
        ran: dict[str, Any] = {"cwd": folder, "stdout": log, "stderr": log, "start_new_session": True}
        program = subprocess.Popen(command, env=os.environ | environment, **ran)
    try:
        yield
    finally:
        os.killpg(program.pid, signal.SIGTERM)
        program.wait(30)


def answer(address: str, *, seconds: float = 200) -> Any:
    """What a server says, as soon as it listens."""
    ends_at = time.monotonic() + seconds
    with httpx.Client(timeout=20, trust_env=False) as client:
        while True:
            try:
                return client.get(address).raise_for_status().json()
            except httpx.TransportError:
                assert time.monotonic() < ends_at, "it does not listen"
                time.sleep(0.5)
