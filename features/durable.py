"""Small files that survive a crash whole: the old one or the new one, never half of one."""

from __future__ import annotations

import os
from pathlib import Path

PRIVATE = 0o600
PUBLISHED = 0o640


def replace(path: Path, text: str, *, mode: int = PUBLISHED) -> None:
    """Write a file beside its place, make it durable, and only then give it its name.

    Parameters
    ----------
    mode
        Who may read it, whatever the process's umask says.
    """
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    fresh.chmod(mode)
    sync(fresh)
    fresh.replace(path)
    sync(path.parent)


def sync(path: Path) -> None:
    """Wait until a file, or what a folder lists, is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
