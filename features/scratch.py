"""Private folders for what a command spills; one that a killed command left can be told from one in use."""

from __future__ import annotations

import fcntl
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PREFIX = "work-"
_NEW = ".new-"
_LOCK = ".lock"


@contextmanager
def scratch(home: Path) -> Iterator[Path]:
    """A new folder below ``home/.leadrank``, for the owner only, removed after use.

    The kernel frees its lock when the process dies.
    """
    parent = home / ".leadrank"
    parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=_NEW, dir=parent))
    with (fresh / _LOCK).open("wb") as held:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        folder = fresh.rename(parent / f"{PREFIX}{fresh.name.removeprefix(_NEW)}")  # nobody finds it unlocked
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def abandoned(home: Path) -> list[Path]:
    """Folders of commands that were killed."""
    return [folder for folder in sorted((home / ".leadrank").glob(f"{PREFIX}*")) if not _is_in_use(folder)]


def _is_in_use(folder: Path) -> bool:
    try:
        with (folder / _LOCK).open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (FileNotFoundError, BlockingIOError):
        return True  # without a lock it is just being made, or just going
    return False
