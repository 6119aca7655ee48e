"""Leads leave the published runs: each run that has them is replaced by a copy without their rows.

The others keep the ranks that they were published with: a gap is honest. The manifest says how many leads are
gone (``erased``), and its digests are those of the files as they are now.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from serve import parts
from serve import runs as published
from serve.runs import MANIFEST, Run
from serve.swapping import swap
from serve.without import Gone, rows_of

RANKING = "ranking.parquet"


@dataclass(frozen=True)
class Cleaned:
    """One run that had rows of the leads.

    Attributes
    ----------
    run_id
        Its id.
    files
        Rows that are gone (or would be) by file; empty if a file cannot be read.
    problem
        Why it could not be cleaned; None if it was, or would be.
    """

    run_id: str
    files: dict[str, int]
    problem: str | None = None


def erase(folder: Path, gone: Gone, *, is_dry: bool = False) -> Iterator[Cleaned]:
    """Take the leads out of every published run; the caller holds `runs.lock`.

    Yields
    ------
    Cleaned
        Each run that had them, the latest first, once it is cleaned. A run with an unreadable file is left
        as it is, and says so; so are those without a readable manifest, at the end.

    Raises
    ------
    LockedError
        Somebody reads a run; those before it are clean, and the next call goes on.
    StorageError
        The disk refuses.
    """
    for run in published.published(folder):
        try:
            found = {name: rows for name in _names(run) if (rows := rows_of(run.folder / name, gone))}
        except (pa.ArrowException, OSError):
            yield Cleaned(run.run_id, {}, "a file cannot be read: score that night again, or remove the run")
            continue
        if found and not is_dry:
            with published.staging(folder) as staged:
                _copy(run, staged, gone, found)
                swap(folder, staged, run.run_id)
        if found:
            yield Cleaned(run.run_id, _by_file(found))
    for name in published.damaged(folder):
        yield Cleaned(name, {}, "its manifest cannot be read: score that night again, or remove the folder")


def _by_file(found: dict[str, int]) -> dict[str, int]:
    """Rows that are gone, by file: those of its parts together."""
    told: dict[str, int] = {}
    for name, rows in found.items():
        told[parts.file_of(name)] = told.get(parts.file_of(name), 0) + rows
    return told


def _names(run: Run) -> list[str]:
    """Every file of the run, also one that its manifest does not know."""
    paths = (path for path in sorted(run.folder.rglob("*")) if path.is_file() and path.name != MANIFEST)
    return [path.relative_to(run.folder).as_posix() for path in paths]


def _copy(run: Run, staged: Path, gone: Gone, found: dict[str, int]) -> None:
    """The sealed copy: changed files are written anew, the others are the same files under a second name."""
    before = set(published.damaged_files(run))
    for name in _names(run):
        target = staged / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if name in found:
            rows_of(run.folder / name, gone, target)
        else:
            os.link(run.folder / name, target)
    now = published.described(staged)
    known = run.manifest["files"]
    # What was damaged before stays so: a copy must not make a torn file look whole.
    files = {name: known[name] if name in before else now[name] for name in known}
    published.seal(staged, _manifest(run.manifest, found) | {"files": files})


def _manifest(manifest: Any, found: dict[str, int]) -> dict[str, Any]:
    leads = _by_file(found).get(RANKING, 0)
    counts = {**manifest["counts"], "ranked": manifest["counts"]["ranked"] - leads}
    return {**manifest, "counts": counts, "erased": manifest.get("erased", 0) + leads}
