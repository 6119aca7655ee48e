"""``leadrank score``: rank tonight's open leads with the champion, or the scorecard, and publish the run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from features.memory import current_features
from models.tracking.packages import direct
from pipelines import again, attempts, changed, monitoring, sinking
from pipelines import params as parameters
from pipelines.again import IfExists
from pipelines.gating import counted, findings
from pipelines.inputs import Inputs, opened
from pipelines.params import Params
from pipelines.progress import Progress
from pipelines.rankers import ByModel, ByScorecard, ranker, ranker_of
from pipelines.refusing import objecting
from pipelines.writing import Earlier, Written, write
from serve import queries, runs
from serve.gates.finding import Accepted, passed
from serve.keeping import collect
from serve.missing import missed

NONE_ACCEPTED = Accepted()


def run(
    params: Params,
    home: Path,
    *,
    as_of: datetime,
    progress: Progress,
    accepted: Accepted = NONE_ACCEPTED,
    if_exists: IfExists = IfExists.SKIP,
    changed_since: str | None = None,
) -> dict[str, Any]:
    """Publish the ranking of a moment, unless it stands already.

    Parameters
    ----------
    as_of
        The moment: only facts that happened and were recorded before it count.
    accepted
        Gates that may find something tonight; recorded with the run.
    if_exists
        What to do where the same data, model and parameters were ranked for this moment: leave it
        (``skip``), publish it anew beside (``replace``). ``verify``: see `verify`.
    changed_since
        Id of an earlier run of the day: leads that nothing has happened for since keep its rows. None: every
        lead is scored.

    Returns
    -------
    dict
        ``run_id``, ``as_of``, ``folder``, ``is_new`` (False: nothing was published), ``ranked_by`` (``model``
        or ``scorecard``), ``ranked_because``, ``counts``, ``withheld`` (leads without a probability,
        by reason), ``listed`` (rows of the call list, None without one, and of the nurture list), ``gates``
        (what they found and who accepted it), ``missed`` (days since the run before without a ranking),
        ``changed_since`` (``run_id``, leads ``rescored`` and ``kept``; None without one), ``monitoring`` (the
        verdict of `pipelines.monitoring`; None where nothing was published or asked) and the first
        ``leads`` of the ranking.

    Raises
    ------
    ParameterError
        ``changed_since`` is no run that this moment can build upon.
    GateError
        A gate stays shut: nothing is published.
    """
    params, folder = _without_order(params), home / params.score.runs
    if if_exists is IfExists.VERIFY and (night := again.of_night(folder, as_of)) is not None:
        return verify(params, home, night, progress=progress)
    since = changed.base(params, folder, changed_since, as_of)
    before = len(progress.finished)
    with (
        sinking.carried_on(params, home) as announced,
        attempts.recorded(home, as_of),
        runs.lock(folder),
        opened(params, home, progress, said_until=as_of) as inputs,
    ):
        with progress.stage("fetching the champion"):
            by = ranker(params, home, inputs)
        changed.check_ranker(since, by, parameters.digest(params))
        built_on = () if since is None else (since.run_id,)
        name = runs.run_id(as_of, inputs.loaded.digest, by.digest, parameters.digest(params), *built_on)
        standing = again.standing(folder, name)
        if standing is not None and if_exists is not IfExists.REPLACE:
            announced(standing.run_id)
            runs.put_in_force(standing, folder)  # a crash may have come before the pointer moved
            return _told(standing, is_new=False)
        with runs.staging(folder) as staged:
            earlier = Earlier(since, since or runs.before(folder, as_of))
            done = write(staged, params, home, inputs, by, as_of, progress, earlier=earlier)
            with progress.stage("asking the gates"):
                counts = counted(inputs, done.ranked)
                found = findings(params, home, inputs, by, staged, as_of=as_of, counts=counts)
            manifest = _manifest(params, inputs, by, as_of, done, passed(found, accepted))
            manifest["resources"] = [asdict(stage) for stage in progress.finished[before:]]
            with progress.stage("publishing"):
                free = name if standing is None else runs.replacing(folder, name)
                run = runs.publish(staged, folder, announced(free), manifest)
            if params.score.keep_runs is not None:
                collect(folder, keep=params.score.keep_runs)
            watched = monitoring.at_score(params, home, inputs, run, by, progress)
            return {**_told(run, is_new=True), "monitoring": watched}


def verify(params: Params, home: Path, night: runs.Run, *, progress: Progress) -> dict[str, Any]:
    """Make a published run again, with its own model and from the tables as they are now, and compare.

    Returns
    -------
    dict
        As `run`; nothing is published.

    Raises
    ------
    StorageError
        A file comes out another than it was published.
    ModelError
        The model of the run is gone.
    """
    params, as_of = _without_order(params), datetime.fromisoformat(night.as_of)
    since = changed.base(params, night.folder.parent, changed.built_on(night), as_of)
    with (
        runs.lock(night.folder.parent),
        opened(params, home, progress, said_until=as_of) as inputs,
    ):
        with progress.stage("fetching the model"):
            by = ranker_of(night, params, home, inputs)
        with runs.staging(night.folder.parent) as staged:
            earlier = Earlier(since, since or again.compared_with(night))
            write(staged, params, home, inputs, by, as_of, progress, earlier=earlier)
            with progress.stage("comparing"):
                again.check_same(night, staged)
    return _told(night, is_new=False)


def _without_order(params: Params) -> Params:
    """Only training asks which lead came first: a row is ranked though its order column is unreadable."""
    leads = replace(params.tables["leads"], order_column=None)
    return params.model_copy(update={"tables": {**params.tables, "leads": leads}})


def _manifest(
    params: Params,
    inputs: Inputs,
    by: ByModel | ByScorecard,
    as_of: datetime,
    done: Written,
    gates: Mapping[str, Any],
) -> dict[str, Any]:
    return {
        "as_of": as_of.astimezone(UTC).isoformat(),
        "counts": {
            "ranked": done.ranked,
            "opted_out": objecting(inputs, as_of),
            "tables": [asdict(c) for c in inputs.loaded.counts.values()],
            "feedback": None if inputs.said is None else asdict(inputs.said),
        },
        "erased": 0,
        "data_digest": inputs.loaded.digest,
        "columns": {table: list(names) for table, names in inputs.loaded.columns.items()},
        "changes": done.changes,
        "changed_since": done.changed_since,
        "gates": gates,
        "params_digest": parameters.digest(params),
        "language": params.score.language,
        "packages": direct(),
        "current_fields": [f.name for f in current_features(inputs.fields)] if done.is_now else [],
        **by.told(),
    }


def _told(run: runs.Run, *, is_new: bool) -> dict[str, Any]:
    return {
        "run_id": run.run_id,
        "as_of": run.as_of,
        "folder": str(run.folder),
        "is_new": is_new,
        **queries.ranked_by(run),
        "counts": run.manifest["counts"],
        "listed": queries.listed(run),
        "withheld": queries.withheld(run),
        "gates": run.manifest.get("gates"),
        "changed_since": run.manifest.get("changed_since"),
        "monitoring": None,
        "missed": missed(run.folder.parent, run),
        "leads": queries.top_leads(run, 10),
    }
