"""A small demo CRM whose best-filled source turns bad, a quick model of before, and the weeks around it."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path

import yaml

from pipelines import params as parameters
from pipelines import train
from pipelines.champion import champion
from pipelines.inputs import opened
from pipelines.rankers import ByModel
from serve import runs
from tests.benches import monitoring, weekly
from tests.benches.monitoring import QUIET, TRAINED_IN, TURNS_IN, night_of

LEADS, SEED, SOURCE = 3_000, 7, "paid_search"
FEW = {"library_max": 20, "generic_max": 5, "kinds_max": 6, "places_max": 3, "values_max": 5}
LONG_AGO = 10
"""A week whose outcomes are known by the others."""
SMALL = {"max_per_lead": 4, "bags": 1, "max_trees": 40}


@dataclass(frozen=True)
class Turned:
    """The folder, and its run of each week around the one in which the source turns."""

    home: Path
    weeks: dict[int, runs.Run]


def made(home: Path) -> Turned:
    """Weeks 10, 28 and 29 are clean, 30 and 31 are those after the turn."""
    turns_in = TRAINED_IN + TURNS_IN - 1
    monitoring.made(home, leads=LEADS, seed=SEED, turns_bad=f"{SOURCE}:{turns_in}")
    file = home / "params.yaml"
    said = yaml.safe_load(file.read_text(encoding="utf-8"))
    said["features"] = {**said.get("features", {}), **FEW}
    said["train"] |= SMALL
    file.write_text(yaml.safe_dump(said), encoding="utf-8")
    params, numbers = parameters.load(file), (LONG_AGO, *range(TURNS_IN - 2, TURNS_IN + 2))
    with warnings.catch_warnings():
        # mlflow and its dependencies warn about themselves while they are imported.
        for category in (DeprecationWarning, FutureWarning):
            warnings.simplefilter("ignore", category)
        train.run(params, home, rows=None, progress=QUIET)
        by = ByModel(champion(params, home), params.tracking.model)
    with opened(params, home, QUIET) as inputs:
        published = weekly.publish(params, home, inputs, by, [night_of(week) for week in numbers])
    return Turned(home, dict(zip(numbers, published, strict=True)))
