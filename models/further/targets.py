"""Further targets beside the one that ranks: a light model each, on the same slices and features.

One bag of shallow trees of the usual number: nothing is searched. Each is learned twice, as the ranking
target is: to be measured, and to be used.
"""

from __future__ import annotations

from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from models.audit.association import Flags
from models.bundle import Bundle, Target
from models.curves.choice import platt
from models.curves.spread import fit_spread
from models.fitting.blend import Blend, Ensemble
from models.fitting.classifier import SHALLOW, Rows
from models.fitting.options import TrainOptions
from models.fitting.search import STRENGTHS, USUAL_TREES, Choice, Part, fit_choice, fitting
from models.fitting.split import Places
from models.further.answers import Answers, check_enough, counts
from models.further.first_pass import FirstPass
from models.matrix import Encoding, Matrix, encode
from models.metrics import Vector, measure
from models.weights import effective, mean, quantiles

MOST_ROWS = 20_000  # of the whole history, evenly over time
LEARNED_ROWS = 6_000  # of these, evenly over time; a light model gains little from more
QUANTILES = 101
FIGURES = ("roc_auc", "log_loss", "calibration_error")


@dataclass(frozen=True)
class Judged:
    """Rows of one slice that a first pass was asked about.

    Attributes
    ----------
    places
        Rows of the history, shape (m,).
    label, probability
        Shape (m,).
    weight
        How often each row counts, shape (m,); None is once.
    """

    places: Places
    label: Vector
    probability: Vector
    weight: Vector | None = None


@dataclass(frozen=True)
class Fitted:
    """A further target, and what its first pass said of the later slices."""

    target: Target
    calibrate: Judged
    test: Judged

    @property
    def report(self) -> dict[str, Any]:
        """Figures on the test slice."""
        return dict(self.target.metrics)


class LightFit:
    """The rows of a history as light models read them, encoded once for all of them.

    Parameters
    ----------
    bundle
        Its encoding is what the models to use read.
    first
        The first pass of the ranking target.
    options
        How to train; one bag is made.
    """

    def __init__(self, bundle: Bundle, first: FirstPass, options: TrainOptions) -> None:
        self.first = first
        self._options = replace(options, bags=1, fewest_bags=1)
        self._least = options.min_outcomes
        self._places = _evenly(np.arange(len(first.history.label)), MOST_ROWS)
        rows = first.history.table.take(self._places)
        self._early, self._final = (_Encoded(encode(rows, e), e) for e in (first.encoding, bundle.encoding))

    @property
    def is_read(self) -> Flags:
        """Whether each row of the history is among those that are learned from, or judged on."""
        found = np.zeros(len(self.first.history.label), dtype=bool)
        found[self._places] = True
        return found

    def known_shares(self, rows: Flags) -> dict[str, float]:
        """Share of some rows of the history, 0 to 1, in which each feature has a value; of no row it is 0."""
        known = ~np.isnan(self._final.matrix[rows[self._places]])
        shares = known.sum(axis=0) / max(len(known), 1)
        return dict(zip(self._final.encoding.names, shares.tolist(), strict=True))

    def without(self, names: Collection[str]) -> LightFit:
        """The same, as if nothing were known of some features."""
        blind = copy(self)
        blind._early, blind._final = (part.without(names) for part in (self._early, self._final))  # noqa: SLF001  # its own
        return blind

    def fit(self, name: str, stage: str, horizon_days: float | None, answers: Answers) -> Fitted:
        """Measure and fit one target.

        Parameters
        ----------
        name
            Name of the target.
        stage
            What is reached, for people.
        horizon_days
            Days that an answer takes; None if it is known at once.
        answers
            Of all rows of the history.

        Raises
        ------
        TooFewOutcomesError
            There is too little to learn from, or to measure on.
        """
        first = self.first
        slices = first.slices(answers.is_known, horizon_days=horizon_days or 0.0)
        slices = {part: np.intersect1d(places, self._places) for part, places in slices.items()}
        check_enough(answers, slices, least=self._least)
        seen = _evenly(np.concatenate([slices["train"], slices["stop"]]), LEARNED_ROWS)
        known = _evenly(self._places[answers.is_known[self._places]], LEARNED_ROWS)
        blend, final = self._blends((self._early, seen), (self._final, known), answers=answers)
        margin = np.full(len(answers.label), np.nan)
        calibrate, test = slices["calibrate"], slices["test"]
        later = np.concatenate([calibrate, test])
        margin[later] = Ensemble(blend).margin(self._matrix(self._early, later))
        measured = platt(margin[calibrate], answers.label[calibrate], answers.weight_of(calibrate))
        judged = {
            part: Judged(
                places, answers.label[places], measured.apply(margin[places]), answers.weight_of(places)
            )
            for part, places in (("calibrate", calibrate), ("test", test))
        }
        weight = answers.weight_of(later)
        curve = platt(margin[later], answers.label[later], weight)
        refitted = Ensemble(final).margin(self._matrix(self._final, later))
        target = Target(
            name=name,
            stage=stage,
            horizon_days=horizon_days,
            blend=final,
            calibration=curve.anchored(refitted, mean(answers.label[later], weight), weight=weight),
            reference=_reference(curve.apply(margin[later]), weight),
            spread=fit_spread(
                [(margin[later], margin[later])], margin[later], answers.label[later], curve, weight=weight
            ),
            metrics=_figures(judged["test"], answers),
        )
        return Fitted(target, judged["calibrate"], judged["test"])

    def _blends(self, *asked: tuple[_Encoded, Places], answers: Answers) -> list[Blend]:
        with ThreadPoolExecutor(max_workers=max(1, self._options.threads)) as pool:
            return list(pool.map(lambda rows: self._blend(rows[0], rows[1], answers), asked))

    def _blend(self, encoded: _Encoded, places: Places, answers: Answers) -> Blend:
        matrix = self._matrix(encoded, places)
        shape = fitting(SHALLOW, self._options, rows=len(places), columns=matrix.shape[1])
        trees = min(USUAL_TREES["shallow"], self._options.most_trees)
        choice = Choice((Part("shallow", shape, trees, 1.0),), 0.0, STRENGTHS[0], None, {})
        categories, weight = (
            encoded.encoding.category_places,
            effective(answers.weight_of(places), len(places)),
        )
        return fit_choice(Rows(matrix, answers.label[places], categories, weight), choice, self._options)

    def _matrix(self, encoded: _Encoded, places: Places) -> Matrix:
        return encoded.matrix[np.searchsorted(self._places, places)]


@dataclass(frozen=True)
class _Encoded:
    matrix: Matrix
    encoding: Encoding

    def without(self, names: Collection[str]) -> _Encoded:
        is_named = np.isin(self.encoding.names, list(names))
        return _Encoded(np.where(is_named, np.nan, self.matrix), self.encoding)


def _evenly(places: Places, most: int) -> Places:
    """At most so many of the rows, evenly spaced."""
    return places[np.unique(np.linspace(0, len(places) - 1, min(len(places), most)).astype(np.intp))]


def _reference(chance: Vector, weight: Vector | None) -> tuple[float, ...]:
    found = quantiles(chance, np.linspace(0, 1, QUANTILES), weight)
    return tuple(np.maximum.accumulate(found).tolist())


def _figures(test: Judged, answers: Answers) -> dict[str, Any]:
    found = measure(test.label, test.probability, weight=test.weight).as_json()
    figures = {name: found[name] for name in FIGURES}
    base_rate = mean(test.label, test.weight)
    return {**figures, **counts(test.label), "base_rate": base_rate, "immature": answers.immature}
