"""Rows of a large table in parts, converted on the engine's machines by the very SQL of the command.

Each task reads a few parts that its machine sees, and leaves converted rows beside the others' in a folder
that all see; the command only takes them in. What counts, refuses or compares rows of the whole table stays
with the command, so that a load is the same wherever its rows were converted.
"""

# ruff: noqa: S608  # files go through quoted(), and queries are the command's own

from __future__ import annotations

import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol, runtime_checkable

import duckdb

from features.errors import StorageError
from features.ingest.scan import Piece, Scan, damaged
from features.ingest.sql import quoted
from features.machine import refusal

FEWEST_ROWS = 1_000_000
"""Rows of a table below which sending tasks takes longer than converting here."""
ROWS_PER_TASK, PARTS_PER_TASK = 500_000, 64
_ASKED, _MADE, _REFUSED = ".sql", ".parquet", ".refused"


@runtime_checkable
class Executors(Protocol):
    """An engine with machines of its own: see `features.backend.Wide`."""

    @property
    def shared(self) -> Path:
        """A folder that its machines see under the same path."""

    def sees(self, file: Path) -> bool:
        """Whether its machines see a file of the command's under the same path."""

    def each(self, work: Callable[[int], None], places: int) -> None:
        """Do ``work`` for each number from 0 on, below ``places``, on the engine's machines."""


@contextmanager
def converted(scan: Scan, query: Callable[[Scan], str], executors: Executors | None) -> Iterator[str]:
    """SQL of the converted rows of a table: the query itself, or what executors have made of it.

    Parameters
    ----------
    query
        From a scan to the SQL that converts its rows.
    executors
        Who converts a table in parts, if it is large and they see every part; None: the command does.

    Raises
    ------
    InputError
        A part is damaged.
    StorageError
        A disk or the memory of an executor does not suffice.
    UpstreamError
        The engine has failed.
    """
    pieces = [] if executors is None else _pieces(scan, executors)
    if executors is None or not pieces:
        yield query(scan)
        return
    tasks = list(_tasks(pieces))
    folder = Path(tempfile.mkdtemp(prefix="converted-", dir=executors.shared))
    try:
        for place, task in enumerate(tasks):
            asked = query(replace(scan, reader=_reader(task)))
            (folder / f"{place}{_ASKED}").write_text(asked, encoding="utf-8")
        executors.each(_Conversion(folder), len(tasks))
        _refuse_what_failed(folder, scan.name)
        made = ", ".join(quoted(str(folder / f"{place}{_MADE}")) for place in range(len(tasks)))
        yield f"SELECT * FROM read_parquet([{made}])"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@dataclass(frozen=True)
class _Conversion:
    """What a machine does for its place; done twice, it comes out the same.

    What is asked lies in the folder: of a table of ten thousand tasks it would be too much to travel to each.
    """

    folder: Path

    def __call__(self, place: int) -> None:
        asked = (self.folder / f"{place}{_ASKED}").read_text(encoding="utf-8")
        fresh = self.folder / f".new-{uuid.uuid4().hex}"
        try:
            with duckdb.connect(config={"threads": 1}) as connection:
                connection.execute("SET TimeZone = 'UTC'")
                connection.execute(f"COPY ({asked}) TO {quoted(str(fresh))} (FORMAT parquet)")
        except duckdb.Error as error:
            # DuckDB's own words may quote a cell: only what the machine refused is told.
            said = refusal(error)
            (self.folder / f"{place}{_REFUSED}").write_text(said.reason if said else "", encoding="utf-8")
        else:
            fresh.replace(self.folder / f"{place}{_MADE}")


def _pieces(scan: Scan, executors: Executors) -> Sequence[Piece]:
    """The parts of a table, if it is worth while to send them and executors see each; none otherwise."""
    if scan.pieces is None or scan.rows < FEWEST_ROWS:
        return []
    pieces = scan.pieces()
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


def _reader(pieces: Sequence[Piece]) -> str:
    return f"({' UNION ALL '.join(piece.query for piece in pieces)})"


def _refuse_what_failed(folder: Path, name: str) -> None:
    for file in sorted(folder.glob(f"*{_REFUSED}")):
        if reason := file.read_text(encoding="utf-8"):
            raise StorageError(
                f"an executor could not convert its part of '{name}': {reason}",
                hint="give the executors more memory (engine.settings), or free the disk of engine.shared",
            )
        raise damaged(name)
