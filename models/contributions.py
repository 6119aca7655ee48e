"""Exact SHAP contributions of bagged boosters: what each feature adds to the margin, in log-odds.

For each row, base plus the contributions of all features is the margin; every row is checked.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

from features.errors import ModelError

if TYPE_CHECKING:
    from lightgbm import Booster

Matrix: TypeAlias = npt.NDArray[np.float64]

CHUNK_ROWS = 4096  # bounds the memory of one call: 4096 x 200 features are 7 MB
TOLERANCE = 1e-6  # log-odds; LightGBM's own sums differ by about 1e-14


def contributions(boosters: Sequence[Booster], matrix: Matrix, *, threads: int = 0) -> tuple[Matrix, float]:
    """Contributions of each feature, as the mean over the boosters.

    Path-dependent TreeSHAP (Lundberg et al. 2020, "From local explanations to global understanding with
    explainable AI for trees", algorithm 2), by LightGBM's ``pred_contrib``. SHAP values of a mean of
    models are the mean of their SHAP values.

    Parameters
    ----------
    boosters
        At least one, all trained on the k columns of the matrix in this order.
    matrix
        Shape (n, k): encoded features, NaN where null.
    threads
        Threads to use; 0 means one per core.

    Returns
    -------
    values
        Shape (n, k), log-odds, float64.
    base
        Margin of a lead of which nothing is known, log-odds.

    Raises
    ------
    ModelError
        There is no booster, the columns do not fit, or base and contributions of some row do not add up
        to its margin.
    """
    if not boosters:
        raise ModelError("there is no booster to explain", hint="train the model again")
    values, base = np.zeros(matrix.shape), 0.0
    for booster in boosters:
        for rows in _chunks(len(matrix)):
            values[rows] += _of_booster(booster, matrix[rows], threads)
        base += _base(booster)
    return values / len(boosters), base / len(boosters)


def _of_booster(booster: Booster, rows: Matrix, threads: int) -> Matrix:
    """Contributions of one booster, shape (rows, k), each row checked."""
    if booster.num_feature() != rows.shape[1]:
        raise ModelError(
            f"the booster knows {booster.num_feature()} features, the matrix has {rows.shape[1]} columns",
            hint="encode the rows with the encoding of the same bundle",
        )
    full = np.asarray(booster.predict(rows, pred_contrib=True, num_threads=threads))
    margin = np.asarray(booster.predict(rows, raw_score=True, num_threads=threads))
    worst = float(np.max(np.abs(full.sum(axis=1) - margin)))
    if not worst <= TOLERANCE:  # a NaN fails too
        raise ModelError(
            f"base and contributions differ from the margin by {worst:.2g}, {TOLERANCE:g} is allowed",
            hint="the model file is damaged or LightGBM has changed; train the model again",
        )
    return full[:, :-1]


def _base(booster: Booster) -> float:
    """Margin without knowledge: the last column, the same for every row."""
    nothing = np.full((1, booster.num_feature()), np.nan)
    return float(np.asarray(booster.predict(nothing, pred_contrib=True))[0, -1])


def _chunks(rows: int) -> Iterator[slice]:
    return (slice(start, start + CHUNK_ROWS) for start in range(0, rows, CHUNK_ROWS))
