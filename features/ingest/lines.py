"""Which records a CSV file has, at which physical lines, and which of them are not well formed.

DuckDB reads the records; this pass makes sure that it can: it counts the cells of every line, follows quoted
line breaks, and notes each bad line, so that one bad quote costs one line and not the rest of the file. A
clean block costs a few NumPy operations; only blocks with quotes or faults are looked at line by line.
"""

from __future__ import annotations

import csv
import re
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

import numpy as np

from features.ingest.quarantine import Reason

MAX_RECORD_BYTES = 1 << 20
_MAX_RECORD_LINES = 1000
_LINE_FEED, _TAB, _SPACE, _NON_ASCII = 10, 9, 32, 128


@dataclass
class Survey:
    """What a pass over a CSV file found.

    Attributes
    ----------
    rows
        Records after the header, bad ones included.
    first_rows, offsets
        From row ``first_rows[i]`` (0-based) on, the physical line (1-based) is the row plus ``offsets[i]``.
    bad_rows, bad_reasons
        0-based rows that are not well formed.
    is_altered
        Whether a clean copy would differ from the blocks that came in.
    non_ascii_lines
        Lines with characters beyond ASCII that decode.
    """

    rows: int = -1  # the header is record -1
    first_rows: array[int] = field(default_factory=lambda: array("q"))
    offsets: array[int] = field(default_factory=lambda: array("q"))
    bad_rows: array[int] = field(default_factory=lambda: array("q"))
    bad_reasons: list[Reason] = field(default_factory=list)
    is_altered: bool = False
    non_ascii_lines: int = 0

    def line(self, row: int) -> int:
        """Physical line, 1-based, of a 0-based row."""
        return row + self.offsets[int(np.searchsorted(self.first_rows, row, side="right")) - 1]


class Surveyor:
    """Passes over the blocks of a CSV file once.

    Parameters
    ----------
    separator
        One ASCII character.
    columns
        Cells of a well-formed record.
    sink
        Receives a clean copy: no blank lines, bad records replaced by records of empty cells.
    """

    def __init__(self, separator: str, columns: int, sink: BinaryIO | None = None) -> None:
        self.separator, self.columns, self.sink = separator, columns, sink
        self.found = Survey()
        self._line = 1
        mark = re.escape(separator.encode())
        self._quoted_cell = re.compile(rb'(?:^|%b)"(?:[^"]|"")*"(?=%b|$)' % (mark, mark))
        self._empty = separator.encode() * (columns - 1) if columns > 1 else b'""'

    def survey(self, blocks: Iterable[bytes]) -> Survey:
        """Pass over the blocks: UTF-8, line feeds, header first."""
        rest = b""
        for chunk in whole_lines(blocks):
            rest = self._chunk(rest + chunk, is_last=False)
        if rest:
            self._chunk(rest, is_last=True)
        return self.found

    def _chunk(self, chunk: bytes, *, is_last: bool) -> bytes:
        """Take whole lines in; give back those that belong to a record still open."""
        lines = self._plain(chunk) if b'"' not in chunk else self._quoted(chunk)
        if lines is None:
            return self._careful(chunk, is_last=is_last)
        self._mark()
        self.found.rows += lines
        self._line += lines
        self._write(chunk)
        return b""

    def _plain(self, chunk: bytes) -> int | None:
        """Number of lines if all of them are well formed and none has a quote; None if in doubt."""
        codes = np.frombuffer(chunk, np.uint8)
        ends = np.flatnonzero(codes == _LINE_FEED)
        lengths = np.diff(ends, prepend=-1)
        if lengths.min() == 1 or lengths.max() > MAX_RECORD_BYTES or not self._is_text(chunk, codes, ends):
            return None
        at = np.searchsorted(np.flatnonzero(codes == ord(self.separator)), ends)
        return len(ends) if (np.diff(at, prepend=0) == self.columns - 1).all() else None

    def _quoted(self, chunk: bytes) -> int | None:
        """Number of lines if each is one well-formed record; None if in doubt."""
        codes = np.frombuffer(chunk, np.uint8)
        ends = np.flatnonzero(codes == _LINE_FEED)
        lengths = np.diff(ends, prepend=-1)
        if lengths.min() == 1 or lengths.max() > MAX_RECORD_BYTES or not self._is_text(chunk, codes, ends):
            return None
        try:
            records = list(self._records(chunk.decode().split("\n")[:-1]))
        except csv.Error:
            return None
        is_fine = len(records) == len(ends) and all(len(record) == self.columns for record in records)
        has_quotes_inside = any('"' in "".join(record) for record in records)
        return len(ends) if is_fine and not has_quotes_inside else None

    def _is_text(self, chunk: bytes, codes: np.ndarray, ends: np.ndarray) -> bool:
        """Whether the chunk decodes and has no control characters; counts its lines beyond ASCII."""
        if np.count_nonzero(codes < _SPACE) != len(ends) + np.count_nonzero(codes == _TAB):
            return False
        if chunk.isascii():
            return True
        try:
            chunk.decode()
        except UnicodeDecodeError:
            return False
        beyond = np.searchsorted(ends, np.flatnonzero(codes >= _NON_ASCII))
        self.found.non_ascii_lines += len(np.unique(beyond))
        return True

    def _careful(self, chunk: bytes, *, is_last: bool) -> bytes:
        """Line by line; give back the lines of a record that the chunk does not finish."""
        lines = chunk.split(b"\n")[:-1]
        at = 0
        while at < len(lines):
            used, reason = self._record(lines, at)
            if reason == "open" and not is_last and not _is_too_long(lines[at:]):
                return b"\n".join(lines[at:]) + b"\n"
            self._take(lines[at : at + used], "unbalanced_quote" if reason == "open" else reason)
            at += used
        return b""

    def _record(self, lines: list[bytes], at: int) -> tuple[int, Reason | str | None]:
        """Lines that the record takes, and what is wrong with it (``open``: more lines could finish it)."""
        line = lines[at]
        if fault := _line_fault(line):
            return 1, fault
        if b'"' not in line:
            cells = line.count(self.separator.encode()) + 1
            return 1, None if cells == self.columns else "ragged_row"
        return self._quoted_record(lines, at)

    def _quoted_record(self, lines: list[bytes], at: int) -> tuple[int, Reason | str | None]:
        ahead = _Ahead(lines, at)
        try:
            cells = next(self._records(ahead))
        except csv.Error:
            return 1, "open" if ahead.is_exhausted else "unbalanced_quote"
        if len(cells) == self.columns:
            return ahead.used, None
        return 1, "ragged_row" if ahead.used == 1 else "unbalanced_quote"

    def _take(self, lines: list[bytes], reason: Reason | str | None) -> None:
        record = b"\n".join(lines)
        if not record:  # a blank line is not a row
            self.found.is_altered = True
        else:
            self._mark()
            self._add(record, reason)
        self._line += len(lines)

    def _add(self, record: bytes, reason: Reason | str | None) -> None:
        if reason is not None:
            self.found.bad_rows.append(self.found.rows)
            self.found.bad_reasons.append(reason)  # type: ignore[arg-type]  # "open" was resolved by the caller
            self.found.is_altered = True
        elif not record.isascii():
            self.found.non_ascii_lines += 1
        self._write((self._canonical(record) if reason is None else self._empty) + b"\n")
        self.found.rows += 1

    def _canonical(self, record: bytes) -> bytes:
        """A record as DuckDB reads it too: ``5" disk`` without quotes around it is ambiguous."""
        if b'"' not in self._quoted_cell.sub(b"", record):
            return record
        self.found.is_altered = True
        (cells,) = self._records(record.decode().splitlines(keepends=True))
        return self.separator.join('"' + cell.replace('"', '""') + '"' for cell in cells).encode()

    def _mark(self) -> None:
        """Remember from which row on rows and lines are this far apart."""
        offset = self._line - self.found.rows
        if not self.found.offsets or self.found.offsets[-1] != offset:
            self.found.first_rows.append(self.found.rows)
            self.found.offsets.append(offset)

    def _records(self, lines: Iterable[str]) -> Iterator[list[str]]:
        return csv.reader(lines, delimiter=self.separator, strict=True)

    def _write(self, data: bytes) -> None:
        if self.sink is not None:
            self.sink.write(data)


class _Ahead:
    """Lines from a position on, counting how many were taken."""

    def __init__(self, lines: list[bytes], at: int) -> None:
        self._lines, self._at, self.used, self.is_exhausted = lines, at, 0, False

    def __iter__(self) -> _Ahead:
        return self

    def __next__(self) -> str:
        position = self._at + self.used
        if position == len(self._lines):
            self.is_exhausted = True
            raise StopIteration
        line = self._lines[position]
        if self.used == _MAX_RECORD_LINES or (self.used and line and _line_fault(line)):
            raise StopIteration
        self.used += 1
        return line.decode() + "\n"


def whole_lines(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Regroup blocks to end at line ends; of an over-long line only its beginning is kept in memory."""
    rest = b""
    for block in blocks:
        head, feed, tail = block.rpartition(b"\n")
        if feed:
            yield rest + head + feed
            rest = tail
        else:
            rest = (rest + tail)[: MAX_RECORD_BYTES + 1]
    if rest:
        yield rest + b"\n"


def _line_fault(line: bytes) -> Reason | None:
    if len(line) > MAX_RECORD_BYTES:
        return "line_too_long"
    if not line.isascii():
        try:
            line.decode()
        except UnicodeDecodeError:
            return "undecodable"
    return "control_character" if line.translate(None, _PRINTABLE) else None


_PRINTABLE = bytes(code for code in range(256) if code >= _SPACE or code == _TAB)


def _is_too_long(lines: list[bytes]) -> bool:
    return len(lines) > _MAX_RECORD_LINES or sum(map(len, lines)) > MAX_RECORD_BYTES
