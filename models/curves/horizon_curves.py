"""Curves for further horizons, learned on the later slices from the margin that ranks.

Each is Platt's line, learned as the ranking target's curve is: to be measured on the calibrate slice, to be
used on both later slices, at the level of the trees that are used.

The gap before the test slice is the ranking target's, so the curve of a longer horizon has seen outcomes that
fell into it: its figures are a little kind, by a level and a slope, and ``overlap_days`` says so.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from features.errors import TooFewOutcomesError
from models.bundle import Bundle
from models.calibration import Calibration
from models.curves.choice import platt
from models.fitting.split import Places
from models.further.answers import Answers, check_enough, counts
from models.further.first_pass import FirstPass
from models.further.horizons import Horizons, joined, within
from models.metrics import Vector, measure
from models.scoring import Scorer
from models.weights import mean

FIGURES = ("log_loss", "calibration_error", "roc_auc")


@dataclass(frozen=True)
class Learned:
    """Curves of further horizons.

    Attributes
    ----------
    measured, final
        Learned on the calibrate slice, and the ones to use.
    answers, slices
        What they were learned from, by days.
    refused
        Why a horizon has no curve, by days.
    """

    measured: Horizons
    final: Horizons
    answers: Mapping[float, Answers]
    slices: Mapping[float, Mapping[str, Places]]
    refused: Mapping[float, str]

    def probability(self, first: FirstPass, days: float, ranking_days: float, places: Places) -> Vector:
        """What the measured curves said of later rows, within so many days."""
        if days == ranking_days:
            return first.calibration.apply(first.margin[places])
        return within(first.margin[places], self.measured, first.calibration, ranking_days)[days]


def learned(bundle: Bundle, first: FirstPass, answers: Mapping[float, Answers], *, least: int) -> Learned:
    """Learn the curves.

    Parameters
    ----------
    answers
        Whether the ranking target's stage was reached within so many days, by days; without its own horizon.
    least
        Outcomes of either kind that a horizon needs.
    """
    ranking_days = float(bundle.target.horizon_days or 0.0)
    slices, refused = {}, {}
    for days, answer in answers.items():
        slices[days] = first.slices(answer.is_known, horizon_days=min(days, ranking_days))
        try:
            check_enough(answer, slices[days], least=least)
        except TooFewOutcomesError as error:
            refused[days] = error.reason
    kept = {days: answer for days, answer in answers.items() if days not in refused}
    early: dict[float, Calibration] = {}
    for days, answer in kept.items():
        places = slices[days]["calibrate"]
        early[days] = platt(first.margin[places], answer.label[places], first.history.weight[places])
    measured = joined(early, first.calibration, ranking_days)
    final = joined(_final(bundle, first, kept), bundle.target.calibration, ranking_days)
    return Learned(measured, final, answers, slices, refused)


def with_horizons(
    bundle: Bundle, first: FirstPass, found: Learned, days: Collection[float]
) -> tuple[Bundle, dict[str, Any]]:
    """The bundle with the curves of the given days, and how good they are forward in time.

    Returns
    -------
    Bundle and report
        The report has for each horizon, as text, its figures on the test slice with ``n``, ``positives`` and
        ``immature`` (rows left out) and ``overlap_days`` (by which windows of the calibrate slice reach into
        the test slice), or ``left_out`` with the reason.
    """
    ranking_days = float(bundle.target.horizon_days or 0.0)
    report: dict[str, Any] = {}
    for number in sorted({*days, ranking_days} if days else ()):
        if number in found.refused:
            report[f"{number:g}"] = {"left_out": found.refused[number]}
        elif number == ranking_days:
            everything = Answers(first.history.label, np.ones(len(first.margin), dtype=bool))
            report[f"{number:g}"] = _figures(first, found, number, everything, first.split["test"], number)
        else:
            test = found.slices[number]["test"]
            report[f"{number:g}"] = _figures(first, found, number, found.answers[number], test, ranking_days)
    kept = tuple((number, curve) for number, curve in found.final if number in days)
    ranking = replace(bundle.target, horizons=kept)
    return replace(bundle, targets=(ranking, *bundle.targets[1:])), report


def _final(bundle: Bundle, first: FirstPass, answers: Mapping[float, Answers]) -> dict[float, Calibration]:
    if not answers:
        return {}
    later = first.later
    refitted = np.full(len(first.margin), np.nan)
    refitted[later] = Scorer(bundle).margin(first.history.table.take(later))
    curves = {}
    for days, answer in answers.items():
        known = later[answer.is_known[later]]
        label, weight = answer.label[known], first.history.weight[known]
        curve = platt(first.margin[known], label, weight)
        curves[days] = curve.anchored(refitted[known], mean(label, weight), weight=weight)
    return curves


def _figures(
    first: FirstPass, found: Learned, days: float, answer: Answers, test: Places, ranking_days: float
) -> dict[str, Any]:
    label, weight = answer.label[test], first.history.weight[test]
    chance = found.probability(first, days, ranking_days, test)
    measured = measure(label, chance, weight=weight).as_json()
    figures = {name: measured[name] for name in FIGURES}
    beside = {"base_rate_log_loss": _entropy(mean(label, weight)), "immature": answer.immature}
    return {**figures, **counts(label), **beside, "overlap_days": max(0.0, days - first.split.gap_days[-1])}


def _entropy(rate: float) -> float:
    return float(-(rate * np.log(rate) + (1 - rate) * np.log1p(-rate)))
