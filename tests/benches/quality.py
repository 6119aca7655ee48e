"""How good the plain commands are on real data, against what others reached on the same rows.

``python -m tests.benches.quality [SET ...]`` runs ``init --yes``, ``train`` and ``predict`` on each set and
prints ROC-AUC, log loss, calibration error and seconds beside the best peer's. The limit of the calibration
error is what perfect probabilities would stay under on so many rows in 95 of 100 cases: outcomes are drawn
from the predictions.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from models.metrics import measure
from pipelines import init, predict, train
from pipelines import params as parameters
from pipelines.progress import Progress
from tests.benches.report import conditions

SHARED = Path(__file__).resolve().parents[3] / "shared"
FLAT = ("x_education", "bank", "ibm", "caravan")
EVENTS = {"bpic2012_3d": 3, "bpic2012_7d": 7}
AUC_SLACK, LOSS_SLACK, MOST_SECONDS = 0.005, 0.01, 30.0
DRAWS, LEVEL = 1000, 0.95


@dataclass(frozen=True)
class Outcome:
    """What a model said of the test rows, and what became of them."""

    label: Any
    probability: Any
    seconds: float

    @property
    def figures(self) -> dict[str, float]:
        """ROC-AUC, log loss, calibration error and its limit, seconds."""
        found = measure(self.label, self.probability)
        return {
            "roc_auc": found.roc_auc,
            "log_loss": found.log_loss,
            "calibration_error": found.calibration_error,
            "calibration_limit": self._limit(),
            "mean_probability": float(self.probability.mean()),
            "base_rate": float(self.label.mean()),
            "seconds": self.seconds,
        }

    def _limit(self) -> float:
        random = np.random.default_rng(0)
        drawn = (random.uniform(size=len(self.label)) < self.probability for _ in range(DRAWS))
        errors = [measure(label.astype(float), self.probability).calibration_error for label in drawn]
        return float(np.quantile(errors, LEVEL))


def flat(name: str, home: Path) -> Outcome:
    """One CSV for training and one to predict."""
    import datasets

    split = datasets.load(name)
    split.train.to_csv(home / "train.csv", index=False)
    split.test.to_csv(home / "test.csv", index=False)
    init.run([home / "train.csv"], folder=home, outcome=split.outcome, yes=True)
    return _predicted(home, home / "test.csv", split.test[split.outcome], rows=None)


def events(name: str, home: Path) -> Outcome:
    """Three tables and explicit rows."""
    import event_sets

    given = event_sets.bpic2012(age_days=EVENTS[name])
    tables = {
        "leads": given.leads,
        "touches": given.activities.rename(columns={"type": "kind"}),
        "outcomes": given.outcomes.rename(columns={"outcome": "stage", "closed_at": "occurred_at"}),
    }
    for table, frame in tables.items():
        frame.to_parquet(home / f"{table}.parquet", index=False)
    given.train_rows.to_csv(home / "train_rows.csv", index=False)
    given.test_rows[["lead_id", "as_of"]].to_csv(home / "test_rows.csv", index=False)
    init.run([home / f"{table}.parquet" for table in tables], folder=home, yes=True)
    return _predicted(home, home / "test_rows.csv", given.test_rows["label"], rows=home / "train_rows.csv")


def _predicted(home: Path, asked: Path, label: pd.Series, *, rows: Path | None) -> Outcome:
    params, quiet = parameters.load(home / "params.yaml"), Progress(is_quiet=True)
    begun = time.perf_counter()
    train.run(params, home, rows=rows, progress=quiet)
    seconds = time.perf_counter() - begun
    predict.run(params, home, rows=asked, out=home / "out.csv", progress=quiet)
    probability = pd.read_csv(home / "out.csv")["probability"].to_numpy(dtype=float)
    return Outcome(label.to_numpy(dtype=float), probability, seconds)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sets", nargs="*", default=[*EVENTS, *FLAT])
    asked = parser.parse_args()
    screen = Console(width=150)
    if not SHARED.is_dir():
        screen.print("the data sets beside the project are not there: nothing is measured")
        return 0
    sys.path.insert(0, str(SHARED / "bench"))
    peers = json.loads((SHARED / "bench" / "peers.json").read_text(encoding="utf-8"))["sets"]
    screen.print(conditions())
    found = {}
    for name in asked.sets:
        run: Callable[[str, Path], Outcome] = events if name in EVENTS else flat
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            found[name] = run(name, Path(folder)).figures
    screen.print(_table(found, peers))
    screen.print(_means(found, peers))
    screen.print(conditions())
    return 0


def _table(found: dict[str, dict[str, float]], peers: dict[str, Any]) -> Table:
    """A row for each set: each figure, the best peer's, and whether the bar is met."""
    table = Table(title="ours, (the best peer's), + where the bar is met and - where it is not")
    for column in ("set", "ROC-AUC", "log loss", "calibration error (limit)", "mean p (base)", "train, s"):
        table.add_column(column)
    for name, own in found.items():
        auc = max(peer["auc"] for peer in peers[name].values())
        loss = min(peer["logloss"] for peer in peers[name].values())
        table.add_row(
            name,
            f"{own['roc_auc']:.4f} ({auc:.4f}) {_sign(own['roc_auc'] >= auc - AUC_SLACK)}",
            f"{own['log_loss']:.4f} ({loss:.4f}) {_sign(own['log_loss'] <= loss * (1 + LOSS_SLACK))}",
            f"{own['calibration_error']:.4f} ({own['calibration_limit']:.4f}) "
            f"{_sign(own['calibration_error'] <= own['calibration_limit'])}",
            f"{own['mean_probability']:.3f} ({own['base_rate']:.3f})",
            f"{own['seconds']:.1f} {_sign(own['seconds'] <= MOST_SECONDS)}",
        )
    return table


def _means(found: dict[str, dict[str, float]], peers: dict[str, Any]) -> str:
    """Means over the sets, beside AutoGluon's."""
    auc, loss = (np.mean([own[name] for own in found.values()]) for name in ("roc_auc", "log_loss"))
    other_auc, other_loss = (
        np.mean([peers[name]["autogluon"][figure] for name in found]) for figure in ("auc", "logloss")
    )
    return f"mean ROC-AUC {auc:.4f} (AutoGluon {other_auc:.4f}), mean log loss {loss:.4f} ({other_loss:.4f})"


def _sign(is_met: bool) -> str:  # noqa: FBT001  # it is what is shown
    return "+" if is_met else "-"


if __name__ == "__main__":
    sys.exit(main())
