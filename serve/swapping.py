"""Put a cleaned copy of a published run in its place, so that a crash leaves the one or the other, whole.

The sealed copy is renamed to ``.cleaned-<run>``, the old run is set aside where nobody reads it, and the copy
takes its name. Between the last two renames `serve.runs.find` reads the copy under its first name.
"""

from __future__ import annotations

import shutil
import time
from pathlib import Path

from features import durable
from features.errors import LockedError
from serve.keeping import GONE, set_aside
from serve.runs import CLEANED

_TRIES, _PAUSE_SECONDS = 50, 0.1


def swap(folder: Path, staged: Path, name: str) -> None:
    """Replace run ``name`` by a sealed copy; the caller holds `runs.lock`.

    Raises
    ------
    LockedError
        Somebody reads the run for longer than a few seconds; the copy waits, and the next call of `finish`
        puts it in its place.
    """
    ready = folder / f"{CLEANED}{name}"
    shutil.rmtree(ready, ignore_errors=True)
    staged.rename(ready)
    durable.sync(folder)
    _put(folder, name)


def finish(folder: Path) -> list[str]:
    """Put copies in their place that a crash or a reader has kept from it; their runs."""
    waiting = sorted(path.name.removeprefix(CLEANED) for path in folder.glob(f"{CLEANED}*"))
    for name in waiting:
        _put(folder, name)
    return waiting


def _put(folder: Path, name: str) -> None:
    target = folder / name
    if target.exists():
        shutil.rmtree(folder / f"{GONE}{name}", ignore_errors=True)
        _wait_for_readers(target)
    (folder / f"{CLEANED}{name}").rename(target)
    durable.sync(folder)
    shutil.rmtree(folder / f"{GONE}{name}", ignore_errors=True)
    durable.sync(folder)


def _wait_for_readers(target: Path) -> None:
    for _ in range(_TRIES):
        if set_aside(target):
            durable.sync(target.parent)
            return
        time.sleep(_PAUSE_SECONDS)
    raise LockedError(
        f"somebody reads run '{target.name}'", hint="run the same command again when the reader has ended"
    )
