"""The floor of outcomes without which no probability is printed for the leads of a segment.

A curve that was learned on all leads says little of a segment of which hardly any outcome is known. Its leads
keep score and rank; what is withheld is the number that would look surer than it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from features.errors import ModelError
from models.bundle import Bundle
from models.fitting.small import outcome_leads
from models.labels import marked
from models.metrics import Vector

FLOOR = "floor"
"""Under this name a bundle keeps its floor."""
FEW, UNSEEN = marked("too few outcomes in {column}"), marked("{column} unknown to the model")
"""Why a probability is withheld."""


@dataclass(frozen=True)
class Floor:
    """How many outcomes each segment had, and how many it needs.

    Attributes
    ----------
    segment_by
        Category column by which leads are told apart.
    least_outcomes
        Leads of the rarer outcome from which on a probability is printed, at least 1.
    outcomes
        Leads of the rarer outcome by value of the column: the values that the model's encoding knows.
    outcomes_without_value
        The same of leads without a value.
    """

    segment_by: str
    least_outcomes: int
    outcomes: Mapping[str, int]
    outcomes_without_value: int

    @property
    def below(self) -> tuple[str, ...]:
        """The known values that are below the floor."""
        return tuple(value for value, count in self.outcomes.items() if count < self.least_outcomes)

    def why_withheld(self, column: pa.ChunkedArray) -> pa.Array:
        """Why no probability is printed for each row, as text; null where one is.

        Parameters
        ----------
        column
            Value of ``segment_by`` for each row, shape (n,), null if there is none.
        """
        few = FEW.format(column=self.segment_by)
        said: dict[str | None, str | None] = dict.fromkeys(self.outcomes)
        said |= dict.fromkeys(self.below, few)
        said[None] = few if self.outcomes_without_value < self.least_outcomes else None
        unknown = UNSEEN.format(column=self.segment_by)
        return pa.array([said.get(value, unknown) for value in column.to_pylist()], pa.string())

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        return {**asdict(self), "outcomes": dict(self.outcomes)}


def counted(
    segment_by: str,
    column: pa.ChunkedArray,
    label: Vector,
    leads: npt.NDArray[np.object_],
    *,
    values: Iterable[str],
    least_outcomes: int,
) -> Floor:
    """The floor as later rows show it.

    Parameters
    ----------
    segment_by
        Name of the column.
    column
        Its values, shape (n,), null if there is none.
    label
        0 or 1, shape (n,).
    leads
        Lead of each row, shape (n,): several rows of one lead count once.
    values
        Those that are counted by themselves.
    least_outcomes
        Leads of the rarer outcome that a segment needs.
    """
    found = np.asarray(column.to_pylist(), dtype=object)

    def rarer(value: str | None) -> int:
        rows = np.asarray([text == value for text in found], dtype=bool)
        return min(outcome_leads(label[rows], leads[rows]))

    return Floor(segment_by, least_outcomes, {value: rarer(value) for value in values}, rarer(None))


def floor_of(bundle: Bundle) -> Floor | None:
    """The floor that a bundle keeps; None if it keeps none.

    Raises
    ------
    ModelError
        It is damaged, or its column is no category of the model.
    """
    kept = bundle.extras.get(FLOOR)
    if kept is None:
        return None
    try:
        floor = Floor(**kept)
        counts = [floor.least_outcomes, floor.outcomes_without_value, *floor.outcomes.values()]
        is_sound = floor.segment_by in bundle.encoding.categories and all(
            isinstance(count, int) and count >= 0 for count in counts
        )
    except (TypeError, AttributeError):
        is_sound = False
    if not is_sound:
        raise ModelError("the floor of the model's segments is damaged", hint="train the model again")
    return floor
