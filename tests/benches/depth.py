"""What explanations cost in quality: trees of at most eight levels against trees without a limit.

``python -m tests.benches.depth [SET ...]`` runs ``init --yes`` and ``train`` on the sets of `quality`, learns
once more from the same rows with the limit lifted, and prints ROC-AUC and log loss of both on the test slice.
Leaves stay as they are: 63 of the deep and the random trees.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

from rich.console import Console
from rich.table import Table

from models import training
from models.fitting import classifier
from models.fitting.classifier import SHAPES
from pipelines import train
from tests.benches.quality import EVENTS, FLAT, SHARED, events, flat
from tests.benches.report import conditions

NO_LIMIT = 63  # a tree of 63 leaves cannot be deeper
LIMIT = 8
SHOWN = ("roc_auc", "log_loss")


def measured(name: str) -> list[Mapping[str, Any]]:
    """The figures of the test slice with the limit and without."""
    found: list[Mapping[str, Any]] = []

    def twice(*given: Any, **named: Any) -> Any:
        trained = training.train(*given, **named)
        free = {key: replace(shape, max_depth=_freed(shape.max_depth)) for key, shape in SHAPES.items()}
        rows, specs, options = given
        lifted = replace(options, max_depth=NO_LIMIT)
        with patch.object(classifier, "MOST_DEPTH", NO_LIMIT):
            other = training.train(rows, specs, lifted, **{**named, "tune": lambda _: free})
        found.extend(part.report["metrics"] for part in (trained, other))
        return trained

    run = events if name in EVENTS else flat
    with patch.object(train, "fit", twice), tempfile.TemporaryDirectory(prefix="bench-") as folder:
        run(name, Path(folder))
    return found


def _freed(depth: int) -> int:
    return NO_LIMIT if depth == LIMIT else depth


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sets", nargs="*", default=[*EVENTS, *FLAT])
    asked, screen = parser.parse_args(), Console(width=110)
    if not SHARED.is_dir():
        screen.print("the data sets beside the project are not there: nothing is measured")
        return 0
    sys.path.insert(0, str(SHARED / "bench"))
    screen.print(conditions())
    table = Table("set", "ROC-AUC, depth <= 8", "no limit", "given up", "log loss, depth <= 8", "no limit")
    for name in asked.sets:
        limited, free = measured(name)
        auc, loss = ((limited[figure]["value"], free[figure]["value"]) for figure in SHOWN)
        table.add_row(name, *(f"{v:.4f}" for v in (*auc, auc[1] - auc[0], *loss)))
    screen.print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
