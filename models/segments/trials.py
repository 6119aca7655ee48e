"""Models of one category value each, fitted on its rows alone and tried on later ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from models.calibration import Calibration
from models.curves.choice import fit_calibration
from models.fitting.blend import Blend, Ensemble, Own
from models.fitting.classifier import Rows
from models.fitting.options import TrainOptions
from models.fitting.rows import History
from models.fitting.search import Choice, OwnChoice, fit_choice, search
from models.fitting.small import is_small, outcome_leads, small_choice
from models.fitting.split import Places, Split
from models.labels import marked
from models.matrix import Encoding, Matrix
from models.metrics import Vector
from models.phrases import Phrase
from models.promoting.paired import Numbers, Pair, differences
from models.segments.later import Later

SHARES = (1.0, 0.5)
FEWEST_JUDGED = 20  # leads of the rarer outcome on the calibrate slice without which nothing is compared
CAPACITY_SHARE = 0.2  # of a figure that is not told
WHOLE = ("log_loss", "roc_auc")
FEW = marked("too few outcomes to learn from")
FEW_LATER = marked("too few later outcomes to compare")
BETTER, WORSE = marked("surely better"), marked("surely worse")
NOT_SURE = marked("not surely better")


@dataclass(frozen=True)
class Pooled:
    """The model of all rows, learned from the train and stop slices.

    Attributes
    ----------
    choice, blend
        What was fitted, and the fit.
    encoding
        From features to its matrix.
    known, unseen
        Rows of the train and stop slices, in this order; matrix of the calibrate and test slices.
    margin
        Its log-odds of the latter, NaN elsewhere, shape (rows of the history,).
    """

    choice: Choice
    blend: Blend
    encoding: Encoding
    known: Rows
    unseen: Matrix
    margin: Vector


@dataclass(frozen=True)
class Trial:
    """The own model of one value, and what it says of later rows: NaN for those of other values."""

    choice: OwnChoice
    own: Own
    margin: Vector

    def at(self, share: float) -> Trial:
        """The same, counting so much."""
        return replace(self, choice=replace(self.choice, share=share), own=replace(self.own, share=share))

    def mixed(self, pooled: Vector) -> Vector:
        """Margins of all rows with its share in those of its value."""
        its = ~np.isnan(self.margin)
        return np.where(its, (1 - self.own.share) * pooled + self.own.share * self.margin, pooled)


@dataclass(frozen=True)
class Trials:
    """What is tried, and on which rows; ``codes`` has the value of each row, NaN in gaps."""

    pooled: Pooled
    history: History
    split: Split
    options: TrainOptions
    values: Sequence[str]
    column: int
    codes: Vector
    leads: Numbers

    @classmethod
    def of(cls, pooled: Pooled, history: History, split: Split, options: TrainOptions) -> Trials:
        """The values of ``options.own_by`` that the encoding of all rows knows."""
        values = pooled.encoding.categories.get(str(options.own_by), ())
        codes, column = np.full(len(history.label), np.nan), -1
        if values:
            column = pooled.encoding.names.index(str(options.own_by))
            codes[_both(split, "train", "stop")] = pooled.known.matrix[:, column]
            codes[_both(split, "calibrate", "test")] = pooled.unseen[:, column]
        leads = np.unique(history.leads.astype(str), return_inverse=True)[1]
        return cls(pooled, history, split, options, values, column, codes, leads)

    def counted(self, code: int) -> dict[str, Any]:
        """Leads and wins of a value, and why it has no model of its own where outcomes are too few."""
        won, lost = self._outcomes("train", code)
        told = {"leads": len(set(self.leads[self._places("train", code)])), "wins": won, "share": 0.0}
        if min(won, lost) < self.options.own_min_outcomes:
            return {**told, "why": Phrase(FEW)}
        if min(self._outcomes("calibrate", code)) < FEWEST_JUDGED:
            return {**told, "why": Phrase(FEW_LATER)}
        return told

    def fitted(self, code: int) -> Trial:
        """The model of one value, learned from the train and stop slices by the recipe of all rows."""
        seen = np.flatnonzero(self.pooled.known.matrix[:, self.column] == code)
        known, cut = self.pooled.known.take(seen), int((seen < len(self.split["train"])).sum())
        places = _both(self.split, "train", "stop")[seen]
        if is_small(self.history.label[places], self.history.leads[places]):
            choice = small_choice(known, self.options)
        else:
            choice = search(known.take(slice(None, cut)), known.take(slice(cut, None)), self.options)
        blend = fit_choice(known, choice, self.options)
        later = self.pooled.unseen[:, self.column] == code
        margin = np.full(len(self.codes), np.nan)
        asked = _both(self.split, "calibrate", "test")[later]
        margin[asked] = Ensemble(blend, threads=self.options.threads).margin(self.pooled.unseen[later])
        return Trial(OwnChoice(self.column, code, 1.0, choice), Own(self.column, code, 1.0, blend), margin)

    def judged(self, tried: Sequence[Trial]) -> Iterator[dict[str, Any]]:
        """What both later slices say of each, at the share that served the calibrate slice best."""
        calibrate, test = self._later("calibrate"), self._later("test")
        every = [(trial, share) for trial in tried for share in SHARES]
        before = iter(calibrate.compared([self._asked("calibrate", *one) for one in every]))
        best = [
            min(((share, next(before)) for share in SHARES), key=lambda one: one[1]["difference"])
            for _ in tried
        ]
        asked = [self._asked("test", trial, share) for trial, (share, _) in zip(tried, best, strict=True)]
        for trial, (share, found), after in zip(tried, best, test.compared(asked), strict=True):
            alone = [later.loss(trial.margin[self.split[name]]) for name, later in
                     (("calibrate", calibrate), ("test", test))]  # fmt: skip
            yield {
                "share": share if found["high"] < 0 else 0.0,
                "why": Phrase(_verdict(found)),
                "tried": share,
                "calibrate": {**found, "own": alone[0]},
                "test": {**after, "own": alone[1]},
            }

    def whole(self, margin: Vector) -> dict[str, Any]:
        """The whole test slice by the model of all rows and by these margins, each through its own curve."""
        rows = self.split["test"]
        one, other = (self._curve(of).apply(of[rows]) for of in (self.pooled.margin, margin))
        history = self.history
        pair = Pair(history.label[rows], one, other, self.leads[rows], {}, history.weight[rows])
        found = differences(
            pair, capacity_share=CAPACITY_SHARE, resamples=self.options.resamples, seed=self.options.seed
        )
        return {name: found[name] for name in WHOLE}

    def _later(self, name: str) -> Later:
        rows, history = self.split[name], self.history
        curve = self._curve(self.pooled.margin)
        return Later(
            history.label[rows], self.leads[rows], history.weight[rows], self.pooled.margin[rows], curve
        )

    def _curve(self, margin: Vector) -> Calibration:
        rows = self.split["calibrate"]
        return fit_calibration(margin[rows], self.history.label[rows], self.history.weight[rows])

    def _asked(self, name: str, trial: Trial, share: float) -> Vector:
        rows = self.split[name]
        mixed = trial.at(share).mixed(self.pooled.margin)[rows]
        return np.where(np.isnan(trial.margin[rows]), np.nan, mixed)

    def _outcomes(self, name: str, code: int) -> tuple[int, int]:
        places = self._places(name, code)
        return outcome_leads(self.history.label[places], self.history.leads[places])

    def _places(self, name: str, code: int) -> Places:
        rows = self.split[name]
        return rows[np.flatnonzero(self.codes[rows] == code)]


def _both(split: Split, one: str, other: str) -> Places:
    places: Places = np.concatenate([split[one], split[other]])
    return places


def _verdict(found: Mapping[str, Any]) -> str:
    """What the interval of a difference of log losses says."""
    if found["high"] < 0:
        return BETTER
    return WORSE if found["low"] > 0 else NOT_SURE
