"""A night that was published already: leave it, check that it comes out the same, or make it anew."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from features.errors import StorageError
from serve import runs


class IfExists(StrEnum):
    """What `leadrank score` does about a night that stands."""

    SKIP = "skip"
    VERIFY = "verify"
    REPLACE = "replace"


def standing(folder: Path, name: str) -> runs.Run | None:
    """The latest whole run of a name: itself, or what has replaced it."""
    found = [run for run in runs.made_of(folder, name) if not runs.damaged_files(run)]
    return found[-1] if found else None


def of_night(folder: Path, as_of: datetime) -> runs.Run | None:
    """The run of a moment that was published last; None if there is none, or it is damaged."""
    found = [run for run in runs.published(folder) if datetime.fromisoformat(run.as_of) == as_of]
    in_force = runs.current_or_none(folder)
    known = {run.run_id: run for run in found}
    run = known.get(in_force.run_id) if in_force is not None else None
    run = run or (found[0] if found else None)
    return None if run is None or runs.damaged_files(run) else run


def compared_with(night: runs.Run) -> runs.Run | None:
    """The run that the ledger of a published one compares with, whatever was published since; None: none.

    Raises
    ------
    StorageError
        It is gone, so the ledger cannot come out the same.
    """
    told = night.manifest.get("changes")
    if told is None:
        return None
    found = runs.find(night.folder.parent, told["previous_run"])
    if found is None:
        raise StorageError(
            f"run '{told['previous_run']}', which run '{night.run_id}' was compared with, is gone",
            hint="without it the night cannot be made again; `--if-exists replace` publishes it anew",
        )
    return found


def check_same(run: runs.Run, staged: Path) -> None:
    """Hold what was made again against what was published.

    Raises
    ------
    StorageError
        A file differs: its name is told.
    """
    differ = differing(run.manifest["files"], runs.described(staged))
    if differ:
        raise StorageError(
            f"made again, {len(differ)} files of run '{run.run_id}' differ: {', '.join(differ)}",
            hint="leads were erased from it, so it cannot come out the same"
            if run.manifest.get("erased")
            else "the code or a library has changed since; `--if-exists replace` publishes what is made now",
        )


def differing(published: Mapping[str, Mapping[str, Any]], made: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Names of files that only one side has, or that have another content.

    >>> differing({"a": {"sha256": "1"}, "b": {"sha256": "2"}}, {"a": {"sha256": "1"}})
    ['b']
    """
    names = sorted(published.keys() | made.keys())
    return [name for name in names if _digest(published, name) != _digest(made, name)]


def _digest(files: Mapping[str, Mapping[str, Any]], name: str) -> object:
    return files.get(name, {}).get("sha256")
