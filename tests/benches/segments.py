"""Whether models of their own pay on real leads: one model for all against ``segments.by``, on fixed rows.

``python -m tests.benches.segments SHARED [--only NAME]``: SHARED is the folder of ``data`` and ``bench``. A
set is one flat CSV, trained as a user would (``leadrank init``, ``train``), once with ``segments.by: null``
and once with a category; both predict the rows that the split keeps for that. What the training itself saw
on its calibrate and test slices, value by value, stands below.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Console
from sklearn.metrics import log_loss, roc_auc_score

from pipelines import init, predict, train
from pipelines import params as parameters
from pipelines.progress import Progress
from pipelines.segments_section import Segments
from tests.benches.report import conditions

QUIET = Progress(is_quiet=True)
SETS = {"x_education": "Lead Source", "bank": "contact", "ibm": "Route To Market"}
"""The category of each set by which its leads are told apart."""


def main() -> int:
    """Run the bench."""
    asked = _arguments().parse_args()
    sys.path.insert(0, str(asked.shared / "bench"))
    screen = Console(width=160)
    screen.print(conditions())
    for name in asked.only or SETS:
        _one(screen, name, asked.shared)
    return 0


def _one(screen: Console, name: str, shared: Path) -> None:
    import datasets

    split = getattr(datasets, name)(shared / "data")
    kept = [column for column in split.train if column not in split.leaks]
    split = replace(split, train=split.train[kept], test=split.test[[c for c in kept if c in split.test]])
    screen.print(f"\n{name}: {len(split.train):,} rows to train on, {len(split.test):,} to judge on")
    for by in (None, SETS[name]):
        with tempfile.TemporaryDirectory() as folder:
            told, chance, seconds = _trained(split, Path(folder), by)
        label = split.test[split.outcome]
        screen.print(
            f"segments.by {by}: ROC-AUC {roc_auc_score(label, chance):.4f}, log loss "
            f"{log_loss(label, chance):.4f}; trained in {seconds:.0f} s"
        )
    for value in told["segment_models"]["values"]:
        screen.print(f"  {value}", markup=False)
    screen.print(f"  whole test slice: {told['segment_models']['whole']}")


def _trained(split: Any, home: Path, by: str | None) -> tuple[dict[str, Any], pd.Series, float]:
    """What ``train`` told, the probabilities of the rows to judge on, and the seconds that it took."""
    split.train.to_csv(home / "train.csv", index=False)
    split.test.to_csv(home / "test.csv", index=False)
    init.run([home / "train.csv"], folder=home, outcome=split.outcome, yes=True)
    params = parameters.load(home / "params.yaml")
    asked = None if by is None else _field(params, by)
    params = params.model_copy(update={"segments": Segments(by=asked)})
    start = time.perf_counter()
    told = train.run(params, home, rows=None, progress=QUIET)
    seconds = time.perf_counter() - start
    predict.run(params, home, rows=home / "test.csv", out=home / "out.csv", progress=QUIET)
    return told, pd.read_csv(home / "out.csv")["probability"], seconds


def _field(params: parameters.Params, header: str) -> str:
    """What the tables call a column."""
    renamed = {theirs: ours for ours, theirs in params.tables["leads"].mapping.items()}
    return renamed.get(header, header)


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("shared", type=Path)
    parser.add_argument("--only", action="append", choices=sorted(SETS))
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
