"""The object that says which run of a store is in force: it moves by conditional put, so nobody is run over.

A store that takes conditions and does not keep them would let two publishers overwrite each other in silence:
whether it keeps them is tried before the pointer moves.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime

from features.errors import LockedError, Place, StorageError, UpstreamError
from features.ingest.objects import AbsentError, ConditionError
from features.ingest.objects_store import Store

POINTER = "CURRENT"
_TRIAL = "CONDITIONS"
_MOVES = 20
_MOST_BYTES = 1 << 20
_NO_ETAG = '"00000000000000000000000000000000"'


@dataclass(frozen=True)
class Pointer:
    """Which run is in force, and where.

    Attributes
    ----------
    run_id, as_of
        The run, and the moment that it ranks.
    folder
        Where its objects are, below the prefix.
    manifest_sha256
        Of its ``manifest.json``, in hexadecimal.
    erased
        Leads that were taken out of it since it was published.
    withdrawn
        Runs that were taken out of force by hand: the reason by run id.
    """

    run_id: str
    as_of: str
    folder: str
    manifest_sha256: str
    erased: int = 0
    withdrawn: Mapping[str, str] = field(default_factory=dict)


def read(store: Store, prefix: str) -> tuple[Pointer | None, str]:
    """The pointer and its ``etag``; None before the first.

    Raises
    ------
    StorageError
        The object is no pointer.
    UpstreamError
        The store does not answer, or refuses.
    """
    found = store.read(f"{prefix}{POINTER}", _MOST_BYTES)
    if found is None:
        return None, ""
    try:
        pointer = Pointer(**json.loads(found[0]))
        datetime.fromisoformat(pointer.as_of)
    except (ValueError, TypeError):
        raise StorageError(
            f"the object '{POINTER}' of sinks.objects says nothing",
            hint="remove it, then `leadrank publish --resume`",
            place=Place(stage="sinks", file=f"{prefix}{POINTER}"),
        ) from None
    return pointer, found[1]


def move(store: Store, prefix: str, to: Pointer) -> Pointer:
    """Point at a run, unless a later night is in force and was not withdrawn; the pointer as it is then.

    Parameters
    ----------
    to
        Where to; its ``withdrawn`` are those that this host knows.

    Raises
    ------
    LockedError
        Others move it without end.
    UpstreamError
        The store does not answer, refuses, or keeps no conditions.
    """
    is_tried = False
    for _ in range(_MOVES):
        standing, etag = read(store, prefix)
        if standing is not None and not _gives_way(standing, to):
            return standing
        known = {**(standing.withdrawn if standing else {}), **to.withdrawn}
        fresh = replace(to, withdrawn={name: why for name, why in known.items() if name != to.run_id})
        if standing == fresh:
            return fresh
        if not is_tried:
            _try_conditions(store, f"{prefix}{_TRIAL}")
            is_tried = True
        body = json.dumps(asdict(fresh), indent=2, sort_keys=True).encode()
        condition = {"IfMatch": etag} if standing else {"IfNoneMatch": "*"}
        try:
            store.put(f"{prefix}{POINTER}", body, **condition)
        except (ConditionError, AbsentError):
            continue  # somebody moved it, or an answer was lost on the way: look again
        return fresh
    raise LockedError(
        "the pointer of sinks.objects keeps moving", hint="wait until that ends, then start again"
    )


def _gives_way(standing: Pointer, to: Pointer) -> bool:
    if standing.run_id == to.run_id:
        return to.erased >= standing.erased  # a host whose copy still has erased leads changes nothing
    is_later = datetime.fromisoformat(standing.as_of) > datetime.fromisoformat(to.as_of)
    return not is_later or standing.run_id in to.withdrawn


def _try_conditions(store: Store, key: str) -> None:
    """Refuse a store that writes although a condition does not hold."""
    body = b"whether conditional puts are kept is tried on this object\n"
    try:
        store.put(key, body, IfNoneMatch="*")
    except ConditionError:
        is_kept = True
    else:
        is_kept = _is_kept(store, key, body, IfNoneMatch="*")
    if not (is_kept and _is_kept(store, key, body, IfMatch=_NO_ETAG)):
        raise UpstreamError(
            "the object store keeps no conditions (If-None-Match, If-Match) of a put",
            hint="use a store that does, or two hosts overwrite each other; the ranking is published here",
            place=Place(stage="sinks"),
        )


def _is_kept(store: Store, key: str, body: bytes, **condition: str) -> bool:
    try:
        store.put(key, body, **condition)
    except ConditionError:
        return True
    return False
