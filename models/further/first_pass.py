"""What the first pass of a training knew and said: further questions are judged on the same slices."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from models.audit.association import Flags
from models.calibration import Calibration
from models.fitting.rows import History
from models.fitting.split import MICROSECONDS_PER_DAY, SLICES, Places, Split
from models.matrix import Encoding
from models.metrics import Vector


@dataclass(frozen=True)
class FirstPass:
    """The mature rows of a training, their slices, and the margins of those that its trees had not seen.

    Attributes
    ----------
    history
        Mature rows, earliest first.
    split
        Their slices.
    margin
        Log-odds of the calibrate and test rows by trees of the earlier slices, shape (n,); elsewhere NaN.
    calibration
        Curve of the ranking target, learned on the calibrate slice.
    encoding
        From features to the matrix of those trees.
    """

    history: History
    split: Split
    margin: Vector
    calibration: Calibration
    encoding: Encoding

    def slices(self, is_known: Flags, *, horizon_days: float) -> dict[str, Places]:
        """The rows of each slice whose answer to another question could be known when the next one begins.

        Parameters
        ----------
        is_known
            Whether the row has an answer today, shape (n,).
        horizon_days
            Days that the answer takes. Where they are more than the ranking target's, the last rows of a
            slice are left out; by as much as the split's own gaps gave way, these give way too.
        """
        given_way = [self.split.asked_gap_days - gap for gap in self.split.gap_days]
        kept = {name: self.split[name][is_known[self.split[name]]] for name in SLICES}
        for (earlier, later), slack in zip(pairwise(SLICES), given_way, strict=True):
            end = self.history.at[self.split[later][0]] + slack * MICROSECONDS_PER_DAY
            over = self.history.at[kept[earlier]] + horizon_days * MICROSECONDS_PER_DAY <= end
            kept[earlier] = kept[earlier][over]
        return kept

    @property
    def later(self) -> Places:
        """The rows that the first pass gave a margin."""
        return np.concatenate([self.split["calibrate"], self.split["test"]])
