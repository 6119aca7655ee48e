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
from typing import TypeVar

from features.errors import UpstreamError
from models.store import load, place
from pipelines.champion import Champion

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
    told: Queue[tuple[bool, object]] = Queue()

    def run() -> None:
        try:
            told.put((True, ask()))
        except BaseException as error:  # noqa: BLE001  # raised where it was asked for
            told.put((False, error))

    threading.Thread(target=run, daemon=True).start()
    try:
        is_answer, found = told.get(timeout=seconds)
    except Empty:
        raise UpstreamError(
            f"MLflow did not answer within {seconds:.0f} s",
            hint="check that it runs, then repeat the command",
        ) from None
    if isinstance(found, BaseException) and not is_answer:
        raise found
    return found  # type: ignore[return-value]  # what the queue carries is what the call returned


def keep(home: Path, model: str, champion: Champion) -> None:
    """Remember who ranks; a disk that is full hides nothing else."""
    file = home / ".leadrank" / FILE
    told = {"model": model, "version": champion.version, "digest": champion.digest}
    try:
        fresh = file.with_suffix(".new")
        fresh.write_text(json.dumps(told), encoding="utf-8")
        fresh.replace(file)
    except OSError:
        return


def kept(home: Path, model: str) -> Champion | None:
    """The champion that ranked last, its digest verified; None if none did.

    Raises
    ------
    ModelError
        Its copy is damaged.
    """
    try:
        told = json.loads((home / ".leadrank" / FILE).read_text(encoding="utf-8"))
        version, digest = str(told["version"]), str(told["digest"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    folder = place(home, digest)
    if told.get("model") != model or not folder.is_dir():
        return None
    return Champion(version, digest, load(folder, digest=digest))
