"""A published run: an immutable folder with a manifest, and one atomic pointer that says which is in force.

Order of a publish: write into a staging folder → fsync files → fsync folder → rename to its id → fsync
``runs`` → replace ``CURRENT`` by rename → fsync ``runs``. A crash at any point leaves the old ranking or the
new one in force, whole. Readers follow ``CURRENT`` only.
"""

from __future__ import annotations

import errno
import glob
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from features import durable
from features.errors import LockedError, StorageError
from serve import parts
from serve.holder import holder

MANIFEST = "manifest.json"
POINTER = "CURRENT"
WITHDRAWN = "WITHDRAWN.json"
STAGING = ".staging-"
CLEANED = ".cleaned-"
"""Before the id of a run: its copy without leads that were erased, on the way to its place."""
FOLDER_MODE = 0o750
_BLOCK = 1 << 20
_NO_LOCKS = (errno.ENOSYS, errno.EOPNOTSUPP)
_LONGEST_NAME = 80  # of a run; whatever a damaged pointer holds beyond that is no name


@dataclass(frozen=True)
class Run:
    """One published run.

    Attributes
    ----------
    run_id
        Name of its folder: ``<as_of>-<digest>``.
    folder
        Where its files are.
    manifest
        ``as_of``, ``counts``, ``data_digest``, ``model``, and under ``files`` SHA-256 and bytes of each file.
    """

    run_id: str
    folder: Path
    manifest: Mapping[str, Any]

    @property
    def as_of(self) -> str:
        """The moment that the run ranks, ISO 8601 in UTC."""
        return str(self.manifest["as_of"])


def run_id(as_of: datetime, *digests: str) -> str:
    """Name of the run of a moment, a function of its inputs only.

    >>> run_id(datetime(2026, 6, 30), "data", "model")
    '20260630T000000Z-2a2917628174'
    """
    joined = hashlib.sha256("|".join((as_of.isoformat(), *digests)).encode()).hexdigest()
    return f"{as_of:%Y%m%dT%H%M%S}Z-{joined[:12]}"


@contextmanager
def lock(runs: Path) -> Iterator[None]:
    """Hold the only right to publish into ``runs``; the kernel frees it when the process dies.

    Raises
    ------
    LockedError
        Another run holds it.
    StorageError
        The folder cannot be made or written, or its file system has no locks.
    """
    from filelock import FileLock, Timeout

    try:
        if not runs.is_dir():
            runs.mkdir(parents=True, exist_ok=True)
            runs.chmod(FOLDER_MODE)
        tempfile.TemporaryFile(dir=runs).close()  # the lock may be writable where a new run is not
        held = FileLock(runs / ".lock", timeout=0, mode=durable.PUBLISHED, fallback_to_soft=False).acquire()
    except Timeout:
        by = holder(runs / ".lock")
        raise LockedError(
            f"another run holds the lock of '{runs.name}'" + (f" (process {by})" if by else ""),
            hint="wait until it ends, then start again",
        ) from None
    except OSError as error:
        if error.errno in _NO_LOCKS:
            raise StorageError(
                f"the file system of '{runs.name}' has no locks", hint="set score.runs to a local disk"
            ) from None
        raise _storage(error, runs) from error
    with held:
        yield


@contextmanager
def staging(runs: Path) -> Iterator[Path]:
    """A private folder for the files of a run in the making; removed unless it was published."""
    try:
        folder = Path(tempfile.mkdtemp(prefix=STAGING, dir=runs))
    except OSError as error:
        raise _storage(error, runs) from error
    try:
        yield folder
    except OSError as error:
        raise _storage(error, runs) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def publish(staged: Path, runs: Path, name: str, manifest: Mapping[str, Any]) -> Run:
    """Seal the staged files as run ``name`` and put it in force, unless a newer night is in force already.

    Parameters
    ----------
    staged
        Folder from ``staging`` with all files of the run.
    manifest
        Everything but ``files``; must hold ``as_of`` in ISO 8601.
    """
    sealed = {"run_id": name, **manifest, "files": described(staged)}
    seal(staged, sealed)
    target = runs / name
    if target.exists():  # a damaged copy of the same run: its content is a function of its name
        shutil.rmtree(target)
    staged.rename(target)
    durable.sync(runs)
    run = Run(name, target, sealed)
    put_in_force(run, runs)
    return run


def seal(staged: Path, manifest: Mapping[str, Any]) -> None:
    """Write the manifest, and make every file durable and readable for the group."""
    (staged / MANIFEST).write_text(json.dumps(manifest, indent=2, sort_keys=True), encoding="utf-8")
    for path in staged.rglob("*"):
        path.chmod(FOLDER_MODE if path.is_dir() else durable.PUBLISHED)
        durable.sync(path)
    staged.chmod(FOLDER_MODE)
    durable.sync(staged)


def described(folder: Path) -> dict[str, dict[str, Any]]:
    """SHA-256 and bytes of each file below a folder, by its path from there."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): _described(path) for path in paths}


def current(runs: Path) -> Run | None:
    """The run in force; None before the first.

    Raises
    ------
    StorageError
        The pointer names a run that is not there.
    """
    pointer = runs / POINTER
    if not pointer.is_file():
        return None
    name = pointer.read_bytes()[:_LONGEST_NAME].decode("ascii", "replace").strip()
    run = find(runs, name)
    if run is None:
        raise StorageError(
            f"the pointer '{POINTER}' names a run that is not there", hint="restore the run or score again"
        )
    return run


def find(runs: Path, name: str) -> Run | None:
    """A published run by its id; None if there is none."""
    if not name or name.startswith(".") or Path(name).name != name:
        return None
    places = (runs / name / MANIFEST, runs / f"{CLEANED}{name}" / MANIFEST)
    path = next((place for place in places if place.is_file()), None)
    if path is None:
        return None
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        manifest = None
    if not isinstance(manifest, dict) or not manifest.keys() >= {"as_of", "files"}:
        raise StorageError(
            f"the manifest of run '{name}' is damaged",
            hint=f"score that night again, or move the folder '{name}' out of '{runs.name}'",
        )
    return Run(name, path.parent, manifest)


def published(runs: Path) -> list[Run]:
    """All runs with a whole manifest, the latest moment first; `damaged` names the others."""
    every = [run for name in _names(runs) if (run := _find_whole(runs, name)) is not None]
    return sorted(every, key=lambda run: (run.as_of, run.run_id), reverse=True)


def damaged(runs: Path) -> list[str]:
    """Names of runs whose manifest says nothing any more: only scoring that night again brings one back."""
    return sorted(name for name in _names(runs) if _find_whole(runs, name) is None)


def _names(runs: Path) -> set[str]:
    names = {path.parent.name for path in runs.glob(f"[!.]*/{MANIFEST}")}
    return names | {path.parent.name.removeprefix(CLEANED) for path in runs.glob(f"{CLEANED}*/{MANIFEST}")}


def _find_whole(runs: Path, name: str) -> Run | None:
    try:
        return find(runs, name)
    except StorageError:
        return None


def made_of(runs: Path, name: str) -> list[Run]:
    """The run of this name and those that have replaced it (``<name>-r2`` and so on), in that order."""
    again = (path.name for path in runs.glob(f"{glob.escape(name)}-r*"))
    numbers = sorted(int(number) for each in again if (number := each.rpartition("-r")[2]).isdigit())
    found = (_find_whole(runs, each) for each in [name, *(f"{name}-r{number}" for number in numbers)])
    return [run for run in found if run is not None]


def replacing(runs: Path, name: str) -> str:
    """The name of the next run that replaces this one: readers of the old one are not disturbed."""
    made = [1, *(int(run.run_id.rpartition("-r")[2]) for run in made_of(runs, name) if run.run_id != name)]
    return f"{name}-r{max(made) + 1}"


def before(runs: Path, as_of: datetime) -> Run | None:
    """The latest run of an earlier moment that was not withdrawn; None if there is none."""
    gone = withdrawn(runs)
    earlier = (run for run in published(runs) if datetime.fromisoformat(run.as_of) < as_of)
    return next((run for run in earlier if run.run_id not in gone), None)


def withdrawn(runs: Path) -> dict[str, str]:
    """Runs that were taken out of force by hand: the reason by run id.

    Raises
    ------
    StorageError
        The list is damaged.
    """
    path = runs / WITHDRAWN
    try:
        found = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise StorageError(f"'{WITHDRAWN}' is damaged", hint=f"remove '{WITHDRAWN}' from the folder of runs")
    return found


def withdraw(run: Run, runs: Path, *, reason: str, instead: Run) -> None:
    """Put an earlier run in force in the place of one, which the same night will not put back.

    The list is written before the pointer moves: after a crash between the two the old run is still in force.
    """
    told = {**withdrawn(runs), run.run_id: reason}
    told.pop(instead.run_id, None)
    durable.replace(runs / WITHDRAWN, json.dumps(told, indent=2, sort_keys=True))
    durable.replace(runs / POINTER, instead.run_id + "\n")


def damaged_files(run: Run, only: str | None = None) -> list[str]:
    """Names of files that are missing or differ from the manifest; empty if the run is whole.

    A part that the manifest does not know is damage too: whoever reads the folder reads its rows.

    Parameters
    ----------
    only
        The one file to look at, with all its parts; all files if None.
    """
    files: Mapping[str, Mapping[str, Any]] = run.manifest["files"]
    asked = {name: entry for name, entry in files.items() if only in {None, name, parts.file_of(name)}}
    folders = {run.folder / file for name in asked if (file := parts.file_of(name)) != name}
    found = (path for folder in folders if folder.is_dir() for path in parts.of(folder))
    unknown = {path.relative_to(run.folder).as_posix() for path in found} - files.keys()
    damaged = [name for name, entry in asked.items() if not _is_whole(run.folder / name, entry)]
    return damaged + sorted(unknown)


def digest_of(run: Run, name: str) -> str | None:
    """SHA-256 of a file as published, or of the digests of its parts; None if the run has no such file."""
    files: Mapping[str, Mapping[str, Any]] = run.manifest["files"]
    if name in files:
        return str(files[name]["sha256"])
    digests = [files[each]["sha256"] for each in sorted(files) if parts.file_of(each) == name]
    return hashlib.sha256("".join(digests).encode()).hexdigest() if digests else None


def _is_whole(path: Path, entry: Mapping[str, Any]) -> bool:
    return path.is_file() and _sha256(path) == entry["sha256"]


def put_in_force(run: Run, runs: Path) -> None:
    """Point ``CURRENT`` at a published run, unless a newer night or this very run is in force already."""
    in_force = current_or_none(runs)
    if in_force is not None and (in_force.as_of > run.as_of or in_force.run_id == run.run_id):
        return  # a backfill never takes the place of a newer night
    if run.run_id not in withdrawn(runs):
        durable.replace(runs / POINTER, run.run_id + "\n")


def current_or_none(runs: Path) -> Run | None:
    """The run in force; None if there is none or its pointer is damaged."""
    try:
        return current(runs)
    except StorageError:
        return None


def _described(path: Path) -> dict[str, Any]:
    return {"sha256": _sha256(path), "bytes": path.stat().st_size}


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _storage(error: OSError, runs: Path) -> StorageError:
    return StorageError(
        f"writing to '{runs.name}' failed ({os.strerror(error.errno or 0).lower()})",
        hint="free or fix the disk and start again; the last published ranking is in force",
    )
