"""Dirty CSV files against a slow reader on Python's ``csv`` module: no row disappears, no cell moves."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import duckdb
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from features.errors import InputError
from features.ingest import load
from features.tables import Field, Source

HEADER = "lead_id,note,size"
COLUMNS = 3
CLEAN = [b"C%d,fine,%d" % (row, row) for row in range(20)]  # so that the file as a whole is what was declared
CONNECTION = duckdb.connect()
SOURCE = Source(path="leads.csv", fields={"note": Field("category"), "size": Field("number")})

cell = st.one_of(
    st.sampled_from(
        ["a", "b", "L1", "L2", "L3", "7", "-1.5", "", " x ", "é", "1_0", "NaN", "no number", "1.23E+14"]
    ),
    st.text(alphabet='ab1 ,"\n\r\x00é', max_size=5),
)


@st.composite
def lines(draw: st.DrawFn) -> bytes:
    """One line of a file: written by a good exporter, by a bad one, or not a line at all."""
    cells = draw(st.lists(cell, min_size=COLUMNS, max_size=COLUMNS))
    quoted = ",".join('"' + c.replace('"', '""') + '"' for c in cells).encode()
    bare = ",".join(cells).encode()
    ragged = ",".join(draw(st.lists(cell, max_size=5))).encode()
    broken = draw(st.sampled_from([b"", b"x,\xe9,1", b'L9,"open,2', b'L9,"x"y,2', b'"', b",,"]))
    return draw(st.sampled_from([quoted, bare, ragged, broken]))


def parsed(text: str) -> list[str] | None:
    """The one record in a text, or None."""
    try:
        (record,) = csv.reader(text.splitlines(keepends=True), strict=True)
    except (csv.Error, ValueError):
        return None
    return record


def slowly(data: bytes) -> list[tuple[int, list[str] | None]]:
    """Physical line and cells of each row after the header; None for a row that is not well formed."""
    physical = re.split(rb"\r\n|\r|\n", data)
    at, rows = 1, []
    while at < len(physical):
        used, cells = record_at(physical, at)
        if physical[at]:
            rows.append((at + 1, cells))
        at += used
    return rows


def record_at(physical: list[bytes], at: int) -> tuple[int, list[str] | None]:
    for used in range(1, len(physical) - at + 1):
        block = physical[at : at + used]
        if any(re.search(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]", line) for line in block):
            return 1, None
        try:
            text = b"\n".join(block).decode()
        except UnicodeDecodeError:
            return 1, None
        cells = parsed(text)
        if cells is not None:
            return (used, cells) if len(cells) == COLUMNS else (1, None)
        if '"' not in text:
            return 1, None
    return 1, None


def number(text: str) -> tuple[bool, float | None]:
    """Whether the cell is a number or empty, and its value."""
    if not text:
        return True, None
    if "_" in text:
        return False, None
    try:
        value = float(text)
    except ValueError:
        return False, None
    return True, value if abs(value) < float("inf") else None


def judged(rows: list[tuple[int, list[str] | None]]) -> tuple[dict[int, tuple], set[int], int]:
    """Accepted rows by number, lines in quarantine, rows dropped: by the rules, one by one."""
    good, bad = {}, set()
    for row, (line, cells) in enumerate(rows):
        if cells is None:
            bad.add(line)
            continue
        lead, note, size = (c.strip(" \t\r\n\xa0") for c in cells)
        is_number, value = number(size)
        if not lead or re.fullmatch(r"[+-]?\d([.,]\d+)?[eE]\+\d+", lead) or not is_number:
            bad.add(line)
        else:
            good[row] = (lead, note or None, value)
    dropped = 0
    for lead in {values[0] for values in good.values()}:
        same = [row for row, values in good.items() if values[0] == lead]
        if len({good[row] for row in same}) > 1:
            bad |= {rows[row][0] for row in same}
            same = [None, *same]
        else:
            dropped += len(same) - 1
        for row in same[1:]:
            del good[row]
    return good, bad, dropped


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    body=st.lists(lines(), min_size=1, max_size=12),
    feed=st.sampled_from([b"\n", b"\r\n", b"\r"]),
    last=st.booleans(),
)
@example(body=[b'L1,"two\nlines",1', b"L2,x", b"L3,y,2", b"L4,z,3", b"L5,z,4"], feed=b"\n", last=True)
@example(body=[b'a"b"c,5" disk,1', b' "x","y"" z",2'], feed=b"\n", last=True)
@example(body=[b'L1,"open,1', b"L2,x,1", b"L3,y,2"], feed=b"\n", last=False)
def test_every_row_is_accepted_quarantined_or_dropped(
    tmp_path_factory: object, *, body: list[bytes], feed: bytes, last: bool
) -> None:
    data = feed.join([HEADER.encode(), *CLEAN, *body]) + (feed if last else b"")
    folder: Path = tmp_path_factory.mktemp("dirty")  # type: ignore[attr-defined]
    (folder / "leads.csv").write_bytes(data)
    good, bad, dropped = judged(slowly(data))
    try:
        loaded = load(CONNECTION, {"leads": SOURCE}, folder=folder)
    except InputError:
        is_cut = not data.endswith((b"\n", b"\r")) and slowly(data)[-1][1] is None
        assert is_cut or data.count(b"x,\xe9,1") > 1  # more than one line does not decode: not UTF-8
        return
    rows = CONNECTION.execute("SELECT row_number, lead_id, note, size FROM leads").fetchall()
    away = [line for (line,) in CONNECTION.execute("SELECT line FROM quarantine").fetchall()]
    assert {row: tuple(values) for row, *values in rows} == good
    assert sorted(away) == sorted(bad)
    counts = loaded.counts["leads"]
    assert (counts.accepted, counts.quarantined, counts.deduplicated) == (len(good), len(bad), dropped)
