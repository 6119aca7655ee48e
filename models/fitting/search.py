"""Which trees, how many, and how much each part counts: what served the stop slice, never the test slice.

Three shapes of trees and a linear part are grown on the train slice and judged on the stop slice by the log
loss that is attainable once level and slope are calibrated. Each choice has a usual value that stands unless
another is clearly better, by more than the standard error of their paired difference: the slice is small, and
its luck is not the future's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from models.fitting.blend import Blend, Own, learned_weights
from models.fitting.classifier import SHAPES, Growth, Rows, Shape, fit, grow
from models.fitting.linear import fit_linear
from models.fitting.newton import attainable_loss, is_clearly_greater
from models.fitting.options import TrainOptions
from models.fitting.recency import chosen_half_life, recent
from models.metrics import Vector

LINEAR = "linear"
USUAL_TREES = {"shallow": 100, "deep": 40, "random": 60}
STRENGTHS = (0.02, 0.002, 0.0005, 0.2)  # of the linear part, the usual one first
ROWS_PER_LEAF_SHARE = 50  # small histories get smaller leaves: at most 1/50 of the rows are required
MANY_ROWS = 20_000  # beyond this averaging many bags gains little and costs minutes
ROWS_OF_SMALL_STEPS, MOST_SPEED = 10_000, 2.5
ENOUGH_COLUMNS = 24  # on many rows a tree need not see more; fewer bins were tried and lost accuracy
FEWEST_LEAF_ROWS = 3


@dataclass(frozen=True)
class Part:
    """Trees of one shape: how many, and how much they count."""

    name: str
    shape: Shape
    trees: int
    weight: float


@dataclass(frozen=True)
class Choice:
    """What to fit.

    Attributes
    ----------
    parts
        Trees that count.
    linear_weight, strength
        How much the linear part counts (0: not at all) and the inverse of its penalty.
    half_life
        Share of the rows after which a row counts half; None if all count alike.
    tried
        Figures of each part on the stop slice by name; empty where it had too few outcomes to try.
    own
        What to fit on the rows of some category values alone.
    """

    parts: tuple[Part, ...]
    linear_weight: float
    strength: float
    half_life: float | None
    tried: Mapping[str, Mapping[str, float]]
    own: tuple[OwnChoice, ...] = ()

    @property
    def trees(self) -> dict[str, int]:
        """Number of trees in each bag, by shape."""
        return {part.name: part.trees for part in self.parts}


@dataclass(frozen=True)
class OwnChoice:
    """What to fit on the rows with one category value, and how much it counts (`blend.Own`)."""

    column: int
    code: int
    share: float
    choice: Choice


def search(rows: Rows, later: Rows, options: TrainOptions, *, shapes: Mapping[str, Shape] = SHAPES) -> Choice:
    """Choose on later rows, or take the usual values where these have too few outcomes.

    Parameters
    ----------
    rows
        Train slice, earliest first; the latest ``options.search_rows`` are used.
    later
        Stop slice.
    shapes
        Trees by name; those of ``options.shapes`` are used.
    """
    count, columns = rows.matrix.shape
    shapes = {name: fitting(shapes[name], options, rows=count, columns=columns) for name in options.shapes}
    outcomes = later.label.sum()
    if min(outcomes, len(later.label) - outcomes) < options.min_outcomes / 2:
        return _usual(shapes)
    latest = rows.take(slice(-options.search_rows, None))
    first = next(iter(shapes.values()))
    fading = chosen_half_life(latest, later, first, seed=options.seed)
    known = recent(latest, fading)
    trees = grown(known, later, shapes, options)
    strength, linear = _best_linear(known, later)
    margins = np.vstack([*(margin for _, margin in trees.values()), linear])
    *weights, linear_weight = (
        float(weight) for weight in learned_weights(margins, later.label, later.weight)
    )
    counts = [count for count, _ in trees.values()]
    tried = {
        name: {
            "log_loss": float(attainable_loss(margin, later.label, later.weight).mean()),
            "trees": count,
            "weight": weight,
        }
        for name, margin, count, weight in zip(
            [*shapes, LINEAR], margins, [*counts, 0], [*weights, linear_weight], strict=True
        )
    }
    parts = (Part(*part) for part in zip(shapes, shapes.values(), counts, weights, strict=True))
    return Choice(tuple(p for p in parts if p.weight > 0), linear_weight, strength, fading, tried)


def grown(
    rows: Rows, later: Rows, shapes: Mapping[str, Shape], options: TrainOptions
) -> dict[str, tuple[int, Vector]]:
    """The number of trees of each shape to use, and what so many say of the later rows."""
    with ThreadPoolExecutor(max_workers=max(1, options.threads)) as pool:  # LightGBM is silent by thread
        found = pool.map(lambda name: _grown(rows, later, shapes[name], name, options), shapes)
        return dict(zip(shapes, found, strict=True))


def fit_choice(rows: Rows, choice: Choice, options: TrainOptions) -> Blend:
    """Fit the parts on the given rows; fewer bags on many, and no own model of a value with few outcomes."""
    known = recent(rows, choice.half_life)
    enough = round(options.bags * MANY_ROWS / max(len(rows.label), MANY_ROWS))
    bags = min(options.bags, max(options.fewest_bags, enough))
    boosters: list[str] = []
    weights: list[float] = []
    for part in choice.parts:
        found = fit(
            known, part.shape, trees=part.trees, bags=bags, seed=options.seed, threads=options.threads
        )
        boosters += found.boosters
        weights += [part.weight / bags] * bags
    own = tuple(_fitted_own(rows, choice.own, options))
    if not choice.linear_weight:
        return Blend(tuple(boosters), tuple(weights), own=own)
    linear = fit_linear(known, strength=choice.strength).times(choice.linear_weight)
    return Blend(tuple(boosters), tuple(weights), linear, own)


def _fitted_own(rows: Rows, asked: Sequence[OwnChoice], options: TrainOptions) -> Iterator[Own]:
    for part in asked:
        those = rows.take(rows.matrix[:, part.column] == part.code)
        wins = int(those.label.sum())
        if min(wins, len(those.label) - wins) >= options.min_outcomes:
            yield Own(part.column, part.code, part.share, fit_choice(those, part.choice, options))


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


def _usual(shapes: Mapping[str, Shape]) -> Choice:
    equal = 1 / (len(shapes) + 1)
    parts = (Part(name, shape, USUAL_TREES[name], equal) for name, shape in shapes.items())
    return Choice(tuple(parts), equal, STRENGTHS[0], None, {})


def _grown(rows: Rows, later: Rows, shape: Shape, name: str, options: TrainOptions) -> tuple[int, Vector]:
    """As `grown`, of one shape."""
    usual = min(USUAL_TREES[name], options.most_trees)
    means: list[float] = []

    def goes_on(growth: Growth) -> bool:
        means.append(float(attainable_loss(growth.margins[-1], later.label, later.weight).mean()))
        stale = len(means) - 1 - int(np.argmin(means))
        return growth.trees[-1] < usual or (
            stale < options.patience and growth.trees[-1] < options.most_trees
        )

    growth = grow(
        rows,
        later.matrix,
        shape,
        goes_on=goes_on,
        bags=2 if len(rows.label) < MANY_ROWS else 1,
        seed=options.seed,
    )
    losses = [attainable_loss(margin, later.label, later.weight) for margin in growth.margins]
    best = losses[int(np.argmin([loss.mean() for loss in losses]))]
    fair = [place for place, loss in enumerate(losses) if not is_clearly_greater(loss, best)]
    place = min(fair, key=lambda place: abs(np.log(growth.trees[place] / usual)))
    return growth.trees[place], growth.margins[place]


def _best_linear(rows: Rows, later: Rows) -> tuple[float, Vector]:
    """The usual penalty, or one that is clearly better on later rows, and the margins of these."""
    margins = {strength: fit_linear(rows, strength=strength).margin(later.matrix) for strength in STRENGTHS}
    losses = {
        strength: attainable_loss(margin, later.label, later.weight) for strength, margin in margins.items()
    }
    best = min(losses, key=lambda strength: losses[strength].mean())
    usual = STRENGTHS[0]
    found = best if is_clearly_greater(losses[usual], losses[best]) else usual
    return found, margins[found]
