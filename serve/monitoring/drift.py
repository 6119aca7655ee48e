"""How far the leads have moved: every feature and the score, against training and against last week.

Measured here, judged in `alarms`: each figure carries the feature's share of all contributions, so that drift
that matters can be told from drift that does not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import pyarrow as pa

from models.binning import Cuts, cuts_of
from models.metrics import Vector
from models.populations import BINS, SCORE, Population
from serve.gates.distances import js, psi
from serve.monitoring.figure import LAST_WEEK, TRAINING, Figure
from serve.monitoring.views import View

PSI, JS, NULLS, UNSEEN = "psi", "js", "null_share", "unseen_share"
DRIFT, SCORES = "drift", "score"
MODEL = "model"
"""All features together, as a subject."""


@dataclass(frozen=True)
class Features:
    """The features that are looked at, with their shares of all contributions (0 to 1; none: all alike)."""

    names: Sequence[str]
    weights: Mapping[str, float]

    def weight(self, name: str) -> float:
        """Of a feature; of the score, which is all of them together, 1."""
        if name == SCORE:
            return 1.0
        return self.weights.get(name, 0.0) if self.weights else 1.0 / len(self.names)


def against_training(view: View, population: Population, features: Features) -> Iterator[Figure]:
    """Tonight's leads against those of the training."""
    known = {name: seen for name, seen in population.every.items() if name in (*features.names, SCORE)}
    for name, column in _columns(view, features.names):
        if name in known:
            seen = known[name]
            yield from compared(name, seen.cuts, seen.counts, column, features, TRAINING)


def against_last_week(view: View, before: View, features: Features) -> Iterator[Figure]:
    """Tonight's leads against those of an earlier run; scores only if the same model gave them."""
    same = view.run.manifest["model"]["digest"] == before.run.manifest["model"]["digest"]
    for name, column in _columns(view, features.names):
        if name == SCORE and not same:
            continue
        old = before.scores() if name == SCORE else before.column(name)
        if old is not None and len(old):
            cuts = cuts_of(old, bins=BINS)
            yield from compared(name, cuts, cuts.counts(old), column, features, LAST_WEEK)


def whole(figures: Sequence[Figure], reference: str) -> Iterator[Figure]:
    """The mean index of all features against a reference, weighted by their shares."""
    found = [f for f in figures if (f.kind, f.measure, f.reference) == (DRIFT, PSI, reference)]
    total = sum(f.weight or 0.0 for f in found)
    if total:
        mean = sum((f.weight or 0.0) * (f.value or 0.0) for f in found) / total
        yield Figure(DRIFT, MODEL, PSI, mean, reference=reference, rows=found[0].rows, weight=1.0)


def compared(
    name: str, cuts: Cuts, before: Vector, column: pa.ChunkedArray, features: Features, reference: str
) -> Iterator[Figure]:
    """Every figure of one feature, or of the score.

    Parameters
    ----------
    cuts, before
        Bins, and the reference's leads in each.
    column
        Tonight's values.
    """
    now = cuts.counts(column)
    if not before.sum() or not now.sum():
        return
    subject, kind = ("score", SCORES) if name == SCORE else (name, DRIFT)
    shares = [counts / counts.sum() for counts in (before, now)]
    measured: dict[str, tuple[float, float | None]] = {
        PSI: (psi(before, now), None),
        JS: (js(before, now), None),
        NULLS: (float(shares[1][-1]), float(shares[0][-1])),
    }
    if cuts.values is not None:
        measured[UNSEEN] = (float(shares[1][-2]), float(shares[0][-2]))
    for measure, (value, against) in measured.items():
        yield Figure(
            kind,
            subject,
            measure,
            value,
            reference=reference,
            against=against,
            rows=int(now.sum()),
            weight=features.weight(name),
        )


def _columns(view: View, names: Sequence[str]) -> Iterator[tuple[str, pa.ChunkedArray]]:
    return chain(view.columns(names), [(SCORE, view.scores())])
