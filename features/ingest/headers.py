"""Which column of a file is which of ours: by name, never by position, with a bounded look at the header.

Names are compared in Unicode form NFC without the spaces around them, and without regard to case: two headers
that differ in case only are refused, so there is one match at most.
"""

from __future__ import annotations

import csv
import difflib
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from features.errors import InputError, ParameterError, Place, listed
from features.tables import LOADABLE, PERSONAL, Source

MAX_COLUMNS = 5000
MAX_HEADER_BYTES = 1 << 20
NEEDS_ONE_OF: Mapping[str, tuple[str, ...]] = {
    "touches": ("lead_id", "contact_id", "visitor_id"),
    "identities": ("visitor_id", "contact_id"),
}


@dataclass(frozen=True)
class Wanted:
    """A column of ours that a file should have.

    Attributes
    ----------
    name
        Our name.
    role
        ``id``, ``text``, ``number``, ``timestamp``, ``flag``, ``category`` or ``outcome``.
    is_required
        Whether a row without a value is quarantined.
    is_expected
        Whether a file without the column is refused.
    """

    name: str
    role: str
    is_required: bool = False
    is_expected: bool = True


@dataclass(frozen=True)
class Match:
    """Columns found in a file.

    Attributes
    ----------
    columns
        Wanted column to the position of its header, in contract order, own fields last.
    ignored
        Headers that nobody declared.
    missing
        Optional contract columns that the file does not have.
    """

    columns: Mapping[Wanted, int]
    ignored: tuple[str, ...]
    missing: tuple[str, ...]


def read_header(blocks: Iterable[bytes], name: str, separator: str) -> tuple[str, ...]:
    """The header of a CSV file, from its first mebibyte.

    Parameters
    ----------
    blocks
        UTF-8 blocks with line feeds.
    name
        The file as declared, for messages.
    separator
        One ASCII character.

    Raises
    ------
    ParameterError
        The separator is not one ASCII character.
    InputError
        There is no data row, or the header is too long or not well formed.
    UnicodeDecodeError
        The header is not UTF-8.
    """
    if len(separator) != 1 or not separator.isascii() or separator in '"\n\r':
        raise ParameterError(
            "the separator is not one ASCII character", hint="declare separator: ';' or another single mark"
        )
    place = Place(stage="ingest", file=name, row=1)
    head = _head(blocks)
    _refuse_empty(head, name, place)
    too_wide = InputError(
        f"file '{name}' has more than {MAX_COLUMNS} columns", hint="export only those you need", place=place
    )
    if len(head) > MAX_HEADER_BYTES and b"\n" not in head:
        raise too_wide
    lines = (line.decode() + "\n" for line in head.split(b"\n"))  # no line beyond the header is decoded
    try:
        cells = next(csv.reader(lines, delimiter=separator, strict=True))
    except csv.Error:
        raise InputError(
            f"the header of file '{name}' cannot be read", hint="check separator and quotes", place=place
        ) from None
    if len(cells) > MAX_COLUMNS:
        raise too_wide
    return tuple(plain(cell) for cell in cells)


def check_headers(headers: Sequence[str], name: str) -> None:
    """Refuse headers that are empty, or equal apart from case.

    Raises
    ------
    InputError
        Lists the headers, or the positions of the empty ones.
    """
    place = Place(stage="ingest", file=name, row=1)
    empty = [f"column {position}" for position, header in enumerate(headers, 1) if not header]
    times = Counter(header.casefold() for header in headers if header)
    twice = [header for header in headers if header and times[header.casefold()] > 1]
    if empty or twice:
        faults = [f"repeats {listed(twice)} (case does not count)"] if twice else []
        faults += [f"has no name for {', '.join(empty[:5])}"] if empty else []
        raise InputError(
            f"the header of file '{name}' {' and '.join(faults)}",
            hint="give every column a name of its own",
            place=place,
        )


def wanted(table: str, source: Source, *, generate_ids: bool = False) -> tuple[Wanted, ...]:
    """Columns to look for, contract columns first.

    Parameters
    ----------
    generate_ids
        Whether ``lead_id`` may be absent, even though the contract requires it.
    """
    needed = NEEDS_ONE_OF.get(table, ())
    columns = {}
    for name, column in LOADABLE[table].columns.items():
        role: str = "id" if name.endswith("_id") else column.type
        is_personal, is_field = name in PERSONAL.get(table, ()), name in source.fields
        if is_personal and is_field:
            role = source.fields[name].kind  # a team's own column of that name: "phone: yes"
        is_free = generate_ids and name == "lead_id"
        is_declared = is_field or (name in source.mapping and not is_personal)  # a preset maps them all
        is_expected = (column.required and not is_free) or is_declared
        columns[name] = Wanted(name, role, column.required, is_expected and not (is_free and name in needed))
    for name, own in source.fields.items():
        columns.setdefault(name, Wanted(name, own.kind))
    if source.outcome_column is not None:
        columns[source.outcome_column] = Wanted("outcome", "outcome")
    if source.order_column is not None:
        columns["order_value"] = Wanted("order_value", "number")
    return tuple(columns.values())


def match(
    table: str, source: Source, headers: Sequence[str], name: str, *, generate_ids: bool = False
) -> Match:
    """Find our columns in a file's headers.

    Parameters
    ----------
    headers
        As in the file, cleaned by `plain`.
    name
        The file as declared.

    Raises
    ------
    InputError
        A required or declared column is missing; the message names the nearest header.
    """
    check_headers(headers, name)
    positions = {header.casefold(): position for position, header in enumerate(headers)}
    found: dict[Wanted, int] = {}
    absent: list[Wanted] = []
    for column in wanted(table, source, generate_ids=generate_ids):
        position = positions.get(plain(_header(source, column)).casefold())
        if position is None:
            absent.append(column)
        else:
            found[column] = position
    _refuse_missing(table, source, headers, name, absent)
    needed = NEEDS_ONE_OF.get(table, ())
    if needed and not any(column.name in needed for column in found):
        raise _missing(headers, name, source.header(needed[0]), f"one of {listed(needed)}")
    used = set(found.values())
    return Match(
        columns=found,
        ignored=tuple(header for position, header in enumerate(headers) if position not in used),
        missing=tuple(column.name for column in absent),
    )


def plain(header: str) -> str:
    """A header in NFC without a byte order mark and the spaces around it.

    >>> plain(" Caf\u0065\u0301 ")
    'Café'
    """
    return unicodedata.normalize("NFC", header.removeprefix("\ufeff").strip())


def _header(source: Source, column: Wanted) -> str:
    """The user's header: two roles of the flat start have names of their own."""
    special = {"outcome": source.outcome_column, "order_value": source.order_column}
    return source.header(special.get(column.name) or column.name)


def _refuse_missing(
    table: str, source: Source, headers: Sequence[str], name: str, absent: Sequence[Wanted]
) -> None:
    for column in absent:
        if column.is_expected:
            raise _missing(headers, name, _header(source, column), f"'{column.name}' of table '{table}'")


def _missing(headers: Sequence[str], name: str, header: str, what: str) -> InputError:
    near = nearest(header, headers)
    guess = f"did you mean '{near}'? " if near else ""
    return InputError(
        f"file '{name}' has no column '{header}' for {what}",
        hint=f"{guess}name it under mapping, or add it to the export",
        place=Place(stage="ingest", file=name, row=1, column=header),
    )


def nearest(header: str, headers: Sequence[str]) -> str | None:
    """The header most like another one; None if nothing is near.

    >>> nearest("Stage", ["Name", "Stage__c"])
    'Stage__c'
    """
    folded = {other.casefold(): other for other in headers}
    near = difflib.get_close_matches(header.casefold(), folded, n=1, cutoff=0.55)
    inside = [other for key, other in folded.items() if header.casefold() in key or key in header.casefold()]
    return folded[near[0]] if near else next(iter(inside), None)


def _head(blocks: Iterable[bytes]) -> bytes:
    """The beginning of the file: at least the bound, where there is as much."""
    head = b""
    for block in islice(blocks, 3):
        head += block
        if len(head) > MAX_HEADER_BYTES:
            break
    return head


def _refuse_empty(head: bytes, name: str, place: Place) -> None:
    why = None
    if not head:
        why = "the file is empty"
    elif not head.strip():
        why = "the file holds only white space"
    elif len(head) <= MAX_HEADER_BYTES and not head.strip(b"\n").partition(b"\n")[2].strip():
        why = "the file holds only a header"
    if why is not None:
        raise InputError(f"file '{name}' has no data rows: {why}", hint="export the table again", place=place)
