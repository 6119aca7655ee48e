"""Whether recent rows should count more: where history has drifted, old rows describe another world.

A history has drifted when a model can tell its earlier from its later half by the features alone (adversarial
validation). Its rows then count half after half of them have passed, unless later rows are clearly ranked
worse so. Weighting by nearness stands in for the importance weights of Shimodaira (2000), whose ratio of
densities no sample of this size can give.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from models.fitting.blend import Blend, Ensemble
from models.fitting.classifier import Rows, Shape, fit
from models.fitting.newton import attainable_loss, is_clearly_greater, sigmoid
from models.matrix import Matrix
from models.metrics import Vector, measure

HALF_LIFE = 0.5  # share of the rows after which a row counts half
DRIFTED = 0.9  # ROC-AUC of telling the halves apart
TREES = 40
FEWEST_ROWS = 500  # with fewer, telling halves apart says nothing


def recent(rows: Rows, half_life: float | None) -> Rows:
    """The rows, earliest first, with weights that halve with age.

    Parameters
    ----------
    half_life
        Share of the rows after which a row counts half; None leaves the weights.
    """
    if half_life is None:
        return rows
    count = len(rows.label)
    weight = 2.0 ** (-np.arange(count)[::-1] / (half_life * count))
    given = 1.0 if rows.weight is None else rows.weight
    return replace(rows, weight=given * weight / weight.mean())


def chosen_half_life(rows: Rows, later: Rows, shape: Shape, *, seed: int) -> float | None:
    """The half-life to weight rows by, or None.

    Parameters
    ----------
    rows, later
        Rows to learn from, earliest first, and rows to judge on.
    shape
        Trees to judge with.
    """
    if len(rows.label) < FEWEST_ROWS or not _has_drifted(rows, shape, seed):
        return None
    faded, plain = (
        attainable_loss(_margin(known, later.matrix, shape, seed), later.label, later.weight)
        for known in (recent(rows, HALF_LIFE), rows)
    )
    return None if is_clearly_greater(faded, plain) else HALF_LIFE


def _has_drifted(rows: Rows, shape: Shape, seed: int) -> bool:
    """Whether every other row lets a model tell the halves apart in the rows between."""
    count = len(rows.label)
    is_later = (np.arange(count) >= count // 2).astype(np.float64)
    known = Rows(rows.matrix[::2], is_later[::2], rows.category_places)
    margin = _margin(known, rows.matrix[1::2], shape, seed)
    return measure(is_later[1::2], sigmoid(margin)).roc_auc > DRIFTED


def _margin(rows: Rows, asked: Matrix, shape: Shape, seed: int) -> Vector:
    bags = fit(rows, shape, trees=TREES, bags=1, seed=seed, threads=1)
    return Ensemble(Blend.mean(bags.boosters)).margin(asked)
