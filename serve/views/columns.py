"""The columns of an index: ``shown``, a row per lead as published, and ``narrow``, what is filtered by."""

from __future__ import annotations

from pathlib import Path

import duckdb

from features.ingest.sql import named, quoted
from serve.facts import LEADS, OF_LEAD
from serve.runs import Run
from serve.views.cards import NAMES, first_of

CODED = ("owner", "territory", "source", "campaign", "stage", "grade", "route", "changed", "tags", "caller")
"""Columns of ``narrow`` that are numbers of ``words``."""
POINTS = 1.0
"""Percentage points of probability from which a lead has changed since the run before."""
_FACTS = {
    **dict.fromkeys((*OF_LEAD, "stage", "last_touch_kind", "last_touch_direction"), "VARCHAR"),
    **dict.fromkeys(("created_at", "stage_at", "last_touch_at"), "TIMESTAMP"),
    "touches": "BIGINT",
}
_OF_RANKING = {
    **dict.fromkeys(("grade", "route", "tags", "probability_withheld", "change_1"), "VARCHAR"),
    **dict.fromkeys(("probability", "probability_low", "probability_high", "score"), "DOUBLE"),
    **dict.fromkeys(("expected_value", "change"), "DOUBLE"),
    "rank_before": "BIGINT",
}
_RESERVED = ("row", "changed")
"""Columns of our own: published ones of these names are not on the page."""


def columns_of(connection: duckdb.DuckDBPyConnection, path: Path) -> list[str]:
    """The columns of a Parquet file, or of its parts; none if there is no such file."""
    return list(connection.read_parquet(str(path)).columns) if path.exists() else []


def shown_sql(connection: duckdb.DuckDBPyConnection, run: Run) -> str:
    """The ranking with the facts of each lead; what an older run does not have is null."""
    ranked = columns_of(connection, run.folder / "ranking.parquet")
    known = columns_of(connection, run.folder / LEADS)
    facts = ", ".join(
        f"f.{name} AS {name}"
        if name in known
        else f"r.{name}::{kind} AS {name}"
        if name in ranked
        else f"NULL::{kind} AS {name}"
        for name, kind in _FACTS.items()
    )
    absent = "".join(f", NULL::{kind} AS {name}" for name, kind in _OF_RANKING.items() if name not in ranked)
    numbers = _numbers(connection, run)
    own = ", ".join(_finite(name, numbers) for name in ranked if name not in {*_FACTS, *_RESERVED})
    joined = f"LEFT JOIN {parquet(run, LEADS)} AS f ON f.lead_id = r.lead_id" if known else ""
    return f"""
        SELECT (row_number() OVER (ORDER BY r.rank) - 1)::INTEGER AS row, {own}{absent}, {facts}
        FROM {parquet(run, "ranking.parquet")} AS r {joined} ORDER BY r.rank
    """  # noqa: S608  # quoted


def _numbers(connection: duckdb.DuckDBPyConnection, run: Run) -> set[str]:
    ranking = connection.read_parquet(str(run.folder / "ranking.parquet"))
    kinds = zip(ranking.columns, ranking.types, strict=True)
    return {name for name, kind in kinds if str(kind) in {"DOUBLE", "FLOAT"}}


def _finite(name: str, numbers: set[str]) -> str:
    """A column of the ranking; what is no number is null, for JSON knows neither NaN nor infinity."""
    column = f"r.{named(name)}"
    return f"CASE WHEN isfinite({column}) THEN {column} END AS {named(name)}" if name in numbers else column


def make_words(connection: duckdb.DuckDBPyConnection) -> None:
    """Each value of each coded column with its number."""
    connection.execute("CREATE TABLE words (field VARCHAR, value VARCHAR, code INTEGER)")
    for name in CODED:
        source, value = ("calls", "owner") if name == "caller" else ("shown", _value_sql(name))
        connection.execute(
            f"INSERT INTO words SELECT {quoted(name)}, value, row_number() OVER (ORDER BY value) - 1 FROM "  # noqa: S608
            f"(SELECT DISTINCT {value} AS value FROM {source}) WHERE value IS NOT NULL"
        )


def _value_sql(name: str) -> str:
    return _CHANGED if name == "changed" else named(name)


_CHANGED = f"""CASE WHEN change >= {POINTS} THEN 'up' WHEN change <= -{POINTS} THEN 'down'
    WHEN rank_before IS NULL AND (SELECT count(rank_before) FROM shown) > 0 THEN 'new' END"""  # noqa: S608  # a number of our own


def narrow_sql(connection: duckdb.DuckDBPyConnection) -> str:
    """All that is filtered, sorted and searched by, in the order of the ranking."""
    codes = ", ".join(f"w_{name}.code AS {name}" for name in CODED)
    joins = " ".join(
        f"LEFT JOIN (FROM words WHERE field = {quoted(name)}) AS w_{name} ON w_{name}.value = "
        + ("c.caller" if name == "caller" else f"s.{'changed' if name == 'changed' else named(name)}")
        for name in CODED
    )
    title = named(first_of(NAMES, published(connection)) or "lead_id")
    return f"""
        SELECT s.row, s.rank::INTEGER AS rank, s.rank_before::INTEGER AS rank_before, s.lead_id,
               {codes}, s.score, s.probability, s.probability_high, s.expected_value,
               s.change, s.last_touch_at, s.created_at, s.touches, c.place AS call,
               row_number() OVER (ORDER BY lower(s.{title}::VARCHAR) NULLS LAST) AS name
        FROM (SELECT *, {_CHANGED} AS changed FROM shown) AS s
             LEFT JOIN (
                 SELECT row, any_value(owner) AS caller, min(place) AS place FROM calls GROUP BY row
             ) AS c ON c.row = s.row {joins}
        ORDER BY s.row
    """  # noqa: S608  # quoted


def make_texts(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the table ``texts``: what is searched of each lead; plain, for it is read whole by each search."""
    texts = ", ".join(f"{named(name)}::VARCHAR" for name in ("lead_id", *published(connection)))
    connection.execute("SET force_compression = 'uncompressed'")
    connection.execute(
        f"CREATE TABLE texts AS SELECT row, lower(concat_ws(chr(10), {texts})) AS text FROM shown"  # noqa: S608
    )
    connection.execute("CHECKPOINT")
    connection.execute("SET force_compression = 'auto'")


def explained(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """The columns that say how a lead came to its probability, and its other probabilities."""
    names = [row[0] for row in connection.execute("DESCRIBE shown").fetchall()]
    further = [name for name in names if name.startswith(_EXPLAINED) and name not in _OF_RANKING]
    return [*(name for name in ("probability", "scored_at") if name in names), *further]


def published(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """The columns of ``score.publish_columns``, as the ranking has them behind its own."""
    names = [row[0] for row in connection.execute("DESCRIBE shown").fetchall()]
    own = [name for name in names if name not in {*_FACTS, *_OF_RANKING, "row"}]
    return [name for name in own if not _is_ours(name)]


def _is_ours(name: str) -> bool:
    return name in _OURS or name.startswith(_PREFIXES)


_OURS = {
    "rank", "lead_id", "ranked_by", "rfm_octant", "top_place", "margin", "points", "is_mql", "scored_at",
}  # fmt: skip
_EXPLAINED = ("probability_", "margin_")
_PREFIXES = (*_EXPLAINED, "for_", "against_")


def parquet(run: Run, name: str) -> str:
    """The SQL of a file of a run."""
    return f"read_parquet({quoted(str(run.folder / name))})"
