"""Values that are settled by a rule and counted: not a number, no real moment, an hour that occurs twice."""

# ruff: noqa: S608  # texts go through quoted(), names through named(), and rows are never written into SQL

from __future__ import annotations

from typing import Literal

from features.ingest.cells import stepwise
from features.ingest.quarantine import Note
from features.ingest.sql import count, named
from features.ingest.staging import STAGED, Stage
from features.ingest.zones import clock_changes


def settle(stage: Stage) -> None:
    """Make non-finite numbers, negative durations and sentinel moments null, and fill ``recorded_at``.

    What was settled is counted.
    """
    for name, cell in stage.cells.items():
        if cell.wanted.role == "number":
            _make_null(stage, name, "non_finite", f"NOT isfinite({named(name)})")
        if name == "duration_seconds" and stage.table == "touches":
            _make_null(stage, name, "negative_duration", f"{named(name)} < 0")
        if cell.wanted.role == "timestamp":
            _make_null(stage, name, "sentinel_timestamp", f"isinf({named(name)})")
            _count_repeated_hours(stage, name)
        if cell.wanted.role == "outcome":
            _count_lost_values(stage)
    if stage.recorded_default and count(
        stage.connection, f"SELECT count(*) FROM {STAGED} WHERE recorded_at IS NULL"
    ):
        stage.connection.execute(
            f"UPDATE {STAGED} SET recorded_at = {stage.recorded_default} WHERE recorded_at IS NULL"
        )


def _make_null(
    stage: Stage,
    name: str,
    kind: Literal["non_finite", "sentinel_timestamp", "negative_duration"],
    condition: str,
) -> None:
    rows = count(stage.connection, f"SELECT count(*) FROM {STAGED} WHERE {condition}")
    if rows:
        stage.connection.execute(f"UPDATE {STAGED} SET {named(name)} = NULL WHERE {condition}")
        stage.notes.append(Note(stage.table, name, kind, rows))


def _count_repeated_hours(stage: Stage, name: str) -> None:
    """Local times that occur twice were taken as the later moment: just after the clocks went back."""
    back = [change for change in clock_changes(stage.source.timezone) if change.by.total_seconds() < 0]
    if not back or stage.converted[name].is_utc:
        return
    spans = ", ".join(
        f"(TIMESTAMP '{c.at:%Y-%m-%d %H:%M}', TIMESTAMP '{c.at - c.by:%Y-%m-%d %H:%M}')" for c in back
    )
    offset = stage.converted[name].has_offset
    local = f" AND NOT {offset}" if offset else ""
    rows = count(
        stage.connection,
        f"SELECT count(*) FROM {STAGED} JOIN (VALUES {spans}) AS span(first, last) "
        f"ON {named(name)} >= first AND {named(name)} < last{local}",
    )
    if rows:
        stage.notes.append(Note(stage.table, name, "repeated_hour", rows))


def _count_lost_values(stage: Stage) -> None:
    """Distinct texts of the outcome column that are not won values: they mean lost, and should be few."""
    cell, column = stage.cells["outcome"], stage.converted["outcome"]
    rows = stepwise(stage.scan.select([stage.position("outcome")]), [column.steps])
    values = count(
        stage.connection,
        f"SELECT count(DISTINCT t_{cell.tag}) FROM ({rows}) WHERE {column.value} = 0",
    )
    stage.notes.append(Note(stage.table, "outcome", "lost_values", values))
