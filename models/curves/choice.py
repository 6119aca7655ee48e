"""Ways to learn the curve from margin to probability, and the choice among them.

Platt's line, the beta curve, isotonic rates and Venn-Abers. Each way is judged as it will be used: on the
rows that follow those it learned on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import TypeAlias

import numpy as np

from models.calibration import Calibration
from models.curves.periods import pooled
from models.fitting.newton import is_clearly_greater, logit, rising_fit, sigmoid
from models.metrics import Vector
from models.weights import effective

Way: TypeAlias = Callable[..., Calibration]  # of margin, label and, if rows count unequally, weight

KNOTS = 33
REACH = 12.0  # log-odds beyond which a curve is a straight line
FLATTEST = 0.05  # a flatter curve would all but erase the ranking
PRIOR_ROWS = 20.0  # evidence for slope 1 that a small sample starts from
SLOPE_SPREAD = 0.2  # standard deviation of slopes around 1 that models of this kind have
MOST_PERIODS, PERIOD_OUTCOMES = 4, 20
MOST_VENN_ABERS_ROWS = 5000


def fit_calibration(margin: Vector, label: Vector, weight: Vector | None = None) -> Calibration:
    """The line, or a bent curve that was clearly better in the periods after those it learned on.

    Parameters
    ----------
    margin
        Log-odds from a model that has not seen these rows, shape (n,), **earliest first**.
    label
        0 or 1, shape (n,).
    weight
        How often each row counts, shape (n,); None is once.

    Notes
    -----
    Each way learns on the periods up to one and is judged by its log loss on the next. A bent one has to be
    better in every period and, over all, by more than the standard error of the difference: what bends a
    curve in one period and not in the next is chance.
    """
    rows = effective(weight, len(label))
    return WAYS[chosen_way(margin, label, rows)](margin, label, rows)


def chosen_way(margin: Vector, label: Vector, weight: Vector | None = None) -> str:
    """The name of the way that `fit_calibration` uses."""
    rows = effective(weight, len(label))
    found = {name: _forward_losses(fit, margin, label, rows) for name, fit in WAYS.items()}
    line = found["platt"]
    steady = [
        name
        for name, losses in found.items()
        if all(own.mean() < other.mean() for own, other in zip(losses, line, strict=True))
        and is_clearly_greater(np.concatenate(line), np.concatenate(losses))
    ]
    return min(steady, key=lambda name: float(np.concatenate(found[name]).mean()), default="platt")


def _forward_losses(fit: Way, margin: Vector, label: Vector, weight: Vector) -> list[Vector]:
    """Log loss of each row of each period but the first, by a curve that knows the periods before."""
    bounds = [round(len(label) * share) for share in np.linspace(0, 1, MOST_PERIODS + 1)]
    curves = (fit(margin[:end], label[:end], weight[:end]) for end in bounds[1:-1])
    return [
        weight[start:end] * _losses(curve, margin[start:end], label[start:end])
        for curve, (start, end) in zip(curves, pairwise(bounds[1:]), strict=True)
    ]


def _losses(curve: Calibration, margin: Vector, label: Vector) -> Vector:
    chance = curve.apply(margin)
    return np.asarray(-np.log(np.where(label == 1, chance, 1 - chance)))


def platt(margin: Vector, label: Vector, weight: Vector | None = None) -> Calibration:
    """A line in log-odds whose slope holds over time, at the level of least log loss.

    Notes
    -----
    The slope is pooled over periods (random effects: DerSimonian and Laird 1986, *Meta-analysis in clinical
    trials*) and shrunk to 1 by how far the periods disagree: where a drifting history gave each period a
    slope of its own, none of them says what the next will be.
    """
    rows = effective(weight, len(label))
    slope = _lasting_slope(margin, label, rows)
    held = slope * margin
    _, intercept = rising_fit(
        np.empty((0, len(margin))),
        _platt_targets(label, rows),
        prior=np.empty(0),
        strength=0,
        offset=held,
        weight=rows,
    )
    ends = np.array([-REACH, REACH])
    return _curve(ends, slope * ends + intercept)


def beta(margin: Vector, label: Vector, weight: Vector | None = None) -> Calibration:
    """The beta curve: its own slope for low and for high margins."""
    rows = effective(weight, len(label))
    (low, high), intercept = _rising(_two_sided(margin), label, rows)
    knots = np.linspace(-REACH, REACH, KNOTS)
    return _curve(knots, np.array([low, high]) @ _two_sided(knots) + intercept)


def _lasting_slope(margin: Vector, label: Vector, weight: Vector) -> float:
    """One slope from those of the periods, none below the flattest."""
    outcomes = min(weight @ label, weight @ (1 - label))
    periods = int(np.clip(outcomes // PERIOD_OUTCOMES, 1, MOST_PERIODS))
    parts = zip(*(np.array_split(of, periods) for of in (margin, label, weight)), strict=True)
    slopes, variances = np.array([_slope(*part) for part in parts]).T
    slope, variance, _ = pooled(slopes, variances)
    trust = SLOPE_SPREAD**2 / (SLOPE_SPREAD**2 + variance)
    return float(max(FLATTEST, 1 + trust * (slope - 1)))


def _slope(margin: Vector, label: Vector, rows: Vector) -> tuple[float, float]:
    """Slope of least log loss, which may fall, and its variance."""
    (slope,), level = rising_fit(
        np.stack([margin]),
        _platt_targets(label, rows),
        prior=np.ones(1),
        strength=1.0,
        floor=-np.inf,
        weight=rows,
    )
    chance = sigmoid(slope * margin + level)
    weight = rows * chance * (1 - chance)
    spread = weight @ (margin - weight @ margin / weight.sum()) ** 2
    return slope, 1 / (spread + 1 / 4)


def isotonic(margin: Vector, label: Vector, weight: Vector | None = None) -> Calibration:
    """Rates of blocks of neighbouring margins, each above the one before (Zadrozny and Elkan 2002)."""
    from sklearn.isotonic import IsotonicRegression

    rows = effective(weight, len(label))
    rates = IsotonicRegression().fit_transform(margin, label, sample_weight=rows)
    _, block = np.unique(rates, return_inverse=True)
    count = np.bincount(block, weights=rows)
    middle = np.bincount(block, weights=rows * margin) / count
    return _through(middle, np.bincount(block, weights=rows * rates) / count, margin, label, rows)


def venn_abers(margin: Vector, label: Vector, weight: Vector | None = None) -> Calibration:
    """Between the isotonic rates with a further row lost and with it won, at each of some margins.

    Notes
    -----
    Inductive Venn-Abers prediction: Vovk, Petej and Fedorova (2015), *Large-scale probabilistic predictors
    with and without guarantees of validity*, section 4; the two rates are joined for log loss (section 5).
    Many rows are thinned evenly: there it is the isotonic curve, and takes far longer.
    """
    step = -(-len(margin) // MOST_VENN_ABERS_ROWS)
    rows = effective(weight, len(label))[::step]
    margin, label = margin[::step], label[::step]
    asked = np.unique(np.quantile(margin, np.linspace(0, 1, KNOTS)))
    at, block = np.unique(margin, return_inverse=True)
    count, won = (np.bincount(block, weights=of).astype(np.float64) for of in (rows, rows * label))
    ends = [[_rate_beside(at, count, won, here, outcome) for here in asked] for outcome in (0.0, 1.0)]
    low, high = np.array(ends)
    return _through(asked, high / (1 - low + high), margin, label, rows)


def _rate_beside(at: Vector, count: Vector, won: Vector, here: float, outcome: float) -> float:
    """Isotonic rate at a margin, with a further row there; rows by rising distinct margin."""
    from scipy.optimize import isotonic_regression

    place = int(np.searchsorted(at, here))
    if place == len(at) or at[place] != here:
        count, won = np.insert(count, place, 0.0), np.insert(won, place, 0.0)
    else:
        count, won = count.copy(), won.copy()
    count[place] += 1.0
    won[place] += outcome
    return float(isotonic_regression(won / count, weights=count).x[place])


def _through(at: Vector, rate: Vector, margin: Vector, label: Vector, weight: Vector) -> Calibration:
    """The curve through rates, made to rise everywhere; beyond them it goes on with the slope of the line."""
    targets = _platt_targets(label, weight)
    log_odds = logit(np.clip(rate, targets.min(), targets.max()))
    slope = _lasting_slope(margin, label, weight)
    x = np.concatenate([[at[0] - 1], at, [at[-1] + 1]])
    y = np.concatenate([[log_odds[0] - slope], log_odds, [log_odds[-1] + slope]])
    return _curve(x, np.maximum.accumulate(y) + FLATTEST * (x - x[0]))


def _curve(margins: Vector, log_odds: Vector) -> Calibration:
    return Calibration(tuple(margins.tolist()), tuple(log_odds.tolist()))


def _two_sided(margin: Vector) -> Vector:
    """Margins as -log(1 + e^-m) and log(1 + e^m), which add up to the margin."""
    return np.stack([-np.logaddexp(0, -margin), np.logaddexp(0, margin)])


def _rising(slopes: Vector, label: Vector, weight: Vector) -> tuple[Vector, float]:
    """Slopes, none below the flattest, and the intercept of least log loss against Platt's targets."""
    ones = np.ones(len(slopes))
    targets = _platt_targets(label, weight)
    return rising_fit(slopes, targets, prior=ones, strength=PRIOR_ROWS, floor=FLATTEST, weight=weight)


def _platt_targets(label: Vector, weight: Vector) -> Vector:
    positives, negatives = float(weight @ label), float(weight @ (1 - label))
    high, low = (positives + 1) / (positives + 2), 1 / (negatives + 2)
    return np.where(label == 1, high, low)


WAYS: Mapping[str, Way] = {"platt": platt, "beta": beta, "isotonic": isotonic, "venn_abers": venn_abers}
