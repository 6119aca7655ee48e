"""The forward test of one training, kept with it: its curves can be drawn again without training again.

The rows are those of the test slice, which no tree had seen. A lead is a number made from its id, the same in
every training, so that two tests find their common rows: no id leaves the data, but who has the ids can make
the numbers again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from models.backtests.untrained import ranking_intervals
from models.bundle import Bundle
from models.metrics import Vector
from models.store import load as load_bundle
from models.store import save as save_bundle
from models.weights import STANDS_FOR, weights_of

Figures = Mapping[str, Mapping[str, Any]]

Slices = Mapping[str, npt.NDArray[np.object_]]

ROWS, FIGURES, FIRST = "rows.parquet", "figures.json", "first"
_OWN = ("lead", "as_of", "label", "margin", "probability", STANDS_FOR)
_SLICE = "slice_"


@dataclass(frozen=True)
class ForwardTest:
    """What the first pass of a training said of later rows, and what became of them.

    Attributes
    ----------
    rows
        ``lead`` (a number, the same for all rows of a lead), ``as_of``, ``label`` (0 or 1), ``margin``,
        ``probability``, ``stands_for`` (how often each counts; without it, once), one column per order that
        needs no training, highest first, and ``slice_<name>``: the slice of each row, as text.
    figures
        Figures by contender, as the training reported them: numbers, or ``value``, ``low`` and ``high``.
    first
        The model of the first pass, which made the predictions: it can be asked about any later row. None
        if it was not kept.
    """

    rows: pa.Table
    figures: Figures
    first: Bundle | None = None

    @classmethod
    def of(
        cls,
        test: pa.Table,
        orders: Mapping[str, Vector],
        figures: Figures,
        *,
        slices: Slices | None = None,
        first: Bundle | None = None,
    ) -> ForwardTest:
        """The test of a training.

        Parameters
        ----------
        test
            ``lead_id``, ``as_of``, ``label``, ``margin``, ``probability`` and ``stands_for``, if rows count
            unequally, of n rows.
        orders
            Shape (n,) by name: other orders of the same rows.
        slices
            Shape (n,) by name: the part of the leads that each row belongs to.
        first
            The model of the first pass.
        """
        lead = pa.array(lead_numbers(test.column("lead_id")))
        rows = test.select([name for name in _OWN if name in test.column_names]).add_column(0, "lead", lead)
        for name, order in orders.items():
            rows = rows.append_column(name, pa.array(order))
        for name, values in (slices or {}).items():
            rows = rows.append_column(f"{_SLICE}{name}", pa.array(values, pa.string()))
        return cls(rows, figures, first)

    @property
    def label(self) -> Vector:
        """What became of the rows, shape (n,): 1 or 0."""
        return np.asarray(self.rows.column("label").to_numpy(), dtype=np.float64)

    @property
    def probability(self) -> Vector:
        """What the model said, shape (n,)."""
        return np.asarray(self.rows.column("probability").to_numpy())

    @property
    def weight(self) -> Vector:
        """How often each row counts, shape (n,)."""
        return weights_of(self.rows)

    @property
    def orders(self) -> dict[str, Vector]:
        """The orders that need no training, shape (n,) by name."""
        names = [n for n in self.rows.column_names if n not in _OWN and not n.startswith(_SLICE)]
        return {name: np.asarray(self.rows.column(name).to_numpy()) for name in names}

    @property
    def slices(self) -> dict[str, npt.NDArray[np.object_]]:
        """The slice of each row, shape (n,) by name."""
        names = [name for name in self.rows.column_names if name.startswith(_SLICE)]
        values = {name: self.rows.column(name).to_pylist() for name in names}
        return {name.removeprefix(_SLICE): np.asarray(found, dtype=object) for name, found in values.items()}

    def with_intervals(self) -> dict[str, dict[str, Any]]:
        """The figures, with 95 % intervals for the untrained orders too, resampling leads."""
        leads = self.rows.column("lead").to_numpy()
        ends = ranking_intervals(self.label, leads, self.orders, weight=self.weight)
        return {
            contender: {
                name: _joined(figure, ends.get(contender, {}).get(name)) for name, figure in found.items()
            }
            for contender, found in self.figures.items()
        }

    def save(self, folder: Path) -> Path:
        """Write ``rows.parquet``, ``figures.json`` and the bundle ``first`` into a new folder; return it."""
        folder.mkdir()
        pq.write_table(self.rows, folder / ROWS)
        text = json.dumps(self.figures, indent=1)  # contenders and figures keep their order
        (folder / FIGURES).write_text(text, encoding="utf-8")
        if self.first is not None:
            save_bundle(self.first, folder / FIRST)
        return folder


def load(folder: Path) -> ForwardTest:
    """The test that :meth:`ForwardTest.save` wrote."""
    figures = json.loads((folder / FIGURES).read_text(encoding="utf-8"))
    first = load_bundle(folder / FIRST) if (folder / FIRST).is_dir() else None
    return ForwardTest(pq.read_table(folder / ROWS), figures, first)


def lead_numbers(lead_ids: pa.ChunkedArray) -> npt.NDArray[np.int64]:
    """A number for each row's lead, the same in every training: the first 8 bytes of BLAKE2b of its id."""
    coded = lead_ids.combine_chunks().dictionary_encode()
    digests = b"".join(
        hashlib.blake2b(lead.encode(), digest_size=8).digest() for lead in coded.dictionary.to_pylist()
    )
    numbers = np.frombuffer(digests, dtype="<i8").astype(np.int64)
    return np.asarray(numbers[coded.indices.to_numpy()], dtype=np.int64)


def figure_rows(figures: Figures) -> list[dict[str, Any]]:
    """One row per contender and figure, for a table: ``contender, figure, value, low, high``.

    >>> figure_rows({"model": {"n": 9, "roc_auc": {"value": 0.7, "low": 0.6, "high": 0.8}}})[1]
    {'contender': 'model', 'figure': 'roc_auc', 'value': 0.7, 'low': 0.6, 'high': 0.8}
    """
    return [
        {"contender": contender, "figure": name, **_with_interval(figure)}
        for contender, found in figures.items()
        for name, figure in found.items()
    ]


def _joined(figure: Any, ends: tuple[float, float] | None) -> Any:
    return figure if ends is None else {"value": figure, "low": ends[0], "high": ends[1]}


def _with_interval(figure: Mapping[str, float] | float) -> dict[str, float | None]:
    """A figure's value and the ends of its interval; None where it has none."""
    if isinstance(figure, Mapping):
        return {"value": figure["value"], "low": figure["low"], "high": figure["high"]}
    return {"value": figure, "low": None, "high": None}
