"""Which shape of trees, and how many: what served the stop slice best, never what serves the test slice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from models.classifier import SHAPES, Bags, Ensemble, Rows, Shape, fit, fit_until
from models.options import TrainOptions

ROWS_PER_LEAF_SHARE = 50  # small histories get smaller leaves: at most 1/50 of the rows are required
MANY_ROWS = 20_000  # beyond this averaging many bags and small steps gain little and cost minutes
ROWS_OF_SMALL_STEPS, MOST_SPEED = 10_000, 4.0
ENOUGH_COLUMNS = 24  # on many rows a tree need not see more; fewer bins were tried and lost accuracy
FEWEST_LEAF_ROWS = 3
GAIN = 0.01  # share of the log loss by which another shape must beat the first: less is chance


@dataclass(frozen=True)
class Choice:
    """A shape, the trees in each bag, and the log loss and trees of each candidate by name."""

    name: str
    shape: Shape
    trees: int
    tried: Mapping[str, Mapping[str, float]]


def search(rows: Rows, later: Rows, options: TrainOptions) -> Choice:
    """The first candidate, or one with clearly less log loss on later rows.

    Parameters
    ----------
    rows
        Train slice, earliest first; the latest ``options.search_rows`` are used.
    later
        Stop slice. With too few outcomes in it the first candidate is taken untried, with
        ``options.few_trees`` trees.
    """
    count, columns = rows.matrix.shape
    shapes = {name: fitting(SHAPES[name], options, rows=count, columns=columns) for name in options.shapes}
    outcomes = later.label.sum()
    if min(outcomes, len(later.label) - outcomes) < options.min_outcomes / 2:
        name = options.shapes[0]
        return Choice(name, shapes[name], options.few_trees, {})
    recent = rows.take(slice(-options.search_rows, None))
    found = {name: _try(recent, later, shape, options) for name, shape in shapes.items()}
    first, best = options.shapes[0], min(found, key=lambda name: found[name][0])
    best = best if found[best][0] < found[first][0] * (1 - GAIN) else first
    tried = {name: {"log_loss": loss, "trees": trees} for name, (loss, trees) in found.items()}
    return Choice(best, shapes[best], found[best][1], tried)


def fit_choice(rows: Rows, choice: Choice, options: TrainOptions) -> Bags:
    """Trees of the choice on the given rows; fewer bags on many rows."""
    enough = round(options.bags * MANY_ROWS / max(len(rows.label), MANY_ROWS))
    bags = min(options.bags, max(options.fewest_bags, enough))
    return fit(rows, choice.shape, trees=choice.trees, bags=bags, seed=options.seed, threads=options.threads)


def fitting(shape: Shape, options: TrainOptions, *, rows: int, columns: int) -> Shape:
    """A shape within the depth limit, with leaves, steps and columns that suit the number of rows."""
    if rows > MANY_ROWS:
        shape = replace(shape, feature_share=min(shape.feature_share, ENOUGH_COLUMNS / columns))
    return replace(
        shape,
        max_depth=min(shape.max_depth, options.max_depth),
        min_leaf_rows=max(FEWEST_LEAF_ROWS, min(shape.min_leaf_rows, rows // ROWS_PER_LEAF_SHARE)),
        learning_rate=shape.learning_rate * min(MOST_SPEED, max(1.0, rows / ROWS_OF_SMALL_STEPS)),
    )


def _try(rows: Rows, later: Rows, shape: Shape, options: TrainOptions) -> tuple[float, int]:
    """Log loss of later rows at its best, and the number of trees there."""
    bags = fit_until(
        rows,
        later,
        shape,
        most_trees=options.most_trees,
        patience=options.patience,
        bags=2 if len(rows.label) < MANY_ROWS else 1,
        seed=options.seed,
        threads=options.threads,
    )
    margin = Ensemble(bags.boosters, threads=options.threads).margin(later.matrix)
    loss = np.logaddexp(0, margin) - later.label * margin
    return float(loss.mean()), max(options.fewest_trees, int(np.mean(bags.trees)))
