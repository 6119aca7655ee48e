"""One published file without the rows of some leads: the others keep their order, and in a CSV their bytes.

A lead is known by the column ``lead_id``. The uploads below ``exports`` call it as the CRM does, but have it
first; files for ad platforms have no lead at all, and are searched for the words that stand for it.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

LEAD = "lead_id"
EXPORTS = "exports"
_SEPARATORS = ",;\t|"


@dataclass(frozen=True)
class Gone:
    """The leads that go.

    Attributes
    ----------
    leads
        Their ids.
    words
        Texts that stand for them where there are no ids: click ids, keys of conversions.
    """

    leads: frozenset[str]
    words: frozenset[str] = frozenset()


def rows_of(path: Path, gone: Gone, target: Path | None = None) -> int:
    """Count the rows of the leads in a Parquet or CSV file, and write a copy without them.

    Parameters
    ----------
    target
        File to write; None only counts.

    Returns
    -------
    int
        Rows that go; 0 for any other kind of file, which is not copied.
    """
    if path.suffix == ".parquet":
        return filtered_parquet(path, target, column=LEAD, values=sorted(gone.leads))
    return _csv(path, gone, target) if path.suffix == ".csv" else 0


def filtered_parquet(
    path: Path, target: Path | None, *, column: str, values: Sequence[str] | Sequence[int]
) -> int:
    """Count the rows with one of the values, and write the others; row group by row group.

    Parameters
    ----------
    column
        A file without it has no such row.
    """
    count = 0
    with ExitStack() as opened:
        source = opened.enter_context(pq.ParquetFile(path))
        if column not in source.schema_arrow.names:
            return 0
        writer = None
        if target is not None:
            schema = source.schema_arrow
            # A dictionary of numbers that all differ costs five times the rest.
            words = [field.name for field in schema if not pa.types.is_floating(field.type)]
            writer = opened.enter_context(pq.ParquetWriter(target, schema, use_dictionary=words))
        for number in range(source.num_row_groups):
            table = source.read_row_group(number, columns=None if writer else [column])
            is_theirs = pc.is_in(table.column(column), value_set=_typed(values, table.column(column).type))
            count += pc.sum(is_theirs).as_py() or 0
            if writer is not None:
                writer.write_table(table.filter(pc.invert(is_theirs)))
    return count


def _typed(values: Sequence[str] | Sequence[int], kind: pa.DataType) -> pa.Array:
    plain = kind.value_type if pa.types.is_dictionary(kind) else kind
    return pa.array(values, plain)


def _csv(path: Path, gone: Gone, target: Path | None) -> int:
    count = 0
    with ExitStack() as opened:
        records = _records(opened.enter_context(path.open("rb")))
        sink = None if target is None else opened.enter_context(target.open("wb"))
        header = next(records, b"")
        theirs = _Theirs.of(header, gone, is_export=path.parent.name == EXPORTS)
        if sink is not None:
            sink.write(header)
        for record in records:
            is_theirs = theirs.has(record)
            count += is_theirs
            if sink is not None and not is_theirs:
                sink.write(record)
    return count


def _records(lines: Iterable[bytes]) -> Iterator[bytes]:
    """The records of a CSV as they are written: a quoted line break belongs to its record."""
    record = b""
    for line in lines:
        record += line
        if record.count(b'"') % 2 == 0:
            yield record
            record = b""
    if record:
        yield record


@dataclass(frozen=True)
class _Theirs:
    """Which records of one file are the leads'.

    Attributes
    ----------
    place
        Of the column with the id; None if there is none.
    needle
        What such a record has somewhere: only then are its cells looked at.
    """

    gone: Gone
    separator: str
    place: int | None
    needle: re.Pattern[bytes]

    @classmethod
    def of(cls, header: bytes, gone: Gone, *, is_export: bool) -> _Theirs:
        """How a file with this header tells its leads."""
        separator, names = max(
            ((mark, _cells(header, mark)) for mark in _SEPARATORS), key=lambda e: len(e[1])
        )
        folded = [name.casefold() for name in names]
        place = folded.index(LEAD) if LEAD in folded else 0 if is_export else None
        words = {*(gone.leads if place is not None else ()), *(gone.words if is_export else ())}
        texts = (re.escape(word.replace('"', '""').encode()) for word in sorted(words))
        return cls(gone, separator, place, re.compile(b"|".join(texts) or b"(?!)"))

    def has(self, record: bytes) -> bool:
        if not self.needle.search(record):
            return False
        cells = _cells(record, self.separator)
        at = self.place
        is_lead = at is not None and at < len(cells) and not self.gone.leads.isdisjoint(_ids(cells[at]))
        return is_lead or any(_stands_for(cell, self.gone.words) for cell in cells)


def _cells(record: bytes, separator: str) -> list[str]:
    text = record.decode("utf-8-sig", errors="replace")
    return next(csv.reader([text.rstrip("\r\n")], delimiter=separator), [])


def _ids(cell: str) -> tuple[str, str]:
    """The id as it stands, and as it was before a spreadsheet was kept from reading it as a formula."""
    return cell, cell.removeprefix("'")


def _stands_for(cell: str, words: frozenset[str]) -> bool:
    """Whether a cell is one of the words, or ends with one behind a full stop (Meta's click ids)."""
    return cell in words or any(cell.endswith(f".{word}") for word in words)
