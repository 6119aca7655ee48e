"""One at a time: locks of the commands that change what a project's folder has in force."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from features.errors import LockedError


@contextmanager
def alone(home: Path, name: str, *, refusal: str, hint: str) -> Iterator[None]:
    """Hold a lock of a project's folder; whoever dies lets go of it.

    Raises
    ------
    LockedError
        Somebody else holds it: ``refusal``, with ``hint``. Nobody waits.
    """
    from filelock import FileLock, Timeout

    folder = home / ".leadrank"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        held = FileLock(folder / f"{name}.lock", timeout=0).acquire()
    except Timeout:
        raise LockedError(refusal, hint=hint) from None
    with held:
        yield
