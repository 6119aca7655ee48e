"""Six months in which only the top decile is worked: what becomes of the model that learns from it.

``python -m tests.benches.feedback_loop [--leads N] [--share S ...] [--most-weight W] [--window WEEKS]`` ranks
a demo CRM every week (`tests.benches.feedback_world`), works the list, and trains anew every month on what is
known by then (what became of a lead four weeks later). Arms:

- **no loop**: every lead is worked, so every outcome is the truth;
- **naive**: the top decile is worked, nothing is drawn, and whoever was left alone counts as he turned out;
- **ours**: of the same number of calls a share is drawn at random (`serve.lists.exploring`), and the called
  are learned from with the weights of `features.worked`, as ``train.unworked: leave_out`` does it.

Before the loop every lead was worked for 17 weeks, and as `leadrank train` does, each training looks at the
whole history; ``--window`` forgets all but the last weeks, so that in the end nothing is left of that time.
``--cold`` has no such time: the newest are called until a first model can be learned. Judged is the lift of
the best 10 % of all open leads of the week by their true chance if worked: what a random slice of any size
has on average. Leads are not taken out of the pool when they convert in the simulation.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
from rich.console import Console

from features.errors import LeadrankError
from models.fitting.blend import Ensemble
from models.fitting.options import TrainOptions
from models.matrix import encode
from models.training import train
from serve.lists.exploring import chosen_sql
from tests.benches.feedback_world import World, made
from tests.benches.report import conditions

CALLED = 0.1
"""Part of the open leads that can be called in a week."""
KNOWN_WEEKS, BEFORE_WEEKS, LOOP_WEEKS = 4, 17, 26
FAST: dict[str, Any] = {
    "bags": 1,
    "fewest_bags": 1,
    "shapes": ("shallow",),
    "resamples": 2,
    "search_rows": 8000,
}
"""A tenth of the usual work: what is compared is how arms learn, not how well."""
MONTHS = (0, 4, 9, 13, 17, 21, 25)
"""Weeks of the loop in which a model is trained; the last is the end of the sixth month."""


@dataclass(frozen=True)
class Arm:
    """A way to live with the loop; ``share`` of the calls is drawn."""

    name: str
    share: float = 0.0
    most_weight: float = 10.0
    is_all_worked: bool = False
    is_weighted: bool = False


@dataclass(frozen=True)
class Learning:
    """How an arm learns: from so many weeks (None: all), with a time before the loop or cold."""

    options: TrainOptions
    window: int | None = None
    is_cold: bool = False


@dataclass
class Lived:
    """What an arm saw: whether each row was worked, and with which chance."""

    is_worked: Any
    chance: Any


def lived(world: World, arm: Arm, learning: Learning, *, months: Sequence[int] = MONTHS) -> Iterator[float]:
    """The lift at each training, one by one."""
    start = int(world.week.max()) + 1 - LOOP_WEEKS
    before = world.week < start
    seen = Lived(before.copy(), before.astype(float))
    bundle = None
    for week in range(start, start + LOOP_WEEKS):
        here = np.flatnonzero(world.week == week)
        if week - start in months:
            first = start if learning.is_cold else 0
            bundle = _trained(world, arm, seen, range(first, week - KNOWN_WEEKS + 1), learning) or bundle
            yield lift(_margin(bundle, world.rows.take(here)), world.chance[here])
        called, chance = _called(world, arm, bundle, here, week)
        seen.is_worked[here], seen.chance[here] = called, chance


def lift(margin: Any, chance: Any) -> float:
    """True rate of the best tenth by a margin over that of all."""
    best = np.argsort(-margin, kind="stable")[: max(1, round(len(margin) / 10))]
    return float(chance[best].mean() / chance.mean())


def _trained(world: World, arm: Arm, seen: Lived, weeks: range, learning: Learning) -> Any:
    """The model of what is known of some weeks; None if it cannot be learned, and the one before stays."""
    weeks = weeks if learning.window is None else weeks[-learning.window :]
    is_used = np.isin(world.week, weeks)
    if arm.is_weighted:
        is_used &= seen.is_worked
    label = np.where(seen.is_worked, world.worked, world.unworked)
    weight = np.minimum(1 / np.maximum(seen.chance, 1e-9), arm.most_weight) if arm.is_weighted else 1.0
    places = np.flatnonzero(is_used)
    rows = (
        world.rows.take(places)
        .append_column("label", pa.array(label[places]))
        .append_column("stands_for", pa.array((weight * np.ones(len(label)))[places]))
    )
    try:
        return train(
            rows, world.specs, learning.options, horizon_days=7.0 * KNOWN_WEEKS, kinds=world.kinds
        ).bundle
    except LeadrankError:
        return None


def _margin(bundle: Any, rows: pa.Table) -> Any:
    if bundle is None:  # nothing is learned yet: the newest first
        return -np.asarray(rows["lead_age_days"].to_numpy(), dtype=float)
    return Ensemble(bundle.target.blend).margin(encode(rows, bundle.encoding))


def _called(world: World, arm: Arm, bundle: Any, here: Any, week: int) -> tuple[Any, Any]:
    """Which leads of the week are worked, and the chance of each; by the list that `leadrank score` makes."""
    if arm.is_all_worked:
        return np.ones(len(here), dtype=bool), np.ones(len(here))
    rows = world.rows.take(here)
    worth = _margin(bundle, rows)
    with duckdb.connect() as connection:
        members = pa.table(
            {
                "list": pa.array(["all"] * len(here)),
                "lead_id": rows["lead_id"],
                "rank": np.argsort(np.argsort(-worth, kind="stable")) + 1,
                "worth": worth,
            }
        )
        calls = {"list": ["all"], "calls": [round(CALLED * len(here))], "members": [len(here)]}
        connection.register("_members", members)
        connection.register("_lists", pa.table(calls))
        sql = chosen_sql(arm.share, seed=7, day=str(week))
        chosen = connection.execute(f"SELECT lead_id, is_called, selection_probability FROM ({sql})")  # noqa: S608  # ours
        by_lead = {lead: (is_called, chance) for lead, is_called, chance in chosen.fetchall()}
    found = [by_lead[lead] for lead in rows["lead_id"].to_pylist()]
    return np.array([is_called for is_called, _ in found]), np.array([chance for _, chance in found])


def arms(shares: Sequence[float], most_weight: float) -> list[Arm]:
    """The three of the bar, ours with each share."""
    ours = [Arm(f"ours, {share:g} drawn", share, most_weight, is_weighted=True) for share in shares]
    return [Arm("no loop", is_all_worked=True), Arm("naive"), *ours]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--leads", type=int, default=10_000)
    parser.add_argument("--share", type=float, nargs="*", default=[0.1])
    parser.add_argument("--most-weight", type=float, default=10.0)
    parser.add_argument("--luck", type=int, default=1)
    parser.add_argument("--window", type=int, help="weeks that are learned from; default: all")
    parser.add_argument("--cold", action="store_true", help="nothing is known before the loop")
    parser.add_argument("--fast", action="store_true", help="no features of behaviour, one bag of one shape")
    asked, screen = parser.parse_args(), Console(width=150)
    screen.print(conditions())
    options = TrainOptions(**FAST) if asked.fast else TrainOptions(resamples=2)
    learning = Learning(options, asked.window, asked.cold)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        world = made(
            Path(folder),
            leads=asked.leads,
            weeks=LOOP_WEEKS + BEFORE_WEEKS,
            seed=7,
            luck=asked.luck,
            is_small=asked.fast,
        )
    screen.print(
        f"{world.rows.num_rows:,} rows, {len(world.specs)} features, base rate {world.chance.mean():.3f}"
    )
    ends: dict[str, float] = {}
    for arm in arms(asked.share, asked.most_weight):
        begun, lifts = time.perf_counter(), list(lived(world, arm, learning))
        ends[arm.name] = lifts[-1]
        screen.print(
            f"{arm.name:16} {' '.join(f'{value:.2f}' for value in lifts)}, "
            f"{lifts[-1] / ends['no loop']:.3f} of no loop ({time.perf_counter() - begun:.0f} s)"
        )
    screen.print(conditions())
    return 0


if __name__ == "__main__":
    sys.exit(main())
