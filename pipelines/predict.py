"""``leadrank predict``: the probability of each given row, one row out per row in, in the same order."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from features.errors import ParameterError
from features.snapshots import asked, flat
from features.tables import Source
from pipelines.asked_features import features_of
from pipelines.asked_tonight import asked_tonight
from pipelines.champion import Champion, champion_or_newest
from pipelines.inputs import Inputs, format_of, opened
from pipelines.params import Params
from pipelines.progress import Progress
from pipelines.refusing import answerable, refused
from serve import predictions


def run(params: Params, home: Path, *, rows: Path, out: Path, progress: Progress) -> dict[str, Any]:
    """Predict explicit rows with the champion, or with the newest version while there is none.

    Parameters
    ----------
    rows
        ``lead_id, as_of`` (ISO 8601, UTC if without offset); flat start: a table like the one trained on.
    out
        CSV or Parquet file (by its suffix): ``row`` (from 1), ``lead_id``, ``as_of`` (not in a flat start),
        ``probability``, ``score``, ``margin`` and ``problem`` (why a row has no probability; else empty):
        unreadable, unknown, opted out, or erased.

    Returns
    -------
    dict
        ``rows``, ``without_probability``, ``out``, and ``model`` (version and digest).
    """
    if rows.resolve() == out.resolve():
        raise ParameterError("--out names the file of --rows", hint="write to another file")
    with progress.stage("fetching the champion"):
        model = champion_or_newest(params, home)
    with opened(asking_about(params, rows), home, progress, is_prediction=True) as inputs:
        with progress.stage("building features"):
            table = _features(params, inputs, model)
        with progress.stage("predicting"):
            asked_for = inputs.loaded.counts["leads" if inputs.is_flat else "rows"].read
            asked = asked_tonight(inputs, model.bundle, inputs.backend.table("snapshots"))
            predicted = predictions.predict(model.bundle, table, rows=asked_for, asked=asked)
            missing = predictions.write(
                inputs.connection, predicted, out, is_flat=inputs.is_flat, refused=refused(inputs)
            )
    return {
        "rows": asked_for,
        "without_probability": missing,
        "out": str(out),
        "model": {"version": model.version, "digest": model.digest},
    }


def asking_about(params: Params, rows: Path) -> Params:
    """The parameters with the rows as a table of their own, or in place of the flat table."""
    path, leads = str(rows.resolve()), params.tables["leads"]
    if leads.is_flat:
        asked_for = replace(leads, path=path, format=format_of(rows), outcome_column=None, order_column=None)
        return params.model_copy(update={"tables": {"leads": asked_for}})
    tables = {**params.tables, "rows": Source(path=path, format=format_of(rows))}
    return params.model_copy(update={"tables": tables})


def _features(params: Params, inputs: Inputs, model: Champion) -> Any:
    answered = answerable(inputs)
    snapshots = flat(answered) if inputs.is_flat else asked(answered)
    kept = inputs.backend.create_table("snapshots", snapshots)
    return features_of(params, inputs, model.bundle, kept, is_now=False)
