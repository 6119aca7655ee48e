"""What the policy of a training asks others: the monitor's advice, and how many leads were decided since."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from features.backend import engine, environment, workspace
from features.ingest import load
from features.moments import CLOSING, naive_utc
from features.tombstones import read as tombstones_of
from pipelines.inputs import exporter
from pipelines.lineage import DECIDED, KNOWN_UNTIL
from pipelines.params import Params

_SINCE = """
    SELECT count(DISTINCT lead_id) FROM outcomes
    WHERE list_contains($1, stage) AND greatest(occurred_at, recorded_at) >= $2
"""


def advice(home: Path) -> Mapping[str, Any] | None:
    """What the monitor said of the latest night that it looked at; None: it looked at none."""
    from serve.monitoring import store

    return store.latest(home)


def is_damaged(home: Path) -> bool:
    """Whether a verdict of the monitor is there that cannot be read."""
    from serve.monitoring import store

    return len(store.verdicts(home)) < sum(1 for _ in (home / store.FOLDER).glob("*.json"))


def new_outcomes(params: Params, home: Path, tags: Mapping[str, str]) -> int | None:
    """Leads that were won, lost or disqualified since a training.

    One table is loaded; what people said on the page is not counted.

    Parameters
    ----------
    tags
        Those of the version, with what `pipelines.lineage` kept of its training.

    Returns
    -------
    int or None
        None: the version does not say what it has learned from, or only of another kind of tables.

    Raises
    ------
    InputError, UpstreamError
        The table cannot be read.
    """
    is_flat = "outcomes" not in params.tables
    known = tags.get(DECIDED if is_flat else KNOWN_UNTIL)
    if known is None:
        return None
    name = "leads" if is_flat else "outcomes"
    with workspace(home) as backend, engine(params.engine.asked(home), backend, home) as computing:
        load(
            backend.con,
            {name: params.tables[name]},
            folder=home,
            generate_ids=is_flat,
            environment=environment(),
            exporter=exporter(computing),
            tombstones=tombstones_of(home),
        )
        if is_flat:
            return max(0, _one(backend.con, "SELECT count(outcome) FROM leads") - int(known))
        return _one(backend.con, _SINCE, [list(CLOSING), naive_utc(datetime.fromisoformat(known))])


def _one(connection: Any, query: str, values: list[Any] | None = None) -> int:
    return int(connection.execute(query, values or []).fetchone()[0])
