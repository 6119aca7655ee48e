"""Our contributions against LightGBM's ``pred_contrib``, shap's ``TreeExplainer`` and woodelf, in one run.

``python -m tests.benches.contributions [--rows N] [--slow-rows N] [--rounds N]`` trains a model per shape,
compares the values, lets the ways take turns, and prints rows per second and ratios of medians. The two slow
ways get fewer rows: their time grows with the rows alone. Ours tabulates LightGBM's text first; that time is
printed apart. woodelf (``woodelf-explainer``, version 0.4.8 was measured) takes part where it is installed.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from importlib.util import find_spec
from io import StringIO
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from models.contributions import Kernel
from models.fitting.classifier import Rows, Shape, fit
from models.matrix import Matrix
from tests.benches.report import conditions
from tests.benches.stopwatch import peak_mib

TREES, COLUMNS, TRAINING_ROWS = 300, 60, 40_000
SHAPES = {
    "31 leaves, depth 6": Shape(31, 6, 0.05, 20, 0.8, 0.8, 1.0, 10.0),
    "63 leaves, depth 8": Shape(63, 8, 0.05, 20, 0.8, 0.8, 1.0, 10.0),
}
MOST_DIFFERENCE = 1e-9
Lap = tuple[float, float]
"""Wall and CPU seconds for a row."""


def main() -> int:
    """Run the bench; 1 when values differ."""
    asked = _arguments().parse_args()
    screen = Console(width=110)
    screen.print(conditions())
    matrix, label = _history(max(asked.rows, TRAINING_ROWS))
    is_equal = True
    for name, shape in SHAPES.items():
        trained = Rows(matrix[:TRAINING_ROWS], label[:TRAINING_ROWS])
        text = fit(trained, shape, trees=TREES, bags=1, seed=0, threads=1).boosters[0]
        is_equal &= _race(name, text, matrix[: asked.rows], asked, screen)
    screen.print(conditions())
    return 0 if is_equal else 1


def _race(name: str, text: str, matrix: Matrix, asked: argparse.Namespace, screen: Console) -> bool:
    import lightgbm
    import shap

    kernel, seconds = _watched(lambda: Kernel.of([text]))
    booster = lightgbm.Booster(model_str=text)
    explainer = shap.TreeExplainer(booster)
    few = matrix[: asked.slow_rows]
    ways: dict[str, tuple[Callable[[Matrix], object], Matrix]] = {
        "ours": (kernel.contributions, matrix),
        "LightGBM": (lambda rows: booster.predict(rows, pred_contrib=True, num_threads=0), few),
        "shap": (explainer.shap_values, few),
    }
    oracle = np.asarray(booster.predict(few, pred_contrib=True))[:, :-1]
    if find_spec("woodelf"):
        ways["woodelf"] = (_woodelf(booster), matrix)
    difference = float(np.abs(kernel.contributions(few)[0] - oracle).max())  # also compiles ours
    laps: dict[str, list[Lap]] = {way: [] for way in ways}
    before = peak_mib()
    for _ in range(asked.rounds):
        for way, (run, rows) in ways.items():
            laps[way].append(_lap(run, rows))
    screen.print(_table(name, laps))
    grown = peak_mib() - before
    screen.print(
        f"tabulated in {seconds:.1f} s; {len(matrix):,} rows added at most {grown:.0f} MiB, the result is "
        f"{matrix.nbytes / 2**20:.0f}; greatest difference {difference:.1e}\n"
    )
    return difference <= MOST_DIFFERENCE


def _woodelf(booster: Any) -> Callable[[Matrix], object]:
    import pandas as pd
    from woodelf import WoodelfExplainer

    explainer, names = WoodelfExplainer(booster), booster.feature_name()

    def run(rows: Matrix) -> object:
        table = pd.DataFrame(rows, columns=names)
        with redirect_stdout(StringIO()), redirect_stderr(StringIO()):  # it prints progress
            return explainer.shap_values(table, verbose=False)

    return run


def _lap(run: Callable[[Matrix], object], rows: Matrix) -> Lap:
    wall, cpu = time.perf_counter(), time.process_time()
    run(rows)
    return (time.perf_counter() - wall) / len(rows), (time.process_time() - cpu) / len(rows)


def _watched(make: Callable[[], Kernel]) -> tuple[Kernel, float]:
    make()  # compiles
    before = time.perf_counter()
    return make(), time.perf_counter() - before


def _table(name: str, laps: dict[str, list[Lap]]) -> Table:
    table = Table(title=f"{TREES} trees, {name}, {COLUMNS} columns, {os.cpu_count()} cores")
    for column in ("way", "rows/s", "slowest to fastest", "ours is", "rows per CPU second", "ours is"):
        table.add_column(column, justify="left" if column == "way" else "right")
    ours = [statistics.median(lap) for lap in zip(*laps["ours"], strict=True)]
    for way, measured in laps.items():
        wall, cpu = (statistics.median(lap) for lap in zip(*measured, strict=True))
        walls = sorted(1 / lap[0] for lap in measured)
        table.add_row(
            way, f"{1 / wall:,.0f}", f"{walls[0]:,.0f} - {walls[-1]:,.0f}", f"{wall / ours[0]:.1f} x",
            f"{1 / cpu:,.0f}", f"{cpu / ours[1]:.1f} x",
        )  # fmt: skip
    return table


def _history(rows: int) -> tuple[Matrix, Matrix]:
    """Numbers, counts and nulls, with a signal that needs many features."""
    rng = np.random.default_rng(0)
    matrix = rng.normal(size=(rows, COLUMNS))
    matrix[:, 30:] = np.floor(np.abs(matrix[:, 30:]) * 3)
    matrix[rng.random(matrix.shape) < 0.05] = np.nan
    known = np.nan_to_num(matrix)
    signal = known @ (rng.normal(size=COLUMNS) / (3 + np.arange(COLUMNS) % 30))
    signal += known[:, 3] * known[:, 4] + np.sin(3 * known[:, 5])
    return matrix, (signal + rng.logistic(size=rows) > 1).astype(float)


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--slow-rows", type=int, default=2_000)
    parser.add_argument("--rounds", type=int, default=5)
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
