"""How often leads like this one converted: what stands behind a reason, on rows later than the model's.

Each feature's values fall into few bins. A bin keeps how many leads had a value in it and what share of their
rows converted; one with too few leads says nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from features.errors import ModelError
from models.audit.association import wilson
from models.matrix import Encoding, Matrix
from models.metrics import Vector
from models.weights import evidence_of, mean

EVIDENCE = "evidence"
"""Under this name a bundle keeps it."""
MOST_ROWS = 50_000  # the latest; more move a rate by less than its interval
SHARES = (0.2, 0.4, 0.6, 0.8)  # a bin holds about a fifth of the known values
FEW_VALUES = 5  # so many distinct numbers are a bin each
SPIKE = 0.1  # share of rows with the lowest value, mostly zero, that earns it a bin of its own
NORMAL_95 = 1.959963984540054

FIGURES = ("rate", "low", "high", "leads")

Places = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Bins:
    """The bins of one feature.

    Attributes
    ----------
    edges
        Lowest number of each bin but the first, rising; None for a category, whose bins are its values.
    leads
        Leads with a row in each bin.
    rates
        Share of the moments in each bin whose label is 1, 0 to 1; 0 where there is none.
    middles
        Median of the numbers in each bin; for a category its code; None where there is none.
    worth
        How many leads the interval of each rate rests on: all, or fewer (`models.weights.evidence_of`).
    """

    edges: tuple[float, ...] | None
    leads: tuple[int, ...]
    rates: tuple[float, ...]
    middles: tuple[float | None, ...]
    worth: tuple[float, ...]


@dataclass(frozen=True)
class Evidence:
    """What became of leads by their values.

    Attributes
    ----------
    base_rate
        Share of all the moments whose label is 1, 0 to 1; None if a model has no evidence.
    features
        The bins of each column of the matrix, in their order; empty if a model has no evidence.
    """

    base_rate: float | None
    features: tuple[Bins, ...]

    def of(self, values: Vector, place: int, *, floor: int) -> dict[str, Vector]:
        """The evidence for some values of one feature.

        Parameters
        ----------
        values
            Encoded values of the feature, shape (n,); NaN is unknown.
        place
            Column of the matrix.
        floor
            Leads that a bin needs to say anything.

        Returns
        -------
        dict
            ``rate``, ``low`` and ``high`` (its 95 % interval), 0 to 1, and ``leads``, each of shape (n,); NaN
            for an unknown value and where the bin has fewer leads than the floor.
        """
        if not self.features:
            return {name: np.full(len(values), np.nan) for name in FIGURES}
        bins = self.features[place]
        leads, rates, worth = (np.append(of, 0.0) for of in (bins.leads, bins.rates, bins.worth))
        low, high = wilson(worth * rates, worth, z=NORMAL_95)
        enough = leads >= max(floor, 1)
        found = _binned(values, bins)
        told = {"rate": rates, "low": low, "high": high, "leads": leads}
        return {name: np.where(enough, figure, np.nan)[found] for name, figure in told.items()}

    def as_json(self) -> dict[str, Any]:
        """Plain lists and numbers; :meth:`from_json` brings the evidence back."""
        return {
            "base_rate": self.base_rate,
            "features": [
                {
                    "edges": None if bins.edges is None else list(bins.edges),
                    "leads": list(bins.leads),
                    "rates": list(bins.rates),
                    "middles": list(bins.middles),
                    "worth": list(bins.worth),
                }
                for bins in self.features
            ],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any], *, columns: int) -> Evidence:
        """The evidence that :meth:`as_json` described.

        Raises
        ------
        ModelError
            Its parts do not belong together.
        """
        try:
            features = tuple(_bins(part) for part in data["features"])
        except (KeyError, TypeError, ValueError):
            features = ()
        if len(features) != columns or not all(_is_sound(bins) for bins in features):
            raise ModelError("the evidence of the model is damaged", hint="train the model again")
        return cls(float(data["base_rate"]), features)


@dataclass(frozen=True)
class Backing:
    """Evidence for the leads that are explained now.

    Attributes
    ----------
    evidence
        What became of earlier leads.
    matrix
        Encoded features of the leads, shape (n, k).
    floor
        Leads that a bin needs to say anything.
    """

    evidence: Evidence
    matrix: Matrix
    floor: int

    def of(self, rows: Places, place: int) -> dict[str, Vector]:
        """As `Evidence.of`, for one feature of some of the leads."""
        return self.evidence.of(self.matrix[rows, place], place, floor=self.floor)


NONE = Evidence(None, ())
"""The evidence of a model that has none."""


def kept(extras: Mapping[str, Any], *, columns: int) -> Evidence:
    """The evidence that a bundle's extras hold.

    Raises
    ------
    ModelError
        It is damaged.
    """
    return Evidence.from_json(extras[EVIDENCE], columns=columns) if EVIDENCE in extras else NONE


def gather(
    matrix: Matrix,
    label: Vector,
    leads: Sequence[Any] | npt.NDArray[Any],
    encoding: Encoding,
    *,
    weight: Vector | None = None,
) -> Evidence:
    """Count what became of rows that the model has not learned from.

    Parameters
    ----------
    matrix
        Shape (n, k), earliest row first.
    label
        0 or 1, shape (n,).
    leads
        Lead of each row, shape (n,).
    encoding
        What the columns of the matrix are.
    weight
        How often each row counts in a rate, shape (n,); None is once. A lead counts once whatever it is.
    """
    matrix, label = matrix[-MOST_ROWS:], label[-MOST_ROWS:]
    counts = np.ones(len(label)) if weight is None else weight[-MOST_ROWS:]
    names, lead = np.unique(np.asarray(leads[-MOST_ROWS:]).astype(str), return_inverse=True)
    features = []
    for place, (name, kind) in enumerate(zip(encoding.names, encoding.kinds, strict=True)):
        values = matrix[:, place]
        is_known = ~np.isnan(values)
        edges = _edges(values[is_known]) if kind == "number" else None
        count = len(encoding.categories[name]) if edges is None else len(edges) + 1
        blank = Bins(edges, (0,) * count, (0.0,) * count, (None,) * count, (0.0,) * count)
        features.append(_counted(values, label, counts, lead, blank, most=len(names)))
    return Evidence(mean(label, counts), tuple(features))


def _counted(values: Vector, label: Vector, weight: Vector, lead: Places, blank: Bins, *, most: int) -> Bins:
    size = len(blank.leads) + 1  # the last is for what no bin holds
    found = _binned(values, blank)
    rows = np.bincount(found, weights=weight, minlength=size)
    won = np.bincount(found, weights=weight * label, minlength=size)
    seen = np.zeros((size, most), dtype=bool)
    seen[found, lead] = True
    rates = np.minimum(np.divide(won, rows, out=np.zeros(size), where=rows > 0), 1.0)
    middles = (float(np.median(values[found == place])) if rows[place] else None for place in range(size - 1))
    leads = seen.sum(axis=1)[:-1].tolist()
    worth = (evidence_of(count, weight[found == place]) for place, count in enumerate(leads))
    return Bins(blank.edges, tuple(leads), tuple(rates[:-1].tolist()), tuple(middles), tuple(worth))


def _binned(values: Vector, bins: Bins) -> Places:
    """The bin of each value; one past the last for an unknown value and for a rare or unseen category."""
    if bins.edges is None:
        found = np.clip(np.nan_to_num(values), 0, len(bins.leads)).astype(np.int64)
    else:
        found = np.searchsorted(np.asarray(bins.edges), values, side="right")
    return np.where(np.isnan(values), len(bins.leads), found)


def _edges(known: Vector) -> tuple[float, ...]:
    """Where the bins of a number begin, but for the first."""
    values, counts = np.unique(known, return_counts=True)
    if len(values) <= FEW_VALUES:
        return tuple(values[1:].tolist())
    edges = np.quantile(known, SHARES, method="inverted_cdf")
    if counts[0] >= SPIKE * len(known):
        edges = np.append(edges, values[1])
    return tuple(np.unique(edges[edges > values[0]]).tolist())


def _bins(data: Mapping[str, Any]) -> Bins:
    edges = None if data["edges"] is None else tuple(float(edge) for edge in data["edges"])
    middles = tuple(None if middle is None else float(middle) for middle in data["middles"])
    leads, rates = tuple(int(n) for n in data["leads"]), tuple(float(rate) for rate in data["rates"])
    worth = tuple(float(n) for n in data.get("worth", leads))  # models of before have none
    return Bins(edges, leads, rates, middles, worth)


def _is_sound(bins: Bins) -> bool:
    leads, rates, edges = np.asarray(bins.leads), np.asarray(bins.rates), np.asarray(bins.edges or ())
    fits = bins.edges is None or len(edges) + 1 == len(leads)
    rises = bool((np.diff(edges) > 0).all())
    same = leads.shape == rates.shape == (len(bins.middles),) == (len(bins.worth),)
    if not (fits and rises and same and (leads >= 0).all() and _are_shares(rates)):
        return False
    return bool(_are_shares(np.asarray(bins.worth) / np.maximum(leads, 1)))


def _are_shares(rates: Vector) -> bool:
    return bool(((rates >= 0) & (rates <= 1)).all())
