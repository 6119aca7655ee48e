"""Leads that were erased, known again by a keyed hash of their id and by nothing else.

``ERASED.json`` beside ``params.yaml`` has the hashes, ``.leadrank/erasure.key`` the key. Who has the file
alone cannot tell whether a given lead is in it. Without the key nobody can, so a load that finds the file and
no key is refused: an erased lead must not come back because a folder was cleaned up.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from features import durable, keys
from features.errors import StorageError

FILE = "ERASED.json"
KEY = Path(".leadrank") / "erasure.key"


@dataclass(frozen=True)
class Tombstones:
    """What is kept of erased leads.

    Attributes
    ----------
    key
        Random bytes that the hashes are keyed with.
    stones
        ``erased_on`` (ISO 8601 date) and ``reason`` by pseudonym.
    """

    key: bytes
    stones: Mapping[str, Mapping[str, str]]

    def pseudonym(self, lead_id: str) -> str:
        """HMAC-SHA-256 of the normalised id (RFC 2104), in hexadecimal."""
        return hmac.new(self.key, normalised(lead_id).encode(), hashlib.sha256).hexdigest()


def normalised(lead_id: str) -> str:
    """An id as the load reads it: Unicode form NFC, without the blanks around it.

    >>> normalised(" Cafe\u0301 ")
    'Café'
    """
    return unicodedata.normalize("NFC", lead_id.strip(" \t\n\r\xa0"))


def read(home: Path) -> Tombstones | None:
    """The tombstones of a project; None if nobody was erased.

    Parameters
    ----------
    home
        Folder of ``params.yaml``.

    Raises
    ------
    StorageError
        The file is damaged, or its key is gone.
    """
    stones = _stones(home / FILE)
    if not stones:
        return None
    key = keys.read(home / KEY)
    if key is None:
        raise StorageError(
            f"'{FILE}' lists erased leads, but their key '{KEY}' is gone or damaged",
            hint=f"bring '{KEY}' back from a backup: without it erased leads would return",
        )
    return Tombstones(key, stones)


def bury(home: Path, lead_ids: Iterable[str], *, erased_on: str, reason: str) -> Tombstones:
    """Put up a tombstone for each lead that has none yet; durable when this returns.

    Raises
    ------
    StorageError
        The file is damaged, its key is gone, or the disk refuses.
    """
    known = read(home) or Tombstones(keys.read(home / KEY) or keys.drawn(), {})
    names = [known.pseudonym(lead_id) for lead_id in lead_ids]
    stone = {"erased_on": erased_on, "reason": reason}
    grown = Tombstones(known.key, {**dict.fromkeys(names, stone), **known.stones})
    try:
        keys.write(home / KEY, known.key)
        durable.replace(home / FILE, json.dumps({"erased": grown.stones}, indent=2, sort_keys=True) + "\n")
    except OSError as error:
        raise StorageError(
            f"'{FILE}' cannot be written", hint="free or fix the disk, then erase again"
        ) from error
    return grown


def _stones(path: Path) -> dict[str, dict[str, str]]:
    try:
        found = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {"erased": {}}
    except ValueError:
        found = None
    stones = found.get("erased") if isinstance(found, dict) else None
    if not isinstance(stones, dict):
        raise StorageError(f"'{FILE}' is damaged", hint="bring it back from a backup: it says who was erased")
    return stones
