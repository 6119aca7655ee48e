"""Which published runs training may remember, and what is said of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from features.catalogue import Feature
from features.memory import Recalled, recall
from pipelines.inputs import Inputs
from pipelines.params import Params
from serve import runs

FEATURES = "features.parquet"


@dataclass(frozen=True)
class Memory:
    """Runs to remember: one of each night, those whose features are whole.

    Attributes
    ----------
    nights
        Moment by path of the run's features.
    damaged
        Ids of runs whose features are missing or altered: not used.
    """

    nights: Mapping[Path, datetime]
    damaged: tuple[str, ...] = ()


def memory(params: Params, home: Path, *, is_flat: bool) -> Memory:
    """The runs of ``score.runs``, if ``train.memory`` is true; a flat start has no moments to remember.

    Of several runs of one night the one with the most ``current`` fields is taken: a run that was made later,
    from younger tables, has none. A run of what has changed since another is left out: that one has its rows.
    """
    if not params.train.memory or is_flat:
        return Memory({})
    every = (run for run in runs.published(home / params.score.runs) if not run.manifest.get("changed_since"))
    found = sorted(every, key=_worth)
    damaged = {run.run_id for run in found if runs.damaged_files(run, FEATURES)}
    nights = {run.as_of: run for run in found if run.run_id not in damaged}
    return Memory(
        {run.folder / FEATURES: datetime.fromisoformat(at) for at, run in sorted(nights.items())},
        tuple(sorted(damaged)),
    )


def remembered(inputs: Inputs, table: Any, features: Sequence[Feature], known: Memory) -> Recalled:
    """The table with what the runs remember of it."""
    from serve import part_rows

    files = {str(path): part_rows.schema(path).names for path in known.nights}
    return recall(inputs.backend, table, features, inputs.fields, files)


def told(recalled: Recalled, known: Memory) -> dict[str, Any]:
    """What ``train`` says of its memory, as plain data."""
    return {
        "runs": len(known.nights),
        "damaged_runs": list(known.damaged),
        "remembered": recalled.remembered,
        "reconstructed": recalled.reconstructed,
        "current_features": [feature.name for feature in recalled.features],
        "compared": len(recalled.skew),
        "skew": {name: share for name, share in recalled.skew.items() if share > 0},
    }


def figures(recalled: Recalled) -> dict[str, float]:
    """Numbers for MLflow."""
    skewed = [share for share in recalled.skew.values() if share > 0]
    return {
        "remembered_rows": float(recalled.remembered),
        "reconstructed_rows": float(recalled.reconstructed),
        "skewed_features": float(len(skewed)),
        "largest_skew_share": max(skewed, default=0.0),
    }


def _worth(run: runs.Run) -> tuple[int, str]:
    return len(run.manifest.get("current_fields", ())), run.run_id
