"""The runs of ``sinks.objects`` beside their publish: leads leave them, and old ones go."""

from __future__ import annotations

from pathlib import Path

from features.errors import StorageError
from features.ingest.objects import Address, address
from features.scratch import scratch
from pipelines.params import Params
from serve.sinks import objects
from serve.without import Gone


def place_of(params: Params) -> Address | None:
    """Where the runs are; None: in no object store."""
    return None if params.sinks.objects is None else address(params.sinks.objects)


def erase(params: Params, home: Path, gone: Gone) -> list[str] | None:
    """Take leads out of the object store; ids of the runs that were replaced, None without ``sinks.objects``.

    The caller holds `runs.lock`, and the runs of this host are clean.

    Raises
    ------
    UpstreamError
        The store does not answer; the same call goes on.
    StorageError
        Runs of the store cannot be read, and so are as they were.
    """
    place = place_of(params)
    if place is None:
        return None
    with scratch(home) as work:
        done = objects.erase(place, home / params.score.runs, gone, work)
    if done.unreadable:
        raise StorageError(
            f"{len(done.unreadable)} runs of sinks.objects cannot be read, and were not cleaned; all else is",
            hint=f"remove them there by hand, beginning with '{done.unreadable[0]}', then erase once more",
        )
    return list(done.replaced)


def prune(params: Params, keep: int) -> tuple[str, ...] | None:
    """Remove old runs from the object store; their ids, None without ``sinks.objects``.

    Raises
    ------
    UpstreamError
        The store does not answer.
    """
    place = place_of(params)
    return None if place is None else objects.prune(place, keep)
