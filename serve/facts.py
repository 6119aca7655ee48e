"""What a page shows and filters by beside the rank: the facts of each ranked lead, and its latest touches.

Both files lie in the order of the ranking, so that the rows of one lead are found together. They are made of
the ranking and of the tables, also for leads that a run took over: of these nothing new is known.
"""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Mapping
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from features.ingest.sql import count, named, quoted
from serve.lists.consumed import FIRST

LEADS, TIMELINE = "leads.parquet", "timeline.parquet"
OF_LEAD = ("owner", "territory", "source", "campaign", "account_id")
"""Texts of the table ``leads`` that a page filters by; null where the table does not have them."""
KNOWN_BY = ("lead_id", "occurred_at", "recorded_at", "row_number")
"""What a touch is found and ordered by."""
OF_TOUCH = {
    **dict.fromkeys(("kind", "place", "campaign", "direction"), "VARCHAR"),
    "duration_seconds": "DOUBLE",
}
"""What the timeline shows of a touch, by its type; null where the table does not have it."""
SLICE_ENTRIES = 2_000_000
"""Touches and stages that are sorted at a time."""
_TEXTS = dict.fromkeys(("kind", "place", "campaign", "direction"), pa.string())
_SCHEMA = pa.schema(
    {
        "lead_id": pa.string(),
        "occurred_at": pa.timestamp("us"),
        **_TEXTS,
        "duration_seconds": pa.float64(),
        "stage": pa.string(),
    }
)


def write_facts(
    connection: duckdb.DuckDBPyConnection,
    staged: Path,
    *,
    as_of: str,
    tables: Mapping[str, Collection[str]],
    touches: str = "touches",
    most: int = 20,
) -> None:
    """Write ``leads.parquet`` and ``timeline.parquet`` from the staged ranking.

    Parameters
    ----------
    connection
        Has the loaded tables.
    staged
        Folder of tonight's run, with ``ranking.parquet``.
    as_of
        The moment, UTC without a zone, as ISO 8601: only what was known before it is shown.
    tables
        Columns of the loaded tables.
    touches
        The table or view of the touches, those of visitors given to the leads that they became.
    most
        Touches per lead in the timeline, the latest ones; 0: none, and no stages either.

    Notes
    -----
    ``leads.parquet``: ``lead_id``, the columns `OF_LEAD`, ``created_at``, ``stage`` (the latest reached,
    ``lead`` before the first; null without outcomes), ``stage_at``, ``touches`` (how many; null without
    touches), ``last_touch_at``, ``last_touch_kind``, ``last_touch_direction``. ``timeline.parquet``:
    ``lead_id``, ``occurred_at``, the columns `OF_TOUCH`, and ``stage``, which is null for a touch and alone
    for a stage that was reached.
    """
    ranking = connection.read_parquet(str(staged / "ranking.parquet"))
    connection.register("_ranked", ranking.project("rank, lead_id"))
    moment = f"TIMESTAMP '{as_of}'"
    facts = connection.sql(_facts_sql(tables, touches, moment))
    facts.write_parquet(str(staged / LEADS))
    _write_timeline(connection, staged, _entries_sql(tables, touches, moment, most), most)
    connection.unregister("_ranked")


def _facts_sql(tables: Mapping[str, Collection[str]], touches: str, moment: str) -> str:
    texts = ", ".join(_or_null("l", name, tables["leads"], "VARCHAR") for name in OF_LEAD)
    created = _or_null("l", "created_at", tables["leads"], "TIMESTAMP")
    stage = f"coalesce(s.stage, '{FIRST}')" if "outcomes" in tables else "NULL::VARCHAR"
    count = "coalesce(t.touches, 0)" if "touches" in tables else "NULL::BIGINT"
    return f"""
        WITH s AS ({_stages_sql(tables, moment)}), t AS ({_counts_sql(tables, touches, moment)})
        SELECT r.lead_id, {texts}, {created}, {stage} AS stage, s.stage_at, {count} AS touches,
               t.at AS last_touch_at, t.kind AS last_touch_kind,
               t.direction AS last_touch_direction
        FROM _ranked AS r LEFT JOIN leads AS l ON l.lead_id = r.lead_id
             LEFT JOIN s ON s.lead_id = r.lead_id LEFT JOIN t ON t.lead_id = r.lead_id
        ORDER BY r.rank
    """  # noqa: S608  # names of our own


def _stages_sql(tables: Mapping[str, Collection[str]], moment: str) -> str:
    """The latest stage of each lead; of one moment, the one that stands last in the file."""
    if "outcomes" not in tables:
        return "SELECT NULL::VARCHAR AS lead_id, NULL::VARCHAR AS stage, NULL::TIMESTAMP AS stage_at LIMIT 0"
    return f"""
        SELECT lead_id, arg_max(stage, (occurred_at, row_number)) AS stage, max(occurred_at) AS stage_at
        FROM outcomes WHERE {_is_known(moment)} GROUP BY lead_id
    """  # noqa: S608  # names of our own


def _counts_sql(tables: Mapping[str, Collection[str]], touches: str, moment: str) -> str:
    if "touches" not in tables:
        kinds = {"lead_id": "VARCHAR", "touches": "BIGINT", "at": "TIMESTAMP", "kind": "VARCHAR"}
        typed = (f"NULL::{kind} AS {name}" for name, kind in {**kinds, "direction": "VARCHAR"}.items())
        return f"SELECT {', '.join(typed)} LIMIT 0"
    direction = "arg_max_null(direction, {0})" if "direction" in tables["touches"] else "NULL::VARCHAR"
    # One number orders faster than a pair; microseconds and rows of a table are far below 63 bits each.
    latest = "epoch_us(occurred_at)::HUGEINT * 1099511627776 + row_number"
    return f"""
        SELECT lead_id, count(*) AS touches, max(occurred_at) AS at, arg_max_null(kind, {latest}) AS kind,
               {direction.format(latest)} AS direction
        FROM {named(touches)} SEMI JOIN _ranked USING (lead_id) WHERE {_is_known(moment)} GROUP BY lead_id
    """  # noqa: S608  # quoted


def _write_timeline(connection: duckdb.DuckDBPyConnection, staged: Path, entries: str, most: int) -> None:
    """Write ``timeline.parquet``, slice by slice of the ranking: no more is sorted at a time."""
    count_of = count(connection, f"SELECT count(*) FROM ({entries})")  # noqa: S608  # of our own
    slices, leads = 1 + count_of // SLICE_ENTRIES, max(1, count(connection, "SELECT max(rank) FROM _ranked"))
    with (
        tempfile.TemporaryDirectory(prefix=".timeline-", dir=staged) as folder,
        pq.ParquetWriter(staged / TIMELINE, _SCHEMA) as file,
    ):
        connection.execute(f"""
            COPY (SELECT (rank - 1) * {slices} // {leads} AS slice, * FROM ({entries}))
            TO {quoted(folder)} (FORMAT parquet, PARTITION_BY (slice), OVERWRITE_OR_IGNORE)
        """)  # noqa: S608  # quoted
        for place in range(slices):
            if (part := Path(folder) / f"slice={place}").is_dir():
                ranks = range(1 - -place * leads // slices, 1 - -(place + 1) * leads // slices)
                file.write_table(connection.sql(_slice_sql(part, ranks, most)).to_arrow_table().cast(_SCHEMA))


def _slice_sql(part: Path, ranks: range, most: int) -> str:
    """The entries of some ranks; of the ranking only these are read, else each slice would read it all."""
    shown = ", ".join(["occurred_at", *OF_TOUCH, "stage"])
    return f"""
        SELECT r.lead_id, {shown}
        FROM read_parquet({quoted(f"{part}/*.parquet")}, hive_partitioning = false) AS e
             JOIN _ranked AS r ON r.rank = e.rank AND r.rank BETWEEN {ranks.start} AND {ranks.stop - 1}
        QUALIFY stage IS NOT NULL OR row_number() OVER (
            PARTITION BY e.rank, stage IS NULL ORDER BY occurred_at DESC, row_number DESC) <= {most:d}
        ORDER BY e.rank, occurred_at DESC, stage IS NULL, row_number DESC
    """  # noqa: S608  # quoted


def _entries_sql(tables: Mapping[str, Collection[str]], touches: str, moment: str, most: int) -> str:
    """Every known touch and stage of the ranked leads, in no order."""
    parts = [_nothing_sql()]
    if "touches" in tables and most:
        parts.append(_touched_sql(tables["touches"], touches, moment))
    if "outcomes" in tables and most:
        parts.append(_reached_sql(moment))
    return " UNION ALL BY NAME ".join(parts)


def _nothing_sql() -> str:
    columns = {"rank": "BIGINT", "row_number": "BIGINT", "occurred_at": "TIMESTAMP", **OF_TOUCH}
    typed = (f"NULL::{kind} AS {name}" for name, kind in {**columns, "stage": "VARCHAR"}.items())
    return f"(SELECT {', '.join(typed)} LIMIT 0)"


def _touched_sql(columns: Collection[str], touches: str, moment: str) -> str:
    told = ", ".join(_or_null("t", name, columns, kind) for name, kind in OF_TOUCH.items())
    return f"""(
        SELECT r.rank, t.row_number, t.occurred_at, {told}
        FROM {named(touches)} AS t JOIN _ranked AS r ON r.lead_id = t.lead_id WHERE {_is_known(moment)}
    )"""  # noqa: S608  # quoted


def _reached_sql(moment: str) -> str:
    return f"""(
        SELECT r.rank, o.row_number, o.occurred_at, o.stage
        FROM outcomes AS o JOIN _ranked AS r ON r.lead_id = o.lead_id WHERE {_is_known(moment)}
    )"""  # noqa: S608  # names of our own


def _is_known(moment: str) -> str:
    return f"occurred_at < {moment} AND recorded_at < {moment}"


def _or_null(table: str, name: str, columns: Collection[str], kind: str) -> str:
    return f"{table}.{named(name)} AS {name}" if name in columns else f"NULL::{kind} AS {name}"
