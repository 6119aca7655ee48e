"""Gates of the tables: rows that are gone, exports that were cut, sources that have gone silent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

import duckdb

from features.ingest.sql import named
from serve.gates.finding import Finding
from serve.gates.limits import Limits

CUT_AT = frozenset({65_535, 65_536, 1_000_000, 1_048_575, 1_048_576})
"""Rows at which exports stop without a word: limits of spreadsheets, and a round one."""
SILENCE_WINDOW_DAYS, FACTOR, LEAST_DAYS, FEWEST_HOURS = 90, 1.5, 1.0, 10
DAY_SECONDS = 86_400


def rows(before: Mapping[str, int], now: Mapping[str, int], limits: Limits) -> Iterator[Finding]:
    """Counts that fell since the run before, or stand where an export is usually cut.

    Parameters
    ----------
    before, now
        Accepted rows by table, and ``ranking``: leads ranked. A table that the run before did not have is not
        compared.
    """
    for name, count in now.items():
        was = before.get(name)
        if was and count < was * (1 - limits.rows_fall):
            fallen = 1 - count / was
            reason = f"'{name}' has {count:,} rows where the run before had {was:,}: {fallen:.0%} fewer"
            yield Finding("rows", name, reason, fallen, limits.rows_fall)
        if count in CUT_AT and was != count:
            yield Finding(
                "rows", name, f"'{name}' has just {count:,} rows: was the export cut?", float(count)
            )


def freshness(
    connection: duckdb.DuckDBPyConnection,
    moments: Mapping[str, str],
    as_of: datetime,
    limits: Limits,
    *,
    aside: Mapping[str, str] | None = None,
) -> Iterator[Finding]:
    """Tables without a new fact for longer than they are used to.

    Parameters
    ----------
    moments
        By table of the connection, the column that says when a fact was recorded.
    as_of
        The moment of the run, in UTC.
    aside
        By table, the table whose ``row_number`` names rows that did not come from its source: they do not
        make it fresh.
    """
    for table, column in moments.items():
        not_its = (aside or {}).get(table)
        newest, silence, longest, hours = _silence(connection, table, column, as_of, aside=not_its)
        usual = max(LEAST_DAYS, FACTOR * longest) if hours >= FEWEST_HOURS else None
        limit = limits.freshness_days.get(table, usual)
        if newest is not None and limit is not None and silence > limit:
            reason = (
                f"the newest row of '{table}' was recorded at {newest:%Y-%m-%d %H:%M} UTC, "
                f"{silence:.1f} days before this moment; {limit:.1f} are usual"
            )
            yield Finding("freshness", table, reason, silence, limit)


def _silence(
    connection: duckdb.DuckDBPyConnection, table: str, column: str, as_of: datetime, *, aside: str | None
) -> tuple[datetime | None, float, float, int]:
    """Newest moment, days since then, longest silence in days before it, and hours that had facts."""
    rows = named(table) if aside is None else f"{named(table)} ANTI JOIN {named(aside)} USING (row_number)"
    sql = f"""
        WITH hours AS (
            SELECT DISTINCT date_trunc('hour', {named(column)}) AS hour, FROM {rows}
            WHERE {named(column)} < $1
        ), newest AS (SELECT max({named(column)}) AS moment FROM {rows} WHERE {named(column)} < $1
        ), gaps AS (
            SELECT hour, epoch(hour) - epoch(lag(hour) OVER (ORDER BY hour)) AS gap
            FROM hours WHERE hour > (SELECT moment FROM newest) - INTERVAL {SILENCE_WINDOW_DAYS} DAY
        )
        SELECT any_value(newest.moment),
               any_value(epoch($1::TIMESTAMP) - epoch(newest.moment)) / {DAY_SECONDS},
               coalesce(max(gap), 0) / {DAY_SECONDS}, count(hour)
        FROM newest LEFT JOIN gaps ON true
    """  # noqa: S608  # names are quoted identifiers, numbers our own
    found = connection.execute(sql, [as_of.replace(tzinfo=None)]).fetchone()
    newest, silence, longest, hours = found or (None, 0.0, 0.0, 0)
    return newest, float(silence or 0.0), float(longest), int(hours)
