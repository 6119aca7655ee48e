"""Whom the published call lists called, for a training that looks at worked leads only."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import ibis
import pyarrow as pa

from features.moments import naive_utc
from features.questions import Question
from features.worked import Calls
from pipelines.inputs import Inputs
from pipelines.params import Params
from serve import runs
from serve.lists.calls import CALLS
from serve.reporting.names import CONTROL


def calls(params: Params, home: Path, inputs: Inputs) -> Calls | None:
    """The lists of all runs, one of each moment; None where all leads are learned from, or nobody has a list.

    Of several runs of one moment the one that was made last counts. A run whose list is damaged has none.
    Calls of a holdout's control group were not chosen by the ranking, and are left out: the others are a
    random share of all leads.
    """
    if params.train.unworked == "keep" or inputs.is_flat:
        return None
    nights: dict[str, Path] = {}
    for run in runs.published(home / params.score.runs):
        path = run.folder / CALLS
        if run.as_of not in nights and path.is_file() and not runs.damaged_files(run, CALLS):
            nights[run.as_of] = path
    if not nights:
        return None
    moments = {str(path): naive_utc(datetime.fromisoformat(as_of)) for as_of, path in nights.items()}
    times = pa.array([*moments.values()], pa.timestamp("us"))
    connection = inputs.connection
    connection.register("_nights", pa.table({"filename": [*moments], "as_of": times}))
    connection.execute(
        "CREATE OR REPLACE TABLE called AS SELECT lead_id, as_of, selection_probability "
        "FROM read_parquet($1, filename = TRUE) JOIN _nights USING (filename) WHERE why <> $2",
        [[*moments], CONTROL],
    )
    connection.unregister("_nights")
    since = min(moments.values()).replace(tzinfo=UTC)
    return Calls(inputs.backend.table("called"), since, params.train.most_weight)


def told(asked: Question) -> dict[str, Any] | None:
    """Since when only called leads are learned from, and how many rows of them there are, as plain data."""
    if asked.calls is None:
        return None
    rows, since = asked.snapshots, asked.calls.since
    after = rows.filter(rows.as_of >= ibis.timestamp(naive_utc(since)))
    return {"since": since.isoformat(), "rows": int(after.count().to_pyarrow().as_py())}
