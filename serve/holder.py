"""Who holds a lock, as the kernel tells it: a note of our own could outlive the process that wrote it."""

from __future__ import annotations

from pathlib import Path

_LOCKS = Path("/proc/locks")
_LOOKS = 5
"""The kernel lists locks as they come and go: a lock may be missing from one look, though it was held."""


def holder(file: Path) -> int | None:
    """Number of the process that holds ``flock`` of a file; None where the kernel does not tell.

    Source of the format: proc_locks(5): ``1: FLOCK ADVISORY WRITE <pid> <major>:<minor>:<inode> 0 EOF``.
    """
    try:
        inode = file.stat().st_ino
        looks = (_look(inode) for _ in range(_LOOKS))
        return next((pid for pid in looks if pid is not None), None)
    except OSError:
        return None


def _look(inode: int) -> int | None:
    held = (line.split() for line in _LOCKS.read_text(encoding="ascii").splitlines())
    return next((int(pid) for _, kind, _, _, pid, at, *_ in held if _is_of(kind, at, inode)), None)


def _is_of(kind: str, at: str, inode: int) -> bool:
    return kind == "FLOCK" and at.rpartition(":")[2] == str(inode)
