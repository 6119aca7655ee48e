"""``leadrank score``: rank tonight's open leads with the champion, or the scorecard, and publish the run."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from features.errors import InputError, ParameterError
from features.memory import current_features, is_present, scored
from features.snapshots import known_until, tonight, undecided
from pipelines import attempts
from pipelines import params as parameters
from pipelines.comparing import compared
from pipelines.gating import counted, findings
from pipelines.inputs import Inputs, opened
from pipelines.params import Params
from pipelines.progress import Progress
from pipelines.rankers import ByModel, ByScorecard, ranker
from serve import batch, queries, runs
from serve.gates.finding import Accepted, passed
from serve.keeping import collect

NONE_ACCEPTED = Accepted()


def run(
    params: Params, home: Path, *, as_of: datetime, progress: Progress, accepted: Accepted = NONE_ACCEPTED
) -> dict[str, Any]:
    """Publish the ranking of a moment, or verify the one that stands.

    Parameters
    ----------
    as_of
        The moment: only facts that happened and were recorded before it count.
    accepted
        Gates that may find something tonight; recorded with the run.

    Returns
    -------
    dict
        ``run_id``, ``as_of``, ``folder``, ``is_new`` (False for a verified no-op), ``ranked_by`` (``model``
        or ``scorecard``), ``ranked_because``, ``counts``, ``withheld`` (leads without a probability,
        by reason), ``gates`` (what they found and who accepted it) and the first ``leads`` of the ranking.

    Raises
    ------
    GateError
        A gate stays shut: nothing is published.
    """
    params, folder = _without_order(params), home / params.score.runs
    with attempts.recorded(home, as_of), runs.lock(folder), opened(params, home, progress) as inputs:
        with progress.stage("fetching the champion"):
            by = ranker(params, home, inputs)
        name = runs.run_id(as_of, inputs.loaded.digest, by.digest, parameters.digest(params))
        standing = runs.find(folder, name)
        if standing is not None and not runs.damaged_files(standing):
            runs.put_in_force(standing, folder)  # a crash may have come before the pointer moved
            return _told(standing, is_new=False)
        with runs.staging(folder) as staged:
            manifest = _fill(staged, params, home, inputs, by, as_of, progress, accepted)
            with progress.stage("publishing"):
                run = runs.publish(staged, folder, name, manifest)
            if params.score.keep_runs is not None:
                collect(folder, keep=params.score.keep_runs)
            return _told(run, is_new=True)


def _without_order(params: Params) -> Params:
    """Only training asks which lead came first: a row is ranked though its order column is unreadable."""
    leads = replace(params.tables["leads"], order_column=None)
    return params.model_copy(update={"tables": {**params.tables, "leads": leads}})


def _fill(
    staged: Path,
    params: Params,
    home: Path,
    inputs: Inputs,
    by: ByModel | ByScorecard,
    as_of: datetime,
    progress: Progress,
    accepted: Accepted,
) -> dict[str, Any]:
    """Write every file of the run and return its manifest."""
    shown = _shown(params, inputs)
    is_now = not inputs.is_flat and is_present(as_of, known_until(inputs.tables))
    with progress.stage("building features"):
        leads = _write_features(staged, params, inputs, by, as_of, is_now=is_now)
    if leads == 0:
        raise InputError("no lead is open at this moment", hint="check --as-of and the outcomes table")
    with progress.stage("scoring and explaining", total=leads) as advance:
        ranked = by.score(inputs, staged, shown=shown, on_rows=advance)
    changes = compared(params, home, inputs, by, staged, as_of=as_of, is_now=is_now, progress=progress)
    with progress.stage("ranking"):
        batch.write_ranking(inputs.connection, staged, shown=shown, ranked_by=by.ranked_by)
        inputs.backend.table("quarantine").to_parquet(staged / "quarantine.parquet")
    with progress.stage("asking the gates"):
        counts = counted(inputs, ranked)
        gates = passed(findings(params, home, inputs, by, staged, as_of=as_of, counts=counts), accepted)
    return {
        "as_of": as_of.astimezone(UTC).isoformat(),
        "counts": {"ranked": ranked, "tables": [asdict(c) for c in inputs.loaded.counts.values()]},
        "data_digest": inputs.loaded.digest,
        "changes": changes,
        "gates": gates,
        "params_digest": parameters.digest(params),
        "current_fields": [f.name for f in current_features(inputs.fields)] if is_now else [],
        **by.told(),
    }


def _write_features(
    staged: Path,
    params: Params,
    inputs: Inputs,
    by: ByModel | ByScorecard,
    as_of: datetime,
    *,
    is_now: bool,
) -> int:
    """Write the features of the ranker and, for the memory, every ``current`` field; the number of leads."""
    beside = () if inputs.is_flat else current_features(inputs.fields)
    chosen = tuple({feature.name: feature for feature in (*by.features(params, inputs), *beside)}.values())
    if inputs.is_flat:
        snapshots = undecided(inputs.tables["leads"])
    else:
        snapshots = tonight(inputs.tables["leads"], inputs.tables["outcomes"], as_of)
    kept = inputs.backend.create_table("snapshots", snapshots)
    table = scored(kept, inputs.tables, chosen, inputs.fields, by.vocabulary, is_now=is_now)
    table.order_by("snapshot_id").to_parquet(staged / "features.parquet")
    return int(kept.count().to_pyarrow().as_py())


def _shown(params: Params, inputs: Inputs) -> batch.Shown:
    missing = [name for name in params.score.publish_columns if name not in inputs.tables["leads"].columns]
    if missing:
        raise ParameterError(
            f"score.publish_columns names '{missing[0]}', which the table 'leads' does not have",
            hint="correct the name, or declare the column under tables.leads.fields",
        )
    given = params.score
    return batch.Shown(
        publish_columns=given.publish_columns,
        reasons_for=given.reasons_for,
        reasons_against=given.reasons_against,
        evidence_leads=given.evidence_leads,
        grade_shares=given.grade_shares,
        routes=given.routes,
        language=given.language,
    )


def _told(run: runs.Run, *, is_new: bool) -> dict[str, Any]:
    return {
        "run_id": run.run_id,
        "as_of": run.as_of,
        "folder": str(run.folder),
        "is_new": is_new,
        **queries.ranked_by(run),
        "counts": run.manifest["counts"],
        "withheld": queries.withheld(run),
        "gates": run.manifest.get("gates"),
        "leads": queries.top_leads(run, 10),
    }
