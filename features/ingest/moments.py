"""From a stamp as written to a moment in UTC.

Clock changes: a local time that the change skipped is a fault; one that occurs twice is taken as the later
moment, so that no fact is known too early. Moments before 1900-01-02, from 2200 on and exactly 1970-01-01
stand for "none": they become ``infinity`` here, which ``settling`` counts and makes null.
"""

from __future__ import annotations

from collections.abc import Sequence

from features.ingest.cells import Cell, Converted, Step, trimmed
from features.ingest.quarantine import Reason
from features.ingest.sql import quoted
from features.ingest.zones import skipping_days
from features.tables import Source

EPOCHS = {"unix_seconds": (1, 1_000_000), "unix_milliseconds": (1000, 1000)}
_NO_SECONDS = r"^(\S+[T ]\d\d:\d\d)(Z|z| ?UTC|[+-]\d\d(?::?\d\d)?)$"
_OFFSET = r"[0-9](Z|z| ?UTC|[+-]\d\d(:?\d\d)?)$"
_FIRST_EPOCH_SECOND, _LAST_EPOCH_SECOND = 315_532_800, 4_102_444_800  # 1980 and 2100: tells units apart
_SENTINEL = "({0} < TIMESTAMP '1900-01-02' OR {0} >= TIMESTAMP '2200-01-01' OR {0} = TIMESTAMP '1970-01-01')"


def moment(cell: Cell, source: Source) -> Converted:
    """SQL that converts a column of stamps."""
    if cell.type.startswith("TIMESTAMP WITH") or cell.type == "TIMESTAMPTZ":
        return _moment(cell, (), f"timezone('UTC', {cell.raw})", "UTC")
    if cell.type == "DATE" or cell.type.startswith("TIMESTAMP"):
        return _moment(cell, (), f"CAST({cell.raw} AS TIMESTAMP)", source.timezone)
    text = f"t_{cell.tag}"
    steps = ((text, trimmed(cell, source)),)
    if source.timestamp_format == "iso":
        return _iso(cell, source, steps)
    if source.timestamp_format in EPOCHS:
        return _moment(cell, steps, _epoch(text, source), "UTC")
    pattern = source.timestamp_format
    parsed = f"try_strptime({text}, {quoted(pattern)})"
    if "%z" in pattern or "%Z" in pattern:
        return _moment(cell, steps, f"timezone('UTC', {parsed})", "UTC")
    return _moment(cell, steps, parsed, source.timezone)


def _iso(cell: Cell, source: Source, steps: tuple[Step, ...]) -> Converted:
    """DuckDB's cast to TIMESTAMP drops an offset without a word, so offsets go by way of TIMESTAMPTZ."""
    text, offset = f"t_{cell.tag}", f"o_{cell.tag}"
    clock = f"substr({text}, 11)"
    has_offset = f"regexp_matches({clock}, {quoted(_OFFSET)})"
    naive = (
        f"CASE WHEN NOT regexp_matches({clock}, '[+A-SU-Za-su-z-]') THEN TRY_CAST({text} AS TIMESTAMP) END"
    )
    with_seconds = f"regexp_replace({text}, {quoted(_NO_SECONDS)}, '\\1:00\\2')"  # DuckDB wants them
    zoned = f"coalesce(TRY_CAST({text} AS TIMESTAMPTZ), TRY_CAST({with_seconds} AS TIMESTAMPTZ))"
    local = f"CASE WHEN {offset} THEN timezone('UTC', {zoned}) ELSE {naive} END"
    return _moment(cell, (*steps, (offset, has_offset)), local, source.timezone, has_offset=offset)


def _epoch(text: str, source: Source) -> str:
    per_second, micros = EPOCHS[source.timestamp_format]
    number = f"TRY_CAST({text} AS DECIMAL(24, 6))"
    first, last = _FIRST_EPOCH_SECOND * per_second, _LAST_EPOCH_SECOND * per_second
    return (
        f"CASE WHEN {number} = 0 OR {number} BETWEEN {first} AND {last} "
        f"THEN make_timestamp(CAST({number} * {micros} AS BIGINT)) END"
    )


def _moment(
    cell: Cell, steps: tuple[Step, ...], local: str, zone: str, *, has_offset: str | None = None
) -> Converted:
    """UTC of a local time; sentinels become infinity, skipped hours a fault."""
    value, clock = f"v_{cell.tag}", f"l_{cell.tag}"
    utc = _utc(clock, zone)
    if has_offset is not None and zone != "UTC":
        utc = f"CASE WHEN {has_offset} THEN {clock} ELSE {utc} END"
    settled = f"CASE WHEN {_SENTINEL.format(clock)} THEN TIMESTAMP 'infinity' ELSE {utc} END"
    faults: list[tuple[Reason, str]] = []
    if steps:
        text = steps[0][0]
        faults.append(("not_a_timestamp", f"{text} IS NOT NULL AND {clock} IS NULL"))
    if days := skipping_days(zone):
        faults.append(("nonexistent_time", _is_skipped(clock, zone, days, has_offset)))
    if cell.wanted.is_required:
        faults.append(("sentinel_timestamp", f"isinf({value})"))
    return Converted(
        (*steps, (clock, local), (value, settled)), value, tuple(faults), has_offset, is_utc=zone == "UTC"
    )


def _utc(clock: str, zone: str) -> str:
    return clock if zone == "UTC" else f"timezone('UTC', timezone({quoted(zone)}, {clock}))"


def _is_skipped(clock: str, zone: str, days: Sequence[str], has_offset: str | None) -> str:
    """A skipped time does not come back from UTC as itself; looked at on the days of changes, it is slow."""
    is_local = f"NOT {has_offset} AND " if has_offset is not None else ""
    dates = ", ".join(f"DATE '{day}'" for day in days)
    there_and_back = f"timezone({quoted(zone)}, timezone({quoted(zone)}, {clock}))"
    return f"{is_local}CAST({clock} AS DATE) IN ({dates}) AND {there_and_back} <> {clock}"
