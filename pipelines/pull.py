"""``leadrank pull``: the ranking in force of an object store, published on this host for its page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from features import durable
from features.errors import ParameterError
from pipelines import remnants
from pipelines.params import Params
from pipelines.progress import Progress
from pipelines.sink_objects import place_of
from serve import runs, swapping
from serve.keeping import collect
from serve.sinks import objects_pull

FILE = "pulled.json"


def run(params: Params, home: Path, *, progress: Progress) -> dict[str, Any]:
    """Fetch the run in force of ``sinks.objects``, and put it in force here.

    Returns
    -------
    dict
        ``run_id``, ``as_of``, ``folder``, ``is_new`` (False: it was here), ``is_in_force`` (False: a later
        night is in force here), ``replaced`` and ``removed`` (ids of runs pulled earlier that leads were
        erased from, and that the store no longer has).

    Raises
    ------
    ParameterError
        ``sinks.objects`` is not set, or s3fs is not installed.
    ModelError
        The store has no ranking yet.
    StorageError
        The run is not what was published, or the disk refuses.
    LockedError
        Another run holds the lock, or somebody reads a run that is to be replaced.
    UpstreamError
        The store does not answer, or refuses.
    """
    place, folder = place_of(params), home / params.score.runs
    if place is None:
        raise ParameterError("sinks.objects is not set", hint="name there the bucket that the night fills")
    known = _known(home)

    def taking(run_id: str) -> None:
        known.add(run_id)
        _note(home, known)

    with runs.lock(folder), progress.stage("pulling"):
        swapping.finish(folder)
        done = objects_pull.pull(place, folder, tuple(known), taking)
        if done.replaced or done.removed:
            remnants.indexes(home, is_dry=False)
        if params.score.keep_runs is not None:
            collect(folder, keep=params.score.keep_runs)
        _note(home, {name for name in known if runs.find(folder, name) is not None})
    return {
        "run_id": done.run.run_id,
        "as_of": done.run.as_of,
        "folder": str(folder / done.run.run_id),
        "is_new": done.is_new,
        "is_in_force": done.is_in_force,
        "replaced": list(done.replaced),
        "removed": list(done.removed),
    }


def _known(home: Path) -> set[str]:
    """Ids of the runs that were pulled: those that were scored here are nobody else's."""
    try:
        return set(json.loads((home / ".leadrank" / FILE).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return set()


def _note(home: Path, known: set[str]) -> None:
    (home / ".leadrank").mkdir(mode=0o700, parents=True, exist_ok=True)
    durable.replace(home / ".leadrank" / FILE, json.dumps(sorted(known)), mode=durable.PRIVATE)
