"""The rows of a file of a run, whether it is one file or a folder of parts (`serve.parts`).

Parts have the same bytes whoever writes them, in whatever pieces the rows came.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from itertools import groupby, pairwise
from operator import itemgetter
from pathlib import Path
from types import TracebackType

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from serve.parts import of, part

GROUP_ROWS = 20_000
"""Rows of a row group, so that a part of any size is written in little memory and one lead is found soon."""
PLACE = "_part"
"""Column that says which part a row belongs to, where rows are not counted; it is not written."""


def rows(file: Path) -> int:
    """How many rows a file, or all its parts, have."""
    return sum(pq.read_metadata(path).num_rows for path in of(file))


def schema(file: Path) -> pa.Schema:
    """The columns of a file or of its parts."""
    return pq.read_schema(of(file)[0])


def column(file: Path, name: str) -> pa.ChunkedArray:
    """One column of a file or of its parts, in the order of the rows."""
    return pa.chunked_array(
        [chunk for path in of(file) for chunk in pq.read_table(path, columns=[name]).column(0).chunks],
        schema(file).field(name).type,
    )


def chunks(file: Path, most: int) -> Iterator[tuple[int, pa.Table]]:
    """The rows, so many at a time at most and never of two parts, each with the place of its first one."""
    start = 0
    for path in of(file):
        with pq.ParquetFile(path) as opened:
            for batch in opened.iter_batches(most):
                yield start, pa.Table.from_batches([batch])
                start += batch.num_rows


def tables(file: Path) -> Iterator[tuple[int, pa.Table]]:
    """A file as one table, or a table of each part, each with the place of its first row."""
    start = 0
    for path in of(file):
        table = pq.read_table(path)
        yield start, table
        start += table.num_rows


def write(reader: pa.RecordBatchReader, file: Path, part_leads: int) -> None:
    """Write rows as parts of so many each; the last may have fewer."""
    _write(reader.schema, _counted(reader, part_leads), file, 1)


def write_placed(reader: pa.RecordBatchReader, file: Path, parts: int) -> None:
    """Write rows into the parts that their column ``_part`` names, which rises; it is not written itself."""
    _write(reader.schema, _placed(reader), file, parts)


class Part(AbstractContextManager["Part"]):
    """Writes one part; its bytes follow from its rows alone.

    Parameters
    ----------
    path
        The file.
    columns
        Their types; the names of a reader's own notes are left out.
    """

    def __init__(self, path: Path, columns: pa.Schema) -> None:
        self._schema = columns.remove_metadata()
        # A dictionary of numbers that all differ costs five times the rest.
        words = [field.name for field in self._schema if not pa.types.is_floating(field.type)]
        self._writer = pq.ParquetWriter(path, self._schema, use_dictionary=words)
        self._held: list[pa.Table] = []
        self._rows = 0

    def add(self, table: pa.Table) -> None:
        """Append rows."""
        self._held.append(table.replace_schema_metadata(None).cast(self._schema))
        self._rows += table.num_rows
        while self._rows >= GROUP_ROWS:
            self._write_group()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write what is held, and close the file."""
        if kind is None and self._rows:
            self._write_group()
        self._writer.close()

    def _write_group(self) -> None:
        rows = pa.concat_tables(self._held)
        self._writer.write_table(rows[:GROUP_ROWS].combine_chunks())
        rest = rows[GROUP_ROWS:]
        self._held, self._rows = [rest], rest.num_rows


class Growing(AbstractContextManager["Growing"]):
    """Writes tables as they come, a row group each, into a file or into the part of their first lead.

    Parameters
    ----------
    part_leads
        Leads of a part; None: one file.
    """

    def __init__(self, file: Path, part_leads: int | None = None) -> None:
        self._file, self._part_leads = file, part_leads
        self._place: int | None = None
        self._writer: pq.ParquetWriter | None = None
        if part_leads is not None:
            file.mkdir()

    def add(self, table: pa.Table, start: int) -> None:
        """Append a table of leads of one part, of which the first has the place ``start`` among all."""
        place = None if self._part_leads is None else start // self._part_leads
        if self._writer is None or place != self._place:
            self._close()
            path = self._file if place is None else part(self._file, place)
            self._place, self._writer = place, pq.ParquetWriter(path, table.schema)
        self._writer.write_table(table)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file."""
        self._close()

    def _close(self) -> None:
        if self._writer is not None:
            self._writer.close()


def _write(columns: pa.Schema, pieces: Iterable[tuple[int, pa.Table]], file: Path, parts: int) -> None:
    """Write pieces of rising places; a part that none has is there, and empty."""
    kept = pa.schema([field for field in columns if field.name != PLACE])
    file.mkdir()
    done = 0
    for place, of_part in groupby(pieces, key=itemgetter(0)):
        for empty in range(done, place):
            _write_part(part(file, empty), kept, ())
        _write_part(part(file, place), kept, (table for _, table in of_part))
        done = place + 1
    for empty in range(done, parts):
        _write_part(part(file, empty), kept, ())


def _write_part(path: Path, columns: pa.Schema, pieces: Iterable[pa.Table]) -> None:
    with Part(path, columns) as writer:
        for table in pieces:
            writer.add(table.select(columns.names))


def _counted(reader: pa.RecordBatchReader, part_leads: int) -> Iterator[tuple[int, pa.Table]]:
    start = 0
    for batch in reader:
        done = 0
        while done < batch.num_rows:
            piece = batch.slice(done, part_leads - start % part_leads)
            yield start // part_leads, pa.Table.from_batches([piece])
            done, start = done + piece.num_rows, start + piece.num_rows


def _placed(reader: pa.RecordBatchReader) -> Iterator[tuple[int, pa.Table]]:
    for batch in reader:
        places = batch.column(PLACE).to_numpy()
        edges = [0, *(np.flatnonzero(np.diff(places)) + 1).tolist(), batch.num_rows]
        for first, end in pairwise(edges):
            if end > first:
                yield int(places[first]), pa.Table.from_batches([batch.slice(first, end - first)])
