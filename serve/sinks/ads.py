"""What a click is worth before its deal is decided, for the bidding of ad platforms.

That is the probability times the expected amount. One conversion per click and event, always with the same
time (the lead's creation): a platform counts a conversion that it is sent again no second time. Who has no
published probability, or objects to being profiled, is left out.
"""

# ruff: noqa: S608  # names go through named(), texts through quoted(), numbers are our own

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from features.ingest.sql import named, quoted
from features.objections import FLAG, SINCE
from serve.sinks.platforms import Platform

WITHHELD = "probability_withheld"
_CLICK = "^[A-Za-z0-9_.-]+$"
_USUAL_NAME = "leadrank {stage}"


@dataclass(frozen=True)
class Goals:
    """What is sent.

    Attributes
    ----------
    stage
        The trained stage: that of ``probability``.
    currency
        ISO 4217 code of the amounts.
    of
        Another stage by campaign or source; a campaign goes before a source.
    names
        What the platform calls the conversion of a stage; ``leadrank <stage>`` for the others.
    amount
        Amount of a won deal where the ranking predicts none; None: such leads are left out.
    """

    stage: str
    currency: str
    of: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    amount: float | None = None

    @property
    def stages(self) -> tuple[str, ...]:
        """Every stage that a conversion may stand for."""
        return tuple(dict.fromkeys((self.stage, *self.of.values())))


@dataclass(frozen=True)
class Sent:
    """What a file has: rows, and the leads that are left out by the reason."""

    rows: int
    left_out: Mapping[str, int]


def write(
    connection: duckdb.DuckDBPyConnection,
    ranking: Path,
    path: Path,
    *,
    platform: Platform,
    click_id: str,
    goals: Goals,
    as_of: datetime,
) -> Sent:
    """Write the conversions of a platform, best lead first.

    Parameters
    ----------
    connection
        Holds the table ``leads``.
    ranking
        ``ranking.parquet`` of the run.
    path
        The file.
    click_id
        Column of ``leads`` with the platform's click id.
    as_of
        The moment that is ranked: a lead that is older than the platform takes is left out.

    Returns
    -------
    Sent
        Reasons: ``opted_out``, ``no_click_id``, ``no_click_id_of_a_platform`` (other characters than such ids
        have), ``no_creation_time``, ``too_old``, ``withheld``, ``no_probability`` (reached already, or not
        estimated), ``no_amount``, ``same_click`` (a better lead has that click and event).
    """
    ranked = connection.read_parquet(str(ranking))
    leads = connection.table("leads")
    rows = _rows(ranked.columns, leads.columns, click_id, goals)
    connection.register("_ranked", ranked)
    judged = f"SELECT *, {_why(as_of, platform.days)} AS why FROM ({rows})"
    once = f"SELECT *, coalesce(why, CASE WHEN {_NOT_FIRST} THEN 'same_click' END) AS out FROM ({judged})"
    connection.execute(f"CREATE OR REPLACE TEMP TABLE _conversions AS {once}")
    connection.sql(_file(platform, goals)).write_csv(str(path), header=True)
    counts = connection.execute("SELECT out, count(*) FROM _conversions GROUP BY out ORDER BY out").fetchall()
    connection.execute("DROP TABLE _conversions")
    connection.unregister("_ranked")
    told = dict(counts)
    return Sent(told.pop(None, 0), told)


_NOT_FIRST = "row_number() OVER (PARTITION BY why, click, stage ORDER BY rank) > 1"


def _rows(ranking: Collection[str], leads: Collection[str], click_id: str, goals: Goals) -> str:
    """Each ranked lead with its click, stage, chance, amount, and time."""
    places = [name for name in ("campaign", "source") if name in leads]
    by_place = [_cases(f"l.{named(name)}", goals.of) for name in places] if goals.of else []
    stage = f"coalesce({', '.join([*by_place, quoted(goals.stage)])})"
    chances = {s: _chance(s, goals.stage, ranking) for s in goals.stages}
    chance = " ".join(f"WHEN {quoted(s)} THEN {sql}" for s, sql in chances.items())
    predicted = "r.expected_value / nullif(r.probability, 0)" if "expected_value" in ranking else "NULL"
    flat = "NULL" if goals.amount is None else repr(goals.amount)
    withheld = f"r.{WITHHELD} IS NOT NULL" if WITHHELD in ranking else "false"
    created = "l.created_at" if "created_at" in leads else "CAST(NULL AS TIMESTAMP)"
    return f"""
        SELECT r.rank, l.{named(click_id)} AS click, {stage} AS stage,
               CASE {stage} {chance} END AS chance, coalesce({predicted}, {flat}) AS amount,
               {created} AS created_at,
               {withheld} AS is_withheld,
               {_objects(leads)} AS is_out,
               left(sha256(r.lead_id || '/' || {stage}), 32) AS key
        FROM _ranked AS r LEFT JOIN leads AS l USING (lead_id)
    """


def _objects(leads: Collection[str]) -> str:
    """Whether a lead has opted out, as in `features.objections`; such leads are not ranked either."""
    dated = f"l.{SINCE} IS NOT NULL" if SINCE in leads else "false"
    return f"coalesce(l.{FLAG} = 1, {dated})" if FLAG in leads else dated


def _cases(value: str, texts: Mapping[str, str]) -> str:
    return f"CASE {value} {' '.join(f'WHEN {quoted(k)} THEN {quoted(v)}' for k, v in texts.items())} END"


def _chance(stage: str, trained: str, ranking: Collection[str]) -> str:
    column = "probability" if stage == trained else f"probability_{stage}"
    return f"r.{named(column)}" if column in ranking else "NULL"


def _why(as_of: datetime, days: int) -> str:
    """Why a lead is left out; null where it is not."""
    moment = quoted(f"{as_of.astimezone(UTC):%Y-%m-%d %H:%M:%S}")
    return f"""CASE
        WHEN is_out THEN 'opted_out'
        WHEN click IS NULL THEN 'no_click_id'
        WHEN NOT regexp_matches(click, '{_CLICK}') THEN 'no_click_id_of_a_platform'
        WHEN created_at IS NULL THEN 'no_creation_time'
        WHEN created_at < TIMESTAMP {moment} - INTERVAL {days} DAY THEN 'too_old'
        WHEN is_withheld THEN 'withheld'
        WHEN chance IS NULL THEN 'no_probability'
        WHEN amount IS NULL THEN 'no_amount' END"""


def _file(platform: Platform, goals: Goals) -> str:
    """The rows of the file, those that stand before all others first."""
    usual = f"coalesce({_cases('stage', goals.names)}, " if goals.names else "("
    start, _, end = _USUAL_NAME.partition("{stage}")
    row = f"""SELECT rank, click, key, created_at, round(chance * amount, 2) AS value,
        {quoted(goals.currency)} AS currency, {usual}{quoted(start)} || stage || {quoted(end)}) AS name
        FROM _conversions WHERE out IS NULL"""
    columns = ", ".join(f"CAST({sql} AS VARCHAR) AS {named(h)}" for h, sql in platform.columns.items())
    first = ", ".join(f"{quoted(platform.first.get(h, ''))} AS {named(h)}" for h in platform.columns)
    before = f"SELECT {first}, 0 AS rank UNION ALL " if platform.first else ""
    headers = ", ".join(named(header) for header in platform.columns)
    return f"SELECT {headers} FROM ({before}SELECT {columns}, rank FROM ({row})) ORDER BY rank"
