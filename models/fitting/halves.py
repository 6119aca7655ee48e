"""A model of half of the leads: what another sample of leads would have taught."""

from __future__ import annotations

from dataclasses import dataclass, replace

from models.fitting.blend import Blend, Ensemble
from models.fitting.classifier import Rows
from models.fitting.options import TrainOptions
from models.fitting.search import Choice, fit_choice
from models.matrix import Matrix
from models.metrics import Vector


@dataclass(frozen=True)
class Half:
    """The model, and what it says of rows that it has not learned from (log-odds)."""

    blend: Blend
    margin: Vector


def fit_half(rows: Rows, asked: Matrix, choice: Choice, options: TrainOptions) -> Half:
    """Fit the choice, one bag of each shape, on the rows of half of the leads.

    Parameters
    ----------
    asked
        Rows to say a margin of, shape (m, k).
    """
    few = replace(options, bags=1, fewest_bags=1, threads=1)
    blend = fit_choice(rows.take(slice(-options.search_rows, None)), choice, few)
    return Half(blend, Ensemble(blend).margin(asked))
