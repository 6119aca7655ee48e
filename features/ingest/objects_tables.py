"""Tables of an object store: their objects are fetched into the command's scratch folder, and read there.

The load reads a source several times (the survey of a CSV file, the footer of a Parquet file, its rows) and
tells rows by their place: over the network each of these would be asked for again, maybe of another version.
Every block is asked for by the version that was listed first, so that one file is always one version.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from glob import has_magic
from itertools import takewhile
from pathlib import Path

from features.errors import InputError, Place, StorageError
from features.ingest.objects import SCHEME, AbsentError, Address, ConditionError, Seen, address
from features.ingest.objects_store import Store
from features.ingest.parts import Part, parts

_ROOT = "s3:"
_FOLDER_MARK = "_$folder$"
_STAGE = "ingest"


@dataclass(frozen=True)
class Fetched:
    """A declared path, here.

    Attributes
    ----------
    file
        The one object as a file; None for a table in parts.
    parts
        The parts as files, under the names that they have in the store.
    """

    file: Path | None
    parts: tuple[Part, ...] = ()


@contextmanager
def fetched(path: str, work: Path, *, is_csv: bool) -> Iterator[Fetched]:
    """The objects that a declared path means, as files below ``work``.

    Parameters
    ----------
    path
        ``s3://bucket/key`` of an object, of a folder of Parquet parts, or with a pattern of them.
    work
        Private folder.
    is_csv
        Whether the table is a CSV file: that is one object.

    Raises
    ------
    InputError
        The bucket or the objects are missing, the objects changed meanwhile, or `parts` refuses them.
    StorageError
        They do not fit on the disk.
    UpstreamError
        The store does not answer, or refuses.
    ParameterError
        The path names no bucket, or s3fs is not installed.
    """
    place = address(path)
    with Store(place.bucket, stage=_STAGE) as store:
        try:
            found = _fetched(store, place, path, work, is_csv=is_csv)
        except AbsentError as error:
            raise _missing(path, is_bucket=error.is_bucket) from None
        except ConditionError:
            raise _changed(path) from None
    yield found


def appearance(path: str) -> str:
    """What tells two versions of the objects of a path apart.

    Raises
    ------
    InputError, UpstreamError, ParameterError
        As `fetched`.
    """
    place = address(path)
    with Store(place.bucket, stage=_STAGE) as store:
        try:
            one = _one(store, place)
            seen = [one] if one is not None else list(store.listed(_start(place.key)))
        except AbsentError as error:
            raise _missing(path, is_bucket=error.is_bucket) from None
    if not seen:
        raise _missing(path)
    return hashlib.sha256(repr([(each.key, each.bytes, each.etag) for each in seen]).encode()).hexdigest()


def _fetched(store: Store, place: Address, path: str, work: Path, *, is_csv: bool) -> Fetched:
    one = _one(store, place)
    if one is None and is_csv:
        raise _missing(path)
    if one is not None:
        _room_for([one], work)
        file = work / "object"
        store.fetch(one, file)
        return Fetched(file)
    before = list(store.listed(_start(place.key)))
    if not before:
        raise _missing(path)
    found = _drawn(before, place, path, work)
    _room_for([seen for seen, _ in found], work)
    for seen, part in found:
        store.fetch(seen, part.file)
    if list(store.listed(_start(place.key))) != before:
        raise ConditionError
    return Fetched(None, tuple(part for _, part in found))


def _one(store: Store, place: Address) -> Seen | None:
    """The object of this very key, as a file has it that is called like a pattern."""
    return None if not place.key or place.key.endswith("/") else store.head(place.key)


def _start(key: str) -> str:
    """What all keys below a folder, or of a pattern, begin with: whole folders."""
    fixed = list(takewhile(lambda piece: not has_magic(piece), key.split("/")))
    return "".join(f"{piece}/" for piece in fixed if piece)


def _drawn(listed: Sequence[Seen], place: Address, path: str, work: Path) -> list[tuple[Seen, Part]]:
    """The objects that are parts: empty files in their places are judged by the rules of files."""
    home = work / _ROOT / place.bucket
    by_file: dict[Path, Seen] = {}
    for seen in listed:
        if not seen.key.endswith(("/", _FOLDER_MARK)):  # marks of folders, which some tools leave
            by_file[_placed(home, seen, path)] = seen
    declared = f"{_ROOT}/{place.bucket}/{place.key.rstrip('/')}"
    try:
        found = parts(declared, work)
    except InputError as error:
        raise InputError(
            _as_declared(error.reason), hint=error.hint, place=Place(stage=_STAGE, file=path)
        ) from None
    return [(by_file[part.file], replace(part, name=_as_declared(part.name))) for part in found]


def _placed(home: Path, seen: Seen, path: str) -> Path:
    """An empty file where the object's would be."""
    pieces = seen.key.split("/")
    file = home.joinpath(*pieces)
    try:
        if {"", ".", ".."} & set(pieces):
            raise FileExistsError
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    except (OSError, ValueError):
        raise InputError(
            f"an object of '{path}' has a key that no file can have",
            hint="rename it, or name the parts by a pattern",
            place=Place(stage=_STAGE, file=f"{SCHEME}{home.name}/{seen.key}"),
        ) from None
    return file


def _as_declared(text: str) -> str:
    return text.replace(f"{_ROOT}/", SCHEME)


def _room_for(seen: Sequence[Seen], work: Path) -> None:
    needed, free = sum(each.bytes for each in seen), shutil.disk_usage(work).free
    if needed > free:
        raise StorageError(
            f"the objects have {needed:,} bytes, and the disk of '.leadrank' has {free:,} left",
            hint="free the disk, or declare fewer parts",
        )


def _missing(path: str, *, is_bucket: bool = False) -> InputError:
    what = "the bucket of" if is_bucket else "object"
    return InputError(
        f"{what} '{path}' cannot be found",
        hint="check the path, AWS_ENDPOINT_URL and the rights of the keys",
        place=Place(stage=_STAGE, file=path),
    )


def _changed(path: str) -> InputError:
    return InputError(
        f"'{path}' changed while it was read",
        hint="let the export finish, or write under another key",
        place=Place(stage=_STAGE, file=path),
    )
