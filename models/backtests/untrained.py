"""Orders that need no training: what a list is worth without the model, on the same rows."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from models.metrics import Vector, interval, measure
from models.points.scorecard import WrittenCard, newest_first
from models.weights import weights_of

FIGURES = ("roc_auc", "average_precision", "lift_10", "lift_20", "capture_10", "capture_20")


def orders(rows: pa.Table, test: pa.Table, card: WrittenCard) -> dict[str, Vector]:
    """Points card and newest-first for the test rows of a training, highest first.

    Parameters
    ----------
    rows
        All feature rows, with ``snapshot_id``.
    test
        Test rows: ``snapshot_id``.
    card
        The scorecard.

    Returns
    -------
    dict
        Shape (n,) by name; an order that tells no two rows apart is absent.
    """
    asked = rows_of(rows, test)
    found = {"scorecard": card.points(asked), "newest_first": newest_first(asked)}
    return {name: order for name, order in found.items() if order is not None and len(np.unique(order)) > 1}


def rows_of(rows: pa.Table, test: pa.Table) -> pa.Table:
    """The feature rows of some of their snapshots, in the order of ``test``."""
    place = np.argsort(rows.column("snapshot_id").to_numpy())
    ids = rows.column("snapshot_id").to_numpy()[place]
    return rows.take(place[np.searchsorted(ids, test.column("snapshot_id").to_numpy())])


def ranking_figures(test: pa.Table, found: Mapping[str, Vector]) -> dict[str, dict[str, float]]:
    """The figures that depend on order alone, by name of the order."""
    label, weight = test.column("label").to_numpy().astype(np.float64), weights_of(test)
    measured = {
        name: measure(label, _as_probability(order), weight=weight).as_json() for name, order in found.items()
    }
    return {name: {figure: all_[figure] for figure in FIGURES} for name, all_ in measured.items()}


def ranking_intervals(
    label: Vector,
    groups: npt.ArrayLike,
    found: Mapping[str, Vector],
    *,
    weight: Vector | None = None,
    resamples: int = 200,
    seed: int = 0,
) -> dict[str, dict[str, tuple[float, float]]]:
    """The 95 % intervals of `ranking_figures`, resampling groups, by name of the order and of the figure."""
    ends = {
        name: interval(label, _as_probability(order), groups, weight=weight, resamples=resamples, seed=seed)
        for name, order in found.items()
    }
    return {name: {figure: all_[figure] for figure in FIGURES} for name, all_ in ends.items()}


def _as_probability(order: Vector) -> Vector:
    """Places in the order, evenly spread over (0, 1); equal values share theirs."""
    place = np.unique(order, return_inverse=True)[1]
    return np.asarray((place + 1) / (place.max() + 2), dtype=np.float64)
