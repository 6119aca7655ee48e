"""Parts of a feature table that were computed apart, put beside each other without a query."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.catalogue import Feature


def beside(rows: int, answers: Mapping[str, pa.Table], features: Sequence[Feature]) -> dict[str, pa.Array]:
    """The columns of features, one value per snapshot.

    Parameters
    ----------
    rows
        Number of snapshots; ``snapshot_id`` counts them from 0.
    answers
        Parts with ``snapshot_id`` and finished features, at most one row of a snapshot.
    features
        What is wanted; a snapshot that a part has no row of has the feature's ``empty``.
    """
    found: dict[str, pa.Array] = {}
    empty = {feature.name: feature.empty for feature in features}
    for part in answers.values():
        places = _places(rows, part.column("snapshot_id"))
        for name in part.column_names:
            if name in empty:
                found[name] = _placed(part.column(name), places, empty[name])
    return {feature.name: found[feature.name] for feature in features}


def _places(rows: int, snapshots: pa.ChunkedArray) -> pa.Array | None:
    """Row of the part for each snapshot, null where it has none; None if they are the same rows."""
    ids = snapshots.to_numpy()
    if len(ids) == rows and bool((ids == np.arange(rows)).all()):
        return None
    places = np.full(rows, -1, dtype=np.int64)
    places[ids] = np.arange(len(ids))
    return pa.array(places, mask=places < 0)


def _placed(values: pa.ChunkedArray, places: pa.Array | None, empty: float | None) -> pa.Array:
    if places is None:
        return values
    placed = values.take(places)
    return placed if empty is None else pc.fill_null(placed, float(empty))
