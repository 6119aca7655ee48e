"""A run of the leads that have changed since another run, and of that run's rows for all others.

The staged folder holds the files of the leads that were scored again; DuckDB adds the rest. No rank is taken
over: the scores of all are ranked together.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from features.ingest.sql import count, named, quoted
from models.metrics import Vector
from serve import part_rows, parts
from serve.batch import CONTRIBUTIONS, LEDGER, REASONS, SCORES, WITHHELD
from serve.runs import Run

FEATURES, RANKING = "features.parquet", "ranking.parquet"
SCORED_AT = "scored_at"
"""Column of the ranking: the moment that a lead's row stands for."""
_KEPT = "_kept"
_PARTS = ("new_facts", "time_passing", "model", "calibration", "total")


def take_over(
    connection: duckdb.DuckDBPyConnection,
    staged: Path,
    run: Run,
    *,
    calibrate: Callable[[Vector], Vector] | None,
    part_leads: int | None = None,
) -> int:
    """Add the leads that did not change to the staged files; how many they were.

    Parameters
    ----------
    connection
        Has ``open_leads`` (``lead_id``, ``snapshot_id`` of every lead of tonight) and ``snapshots`` (those
        that were scored again).
    staged
        Folder with ``features.parquet``, and where a lead was scored again ``scores.parquet``,
        ``reasons.parquet`` and ``contributions.parquet``.
    run
        The run whose rows stay.
    calibrate
        From margins to probabilities; a withheld one is not published, and still ranks. None: none is.
    part_leads
        Leads of a part of the files that are published (`serve.parts`); None: each is one file.
    """
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE {_KEPT} AS
        SELECT lead_id, open_leads.snapshot_id FROM open_leads
        SEMI JOIN {_file(run.folder / FEATURES)} USING (lead_id) ANTI JOIN snapshots USING (lead_id)
    """)  # noqa: S608  # paths are quoted
    features = f"SELECT * EXCLUDE (snapshot_id) FROM {_file(run.folder / FEATURES)}"  # noqa: S608
    _merge(connection, staged / FEATURES, features, part_leads=part_leads)
    for name, order in ((CONTRIBUTIONS, ""), (REASONS, "rank_in_row")):
        _merge(connection, staged / name, f"FROM {_file(run.folder / name)}", order, part_leads=part_leads)
    _merge_scores(connection, staged, run, calibrate)
    return count(connection, f"SELECT count(*) FROM {_KEPT}")  # noqa: S608


def take_over_ledger(connection: duckdb.DuckDBPyConnection, staged: Path, run: Run) -> dict[str, int]:
    """Add to the ledger the leads that stand as they stood; leads in ``both`` runs, ``new``, ``departed``.

    To be called after `take_over`.
    """
    nothing = ", ".join(f"0.0 AS {part}" for part in _PARTS)
    now, was = _file(staged / FEATURES), _file(run.folder / RANKING)
    kept = f"""
        SELECT lead_id, rank AS rank_before, probability AS probability_before,
               CASE WHEN probability IS NOT NULL THEN 0.0 END AS change, {nothing} FROM {was}
    """  # noqa: S608  # paths are quoted
    _merge(connection, staged / LEDGER, kept)
    here, before, both = (
        count(connection, f"SELECT count(*) FROM {rows}")  # noqa: S608  # paths are quoted
        for rows in (now, was, f"{now} SEMI JOIN {was} USING (lead_id)")
    )
    return {"both": both, "new": here - both, "departed": before - both}


def _merge(
    connection: duckdb.DuckDBPyConnection,
    file: Path,
    kept: str,
    order: str = "",
    *,
    part_leads: int | None = None,
) -> None:
    """Put the kept leads' rows into a file, in the order of tonight's snapshots, which are counted from 0."""
    every = [_numbered(f"({kept})", _KEPT)]
    if file.exists():
        has_number = "snapshot_id" in connection.read_parquet(str(file)).columns
        own = "* EXCLUDE (snapshot_id)" if has_number else "*"
        every.insert(0, _numbered(f"(SELECT {own} FROM {_file(file)})", "snapshots"))  # noqa: S608  # quoted
    told = "*" if file.name == FEATURES else "* EXCLUDE (snapshot_id)"
    both = " UNION ALL BY NAME ".join(every)
    ordered = ", ".join(name for name in ("snapshot_id", order) if name)
    fresh = file.with_name(f".{file.name}")
    place = "" if part_leads is None else f", snapshot_id // {part_leads:d} AS {part_rows.PLACE}"
    merged = connection.sql(f"SELECT {told}{place} FROM ({both}) ORDER BY {ordered}")  # noqa: S608
    if part_leads is None:
        merged.write_parquet(str(fresh))
    else:
        leads = count(connection, "SELECT count(*) FROM open_leads")
        places = parts.parts_for(leads, part_leads)
        part_rows.write_placed(merged.to_arrow_reader(part_rows.GROUP_ROWS), fresh, places)
    parts.put(fresh, file)


def _numbered(rows: str, numbers: str) -> str:
    return f"SELECT n.snapshot_id, r.* FROM {rows} AS r JOIN {numbers} AS n USING (lead_id)"  # noqa: S608


def _merge_scores(
    connection: duckdb.DuckDBPyConnection,
    staged: Path,
    run: Run,
    calibrate: Callable[[Vector], Vector] | None,
) -> None:
    """Scores are not published; those of a kept lead stand in the ranking, but for withheld probabilities."""
    ranking = connection.read_parquet(str(run.folder / RANKING))
    first, end = ranking.columns.index("ranked_by") + 1, ranking.columns.index("rank_before")
    columns = [name for name in ranking.columns[first:end] if name != SCORED_AT]
    told = ", ".join(named(name) for name in columns)
    kept = f"SELECT lead_id, {told} FROM {_file(run.folder / RANKING)}"  # noqa: S608
    if WITHHELD in columns and calibrate is not None:
        connection.register("_withheld", _withheld(ranking, calibrate))
        again = "coalesce(_withheld.probability, r.probability) AS probability"
        kept = f"SELECT r.* REPLACE ({again}) FROM ({kept}) AS r LEFT JOIN _withheld USING (lead_id)"  # noqa: S608
    _merge(connection, staged / SCORES, kept)
    fresh = staged / f".{SCORES}"
    dated = (
        f"SELECT s.*, f.as_of AS {SCORED_AT} FROM {_file(staged / SCORES)} AS s"  # noqa: S608
        f" JOIN {_file(staged / FEATURES)} AS f USING (lead_id)"
    )
    connection.sql(dated).write_parquet(str(fresh))
    parts.put(fresh, staged / SCORES)


def _withheld(ranking: duckdb.DuckDBPyRelation, calibrate: Callable[[Vector], Vector]) -> pa.Table:
    found = ranking.filter(f"{WITHHELD} IS NOT NULL").project("lead_id, margin").to_arrow_table()
    margin = np.asarray(found.column("margin").to_numpy(), np.float64)
    return pa.table({"lead_id": found.column("lead_id"), "probability": calibrate(margin)})


def _file(path: Path) -> str:
    return f"read_parquet({quoted(str(path))})"
