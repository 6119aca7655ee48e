"""Leads that ended before they began: they are asked about by nobody, and worth a count."""

from __future__ import annotations

from collections.abc import Mapping

import duckdb

from features.ingest.quarantine import Note
from features.ingest.sql import count


def early_ends(connection: duckdb.DuckDBPyConnection, columns: Mapping[str, tuple[str, ...]]) -> list[Note]:
    """How many outcomes come before the creation of their lead; no note if none does.

    Parameters
    ----------
    columns
        Content columns by loaded table.
    """
    if "outcomes" not in columns or "created_at" not in columns.get("leads", ()):
        return []
    rows = count(
        connection,
        "SELECT count(*) FROM outcomes JOIN leads USING (lead_id) WHERE outcomes.occurred_at < created_at",
    )
    return [Note("outcomes", "occurred_at", "before_creation", rows)] if rows else []
