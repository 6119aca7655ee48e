"""Training rows in the one order that every run gives them, whatever the order of the file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from features.errors import ModelError, listed
from models.bundle import Window
from models.calibration import Calibration
from models.metrics import Vector
from models.weights import STANDS_FOR, mean, weights_of

NEEDED = ("snapshot_id", "lead_id", "as_of", "label")
EVERY = slice(None)


@dataclass(frozen=True)
class History:
    """Labelled rows, earliest first.

    Attributes
    ----------
    table
        All columns, sorted by ``as_of``, ``lead_id``, ``snapshot_id``; in flat mode by ``order``.
    label
        0.0 or 1.0, shape (n,).
    weight
        How often each row counts, above 0, shape (n,): see `models.weights`.
    is_mature
        Whether the label's window is over, shape (n,): column ``is_mature``, else true.
    leads
        Lead ids, shape (n,).
    at
        ``as_of`` in microseconds, shape (n,).
    is_flat
        Whether all rows have one moment, so that only their order tells earlier from later.
    """

    table: pa.Table
    label: Vector
    weight: Vector
    is_mature: npt.NDArray[np.bool_]
    leads: npt.NDArray[np.object_]
    at: npt.NDArray[np.int64]
    is_flat: bool

    @classmethod
    def of(cls, rows: pa.Table) -> History:
        """The rows of a table, sorted.

        Raises
        ------
        ModelError
            A column is missing, a label is neither 0 nor 1, or a weight is not above 0.
        """
        missing = [name for name in NEEDED if name not in rows.column_names]
        if missing:
            raise ModelError(f"the training rows lack {listed(missing)}", hint="build them with labels")
        is_flat = pc.count_distinct(rows["as_of"]).as_py() <= 1
        table = _sorted(rows, is_flat=is_flat)
        return cls(
            table=table,
            label=_labels(table["label"]),
            weight=_weights(table),
            is_mature=_is_mature(table),
            leads=np.asarray(table["lead_id"].to_pylist(), dtype=object),
            at=pc.cast(table["as_of"], pa.timestamp("us"), safe=False)
            .to_numpy()
            .astype("datetime64[us]")
            .astype(np.int64),
            is_flat=is_flat,
        )

    def mature(self) -> History:
        """The rows whose window is over, each for the moments it stands for: what can be measured on."""
        return History.of(mature_rows(self.table))

    def window(self) -> Window:
        """First and last moment, rows and positives."""
        about = self.described(np.arange(len(self.label)))
        return Window(about["first_as_of"], about["last_as_of"], about["rows"], about["positives"])

    def described(self, places: npt.NDArray[np.intp]) -> dict[str, Any]:
        """First and last ``as_of`` (None in flat mode), rows and positives of some rows."""
        first, last = (None, None) if self.is_flat else (self._iso(places[0]), self._iso(places[-1]))
        positives = int(self.label[places].sum())
        return {"first_as_of": first, "last_as_of": last, "rows": len(places), "positives": positives}

    def rate(self, places: npt.NDArray[np.intp] | slice = EVERY) -> float:
        """Share of the moments that some rows stand for whose label is 1."""
        return mean(self.label[places], self.weight[places])

    def predictions(self, places: npt.NDArray[np.intp], margin: Vector, calibration: Calibration) -> pa.Table:
        """Ids, label, margin, probability and ``stands_for`` (their weight) of some rows."""
        kept = self.table.select(["snapshot_id", "lead_id", "as_of"]).take(places)
        return (
            kept.append_column("label", pa.array(self.label[places]))
            .append_column("margin", pa.array(margin[places]))
            .append_column("probability", pa.array(calibration.apply(margin[places])))
            .append_column(STANDS_FOR, pa.array(self.weight[places]))
        )

    def _iso(self, place: Any) -> str:
        return str(self.at[place].astype("datetime64[us]"))


def mature_rows(table: pa.Table) -> pa.Table:
    """The rows of a training table whose window is over; ``stands_for`` stays, ``weight`` does not."""
    if "is_mature" not in table.column_names:
        return table
    return table.filter(table["is_mature"]).drop_columns(["weight", "is_mature"])


def _sorted(rows: pa.Table, *, is_flat: bool) -> pa.Table:
    if is_flat and "order" not in rows.column_names:
        return rows
    keys = ["order"] if is_flat else ["as_of", "lead_id", "snapshot_id"]
    return rows.take(pc.sort_indices(rows, sort_keys=[(key, "ascending") for key in keys]))


def _labels(column: pa.ChunkedArray) -> Vector:
    values = np.asarray(pc.cast(column, pa.float64()).to_numpy(), dtype=np.float64)
    if not np.isin(values, (0.0, 1.0)).all():
        raise ModelError("a training label is neither 0 nor 1", hint="leave undecided leads out of the rows")
    return values


def _weights(table: pa.Table) -> Vector:
    values = weights_of(table)
    if not (np.isfinite(values) & (values > 0)).all():
        raise ModelError("a training weight is not above 0", hint="leave undecided leads out of the rows")
    return values


def _is_mature(table: pa.Table) -> npt.NDArray[np.bool_]:
    if "is_mature" not in table.column_names:
        return np.ones(table.num_rows, dtype=bool)
    return np.asarray(table["is_mature"].to_numpy(), dtype=bool)
