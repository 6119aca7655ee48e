"""Tuning inside a training: where its trials are kept, how they are shown and logged."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from models import registry
from models.fitting.classifier import Rows, Shape
from models.fitting.options import TrainOptions
from models.fitting.tuning import Trial, tuned
from pipelines.params import Params

FOLDER = Path(".leadrank") / "tuning"
SHOWN_DIGITS = 12  # of a digest in a file name


@dataclass
class Tuning:
    """The trials of one training, and the shapes they led to.

    Attributes
    ----------
    count
        Trials after the usual shapes; 0 does not tune.
    folder
        Folder of the finished trials.
    on_trial
        Called after each new trial.
    trials
        All trials, once there are shapes.
    """

    count: int
    folder: Path
    options: TrainOptions
    on_trial: Callable[[Trial], None]
    trials: tuple[Trial, ...] = field(default=())

    def shapes(self, rows: Rows) -> Mapping[str, Shape]:
        """The shapes of trees for these rows."""
        kept = self.folder / f"{_digest(rows, self.options)}.jsonl"
        found = tuned(rows, self.options, trials=self.count, kept=kept, on_trial=self.on_trial)
        self.trials = found.trials
        return found.shapes


def log_trials(params: Params, home: Path, trials: tuple[Trial, ...], *, inside: str) -> None:
    """Log every trial to MLflow as a run nested in the training's run ``inside``."""
    uri = registry.anchored(params.tracking.uri, home)
    for trial in trials:
        registry.log_run(
            uri,
            params.tracking.experiment,
            registry.Record(
                params={"trial": trial.number, **trial.drawn},
                metrics={"log_loss": trial.log_loss},
                tags={"mlflow.parentRunId": inside, "mlflow.runName": f"trial {trial.number}"},
            ),
        )


def _digest(rows: Rows, options: TrainOptions) -> str:
    """Of all that a trial depends on."""
    found = hashlib.sha256(json.dumps(asdict(replace(options, threads=1)), sort_keys=True).encode())
    for part in (rows.matrix, rows.label, rows.weight):
        found.update(b"" if part is None else part.tobytes())
    return found.hexdigest()[:SHOWN_DIGITS]
