"""How a text file is written: its encoding, its separator and its header.

Used once, by ``leadrank init``, to propose what ``params.yaml`` then declares; never at night.
"""

from __future__ import annotations

import codecs
import csv
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from charset_normalizer import from_bytes

from features.errors import InputError, Place
from features.ingest.headers import check_headers, plain

SEPARATORS = (",", ";", "\t", "|")
_HEADER_BYTES = 1_000_000
_LOOK_BYTES = 16_000_000
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True)
class Dialect:
    """How one CSV file is written.

    Attributes
    ----------
    encoding
        Python's name of the encoding.
    separator
        Character between cells.
    headers
        Column names in the order of the file.
    is_sure
        False if the encoding is a suggestion by the look of the text.
    has_line_feeds
        False if lines end in carriage returns alone.
    """

    encoding: str
    separator: str
    headers: tuple[str, ...]
    is_sure: bool = True
    has_line_feeds: bool = True


def read_dialect(path: Path) -> Dialect:
    """Look at the beginning of a CSV file.

    Parameters
    ----------
    path
        A text file with a header line.

    Raises
    ------
    InputError
        The file is empty, its encoding cannot be told, or its header has no, empty or repeated names.
    """
    place = Place("init", path.name)
    head = _head(path, place)
    encoding, is_sure = _encoding(head, place)
    line = _first_line(head[:_HEADER_BYTES], encoding, place)
    separator = _separator(line)
    headers = tuple(plain(cell) for cell in next(csv.reader([line], delimiter=separator), []))
    check_headers(headers, path.name)
    return Dialect(encoding, separator, headers, is_sure, has_line_feeds=b"\n" in head or b"\r" not in head)


def _head(path: Path, place: Place) -> bytes:
    if not path.is_file():
        raise InputError(f"no file '{path.name}'", hint="check the path", place=place)
    with path.open("rb") as file:
        head = file.read(_LOOK_BYTES)
    if not head.strip(codecs.BOM_UTF8 + b" \t\r\n"):
        raise InputError(f"'{path.name}' is empty", hint="export it again, with a header line", place=place)
    return head


def _encoding(head: bytes, place: Place) -> tuple[str, bool]:
    """The encoding, and whether it is sure.

    A few broken lines in a UTF-8 file do not make it another encoding: the lines beyond ASCII vote.
    """
    if head.startswith(_UTF16):
        return "utf-16", True
    beyond = [line for line in head.split(b"\n") if not line.isascii()]
    bad = [line for line in beyond[:-1] or beyond if not _is_utf8(line)]
    if 2 * len(bad) <= len(beyond) and b"\x00" not in head[:_HEADER_BYTES]:
        return "utf-8", True
    best = from_bytes(b"\n".join(bad)[:100_000]).best()
    if best is None or b"\x00" in head[:_HEADER_BYTES]:
        raise InputError(
            f"the encoding of '{place.file}' cannot be told",
            hint="save it as UTF-8, or declare its encoding in params.yaml",
            place=place,
        )
    return best.encoding, False


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _first_line(head: bytes, encoding: str, place: Place) -> str:
    text = codecs.getincrementaldecoder(encoding)("replace").decode(head).lstrip("\ufeff\r\n ")
    quoted = False
    for position, char in enumerate(text):
        quoted ^= char == '"'
        if char in "\r\n" and not quoted:
            return text[:position]
    if len(head) == _HEADER_BYTES:
        raise InputError(
            f"the header of '{place.file}' does not end within a megabyte",
            hint="check that the file is a table with a header line",
            place=place,
        )
    return text


def _separator(line: str) -> str:
    """The candidate that stands most often outside quotes; a comma if there is none."""
    outside = "".join(line.split('"')[::2])
    counts = Counter({mark: outside.count(mark) for mark in SEPARATORS})
    return counts.most_common(1)[0][0]
