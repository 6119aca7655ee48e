"""Which published runs are kept, and how old ones go without taking anything from a reader.

A reader holds a shared lock of the run's manifest while it reads; the kernel frees it when the process dies.
A run that is to go is first renamed, so that nobody can find it half removed, and only where nobody reads it.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from serve import runs as published
from serve.runs import MANIFEST, STAGING, Run

GONE = ".gone-"


@dataclass(frozen=True)
class Collected:
    """What a collection did.

    Attributes
    ----------
    removed
        Ids of runs that are gone (or would be).
    in_use
        Ids of runs that would be gone if nobody read them.
    leftovers
        Folders of runs that were never published, or were half removed.
    bytes
        Bytes of all that is gone.
    """

    removed: tuple[str, ...]
    in_use: tuple[str, ...]
    leftovers: int
    bytes: int


@contextmanager
def reading(run: Run) -> Iterator[Run]:
    """Keep a run from being collected while it is read.

    Raises
    ------
    FileNotFoundError
        It has just been collected: follow the pointer again.
    """
    path = run.folder / MANIFEST
    with path.open("rb") as manifest:
        fcntl.flock(manifest, fcntl.LOCK_SH)
        if path.stat().st_ino != os.fstat(manifest.fileno()).st_ino:
            raise FileNotFoundError(path)  # made anew while this reader waited
        yield run


def collect(folder: Path, *, keep: int, is_dry: bool = False) -> Collected:
    """Remove all runs but the latest nights and the one in force; the caller holds `runs.lock`.

    Parameters
    ----------
    folder
        Of the published runs.
    keep
        How many of the latest runs stay, 1 or more.
    is_dry
        Whether it is only told what would go.
    """
    in_force = published.current_or_none(folder)
    old = [
        run for run in published.published(folder)[keep:] if in_force is None or run.run_id != in_force.run_id
    ]
    removed, in_use, freed = [], [], 0
    for run in old:
        size = _size(run.folder)
        if is_dry or set_aside(run.folder):
            removed.append(run.run_id)
            freed += size
        else:
            in_use.append(run.run_id)
    unfinished = [path for path in _left(folder) if path.name.removeprefix(GONE) not in removed]
    freed += sum(_size(path) for path in unfinished)
    leftovers(folder, is_dry=is_dry)
    return Collected(tuple(removed), tuple(in_use), len(unfinished), freed)


def leftovers(folder: Path, *, is_dry: bool = False) -> int:
    """Remove what was never published, or is set aside, and count it; the caller holds `runs.lock`."""
    left = _left(folder)
    for path in () if is_dry else left:
        shutil.rmtree(path, ignore_errors=True)
    return len(left)


def _left(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.name.startswith((GONE, STAGING))]


def set_aside(folder: Path) -> bool:
    """Rename a run that nobody reads; False if somebody does."""
    with (folder / MANIFEST).open("rb") as manifest:
        try:
            fcntl.flock(manifest, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        folder.rename(folder.with_name(GONE + folder.name))
    return True


def _size(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*"))
