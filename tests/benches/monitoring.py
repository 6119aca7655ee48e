"""How soon the monitor names a source that turns bad, and how often it cries in clean weeks.

``python -m tests.benches.monitoring --leads 6000 20000 --seeds 7 8``: a demo CRM is made twice, clean and
with a source that turns bad, the model is trained once on what was known before the first week, and every
week is ranked and monitored by the code that `leadrank monitor` runs.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console

from models import populations
from pipelines import params as parameters
from pipelines import train
from pipelines.champion import champion
from pipelines.demo import command
from pipelines.demo.world import START_AT
from pipelines.inputs import opened
from pipelines.monitoring_parts import Night, measured
from pipelines.progress import Progress
from pipelines.rankers import ByModel
from serve.monitoring import alarms, store
from serve.monitoring.figure import ALARM, WARNING, Figure
from tests.benches import weekly
from tests.benches.report import conditions

TRAINED_IN, WEEKS, TURNS_IN, AFTER = 50, 30, 30, 4
"""Week of the demo that the model is trained in; clean weeks watched; the one of them in which a source turns
bad; weeks watched after it."""
QUALITY = ("realised", "estimated")
"""Kinds that say what the model is worth, and nothing of whether leads have moved."""
QUIET = Progress(is_quiet=True)


@dataclass(frozen=True)
class Week:
    """What the monitor said in a week, the worst first."""

    number: int
    figures: list[Figure]

    @property
    def alarms(self) -> list[Figure]:
        """Those that are alarms."""
        return [figure for figure in self.figures if figure.level == ALARM]


def night_of(week: int) -> datetime:
    """The moment of a week; 0 is that of the training."""
    return START_AT + timedelta(weeks=TRAINED_IN + week)


def made(folder: Path, *, leads: int, seed: int, turns_bad: str | None) -> Path:
    """A demo folder; its training looks back from the first week."""
    command.run(folder, leads=leads, seed=seed, data_only=True, progress=QUIET, turns_bad=turns_bad)
    file = folder / "params.yaml"
    params = yaml.safe_load(file.read_text(encoding="utf-8"))
    params["train"] |= {
        "as_of": f"{night_of(0):%Y-%m-%d}",
        "stages": [],
        "horizons_days": [],
    }
    params["tags"] = {}
    file.write_text(yaml.safe_dump(params), encoding="utf-8")
    return folder


def trained(home: Path) -> dict[str, Any]:
    """Train the model of a folder."""
    return train.run(parameters.load(home / "params.yaml"), home, rows=None, progress=QUIET)


def watched(home: Path, model: Path, first: int, last: int) -> Iterator[Week]:
    """The weeks of a folder, ranked by the champion of another: weeks count from the training."""
    params = parameters.load(home / "params.yaml")
    by = ByModel(champion(parameters.load(model / "params.yaml"), model), params.tracking.model)
    if populations.kept(by.champion.bundle.extras) is None:
        raise SystemExit("the model keeps no population")
    nights = [night_of(week) for week in range(first, last + 1)]
    with opened(params, home, QUIET) as inputs:
        published = weekly.publish(params, home, inputs, by, nights)
        for week, run in zip(range(first, last + 1), published, strict=True):
            found = measured(Night.of(params, home, inputs, run, by), QUIET)
            store.write(home, {"run_id": run.run_id, "as_of": run.as_of}, found.figures)
            yield Week(week, alarms.ordered(found.figures))


def told(weeks: list[Week], screen: Console) -> None:
    """A line for each week in which something was found."""
    for week in weeks:
        said = [f"{f.kind} {f.slice} {f.subject} {f.measure} {f.value:.2f} ({f.level})" for f in week.figures]
        if said:
            screen.print(f"  week {week.number}: {'; '.join(said[:4])}", highlight=False, markup=False)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--leads", type=int, nargs="+", default=[6_000, 20_000])
    parser.add_argument("--seeds", type=int, nargs="+", default=[7])
    parser.add_argument("--sources", nargs="+", default=["paid_search"])
    parser.add_argument("--turns-in", type=int, default=TURNS_IN)
    parser.add_argument("--keep", type=Path, help="folder that keeps what was made, for another look")
    asked, screen = parser.parse_args(), Console(width=160)
    screen.print(conditions())
    for leads in asked.leads:
        for seed in asked.seeds:
            with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
                folder = Path(scratch) if asked.keep is None else asked.keep / f"{leads}-{seed}"
                _one(folder, leads, seed, asked, screen)
    screen.print(conditions())


def _one(folder: Path, leads: int, seed: int, asked: argparse.Namespace, screen: Console) -> None:
    clean = made(folder / "clean", leads=leads, seed=seed, turns_bad=None)
    auc = trained(clean)["metrics"]["model"]["roc_auc"]["value"]
    weeks = list(watched(clean, clean, 1, WEEKS))
    cried = sum(bool(week.alarms) for week in weeks)
    by_quality = sum(bool(week.alarms) and all(f.kind in QUALITY for f in week.alarms) for week in weeks)
    warned = sum(any(f.level == WARNING for f in week.figures) for week in weeks)
    screen.print(
        f"{leads:,} leads, seed {seed}, AUC {auc:.3f}: {cried} of {WEEKS} clean weeks with an alarm "
        f"({by_quality} of them of quality alone), {warned} with a warning"
    )
    told(weeks, screen)
    for source in asked.sources:
        turns = TRAINED_IN + asked.turns_in - 1
        bad = made(folder / source, leads=leads, seed=seed, turns_bad=f"{source}:{turns}")
        weeks = list(watched(bad, clean, asked.turns_in - 1, asked.turns_in + AFTER))
        named = [w for w in weeks if w.alarms and w.alarms[0].slice == f"source={source}"]
        after = named[0].number - (asked.turns_in - 1) if named else None
        top = named[0].alarms[0].subject if named else None
        screen.print(f"  {source} turns bad: named after {after} weekly runs, on top: {top}")
        told(weeks, screen)


if __name__ == "__main__":
    main()
