"""A million leads explained: contributions and sentences of a published run's champion, with their seconds.

``python -m tests.benches.explaining HOME [--leads N]``: HOME is a folder that ``leadrank demo`` made. The
features of its run are drawn again and again, rows at random, until there are so many leads; each chunk is
encoded, explained, checked, and put into words, as ``leadrank score`` does. Peak memory is that beyond the
input.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from rich.console import Console

from models import reasons as spoken
from models.evidence import Backing
from models.explaining import Explainer
from models.store import load, place
from serve import runs
from serve.batch import CHUNK_ROWS
from tests.benches.report import conditions
from tests.benches.stopwatch import peak_mib


def main() -> int:
    """Run the bench."""
    asked = _arguments().parse_args()
    screen = Console(width=110)
    screen.print(conditions())
    run = runs.current(asked.home / "runs")
    if run is None:
        screen.print(f"no run in force in {asked.home}: make one with `leadrank demo`")
        return 1
    digest = run.manifest["model"]["digest"]
    explainer = Explainer(load(place(asked.home, digest), digest=digest))
    features = pq.read_table(run.folder / "features.parquet")
    explainer.explain(features.slice(0, 10))  # compiles
    before, seconds, said = peak_mib(), {"contributions": 0.0, "reasons": 0.0}, 0
    for chunk in _chunks(features, asked.leads):
        start = time.perf_counter()
        explained = explainer.explain(chunk)
        middle = time.perf_counter()
        reasons = spoken.reasons(
            explained.contributions,
            chunk,
            explainer.bundle.specs,
            margin=explained.scores.margin,
            calibrate=explainer.calibrate,
            backing=Backing(explainer.evidence, explained.matrix, 50),
            language=asked.language,
        )
        said += reasons.num_rows
        seconds["contributions"] += middle - start
        seconds["reasons"] += time.perf_counter() - middle
    boosters = len(explainer.bundle.target.blend.boosters)
    screen.print(f"{asked.leads:,} leads, {len(explainer.bundle.specs)} features, {boosters} boosters")
    for name, spent in seconds.items():
        screen.print(f"{name}: {spent:.1f} s, {asked.leads / spent:,.0f} leads/s")
    screen.print(f"{said:,} reasons in {asked.language}; {peak_mib() - before:,.0f} MiB beyond the input")
    screen.print(conditions())
    return 0


def _chunks(features: pa.Table, leads: int) -> Iterator[pa.Table]:
    rng = np.random.default_rng(0)
    for start in range(0, leads, CHUNK_ROWS):
        rows = rng.integers(0, features.num_rows, min(CHUNK_ROWS, leads - start))
        yield features.take(pa.array(rows)).combine_chunks()


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("home", type=Path)
    parser.add_argument("--leads", type=int, default=1_000_000)
    parser.add_argument("--language", default="en")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
