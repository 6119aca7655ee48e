"""Histories with few conversions: what is fitted where nothing can be chosen on later rows.

A search judges on the stop slice, a seventh of the history. With fewer than `FEW_OUTCOMES` leads of either
outcome that slice holds about seven, and what wins there wins by luck; so nothing is searched, and the
blend bears few outcomes: three quarters a linear part under a strong penalty, one quarter shallow trees.

Measured on drawn histories of 10, 20 and 40 conversions and on four sets of one row a lead: keeping only
half as many columns as outcomes lost 0.1 of ROC-AUC and more, and the points of the scorecard as a further
part of the blend gained nothing, so every feature stays and no points are in it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from features.errors import TooFewOutcomesError
from models.fitting.classifier import SHALLOW, Rows
from models.fitting.options import TrainOptions
from models.fitting.outcomes import BY_CARD
from models.fitting.search import USUAL_TREES, Choice, Part, fitting
from models.metrics import Vector
from models.phrases import Phrase

FEW_OUTCOMES = 50  # leads
FEWEST_LEARNED = 2  # leads of each outcome to learn from: the interval compares the halves of the leads
LINEAR_SHARE = 0.75
STRENGTH = 0.001  # inverse of the penalty; rows of one lead repeat each other, so it is below the usual one
SHAPE = "shallow"


def is_small(label: Vector, leads: npt.NDArray[np.object_]) -> bool:
    """Whether either outcome has fewer than `FEW_OUTCOMES` leads.

    Parameters
    ----------
    label
        0 or 1, shape (n,).
    leads
        Lead of each row, shape (n,).
    """
    return min(outcome_leads(label, leads)) < FEW_OUTCOMES


def outcome_leads(label: Vector, leads: npt.NDArray[np.object_]) -> tuple[int, int]:
    """How many different leads have a positive row, and how many a negative one."""
    return len(set(leads[label == 1])), len(set(leads[label == 0]))


def check_leads(label: Vector, leads: npt.NDArray[np.object_], *, least: int) -> None:
    """Refuse a history whose many rows of one outcome are those of few leads.

    Raises
    ------
    TooFewOutcomesError
        With both counts.
    """
    positives, negatives = outcome_leads(label, leads)
    if min(positives, negatives) < least:
        raise TooFewOutcomesError(
            Phrase(
                "{positives} leads with a positive row and {negatives} with a negative one; at least {least} "
                "of each are needed",
                positives=positives,
                negatives=negatives,
                least=least,
            ),
            hint=f"add history, or lengthen train.horizon_days; until then {BY_CARD}",
        )


def small_choice(rows: Rows, options: TrainOptions) -> Choice:
    """What to fit where nothing can be searched.

    Parameters
    ----------
    rows
        All rows before those to calibrate and to test on.
    """
    count, columns = rows.matrix.shape
    shape = fitting(SHALLOW, options, rows=count, columns=columns)
    trees = min(USUAL_TREES[SHAPE], options.most_trees)
    return Choice((Part(SHAPE, shape, trees, 1 - LINEAR_SHARE),), LINEAR_SHARE, STRENGTH, None, {})
