"""``leadrank gc``: old runs go, the one in force and those that are being read stay."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from features.errors import ParameterError
from pipelines import remnants, sink_objects
from pipelines.params import Params
from serve import runs, swapping
from serve.keeping import collect


def run(params: Params, home: Path, *, keep: int | None, is_dry: bool) -> dict[str, Any]:
    """Remove all but the latest runs.

    Parameters
    ----------
    keep
        How many stay; None is ``score.keep_runs``.
    is_dry
        Whether it is only told what would go.

    Returns
    -------
    dict
        As `Collected`, ``is_dry``, and ``objects_removed`` (runs that went from ``sinks.objects``; None
        without one, and if it is only told what would go).

    Raises
    ------
    ParameterError
        No number is given.
    UpstreamError
        The object store does not answer; old runs of this host are gone.
    """
    stay = keep or params.score.keep_runs
    if stay is None:
        raise ParameterError("nothing says how many runs stay", hint="write --keep N, or score.keep_runs")
    folder = home / params.score.runs
    with runs.lock(folder):
        if not is_dry:
            swapping.finish(folder)
        told = asdict(collect(folder, keep=stay, is_dry=is_dry))
        told["leftovers"] += remnants.scratch(params, home, is_dry=is_dry)
        removed = None if is_dry else sink_objects.prune(params, stay)
        return {**told, "is_dry": is_dry, "objects_removed": removed}
