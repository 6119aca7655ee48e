"""The tables that the benchmarks print."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from statistics import median

import duckdb
from rich.table import Table

from tests.benches.history import Size
from tests.benches.rounds import Measured

HEADS = (
    "way",
    "columns",
    "read s",
    "least s",
    "median s",
    "us a touch",
    "least CPU s",
    "peak MiB",
    "in plain",
    "CPU in plain",
)


def conditions() -> str:
    """The state of the machine: other work on it makes wall seconds worthless, CPU seconds less so."""
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    return (
        f"{os.cpu_count()} cores, load {load} (1, 5, 15 minutes); "
        f"Python {platform.python_version()}, DuckDB {duckdb.__version__}"
    )


def table(size: Size, measured: Sequence[Measured]) -> Table:
    """One row for each way; the last two columns are ratios to the plain query (below 1: faster)."""
    moments = "own moments" if size.has_own_moments else "14 moments"
    drawn = Table(title=f"{size.touches:,} touches, {size.leads:,} snapshots at {moments}")
    for place, head in enumerate(HEADS):
        drawn.add_column(head, justify="left" if place == 0 else "right")
    plain = next(way for way in measured if way.module == "plain")
    for way in measured:
        drawn.add_row(_name(way), *(_numbers(way, plain, size.touches) if way.wall else [way.failure]))
    return drawn


def ratios(measured: Sequence[Measured]) -> str:
    """How many times as long as ours each other way takes, by least wall and least CPU seconds."""
    ours = next(way for way in measured if way.module == "ours")
    others = [way for way in measured if way.wall and way is not ours]
    said = [
        f"{_name(way)} takes {way.best / ours.best:.2f} times the time of ours"
        f" ({way.best_cpu / ours.best_cpu:.2f} times its CPU)"
        for way in others
    ]
    return "; ".join(said)


def _name(way: Measured) -> str:
    return way.version or way.module


def _numbers(way: Measured, plain: Measured, touches: int) -> list[str]:
    seconds = (median(way.read_seconds), way.best, median(way.wall), way.best / touches * 1e6, way.best_cpu)
    return [
        str(way.columns),
        *(f"{value:.2f}" for value in seconds),
        f"{max(way.peak_mib):,.0f}",
        f"{way.best / plain.best:.2f}",
        f"{way.best_cpu / plain.best_cpu:.2f}",
    ]
