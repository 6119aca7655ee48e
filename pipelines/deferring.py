"""The champion of the last night, for a night on which MLflow does not answer.

A tracking server that is down, or so slow that it never ends an answer, must not keep a ranking from its
readers: what it last said is kept beside the verified copy of the model, and counts until it answers again.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from queue import Empty, Queue
from typing import Protocol, TypeVar

from features.errors import UpstreamError
from models import registry
from models.store import load, place
from pipelines.champion import Champion
from pipelines.params import Params

PATIENCE_SECONDS = 60.0  # for all questions of one night together
FILE = "champion.json"
Answer = TypeVar("Answer")


def within(seconds: float, ask: Callable[[], Answer]) -> Answer:
    """What a call returns or raises, if it ends in time.

    A server that sends one byte every few seconds never runs into the timeout of a single read; so the call
    is left to itself in a thread that does not keep the process alive.

    Raises
    ------
    UpstreamError
        It did not end in time.
    """
    try:
        found, error = apart(ask, seconds=seconds)
    except Empty:
        raise UpstreamError(
            f"MLflow did not answer within {seconds:.0f} s",
            hint="check that it runs, then repeat the command",
        ) from None
    if error is not None:
        raise error
    return found  # type: ignore[return-value]  # without an error it is what the call returned


def apart(
    ask: Callable[[], Answer], *, seconds: float | None = None
) -> tuple[Answer | None, BaseException | None]:
    """What a call returns, or whatever it raises, from a thread that keeps no process alive.

    Raises
    ------
    queue.Empty
        It did not end in time.
    """
    told: Queue[tuple[Answer | None, BaseException | None]] = Queue()

    def run() -> None:
        try:
            told.put((ask(), None))
        except BaseException as error:  # noqa: BLE001  # the caller decides what becomes of it
            told.put((None, error))

    threading.Thread(target=run, daemon=True).start()
    return told.get(timeout=seconds)


class Named(Protocol):
    """A version of the model: loaded, or as the registry has it."""

    @property
    def version(self) -> str:
        """Its number."""

    @property
    def digest(self) -> str:
        """The digest of its bundle."""


def keep(home: Path, model: str, champion: Named | None) -> None:
    """Remember who ranks, or that no version may; a disk that is full hides nothing else."""
    file = home / ".leadrank" / FILE
    version, digest = (None, None) if champion is None else (champion.version, champion.digest)
    told = {"model": model, "version": version, "digest": digest}
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = file.with_suffix(".new")
        fresh.write_text(json.dumps(told), encoding="utf-8")
        fresh.replace(file)
    except OSError:
        return


def keep_standing(params: Params, home: Path) -> None:
    """As `keep`, of whoever the registry says is in force; a night that defers, and DVC, ask for it.

    Raises
    ------
    UpstreamError, StorageError
        MLflow does not answer, or its database is damaged.
    """
    name = params.tracking.model
    every = registry.versions(registry.anchored(params.tracking.uri, home), name)
    keep(home, name, next((version for version in every if registry.CHAMPION in version.aliases), None))


def kept(home: Path, model: str) -> Champion | None:
    """The champion that ranked last, its digest verified; None if none did.

    Raises
    ------
    ModelError
        Its copy is damaged.
    """
    try:
        told = json.loads((home / ".leadrank" / FILE).read_text(encoding="utf-8"))
        version, digest = str(told["version"]), str(told["digest"])  # of nobody: "None", which has no folder
    except (OSError, ValueError, KeyError, TypeError):
        return None
    folder = place(home, digest)
    if told.get("model") != model or not folder.is_dir():
        return None
    return Champion(version, digest, load(folder, digest=digest))
