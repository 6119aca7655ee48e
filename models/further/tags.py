"""Predictive tags: shown where the probability is high enough, and only if that held forward in time.

The threshold is chosen on the calibrate slice, and the tag's precision measured on the test slice, which is
later: a tag that does not hold its floor there is not shown at all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from features.errors import ModelError
from models.audit.association import Flags, wilson
from models.calibration import Calibration
from models.fitting.newton import logit
from models.metrics import Vector
from models.phrases import Phrase
from models.weights import mean, per_row

NORMAL_95 = 1.6448536269514722  # standard deviations below which 5 % lie: one-sided
LEAST_TAGGED = 20
"""Tagged rows without which a slice says nothing of a tag."""
TAGS = "tags"
"""Under this name a bundle keeps its shown tags."""


@dataclass(frozen=True)
class Tag:
    """A tag that is shown.

    Attributes
    ----------
    name
        As in ``params.yaml``.
    target
        Name of the target whose margin is asked.
    least_margin
        Log-odds from which the tag is shown, inclusive.
    least_probability
        The same as a probability within the tag's own horizon.
    horizon_days
        Days ahead; 0 for what is true already.
    precision_floor
        Share of right tags that was asked for.
    precision, n
        Share of right ones among the tagged rows of the test slice, and how many these were.
    """

    name: str
    target: str
    least_margin: float
    least_probability: float
    horizon_days: float
    precision_floor: float
    precision: float
    n: int

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)


@dataclass(frozen=True)
class Said:
    """What was said of the rows of one slice: label, probability, lead, and how often each row counts.

    Each of shape (n,); a weight of None is once.
    """

    label: Vector
    probability: Vector
    lead: npt.NDArray[np.object_]
    weight: Vector | None = None

    def precision(self, rows: Flags) -> float:
        """Share of some rows whose label is 1, over the moments that they stand for."""
        return mean(self.label[rows], None if self.weight is None else self.weight[rows])


@dataclass(frozen=True)
class Trial:
    """What became of one tag on the later slices.

    Attributes
    ----------
    least_probability
        The threshold; None if no probability held the floor on the calibrate slice.
    precision, n
        On the test slice; None and 0 if nothing was tagged.
    calibrate_precision, calibrate_n
        Likewise on the calibrate slice, at the threshold or, without one, among the best rows.
    base_rate
        Share of the test slice that the tag would be right for.
    why_not
        Why the tag is not shown; None if it is.
    """

    least_probability: float | None
    precision: float | None
    n: int
    calibrate_precision: float | None
    calibrate_n: int
    base_rate: float
    why_not: str | None


def tried(calibrate: Said, test: Said, *, floor: float, least_rows: int) -> Trial:
    """Choose the threshold on the calibrate slice and judge it on the test slice.

    Parameters
    ----------
    calibrate, test
        What was said of each slice.
    floor
        Share of right tags that is asked for, 0 to 1.
    least_rows
        Tagged rows without which a slice says nothing.
    """
    base_rate = test.precision(np.ones(len(test.label), dtype=bool))
    threshold = lowest_holding(calibrate, floor=floor, least_rows=least_rows)
    if threshold is None:
        precision, n = _best(calibrate, least_rows)
        why = f"no probability held the floor {floor:g} surely: precision {precision:.2f} of the best {n}"
        return Trial(None, None, 0, precision, n, base_rate, why)
    early, late = _precision(calibrate, threshold), _precision(test, threshold)
    return Trial(threshold, *late, *early, base_rate, _why_not(*late, floor, least_rows))


def lowest_holding(said: Said, *, floor: float, least_rows: int) -> float | None:
    """The lowest probability from which on the lower Wilson bound of the precision reaches the floor.

    None if there is none. Rows of one probability stand or fall together. The bound counts leads, for several
    rows of one lead are one piece of evidence.
    """
    order = np.argsort(-said.probability, kind="stable")
    ranked = said.probability[order]
    is_last = np.append(np.diff(ranked) != 0, True)
    n = np.arange(1, len(ranked) + 1)
    is_new = np.zeros(len(ranked))
    is_new[np.unique(said.lead[order].astype(str), return_index=True)[1]] = 1
    leads = np.cumsum(is_new)
    weight = per_row(said.weight, len(ranked))[order]
    low, _ = wilson(np.cumsum(weight * said.label[order]) / np.cumsum(weight) * leads, leads, z=NORMAL_95)
    holds = is_last & (n >= least_rows) & (low >= floor)
    return float(ranked[np.flatnonzero(holds)[-1]]) if holds.any() else None


def shown(name: str, target: str, curve: Calibration, horizon_days: float, floor: float, trial: Trial) -> Tag:
    """The tag of a trial that held.

    Parameters
    ----------
    target, curve
        Name of the target whose margin is asked, and its curve.
    """
    threshold, precision = trial.least_probability or 0.0, trial.precision or 0.0
    margin = least_margin(curve, threshold)
    return Tag(name, target, margin, threshold, horizon_days, floor, precision, trial.n)


def least_margin(curve: Calibration, probability: float) -> float:
    """The margin at which a curve reaches a probability."""
    x, y = np.asarray(curve.margins), np.asarray(curve.log_odds)
    wanted = float(logit(np.array([probability]))[0])
    place = int(np.clip(np.searchsorted(y, wanted, side="right") - 1, 0, len(y) - 2))
    return float(x[place] + (wanted - y[place]) * (x[place + 1] - x[place]) / (y[place + 1] - y[place]))


def shown_tags(extras: Mapping[str, Any]) -> tuple[Tag, ...]:
    """The tags that a bundle's extras hold.

    Raises
    ------
    ModelError
        They are damaged.
    """
    try:
        tags = tuple(Tag(**tag) for tag in extras.get(TAGS, {}).get("shown", ()))
        sound = all(np.isfinite([tag.least_margin, tag.precision, tag.n]).all() for tag in tags)
    except (TypeError, AttributeError) as error:
        raise ModelError("the tags of the model are damaged", hint="train the model again") from error
    if not sound:
        raise ModelError("the tags of the model are damaged", hint="train the model again")
    return tags


def tagged(tags: Sequence[Tag], margins: Mapping[str, Vector], is_asked: Mapping[str, Flags]) -> list[str]:
    """The names of each lead's tags, in the order of the model, with ``, `` between them.

    Parameters
    ----------
    margins
        Log-odds by target, each of shape (n,).
    is_asked
        Whether each lead is asked about a target at all, by target; a target without an entry asks all.
    """
    count = len(next(iter(margins.values())))
    has = {
        tag.name: (margins[tag.target] >= tag.least_margin)
        & is_asked.get(tag.target, np.ones(count, dtype=bool))
        for tag in tags
    }
    return [", ".join(name for name, flags in has.items() if flags[row]) for row in range(count)]


def _best(said: Said, least_rows: int) -> tuple[float, int]:
    """Precision among the rows from the probability of the ``least_rows``-th best on."""
    place = min(least_rows, len(said.label)) - 1
    precision, n = _precision(said, float(np.sort(said.probability)[::-1][place]))
    return precision or 0.0, n


def _precision(said: Said, threshold: float) -> tuple[float | None, int]:
    is_tagged = said.probability >= threshold
    n = int(is_tagged.sum())
    return (said.precision(is_tagged) if n else None), n


def _why_not(precision: float | None, n: int, floor: float, least_rows: int) -> str | None:
    if precision is None or n < least_rows:
        return Phrase("{n} tagged leads on later rows, {least} are needed", n=n, least=least_rows)
    if precision < floor:
        return Phrase(
            "precision {precision:.2f} under the floor {floor:g}, n = {n}",
            precision=precision,
            floor=floor,
            n=n,
        )
    return None
