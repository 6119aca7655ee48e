"""Our features on Spark against PySpark written by hand, in processes of their own, in alternating order.

``python -m tests.benches.spark [--leads N] [--touches N] [--every]`` prints a table and the ratio of rows a
second, after it has compared the values with those of plain SQL. Both ways read Parquet and write Parquet in
a session of two cores and 4 GiB. The first run of a process includes what Java has to warm up; a job of a
night is a first run. With ``--every`` all behaviour and recency features are computed on Spark, too, once.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

import duckdb
from rich.console import Console
from rich.table import Table

from tests.benches import history
from tests.benches.report import conditions
from tests.benches.rounds import Competitor, Measured, child, race
from tests.benches.values import differences

PLAIN, BY_HAND, OURS = Competitor("plain"), Competitor("by_pyspark"), Competitor("ours_on_spark")
HEADS = (
    "way", "columns", "read s", "first run s", "least s", "snapshots/s", "least CPU s", "Java's peak MiB",
)  # fmt: skip


def main() -> int:
    asked = _arguments().parse_args()
    screen = Console(width=130)
    screen.print(conditions())
    size = history.Size(asked.leads * asked.touches, asked.leads)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=asked.folder) as folder:
        home = Path(folder)
        history.write(home, size)
        race([PLAIN], home, rounds=1, runs=1)
        measured = race([BY_HAND, OURS], home, rounds=asked.rounds, runs=asked.runs)
        screen.print(conditions())
        unequal = {way.module: found for way in measured if (found := _unequal(home, way.module))}
        every = child(OURS, home, ["--every"], {}) if asked.every else None
    for name, columns in unequal.items():
        screen.print(f"[red]{name}: other values than plain in {columns}")
    if not unequal:
        screen.print(_table(size, measured, asked.runs))
        screen.print(_ratios(measured, asked.runs))
    if every is not None:
        screen.print(_said(every))
    screen.print(conditions())
    return 1 if unequal else 0


def _unequal(home: Path, way: str) -> dict[str, int]:
    plain, other = (f"'{home / name}.parquet'" for name in (PLAIN.module, way))
    with duckdb.connect() as connection:
        return differences(connection, plain, other)


def _first(way: Measured, runs: int) -> float:
    """Median seconds of the first runs of processes."""
    return median(way.wall[::runs])


def _table(size: history.Size, measured: Sequence[Measured], runs: int) -> Table:
    drawn = Table(title=f"{size.touches:,} touches, {size.leads:,} snapshots on Spark, 2 cores, 4 GiB")
    for place, head in enumerate(HEADS):
        drawn.add_column(head, justify="left" if place == 0 else "right")
    for way in measured:
        seconds = (median(way.read_seconds), _first(way, runs), way.best)
        drawn.add_row(
            "by hand" if way.module == BY_HAND.module else "ours",
            str(way.columns),
            *(f"{value:.1f}" for value in seconds),
            f"{size.leads / way.best:,.0f}",
            f"{way.best_cpu:.1f}",
            f"{max(way.peak_mib):,.0f}",
        )
    return drawn


def _ratios(measured: Sequence[Measured], runs: int) -> str:
    hand, ours = measured
    first = _first(hand, runs) / _first(ours, runs)
    return (
        f"ours has {hand.best / ours.best:.2f} of the rows a second of PySpark by hand"
        f" (first runs {first:.2f}, by CPU seconds {hand.best_cpu / ours.best_cpu:.2f})"
    )


def _said(every: dict[str, Any]) -> str:
    (seconds,), (cpu,) = every["wall"], every["cpu"]
    return (
        f"all {every['columns']} behaviour and recency features: {seconds:.1f} s, {cpu:.1f} CPU s, "
        f"Java's peak {every['peak_mib']:,.0f} MiB"
    )


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--leads", type=int, default=1_000_000)
    parser.add_argument("--touches", type=int, default=20, help="of a lead, on average")
    parser.add_argument("--rounds", type=int, default=1, help="processes for each way")
    parser.add_argument("--runs", type=int, default=2, help="runs in each process")
    parser.add_argument("--every", action="store_true", help="all behaviour and recency features, too")
    parser.add_argument("--folder", type=Path, help="where a folder for the history is made")
    return parser


if __name__ == "__main__":
    sys.exit(main())
