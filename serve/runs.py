"""A published run: an immutable folder with a manifest, and one atomic pointer that says which is in force.

Order of a publish: write into a staging folder → fsync files → fsync folder → rename to its id → fsync
``runs`` → replace ``CURRENT`` by rename → fsync ``runs``. A crash at any point leaves the old ranking or the
new one in force, whole. Readers follow ``CURRENT`` only.
"""

from __future__ import annotations

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

from features.errors import LockedError, StorageError

MANIFEST = "manifest.json"
POINTER = "CURRENT"
WITHDRAWN = "WITHDRAWN.json"
STAGING = ".staging-"
_BLOCK = 1 << 20


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
        The folder cannot be made or written.
    """
    from filelock import FileLock, Timeout

    try:
        runs.mkdir(mode=0o750, parents=True, exist_ok=True)
        held = FileLock(runs / ".lock", timeout=0).acquire()
    except Timeout:
        raise LockedError(
            f"another run holds the lock of '{runs.name}'", hint="wait until it ends, then start again"
        ) from None
    except OSError as error:
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
    paths = sorted(path for path in staged.rglob("*") if path.is_file())
    files = {path.relative_to(staged).as_posix(): _described(path) for path in paths}
    sealed = {"run_id": name, **manifest, "files": files}
    (staged / MANIFEST).write_text(json.dumps(sealed, indent=2, sort_keys=True), encoding="utf-8")
    for path in staged.rglob("*"):
        path.chmod(0o750 if path.is_dir() else 0o640)
        _sync(path)
    staged.chmod(0o750)
    _sync(staged)
    target = runs / name
    if target.exists():  # a damaged copy of the same run: its content is a function of its name
        shutil.rmtree(target)
    staged.rename(target)
    _sync(runs)
    run = Run(name, target, sealed)
    put_in_force(run, runs)
    return run


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
    name = pointer.read_text(encoding="utf-8").strip()
    run = find(runs, name)
    if run is None:
        raise StorageError(
            f"the pointer '{POINTER}' names a run that is not there", hint="restore the run or score again"
        )
    return run


def find(runs: Path, name: str) -> Run | None:
    """A published run by its id; None if there is none."""
    path = runs / name / MANIFEST
    if not name or name.startswith(".") or Path(name).name != name or not path.is_file():
        return None
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        manifest = None
    if not isinstance(manifest, dict) or not manifest.keys() >= {"as_of", "files"}:
        raise StorageError(f"the manifest of run '{name}' is damaged", hint="score again")
    return Run(name, path.parent, manifest)


def published(runs: Path) -> list[Run]:
    """All runs, the latest moment first."""
    names = [path.parent.name for path in runs.glob(f"[!.]*/{MANIFEST}")]
    every = [run for name in names if (run := find(runs, name)) is not None]
    return sorted(every, key=lambda run: (run.as_of, run.run_id), reverse=True)


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
    _replaced(runs / WITHDRAWN, json.dumps(told, indent=2, sort_keys=True))
    _replaced(runs / POINTER, instead.run_id + "\n")


def damaged_files(run: Run) -> list[str]:
    """Names of files that are missing or differ from the manifest; empty if the run is whole."""
    files: Mapping[str, Mapping[str, Any]] = run.manifest["files"]
    return [name for name, entry in files.items() if not _is_whole(run.folder / name, entry)]


def _is_whole(path: Path, entry: Mapping[str, Any]) -> bool:
    return path.is_file() and _sha256(path) == entry["sha256"]


def put_in_force(run: Run, runs: Path) -> None:
    """Point ``CURRENT`` at a published run, unless a newer night or this very run is in force already."""
    in_force = current_or_none(runs)
    if in_force is not None and (in_force.as_of > run.as_of or in_force.run_id == run.run_id):
        return  # a backfill never takes the place of a newer night
    if run.run_id not in withdrawn(runs):
        _replaced(runs / POINTER, run.run_id + "\n")


def _replaced(path: Path, text: str) -> None:
    """Write a small file so that a crash leaves the old one or the new one."""
    fresh = path.with_name(f"{path.name}.new")
    fresh.write_text(text, encoding="utf-8")
    _sync(fresh)
    fresh.replace(path)
    _sync(path.parent)


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


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _storage(error: OSError, runs: Path) -> StorageError:
    return StorageError(
        f"writing to '{runs.name}' failed ({os.strerror(error.errno or 0).lower()})",
        hint="free or fix the disk and start again; the last published ranking is in force",
    )
