"""What a page or a command reads of a published run; DuckDB over its Parquet files, nothing else."""

from __future__ import annotations

from typing import Any

import duckdb

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


def lead(run: Run, lead_id: str) -> dict[str, Any] | None:
    """One lead's row of the ranking; None if it was not ranked."""
    found = _rows("SELECT * FROM read_parquet(?) WHERE lead_id = ?", run, "ranking", lead_id)
    return found[0] if found else None


def reasons(run: Run, lead_id: str) -> list[dict[str, Any]]:
    """A lead's published reasons, those for first, strongest first."""
    sql = "SELECT * EXCLUDE lead_id FROM read_parquet(?) WHERE lead_id = ? ORDER BY rank_in_row"
    return _rows(sql, run, "reasons", lead_id)


def _rows(sql: str, run: Run, file: str, value: str | int) -> list[dict[str, Any]]:
    with duckdb.connect() as connection:
        found = connection.execute(sql, [str(run.folder / f"{file}.parquet"), value])
        names = [column[0] for column in found.description or ()]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]
