"""What people said on the page, from its state, on its way into the loaded outcomes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from features.backend import environment
from features.ingest import Loaded
from features.ingest.quarantine import Counts
from features.ingest.said import add_said
from features.moments import naive_utc
from pipelines.params import Params

SAID = pa.schema({
    "lead_id": pa.string(), "stage": pa.string(), "action": pa.string(), "said_at": pa.timestamp("us"),
    "rank": pa.int64(), "probability": pa.float64(),
})  # fmt: skip
"""What is read of the state: nobody's name, and not the reason, which is free text."""


def merged(
    params: Params,
    home: Path,
    connection: duckdb.DuckDBPyConnection,
    loaded: Loaded,
    present: Callable[[], datetime],
) -> tuple[Loaded, Counts | None]:
    """Add what was said before a moment to the loaded ``outcomes``.

    Parameters
    ----------
    present
        Gives the moment, UTC; asked only where there is a state.

    Returns
    -------
    tuple
        The load, with a digest of its own for other feedback; and the counts, None where nothing was said,
        nobody has used the page, or ``features.feedback`` is false.

    Raises
    ------
    ParameterError, StorageError, UpstreamError
        The state that ``serve.state_url_env`` names, or the file, cannot be read.
    """
    if not params.features.feedback or not _is_used(params, home):
        return loaded, None
    until = present()
    found = _said(params, home, until)
    if not found.num_rows:
        return loaded, None
    counts, sums = add_said(connection, found, until=until)
    if sums is None:
        return loaded, counts
    told = json.dumps([loaded.digest, sums], sort_keys=True)
    return replace(loaded, digest=hashlib.sha256(told.encode()).hexdigest()), counts


def _is_used(params: Params, home: Path) -> bool:
    """Whether there is a state: a night makes none."""
    from serve.state.store import FILE

    return params.serve.state_url_env is not None or (home / FILE).is_file()


def _said(params: Params, home: Path, until: datetime) -> pa.Table:
    """All that was said before the moment."""
    from pipelines.serving import state

    store = state(params, home, environment())
    try:
        return _table(store.feedback.rows(until=until))
    finally:
        store.close()


def _table(rows: Iterable[Mapping[str, Any]]) -> pa.Table:
    """The rows as a table, in their order."""
    said = [{**row, "said_at": naive_utc(row["at"])} for row in rows]
    return pa.table(
        {field.name: pa.array([row[field.name] for row in said], field.type) for field in SAID}, SAID
    )
