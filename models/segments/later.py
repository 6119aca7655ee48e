"""Candidates for the margins of some leads against the model in place, on one slice that neither has seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from models.audit.association import Flags
from models.calibration import Calibration
from models.metrics import Vector, measure
from models.promoting.paired import Numbers, Pair, segment_differences
from models.weights import mean


@dataclass(frozen=True)
class Later:
    """The rows of a slice, shape (n,) each.

    Attributes
    ----------
    label
        0 or 1.
    leads
        Lead of each row, by number.
    weight
        How often each row counts.
    margin
        Log-odds by the model in place.
    curve
        From any of these margins to a probability.
    """

    label: Vector
    leads: Numbers
    weight: Vector
    margin: Vector
    curve: Calibration

    def compared(self, candidates: Sequence[Vector]) -> list[dict[str, Any]]:
        """Each candidate against the model in place.

        Parameters
        ----------
        candidates
            Other margins, shape (n,), NaN for rows of which a candidate does not speak.

        Returns
        -------
        list of dict
            ``rows``, ``positives``, ``pooled`` (log loss), ``tried`` (the candidate's), ``difference``,
            ``low`` and ``high``, which hold together with 95 % (Bonferroni), ``pooled_auc`` and
            ``tried_auc`` (None with one outcome only). Of a candidate that speaks
            of no row: ``rows`` and ``positives``, 0.
        """
        spoken = [~np.isnan(margin) for margin in candidates]
        found = self._differences(candidates, spoken)
        return [
            self._told(margin, rows, found[number]) if rows.any() else {"rows": 0, "positives": 0}
            for number, (margin, rows) in enumerate(zip(candidates, spoken, strict=True))
        ]

    def loss(self, margin: Vector) -> float | None:
        """Mean log loss of the rows that margins are known of; None if there are none."""
        rows = ~np.isnan(margin)
        if not rows.any():
            return None
        chance = self.curve.apply(margin[rows])
        losses = -np.log(np.where(self.label[rows] == 1, chance, 1 - chance))
        return mean(losses, self.weight[rows])

    def _differences(
        self, candidates: Sequence[Vector], spoken: Sequence[Flags]
    ) -> dict[int, dict[str, Any]]:
        if not any(rows.any() for rows in spoken):
            return {}
        places = np.concatenate([np.flatnonzero(rows) for rows in spoken])
        number = np.repeat(np.arange(len(spoken)), [int(rows.sum()) for rows in spoken])
        tried = np.concatenate([margin[rows] for margin, rows in zip(candidates, spoken, strict=True)])
        pair = Pair(
            label=self.label[places],
            champion=self.curve.apply(self.margin[places]),
            challenger=self.curve.apply(tried),
            leads=self.leads[places],
            segments={"candidate": number.astype(str).astype(object)},
            weight=self.weight[places],
        )
        return {int(part["value"]): part for part in segment_differences(pair, least_outcomes=0)}

    def _told(self, margin: Vector, rows: Flags, found: dict[str, Any]) -> dict[str, Any]:
        return {
            "rows": found["rows"],
            "positives": found["positives"],
            "pooled": found["champion"],
            "tried": found["champion"] + found["difference"],
            "difference": found["difference"],
            "low": found["low"],
            "high": found["high"],
            "pooled_auc": self._auc(self.margin, rows),
            "tried_auc": self._auc(margin, rows),
        }

    def _auc(self, margin: Vector, rows: Flags) -> float | None:
        label = self.label[rows]
        if label.min() == label.max():
            return None
        return measure(label, self.curve.apply(margin[rows]), weight=self.weight[rows]).roc_auc
