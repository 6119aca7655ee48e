"""How the latest attempt to rank ended, so that everybody who reads a ranking sees that it is an old one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from features.errors import LeadrankError, LockedError

FILE = "last-attempt.json"


@contextmanager
def recorded(home: Path, as_of: datetime) -> Iterator[None]:
    """Keep what stopped an attempt; a finished one takes that back. Another run's lock is no attempt."""
    file = home / ".leadrank" / FILE
    try:
        yield
    except LockedError:
        raise
    except LeadrankError as error:
        _write(file, {"as_of": as_of.astimezone(UTC).isoformat(), "code": error.code, "reason": error.reason})
        raise
    file.unlink(missing_ok=True)


def failed(home: Path) -> dict[str, Any] | None:
    """The latest attempt if it failed: ``as_of``, ``code`` and ``reason``; None after a success."""
    try:
        found = json.loads((home / ".leadrank" / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def _write(file: Path, told: dict[str, Any]) -> None:
    """A disk that is full hides no error: the attempt's own one is told anyway."""
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = file.with_suffix(".new")
        fresh.write_text(json.dumps(told), encoding="utf-8")
        fresh.replace(file)
    except OSError:
        return
