"""Learn what won leads are worth, and check forward in time that expected values add up to booked revenue."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from features.errors import TooFewOutcomesError
from models.bundle import Bundle
from models.fitting.newton import is_clearly_greater
from models.fitting.options import TrainOptions
from models.fitting.split import Places
from models.further.amount import Amount, by_segments, with_trees
from models.further.answers import LEAST_JUDGED
from models.further.first_pass import FirstPass
from models.matrix import Encoding, encode
from models.metrics import Vector, resampled
from models.phrases import Phrase
from models.weights import mean, per_row

LEAST_WON, ENOUGH_FOR_TREES = 30, 100
MOST_ROWS = 20_000
SEGMENT = "source"
LEVEL_95 = (0.025, 0.975)


def with_amount(
    bundle: Bundle, first: FirstPass, amounts: Vector, options: TrainOptions
) -> tuple[Bundle, dict[str, Any]]:
    """The bundle with predicted amounts, and the forward check of expected values.

    Parameters
    ----------
    amounts
        What each row of the history was booked at within the horizon, shape (n,); NaN or 0 if unknown.

    Returns
    -------
    Bundle and report
        ``way`` (``trees`` or ``segments``), ``n`` (won rows with an amount on the test slice), ``expected``,
        ``booked`` and their ``ratio`` with ``low`` and ``high`` (95 %, over leads), ``without_amount`` (won
        rows without one), ``log_error`` beside ``log_error_of_median`` (mean absolute error of the log
        amount).

    Raises
    ------
    TooFewOutcomesError
        Too few won rows have an amount.
    """
    is_won = (first.history.label == 1) & (np.nan_to_num(amounts) > 0)
    horizon = float(bundle.target.horizon_days or 0.0)
    slices = first.slices(is_won, horizon_days=horizon)
    seen = np.concatenate([slices["train"], slices["stop"]])
    calibrate, test = slices["calibrate"], slices["test"]
    for name, places, least in (
        (Phrase("earlier rows"), seen, LEAST_WON),
        (Phrase("calibrate slice"), calibrate, LEAST_JUDGED),
        (Phrase("test slice"), test, LEAST_JUDGED),
    ):
        if len(places) < least:
            reason = Phrase(
                "{rows} won rows with an amount among the {name}, {least} are needed",
                rows=len(places),
                name=name,
                least=least,
            )
            raise TooFewOutcomesError(reason, hint="add history")
    early = _fitted(first, seen, amounts, first.encoding, options)
    early = _better(early, first, calibrate, amounts)
    later = np.concatenate([calibrate, test])
    measured = replace(early, level=_level(early, first, calibrate, amounts))
    report = _report(measured, first, amounts, test, options)
    final = _fitted(first, np.flatnonzero(is_won), amounts, bundle.encoding, options)
    if early.booster is None:
        final = replace(final, booster=None)
    final = replace(final, level=_level(early, first, later, amounts), metrics=report)
    return replace(bundle, amount=final), report


def _fitted(
    first: FirstPass, places: Places, amounts: Vector, encoding: Encoding, options: TrainOptions
) -> Amount:
    recent = places[-MOST_ROWS:]
    table = first.history.table.take(recent)
    column = (
        SEGMENT if dict(zip(encoding.names, encoding.kinds, strict=True)).get(SEGMENT) == "category" else None
    )
    weight = first.history.weight[recent]
    found = by_segments(table, amounts[recent], column, weight=weight)
    if len(recent) < ENOUGH_FOR_TREES:
        return found
    return with_trees(
        found, encode(table, encoding), amounts[recent], encoding, weight=weight, seed=options.seed
    )


def _better(amount: Amount, first: FirstPass, calibrate: Places, amounts: Vector) -> Amount:
    """The trees if they are clearly better on the calibrate slice, else the segments."""
    if amount.booster is None:
        return amount
    segments = replace(amount, booster=None)
    losses = [_log_errors(one, first, calibrate, amounts) for one in (segments, amount)]
    return amount if is_clearly_greater(*losses) else segments


def _log_errors(amount: Amount, first: FirstPass, places: Places, amounts: Vector) -> Vector:
    said = amount.predict(first.history.table.take(places), first.encoding)
    away = np.abs(np.log(said) - np.log(amounts[places]))
    return np.asarray(per_row(first.history.weight[places], len(places)) * away)


def _level(amount: Amount, first: FirstPass, places: Places, amounts: Vector) -> float:
    said = amount.predict(first.history.table.take(places), first.encoding)
    weight = first.history.weight[places]
    return float((weight @ amounts[places]) / (weight @ said))


def _report(
    amount: Amount, first: FirstPass, amounts: Vector, won: Places, options: TrainOptions
) -> dict[str, Any]:
    """The forward check on every row of the test slice."""
    test = first.split["test"]
    label, weight = first.history.label[test], first.history.weight[test]
    booked = label * np.nan_to_num(amounts[test])
    chance = first.calibration.apply(first.margin[test])
    expected = chance * amount.predict(first.history.table.take(test), first.encoding)
    random = np.random.default_rng(options.seed)
    _, member = np.unique(first.history.leads[test].astype(str), return_inverse=True)
    drawn = [resampled(random, member, weight) for _ in range(options.resamples)]
    ratios = [float(w @ expected / (w @ booked)) for w in drawn if w @ booked > 0]
    low, high = np.quantile(ratios, LEVEL_95)
    plain = np.abs(np.log(amounts[won]) - np.log(amount.median))
    return {
        "way": "segments" if amount.booster is None else "trees",
        "n": len(won),
        "expected": float(weight @ expected),
        "booked": float(weight @ booked),
        "ratio": float((weight @ expected) / (weight @ booked)),
        "low": float(low),
        "high": float(high),
        "without_amount": int(((label == 1) & ~(np.nan_to_num(amounts[test]) > 0)).sum()),
        "log_error": float(_log_errors(replace(amount, level=1.0), first, won, amounts).mean()),
        "log_error_of_median": mean(plain, first.history.weight[won]),
    }
