"""A run for which only those leads are scored for which something has happened since an earlier one.

Refused where anything but facts is different: another model, other parameters, another day.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import ibis

from features.catalogue import Feature
from features.changed import changed
from features.errors import ParameterError, StorageError
from features.fit import field_column
from features.memory import current_features, scored
from pipelines.comparing import TIMELESS
from pipelines.inputs import Inputs
from pipelines.params import Params
from pipelines.rankers import ByModel, ByScorecard
from serve import runs
from serve.runs import Run

FEATURES = "features.parquet"


def base(params: Params, folder: Path, run_id: str | None, as_of: datetime) -> Run | None:
    """The run that a ranking of a moment builds upon; None if it shall not build upon one.

    Raises
    ------
    ParameterError
        There is no such run, it was withdrawn, it is not of an earlier moment of the same day (UTC), or a
        flat start has no moments.
    StorageError
        Its files are damaged.
    """
    if run_id is None:
        return None
    if "outcomes" not in params.tables:
        raise ParameterError(
            "a flat table has no moments, so nobody knows what has changed", hint="leave --changed-since out"
        )
    run = runs.find(folder, run_id)
    if run is None:
        raise ParameterError(
            f"there is no run '{run_id}'", hint="`leadrank runs` lists them; --changed-since takes one's id"
        )
    if run_id in runs.withdrawn(folder):
        raise ParameterError(f"run '{run_id}' was withdrawn", hint="build upon the one in force")
    _check_day(run, as_of)
    if runs.damaged_files(run):
        raise StorageError(
            f"files of run '{run_id}' are damaged",
            hint="score it again, or leave --changed-since out",
        )
    return run


def built_on(run: Run) -> str | None:
    """Id of the run whose rows a published one has taken over; None if every lead was scored."""
    told = run.manifest.get("changed_since")
    return None if told is None else str(told["run_id"])


def check_ranker(since: Run | None, by: ByModel | ByScorecard, params_digest: str) -> None:
    """Refuse to mix the rows of two rankers.

    Raises
    ------
    ParameterError
        The model, or a parameter, is another than the run's.
    """
    if since is None:
        return
    here = {"model": by.digest, "parameters": params_digest}
    there = {"model": since.manifest["model"]["digest"], "parameters": since.manifest["params_digest"]}
    differ = [name for name in here if here[name] != there[name]]
    if differ:
        raise ParameterError(
            f"the {' and the '.join(differ)} changed since run '{since.run_id}'",
            hint="score every lead: leave --changed-since out",
        )


def narrow(
    params: Params,
    inputs: Inputs,
    by: ByModel | ByScorecard,
    since: Run,
    as_of: datetime,
    *,
    is_now: bool,
) -> Any:
    """Leave in the table ``snapshots`` the leads that have to be scored; all are in ``open_leads`` then.

    Those are scored of which a fact is new or has left a window (`features.changed.changed`), which the run
    does not have, or whose own row, or account, does not say any more what it said.
    """
    backend, chosen = inputs.backend, by.features(params, inputs)
    backend.raw_sql("ALTER TABLE snapshots RENAME TO open_leads")
    every, file = backend.table("open_leads"), str(since.folder / FEATURES)
    known = backend.read_parquet(file, table_name="features_before")
    moved = changed(
        inputs.tables,
        chosen,
        by.vocabulary,
        since=datetime.fromisoformat(since.as_of),
        until=as_of,
    )
    asked = [
        every.semi_join(moved, "lead_id"),
        every.anti_join(known, "lead_id"),
        _rewritten(every, known, inputs, by, chosen, is_now=is_now, had_now=_had_now(since)),
    ]
    return backend.create_table("snapshots", ibis.union(*asked, distinct=True))


def _check_day(run: Run, as_of: datetime) -> None:
    then, now = datetime.fromisoformat(run.as_of).astimezone(UTC), as_of.astimezone(UTC)
    if now <= then:
        raise ParameterError(
            f"--as-of is not later than run '{run.run_id}'", hint="leave --as-of out: the moment is then now"
        )
    if now.date() != then.date():
        raise ParameterError(
            f"--as-of is not of the day (UTC) of run '{run.run_id}', and ages count in days",
            hint="score every lead once a day: leave --changed-since out",
        )


def _had_now(since: Run) -> set[str]:
    return set(since.manifest.get("current_fields", ()))


def _rewritten(
    every: Any,
    known: Any,
    inputs: Inputs,
    by: ByModel | ByScorecard,
    chosen: Sequence[Feature],
    *,
    is_now: bool,
    had_now: set[str],
) -> Any:
    """The leads whose fields say something else: an overwritten row has no date of its own."""
    fields = [f for f in chosen if f.family in TIMELESS and f.name not in _ages(inputs)]
    fields += [f for f in current_features(inputs.fields) if is_now and f.name in had_now]
    fields = [f for f in {f.name: f for f in fields}.values() if f.name in known.columns]
    if not fields:
        return every.limit(0)
    today = scored(every, inputs.tables, fields, inputs.fields, by.vocabulary, is_now=is_now)
    before = known.select("lead_id", **{f"{f.name}|before": known[f.name] for f in fields})
    both = today.join(before, "lead_id")
    differs = [~both[f.name].identical_to(both[f"{f.name}|before"]) for f in fields]
    return both.filter(ibis.or_(*differs)).select(*every.columns)


def _ages(inputs: Inputs) -> set[str]:
    """Fields that grow with time."""
    return {
        field_column(table, name)
        for table, own in inputs.fields.items()
        for name, field in own.items()
        if field.kind == "timestamp"
    }
