"""Whether there are enough outcomes to learn from, and to measure on."""

from __future__ import annotations

from collections.abc import Mapping

from features.errors import TooFewOutcomesError
from models.fitting.split import Places
from models.metrics import Vector
from models.phrases import Phrase

MEASURED = ("train", "calibrate", "test")
BY_CARD = "`leadrank score` ranks by the points scorecard"


def check_outcomes(label: Vector, *, least: int) -> None:
    """Refuse a history with too few leads of either outcome.

    Parameters
    ----------
    label
        0 or 1, shape (n,).
    least
        How many of each are needed.

    Raises
    ------
    TooFewOutcomesError
        With both counts.
    """
    positives, negatives = _counts(label)
    if min(positives, negatives) < least:
        raise TooFewOutcomesError(
            Phrase(
                "{positives} positive and {negatives} negative rows; at least {least} of each are needed",
                positives=positives,
                negatives=negatives,
                least=least,
            ),
            hint=f"add history, or lengthen train.horizon_days; until then {BY_CARD}",
        )


def check_slices(label: Vector, split: Mapping[str, Places]) -> None:
    """Refuse a split in which a slice to fit or measure holds one outcome only.

    Raises
    ------
    TooFewOutcomesError
        With the slice and its counts.
    """
    for name in MEASURED:
        positives, negatives = _counts(label[split[name]])
        if min(positives, negatives) == 0:
            raise TooFewOutcomesError(
                Phrase(
                    "the {name} slice holds {positives} positive and {negatives} negative rows; "
                    "it needs both",
                    name=name,
                    positives=positives,
                    negatives=negatives,
                ),
                hint=f"add history; until then {BY_CARD}",
            )


def _counts(label: Vector) -> tuple[int, int]:
    positives = int(label.sum())
    return positives, len(label) - positives
