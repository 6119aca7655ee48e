"""Times one way of computing the columns, in a process of its own: its memory peak is its own.

Reading the files is timed apart. CPU seconds are those of all threads. Imports nothing beside Python's own
library: the peers' Python has neither DuckDB nor Ibis.
"""

from __future__ import annotations

import argparse
import gc
import json
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from pipelines.resources import peak_mib


@dataclass(frozen=True)
class Way:
    """One way of computing the columns, with its tables read.

    Attributes
    ----------
    run
        Computes all columns once.
    save
        Writes the last result as Parquet: ``snapshot_id`` and a column per feature.
    columns
        How many it computes.
    version
        Of the library that does the work; empty for ours.
    cpu, peak
        CPU seconds and memory peak (MiB) so far; of another process where that does the work.
    """

    run: Callable[[], object]
    save: Callable[[Path], object]
    columns: int
    version: str = ""
    cpu: Callable[[], float] = time.process_time
    peak: Callable[[], float] = peak_mib


def timed(way: Callable[[Path], AbstractContextManager[Way]]) -> None:
    """Run a way as the command line asks and print, as the last line, what was measured as JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--save", type=Path)
    asked, _others = parser.parse_known_args()
    before = time.perf_counter()
    with way(asked.folder) as ready:
        read_seconds = time.perf_counter() - before
        laps = [_lap(ready) for _ in range(asked.runs)]
        if asked.save:
            ready.save(asked.save)
        measured = {
            "read_seconds": read_seconds,
            "wall": [wall for wall, _ in laps],
            "cpu": [cpu for _, cpu in laps],
            "peak_mib": ready.peak(),
            "columns": ready.columns,
            "version": ready.version,
        }
    sys.stdout.write("\n" + json.dumps(measured) + "\n")


def _lap(way: Way) -> tuple[float, float]:
    gc.collect()
    cpu, wall = way.cpu(), time.perf_counter()
    way.run()
    return time.perf_counter() - wall, way.cpu() - cpu
