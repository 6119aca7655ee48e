"""What a page or a command reads of a published run; DuckDB over its Parquet files, nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from features.errors import StorageError
from serve.batch import WITHHELD
from serve.runs import Run


def ranked_by(run: Run) -> dict[str, str | None]:
    """Who ranked, ``model`` or ``scorecard``, and why: ``ranked_by`` and ``ranked_because``."""
    return {
        "ranked_by": run.manifest.get("ranked_by", "model"),
        "ranked_because": run.manifest.get("ranked_because"),
    }


def top_leads(run: Run, most: int) -> list[dict[str, Any]]:
    """The first leads of the ranking, by rank, each as a mapping of its columns."""
    return _rows("SELECT * FROM read_parquet(?) WHERE rank <= ? ORDER BY rank", run, "ranking", most)


def withheld(run: Run) -> dict[str, int]:
    """How many leads have no probability though a model ranked them, by the reason."""
    file = str(run.folder / "ranking.parquet")
    with duckdb.connect() as connection:
        ranking = connection.read_parquet(file)
        if WITHHELD not in ranking.columns:
            return {}
        counts = ranking.filter(f"{WITHHELD} IS NOT NULL").aggregate(f"{WITHHELD} AS why, count(*) AS leads")
        return dict(counts.order("leads DESC, why").fetchall())


def listed(run: Run) -> dict[str, int | None]:
    """Rows of the lists ``calls`` and ``nurture``; None where the run has no such list."""
    files = {name: run.folder / f"{name}.parquet" for name in ("calls", "nurture")}
    return {name: pq.read_metadata(file).num_rows if file.exists() else None for name, file in files.items()}


def calls(run: Run, owner: str | None) -> list[dict[str, Any]]:
    """The calls of a rep, or of all, by rep and place, each as a mapping of its columns."""
    sql = "SELECT * FROM read_parquet($1) WHERE $2::VARCHAR IS NULL OR owner = $2 ORDER BY owner, place"
    return _rows(sql, run, "calls", owner)


def call_totals(run: Run, owner: str | None) -> list[dict[str, Any]]:
    """The totals of a rep, or of all and of every rep."""
    sql = 'SELECT * FROM read_parquet($1) WHERE $2::VARCHAR IS NULL OR owner = $2 ORDER BY "by", owner'
    return _rows(sql, run, "call_totals", owner)


def lead(run: Run, lead_id: str) -> dict[str, Any] | None:
    """One lead's row of the ranking; None if it was not ranked."""
    found = _rows("SELECT * FROM read_parquet(?) WHERE lead_id = ?", run, "ranking", lead_id)
    return found[0] if found else None


def reasons(run: Run, lead_id: str) -> list[dict[str, Any]]:
    """A lead's published reasons, those for first, strongest first."""
    sql = "SELECT * EXCLUDE lead_id FROM read_parquet(?) WHERE lead_id = ? ORDER BY rank_in_row"
    return _rows(sql, run, "reasons", lead_id)


def features(run: Run, lead_id: str) -> pa.Table:
    """The feature row that a lead was ranked by; no row if it was not ranked."""
    sql = "SELECT * FROM read_parquet(?) WHERE lead_id = ?"
    with _reading(run, "features") as (connection, path):
        return connection.execute(sql, [path, lead_id]).to_arrow_table()


def changes(run: Run, lead_id: str) -> tuple[dict[str, Any], list[dict[str, Any]]] | None:
    """What changed since the run before: the lead's row of the ledger and its reasons, strongest first.

    None where there was no run before, or the lead is new in this one.
    """
    if not run.manifest.get("changes"):
        return None
    found = _rows("SELECT * FROM read_parquet(?) WHERE lead_id = ?", run, "changes", lead_id)
    sql = "SELECT * EXCLUDE lead_id FROM read_parquet(?) WHERE lead_id = ? ORDER BY abs(points) DESC, feature"
    return (found[0], _rows(sql, run, "change_reasons", lead_id)) if found else None


def _rows(sql: str, run: Run, file: str, value: str | int | None) -> list[dict[str, Any]]:
    with _reading(run, file) as (connection, path):
        found = connection.execute(sql, [path, value])
        names = [column[0] for column in found.description or ()]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


@contextmanager
def _reading(run: Run, file: str) -> Iterator[tuple[duckdb.DuckDBPyConnection, str]]:
    """A connection and the path of a file of a run; what cannot be read is a damaged run."""
    try:
        with duckdb.connect() as connection:
            yield connection, str(run.folder / f"{file}.parquet")
    except duckdb.Error as error:
        raise StorageError(
            f"'{file}.parquet' of run '{run.run_id}' cannot be read",
            hint="score that night again: a damaged run is made anew",
        ) from error
