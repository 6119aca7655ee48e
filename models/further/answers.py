"""What became of the rows of a training beside their label: the answers to one further question."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from features.errors import TooFewOutcomesError
from models.audit.association import Flags
from models.fitting.split import Places
from models.metrics import Vector
from models.phrases import Phrase

LEAST_JUDGED = 5  # outcomes of either kind without which a slice is not measured


@dataclass(frozen=True)
class Answers:
    """The answers of n rows to one question.

    Attributes
    ----------
    label
        0.0 or 1.0, shape (n,); meaningless where unknown.
    is_known
        Whether the row is asked and its answer is known, shape (n,).
    immature
        Rows that are asked and whose window is not over: left out.
    weight
        How often each row counts, shape (n,); None is once, as where each row is a lead.
    """

    label: Vector
    is_known: Flags
    immature: int = 0
    weight: Vector | None = None

    @classmethod
    def of(cls, label: Vector, is_asked: Flags, is_mature: Flags, weight: Vector | None = None) -> Answers:
        """From what every row has."""
        return cls(label, is_asked & is_mature, int((is_asked & ~is_mature).sum()), weight)

    def weight_of(self, places: Places) -> Vector | None:
        """How often some rows count; None is once."""
        return None if self.weight is None else self.weight[places]


def counts(label: Vector) -> dict[str, int]:
    """Rows, and positives among them."""
    return {"n": len(label), "positives": int(label.sum())}


def check_enough(answers: Answers, slices: dict[str, Places], *, least: int) -> None:
    """Refuse a question that cannot be learned and measured.

    Raises
    ------
    TooFewOutcomesError
        Fewer than ``least`` outcomes of either kind among the rows to learn from, or too few of one kind on
        the calibrate or test slice.
    """
    seen = np.concatenate([slices["train"], slices["stop"]])
    for name, places, needed in (
        (Phrase("earlier rows"), seen, least),
        (Phrase("calibrate slice"), slices["calibrate"], LEAST_JUDGED),
        (Phrase("test slice"), slices["test"], LEAST_JUDGED),
    ):
        found: Any = answers.label[places]
        positives = int(found.sum())
        if min(positives, len(found) - positives) < needed:
            raise TooFewOutcomesError(
                Phrase(
                    "{positives} positive and {negatives} negative among the {name}, "
                    "{needed} of each are needed",
                    positives=positives,
                    negatives=len(found) - positives,
                    name=name,
                    needed=needed,
                ),
                hint="add history",
            )
