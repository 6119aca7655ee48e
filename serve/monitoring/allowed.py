"""How far a figure of outcomes may lie from what was expected of it, and how surely."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

from serve.monitoring.figure import ALARM, OK, WARNING
from serve.monitoring.judging import Judged

SURE = 0.99
"""How sure one has to be of a difference; of several looked at together, of each the surer (Bonferroni)."""
ALARM_TIMES = 2.0
"""An alarm is a difference so many times what is allowed."""


@dataclass(frozen=True)
class Allowed:
    """The most that a figure may lie away.

    Attributes
    ----------
    most
        In the figure's own unit, or as a share of what was expected.
    is_fall
        Only below counts.
    is_share
        Whether ``most`` is a share.
    """

    most: float
    is_fall: bool = False
    is_share: bool = False

    def level(self, row: Judged, *, looks: int = 1) -> str:
        """How bad a figure is.

        Parameters
        ----------
        looks
            Figures of the same kind that are looked at together.

        Notes
        -----
        If the probabilities were right, the figure lies around what was expected with ``expected_error``: the
        same leads stand on both sides, so that is all the error of their difference.
        """
        if row.value is None or row.expected is None or row.expected_error is None:
            return OK
        away = row.value - row.expected
        if self.is_fall and away > 0:
            return OK
        surely = NormalDist().inv_cdf(1 - (1 - SURE) / 2 / looks) * row.expected_error
        far = abs(away) / row.expected if self.is_share and row.expected else abs(away)
        if abs(away) <= surely or far <= self.most:
            return OK
        return ALARM if far > ALARM_TIMES * self.most else WARNING
