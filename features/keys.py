"""Random keys of hashes: who has what was hashed with one cannot try values without it."""

from __future__ import annotations

import secrets
from pathlib import Path

from features import durable

BYTES = 32


def read(path: Path) -> bytes | None:
    """The key in a file; None if it is gone or damaged."""
    try:
        key = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except (OSError, ValueError):
        return None
    return key if len(key) == BYTES else None


def write(path: Path, key: bytes) -> None:
    """Keep a key, readable by its owner only; durable when this returns."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    durable.replace(path, key.hex() + "\n", mode=durable.PRIVATE)


def drawn() -> bytes:
    """A new key."""
    return secrets.token_bytes(BYTES)
