"""The forward test of one training, kept with it: its curves can be drawn again without training again.

The rows are those of the test slice, which no tree had seen. Leads are numbered: no id leaves the data.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from models.metrics import Vector
from models.untrained import ranking_intervals

Figures = Mapping[str, Mapping[str, Any]]

ROWS, FIGURES = "rows.parquet", "figures.json"
_OWN = ("lead", "as_of", "label", "margin", "probability")


@dataclass(frozen=True)
class ForwardTest:
    """What the first pass of a training said of later rows, and what became of them.

    Attributes
    ----------
    rows
        ``lead`` (a number, the same for all rows of a lead), ``as_of``, ``label`` (0 or 1), ``margin``,
        ``probability``, and one column per order that needs no training, highest first.
    figures
        Figures by contender, as the training reported them: numbers, or ``value``, ``low`` and ``high``.
    """

    rows: pa.Table
    figures: Figures

    @classmethod
    def of(cls, test: pa.Table, orders: Mapping[str, Vector], figures: Figures) -> ForwardTest:
        """The test of a training.

        Parameters
        ----------
        test
            ``lead_id``, ``as_of``, ``label``, ``margin`` and ``probability`` of n rows.
        orders
            Shape (n,) by name: other orders of the same rows.
        """
        lead = np.unique(test.column("lead_id").to_numpy(zero_copy_only=False), return_inverse=True)[1]
        rows = test.select([name for name in _OWN if name != "lead"]).add_column(0, "lead", pa.array(lead))
        for name, order in orders.items():
            rows = rows.append_column(name, pa.array(order))
        return cls(rows, figures)

    @property
    def label(self) -> Vector:
        """What became of the rows, shape (n,): 1 or 0."""
        return np.asarray(self.rows.column("label").to_numpy(), dtype=np.float64)

    @property
    def probability(self) -> Vector:
        """What the model said, shape (n,)."""
        return np.asarray(self.rows.column("probability").to_numpy())

    @property
    def orders(self) -> dict[str, Vector]:
        """The orders that need no training, shape (n,) by name."""
        names = [name for name in self.rows.column_names if name not in _OWN]
        return {name: np.asarray(self.rows.column(name).to_numpy()) for name in names}

    def with_intervals(self) -> dict[str, dict[str, Any]]:
        """The figures, with 95 % intervals for the untrained orders too, resampling leads."""
        ends = ranking_intervals(self.label, self.rows.column("lead").to_numpy(), self.orders)
        return {
            contender: {
                name: _joined(figure, ends.get(contender, {}).get(name)) for name, figure in found.items()
            }
            for contender, found in self.figures.items()
        }

    def save(self, folder: Path) -> Path:
        """Write ``rows.parquet`` and ``figures.json`` into a new folder, and return it."""
        folder.mkdir()
        pq.write_table(self.rows, folder / ROWS)
        text = json.dumps(self.figures, indent=1)  # contenders and figures keep their order
        (folder / FIGURES).write_text(text, encoding="utf-8")
        return folder


def load(folder: Path) -> ForwardTest:
    """The test that :meth:`ForwardTest.save` wrote."""
    figures = json.loads((folder / FIGURES).read_text(encoding="utf-8"))
    return ForwardTest(pq.read_table(folder / ROWS), figures)


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
