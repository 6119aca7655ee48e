"""Logistic regression on the same rows: what the model has to beat, measured at every training."""

from __future__ import annotations

from dataclasses import replace

from models.fitting.classifier import Rows
from models.fitting.linear import fit_linear
from models.fitting.newton import sigmoid
from models.matrix import Matrix
from models.metrics import Vector

STRENGTH = 0.02  # inverse of the penalty, on standardised terms


def logistic_probability(rows: Rows, asked: Matrix) -> Vector:
    """Probability by a penalised logistic regression, shape (m,).

    Parameters
    ----------
    rows
        Rows to learn from, earliest first; the baseline is held to no direction.
    asked
        Encoded rows, shape (m, k).
    """
    return sigmoid(fit_linear(replace(rows, directions=()), strength=STRENGTH).margin(asked))
