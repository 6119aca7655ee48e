"""Who holds a lock, as the kernel tells it: a note of our own could outlive the process that wrote it."""

from __future__ import annotations

from pathlib import Path

_LOCKS = Path("/proc/locks")
_LOOKS, _PAUSE_SECONDS = 20, 0.01
"""The kernel lists locks as they come and go: while others do, a lock may be missing from several looks in a
row, though it was held."""


def holder(file: Path) -> int | None:
    """Number of the process that holds ``flock`` of a file; None where the kernel does not tell.

    Source of the format: proc_locks(5): ``1: FLOCK ADVISORY WRITE <pid> <major>:<minor>:<inode> 0 EOF``.
    """
    from tenacity import Retrying, retry_if_result, stop_after_attempt, wait_fixed

    look_again = Retrying(
        retry=retry_if_result(lambda pid: pid is None),
        wait=wait_fixed(_PAUSE_SECONDS),
        stop=stop_after_attempt(_LOOKS),
        retry_error_callback=lambda _: None,
    )
    try:
        found: int | None = look_again(_look, file.stat().st_ino)
    except OSError:
        return None
    return found


def _look(inode: int) -> int | None:
    held = (line.split() for line in _LOCKS.read_text(encoding="ascii").splitlines())
    return next((int(pid) for _, kind, _, _, pid, at, *_ in held if _is_of(kind, at, inode)), None)


def _is_of(kind: str, at: str, inode: int) -> bool:
    return kind == "FLOCK" and at.rpartition(":")[2] == str(inode)
