"""How the latest attempt to rank ended, so that everybody who reads a ranking sees that it is an old one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from features import durable
from features.errors import LeadrankError, LockedError
from features.machine import refusal
from pipelines import stopping

FILE = "last-attempt.json"


@contextmanager
def recorded(home: Path, as_of: datetime, name: str = FILE) -> Iterator[None]:
    """Keep what stopped an attempt; a finished one takes that back. Another run's lock is no attempt."""
    file = home / ".leadrank" / name
    try:
        yield
    except LockedError:
        raise
    except LeadrankError as error:
        _keep(file, as_of, error)
        raise
    except SystemExit:
        if (signalled := stopping.stopped()) is not None:
            _keep(file, as_of, signalled)
        raise
    except (OSError, MemoryError, duckdb.Error) as error:
        told = stopping.stopped() or refusal(error)
        if told is not None:
            _keep(file, as_of, told)
        raise
    file.unlink(missing_ok=True)


def failed(home: Path, name: str = FILE) -> dict[str, Any] | None:
    """The latest attempt if it failed: ``as_of``, ``code`` and ``reason``; None after a success."""
    try:
        found = json.loads((home / ".leadrank" / name).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def _keep(file: Path, as_of: datetime, error: LeadrankError) -> None:
    """A disk that is full hides no error: the attempt's own one is told anyway."""
    told = {"as_of": as_of.astimezone(UTC).isoformat(), "code": error.code, "reason": error.reason}
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        durable.replace(file, json.dumps(told), mode=durable.PRIVATE)
    except OSError:
        return
