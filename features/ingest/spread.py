"""Rows of a large table in parts, converted on the engine's machines by the very SQL of the command.

Each task reads a few parts that its machine sees, and leaves converted rows beside the others' in a folder
that all see; the command only takes them in. What counts, refuses or compares rows of the whole table stays
with the command, so that a load is the same wherever its rows were converted.
"""

# ruff: noqa: S608  # files go through quoted(), and queries are the command's own

from __future__ import annotations

import json
import os
import shutil
import tempfile
import uuid
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol, runtime_checkable

import duckdb

from features.errors import LeadrankError, StorageError
from features.ingest.scan import Piece, Scan, damaged
from features.ingest.sql import quoted
from features.machine import refusal

FEWEST_ROWS = 1_000_000
"""Rows of a table below which sending tasks takes longer than converting here."""
ROWS_PER_TASK, PARTS_PER_TASK = 500_000, 64
_ASKED, _MADE = ".json", ".parquet"
_DAMAGED, _MEMORY, _DISK, _UNSEEN = ".damaged", ".memory", ".disk", ".unseen"
_UNSEEN_HINT = (
    "executors must see the table and engine.shared under the paths that the command has, and run as its user"
)


@runtime_checkable
class Executors(Protocol):
    """What a load needs of an engine with machines of its own."""

    @property
    def shared(self) -> Path:
        """A folder that its machines see under the same path."""

    def sees(self, file: Path) -> bool:
        """Whether its machines see a file of the command's under the same path."""

    def each(self, work: Callable[[int], None], places: int) -> None:
        """As `features.backend.Wide.each`."""


@contextmanager
def converted_rows(
    scan: Scan, positions: Collection[int], query: Callable[[Scan], str], executors: Executors | None
) -> Iterator[str]:
    """SQL of the converted rows of a table: the query itself, or what executors have made of it.

    Parameters
    ----------
    positions
        Of the columns that the query reads.
    query
        From a scan to the SQL that converts its rows.
    executors
        Who converts a table in parts, if it is large and they see every part; None: the command does.

    Raises
    ------
    InputError
        A part is damaged.
    StorageError
        A disk or the memory of an executor does not suffice, or it does not see a file.
    UpstreamError
        The engine has failed.
    """
    pieces = [] if executors is None else _pieces(scan, positions, executors)
    if executors is None or not pieces:
        yield query(scan)
        return
    tasks = list(_tasks(pieces))
    folder = Path(tempfile.mkdtemp(prefix="converted-", dir=executors.shared))
    try:
        for place, task in enumerate(tasks):
            asked = {
                "files": [str(piece.file) for piece in task],
                "query": query(replace(scan, reader=_all(task))),
            }
            (folder / f"{place}{_ASKED}").write_text(json.dumps(asked), encoding="utf-8")
        executors.each(_Conversion(folder), len(tasks))
        made = [folder / f"{place}{_MADE}" for place in range(len(tasks))]
        for file in made:
            if not file.exists():
                raise _refused(file, scan.name)
        listed = ", ".join(quoted(str(file)) for file in made)
        # The folder's own path may have a part such as `country=DE`: it is no column.
        yield f"SELECT * FROM read_parquet([{listed}], hive_partitioning = false)"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@dataclass(frozen=True)
class _Conversion:
    """What a machine does for its place; done twice, it comes out the same.

    What is asked lies in the folder: of a table of ten thousand tasks it would be too much to travel to each.
    """

    folder: Path

    def __call__(self, place: int) -> None:
        asked = json.loads((self.folder / f"{place}{_ASKED}").read_text(encoding="utf-8"))
        fresh, spill = (self.folder / f".{what}-{uuid.uuid4().hex}" for what in ("new", "spill"))
        try:
            with duckdb.connect(config={"threads": 1, "temp_directory": str(spill)}) as connection:
                connection.execute("SET TimeZone = 'UTC'")
                connection.execute(f"COPY ({asked['query']}) TO {quoted(str(fresh))} (FORMAT parquet)")
        except duckdb.Error as error:
            why = _why(error, asked["files"])
        else:
            fresh.replace(self.folder / f"{place}{_MADE}")
            return
        # A name alone: DuckDB's own words may quote a cell, and a full disk takes no text.
        (self.folder / f"{place}{why}").touch()


def _why(error: duckdb.Error, files: Sequence[str]) -> str:
    if isinstance(error, duckdb.OutOfMemoryException):
        return _MEMORY
    if not all(os.access(file, os.R_OK) for file in files):
        return _UNSEEN
    return _DAMAGED if refusal(error) is None else _DISK


def _refused(missing: Path, name: str) -> LeadrankError:
    """Why there are no rows of a task."""
    if missing.with_suffix(_DAMAGED).exists():
        return damaged(name)
    if missing.with_suffix(_MEMORY).exists():
        return StorageError(
            f"an executor has too little memory to convert its part of '{name}'",
            hint="give the executors more (engine.settings), or write the table in smaller parts",
        )
    if missing.with_suffix(_DISK).exists():
        return StorageError(
            f"the disk of engine.shared refuses what an executor has converted of '{name}'",
            hint="free or mend it and start again; the last published ranking is in force",
        )
    return StorageError(
        f"an executor and the command do not see the same files of '{name}'", hint=_UNSEEN_HINT
    )


def _pieces(scan: Scan, positions: Collection[int], executors: Executors) -> Sequence[Piece]:
    """The parts of a table, if it is worth while to send them and executors see each; none otherwise."""
    if scan.pieces is None or scan.rows < FEWEST_ROWS:
        return []
    pieces = scan.pieces({scan.names[at] for at in positions})
    return pieces if all(executors.sees(piece.file) for piece in pieces) else []


def _tasks(pieces: Sequence[Piece]) -> Iterator[list[Piece]]:
    """Neighbours together, until they are enough for a task."""
    task: list[Piece] = []
    for piece in pieces:
        task.append(piece)
        if sum(p.rows for p in task) >= ROWS_PER_TASK or len(task) == PARTS_PER_TASK:
            yield task
            task = []
    if task:
        yield task


def _all(pieces: Sequence[Piece]) -> str:
    return f"({' UNION ALL '.join(piece.query for piece in pieces)})"
