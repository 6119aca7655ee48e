"""Shapes of trees tuned on the team's own history, within a budget of trials.

Each trial draws shapes, grows trees on the earlier part of the training rows and is judged on the part that
follows, twice. The usual shapes are the first trial and stand unless another is clearly better. A trial
depends on the seed, its number and the trials before it, so that a broken-off study goes on to the same end.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from models.fitting.classifier import MOST_DEPTH, SHAPES, Rows, Shape
from models.fitting.linear import fit_linear
from models.fitting.newton import attainable_loss, is_clearly_greater
from models.fitting.options import TrainOptions
from models.fitting.search import STRENGTHS, fitting, grown
from models.metrics import Vector

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

FOLDS = ((0.6, 0.8), (0.8, 1.0))
"""Shares of the rows, in time, up to which a fold learns and up to which it is judged."""
MOST_ROWS = 20_000  # the latest
FACTORS = {"leaves": 2, "learning_rate": 2, "min_leaf_rows": 3, "l2": 10, "category_smoothing": 5}
"""How far from its usual value, either way, a trial may go."""
LEAST = {"leaves": 2}
LEAST_DEPTH, LEAST_FEATURE_SHARE = 2, 0.2


@dataclass(frozen=True)
class Trial:
    """One draw: its number, what was drawn as ``<shape>.<field>``, and its log loss."""

    number: int
    drawn: Mapping[str, float]
    log_loss: float


@dataclass(frozen=True)
class Tuned:
    """The shapes to use by name, and the trials."""

    shapes: Mapping[str, Shape]
    trials: tuple[Trial, ...]


def tuned(
    rows: Rows,
    options: TrainOptions,
    *,
    trials: int,
    kept: Path,
    on_trial: Callable[[Trial], None] = lambda _: None,
) -> Tuned:
    """Draw shapes and keep the best, if it is clearly better than the usual ones.

    Parameters
    ----------
    rows
        Training rows, earliest first; neither the stop slice nor any later one.
    trials
        Draws after the usual shapes.
    kept
        File of the finished trials, a JSON object a line: a broken-off study goes on from there. Other rows
        or options need another file.
    on_trial
        Called after each new trial.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    folds = _folds(rows.take(slice(-MOST_ROWS, None)))
    space = _space(options.shapes)
    study = optuna.create_study()
    done = _finished(kept, most=trials + 1)
    study.add_trials(
        [optuna.create_trial(params=dict(t.drawn), distributions=space, value=t.log_loss) for t in done]
    )
    while len(done) <= trials:
        study.sampler = optuna.samplers.TPESampler(seed=options.seed + len(done))
        drawn = study.ask(space).params if done else _usual(options.shapes)
        loss = float(np.concatenate(_losses(folds, _shapes(drawn), options)).mean())
        done.append(Trial(len(done), drawn, loss))
        study.add_trial(optuna.create_trial(params=drawn, distributions=space, value=loss))
        _keep(kept, done[-1])
        on_trial(done[-1])
    best = min(done, key=lambda trial: trial.log_loss)
    usual, found = (np.concatenate(_losses(folds, _shapes(t.drawn), options)) for t in (done[0], best))
    return Tuned(_shapes(best.drawn if is_clearly_greater(usual, found) else done[0].drawn), tuple(done))


def _space(names: tuple[str, ...]) -> dict[str, BaseDistribution]:
    """What may be drawn."""
    from optuna.distributions import FloatDistribution, IntDistribution

    space: dict[str, BaseDistribution] = {}
    for name in names:
        usual = asdict(SHAPES[name])
        for field, factor in FACTORS.items():
            middle = usual[field]
            kind = IntDistribution if isinstance(middle, int) else FloatDistribution
            low, high = (type(middle)(end) for end in (middle / factor, middle * factor))
            low = max(low, LEAST[field]) if field in LEAST else low
            space[f"{name}.{field}"] = kind(low, high, log=True)
        space[f"{name}.max_depth"] = IntDistribution(LEAST_DEPTH, MOST_DEPTH)
        space[f"{name}.feature_share"] = FloatDistribution(LEAST_FEATURE_SHARE, 1.0)
    return space


def _usual(names: tuple[str, ...]) -> dict[str, float]:
    fields = (*FACTORS, "max_depth", "feature_share")
    return {f"{name}.{field}": getattr(SHAPES[name], field) for name in names for field in fields}


def _shapes(drawn: Mapping[str, float]) -> dict[str, Shape]:
    found = dict[str, Shape]()
    for where, value in drawn.items():
        name, _, field = where.partition(".")
        changed: dict[str, Any] = {field: value}
        found[name] = replace(found.get(name, SHAPES[name]), **changed)
    return found


def _folds(rows: Rows) -> list[tuple[Rows, Rows, Vector]]:
    """Rows to learn from, rows to judge on, and what the linear part says of these."""
    count, found = len(rows.label), []
    for learned, judged in FOLDS:
        first, last = round(learned * count), round(judged * count)
        known, later = rows.take(slice(0, first)), rows.take(slice(first, last))
        found.append((known, later, fit_linear(known, strength=STRENGTHS[0]).margin(later.matrix)))
    return found


def _losses(
    folds: list[tuple[Rows, Rows, Vector]], shapes: Mapping[str, Shape], options: TrainOptions
) -> list[Vector]:
    """Attainable log loss of each judged row of each fold, all parts counting alike."""
    found = []
    for known, later, linear in folds:
        rows, columns = known.matrix.shape
        fitted = {n: fitting(shape, options, rows=rows, columns=columns) for n, shape in shapes.items()}
        margins = [margin for _, margin in grown(known, later, fitted, options).values()]
        found.append(attainable_loss(np.mean([*margins, linear], axis=0), later.label, later.weight))
    return found


def _finished(kept: Path, *, most: int) -> list[Trial]:
    """The trials of an earlier run; a last line that was broken off is taken away."""
    if not kept.exists():
        return []
    whole, _, _ = kept.read_text(encoding="utf-8").rpartition("\n")
    kept.write_text(whole + "\n" if whole else "", encoding="utf-8")
    return [Trial(**json.loads(line)) for line in whole.splitlines()][:most]


def _keep(kept: Path, trial: Trial) -> None:
    kept.parent.mkdir(parents=True, exist_ok=True)
    with kept.open("a", encoding="utf-8") as file:
        file.write(json.dumps(asdict(trial)) + "\n")
