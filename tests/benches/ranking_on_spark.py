"""The ranking alone, sorted by Spark's executors against the command: the same parts, byte for byte.

``python -m tests.benches.ranking_on_spark FOLDER [--leads N] [--part-leads N] [--rounds N]``. FOLDER receives
made scores, five reasons a lead, a ledger and four published columns. Both ways write ``ranking.csv``, which
is the command's on either; its seconds are told apart.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from rich.console import Console

from features.backend import engine, workspace
from features.engines.asked import Asked
from serve import batch, part_rows, parts, sorting
from serve.batch import LEDGER, LEDGER_REASONS, RANKING, REASONS, SCORES, Shown
from tests.benches.report import conditions

COLUMNS = ("name", "owner", "territory", "source")
SHOWN = Shown(publish_columns=COLUMNS)
FAMILIES = ("fit", "behaviour", "recency", "stage", "source", "account", "follow_up", "interest")


def make(folder: Path, leads: int, part_leads: int) -> None:
    """Write what lies in the folder of a night before it is ranked."""
    folder.mkdir(parents=True)
    random = np.random.default_rng(7)
    with (
        part_rows.Growing(folder / SCORES, part_leads) as scores,
        part_rows.Growing(folder / REASONS, part_leads) as reasons,
        pq.ParquetWriter(folder / LEDGER, LEDGER_COLUMNS) as ledger,
        pq.ParquetWriter(folder / LEDGER_REASONS, MOVED_COLUMNS) as moved,
    ):
        for start in range(0, leads, part_leads):
            ids = np.array([f"L{row:09d}" for row in range(start, min(start + part_leads, leads))])
            scores.add(_scores(ids, random), start)
            reasons.add(_reasons(ids), start)
            ranks = random.integers(1, leads, len(ids))
            ledger.write_table(pa.table([ids, ranks, random.normal(size=len(ids))], schema=LEDGER_COLUMNS))
            said = [
                [f"opened {row % 97} messages" for row in range(len(ids))],
                ranks / 7,
                ["opens"] * len(ids),
            ]
            moved.write_table(pa.table([ids, *said], schema=MOVED_COLUMNS))


LEDGER_COLUMNS = pa.schema({"lead_id": pa.string(), "rank_before": pa.int64(), "change": pa.float64()})
MOVED_COLUMNS = pa.schema(
    {"lead_id": pa.string(), "sentence": pa.string(), "points": pa.float64(), "feature": pa.string()}
)


def _scores(ids: np.ndarray, random: np.random.Generator) -> pa.Table:
    chance = np.round(random.beta(1, 9, len(ids)), 4)  # a calibrated chance has ties
    sums = {f"margin_{family}": random.normal(size=len(ids)) for family in FAMILIES}
    return pa.table(
        {
            "lead_id": ids,
            "probability": chance,
            "probability_low": chance / 2,
            "probability_high": (1 + chance) / 2,
            "probability_withheld": pa.nulls(len(ids), pa.string()),
            "score": 100 * chance,
            "grade": random.choice(["A1", "B2", "C3", "D4"], len(ids)),
            "margin": random.normal(size=len(ids)),
            **sums,
        }
    )


def _reasons(ids: np.ndarray) -> pa.Table:
    place = np.tile(np.arange(1, 6), len(ids))
    return pa.table(
        {
            "lead_id": np.repeat(ids, 5),
            "rank_in_row": place,
            "direction": np.where(place < 4, "for", "against"),  # three for, two against
            "sentence": [
                f"latest stage: “opportunity” reached {row % 83} days ago" for row in range(len(place))
            ],
        }
    )


def timed(made: Path, target: Path, rank: Callable[[Path], None]) -> float:
    """Seconds of a ranking of a fresh folder."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(made, target, copy_function=os.link)
    start = time.monotonic()
    rank(target)
    return time.monotonic() - start


def rounds(folder: Path, leads: int, part_leads: int, count: int) -> Iterator[dict[str, float]]:
    """Seconds of each way, in alternating order."""
    made = folder / "made"
    with workspace(folder) as home, engine(Asked("spark", master="local[2]"), home, folder) as machines:
        home.con.execute(f"""
            CREATE TABLE leads AS SELECT format('L{{:09d}}', i) AS lead_id, 'Firma ' || i AS name,
                   'Ann' || i % 50 AS owner, 'North' AS territory, 'web' AS source FROM range({leads}) AS r(i)
        """)  # noqa: S608  # a number
        for _ in range(count):
            here, there = folder / "command", folder / "spark"
            own = timed(
                made, here, lambda to: batch.write_ranking(home.con, to, shown=SHOWN, part_leads=part_leads)
            )
            theirs = timed(
                made,
                there,
                lambda to: sorting.write_ranking(machines, home.con, to, shown=SHOWN, part_leads=part_leads),
            )
            start = time.monotonic()
            batch.end_ranking(home.con, there)
            csv = time.monotonic() - start
            for one, other in zip(parts.of(here / RANKING), parts.of(there / RANKING), strict=True):
                assert one.read_bytes() == other.read_bytes(), one.name
            yield {"command": own, "spark": theirs, "csv": csv}


def main() -> None:
    """Make the scores, rank them both ways, and print the seconds."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("folder", type=Path)
    asked.add_argument("--leads", type=int, default=200_000)
    asked.add_argument("--part-leads", type=int, default=50_000)
    asked.add_argument("--rounds", type=int, default=3)
    given = asked.parse_args()
    make(given.folder / "made", given.leads, given.part_leads)
    seconds = list(rounds(given.folder, given.leads, given.part_leads, given.rounds))
    every = {name: [round(each[name], 1) for each in seconds] for name in seconds[0]}
    found = {"leads": given.leads, "part_leads": given.part_leads, "seconds": every}
    found["median"] = {name: round(median(each), 1) for name, each in every.items()}
    Console().print_json(json.dumps({**found, "machine": conditions()}))


if __name__ == "__main__":
    main()
