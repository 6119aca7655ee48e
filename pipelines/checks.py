"""``leadrank check``: read every table as the night would, and say what was accepted and why not."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from pipelines.inputs import Inputs, opened
from pipelines.params import Params
from pipelines.progress import Progress

_REASONS = """
    SELECT table_name AS "table", reason, "column", count(*) AS rows, min(line) AS first_line
    FROM quarantine GROUP BY ALL ORDER BY ALL
"""


def run(params: Params, home: Path, *, progress: Progress) -> dict[str, Any]:
    """Load all tables and report.

    Returns
    -------
    dict
        ``counts`` by table, ``quarantine`` (rows and first line by table, reason and column),
        ``ignored_columns`` by table, ``data_digest``.

    Raises
    ------
    InputError
        A table breaks its contract.
    GateError
        Too many rows of a table are quarantined.
    """
    with opened(params, home, progress) as inputs:
        return {**counted(inputs), "quarantine": quarantined(inputs)}


def counted(inputs: Inputs) -> dict[str, Any]:
    """What a load did, as it is printed and stored: rows read = accepted + quarantined + deduplicated."""
    loaded = inputs.loaded
    return {
        "counts": [asdict(counts) for counts in loaded.counts.values()],
        "ignored_columns": {name: list(columns) for name, columns in loaded.ignored.items() if columns},
        "data_digest": loaded.digest,
    }


def quarantined(inputs: Inputs) -> list[dict[str, Any]]:
    """Quarantined rows and their first line, by table, reason and column."""
    names = ("table", "reason", "column", "rows", "first_line")
    return [dict(zip(names, row, strict=True)) for row in inputs.connection.execute(_REASONS).fetchall()]
