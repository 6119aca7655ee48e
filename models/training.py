"""Train twice: once to measure honestly, once to use all that is known.

First pass: trees on the train slice, their number and shape chosen on the stop slice, as many on train and
stop together, calibration on the calibrate slice, figures on the test slice only (``split`` has the gaps).
Second pass: that number of trees on **all** rows, for recent rows are worth most; the reported figures are
those of the first pass. Its curve comes from the margins that the first pass gave the calibrate and test
slices, rows later than any that those trees had seen; its level from the refitted trees, which have learned
part of the drift themselves.

Rows whose window is not over (``is_mature`` false) come with weights (``features/censoring.py``) and enter
the second pass only. The weights are right on average over all moments; the latest slice, where only the
quickest conversions and losses are decided, would hold no negative that lasted, so nothing is measured or
calibrated on such rows: the first pass reads mature rows, each for the moments it stands for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa

from features.catalogue import FeatureSpec
from features.errors import ModelError
from models.audit.gain import with_gain
from models.bundle import Bundle, Target, Window
from models.calibration import Calibration
from models.curves.choice import fit_calibration
from models.curves.spread import fit_spread, halved
from models.fitting.baseline import logistic_probability
from models.fitting.blend import Blend, Ensemble
from models.fitting.classifier import SHALLOW, SHAPES, Rows, Shape, fit
from models.fitting.halves import Half, fit_half
from models.fitting.monotone import directions, promised
from models.fitting.null_test import check_null
from models.fitting.options import TrainOptions
from models.fitting.outcomes import check_outcomes, check_slices
from models.fitting.rows import History
from models.fitting.search import Choice, fit_choice, fitting, search
from models.fitting.small import FEWEST_LEARNED, check_leads, is_small, small_choice
from models.fitting.split import Places, Shares, Split, split_by_order, split_by_time
from models.further.first_pass import FirstPass
from models.matrix import Encoding, Matrix, encode, fit_encoding
from models.metrics import Vector, interval, measure
from models.segments.own import moved, own_where_it_pays
from models.segments.trials import Pooled
from models.weights import effective, mean, quantiles

QUANTILES = 1001  # a tenth of a percent of the reference population apart
NULL_ROWS, NULL_TREES = 3000, 20  # enough to show what shuffled labels may not teach


@dataclass(frozen=True)
class Trained:
    """A bundle, the report (plain data), and what the first pass said about the test slice.

    ``test`` has the columns ``snapshot_id, lead_id, as_of, label, margin, probability, stands_for``;
    ``first`` is what further targets are learned and judged on, and ``first_bundle`` the model that made
    these predictions; ``halves`` are models of the same matrix, each learned from one half of the leads.
    """

    bundle: Bundle
    report: Mapping[str, Any]
    test: pa.Table
    first: FirstPass
    first_bundle: Bundle
    halves: Sequence[tuple[Blend, Blend]] = ()

    def with_extras(self, found: Mapping[str, Any]) -> Trained:
        """The training with further plain data kept in its bundle."""
        return replace(self, bundle=replace(self.bundle, extras={**self.bundle.extras, **found}))


def train(
    rows: pa.Table,
    specs: Sequence[FeatureSpec],
    options: TrainOptions,
    *,
    stage: str = "won",
    horizon_days: float | None = None,
    kinds: Mapping[str, Sequence[str]] | None = None,
    extras: Mapping[str, Any] | None = None,
    tune: Callable[[Rows], Mapping[str, Shape]] | None = None,
) -> Trained:
    """Measure a model forward in time and fit the one to use.

    Parameters
    ----------
    rows
        ``snapshot_id``, ``lead_id``, ``as_of`` (timestamp), ``label`` (0 or 1, no nulls) and one column per
        feature. If every ``as_of`` is the same the rows are ordered by ``order`` (flat start). ``weight`` or
        ``stands_for`` (above 0: `models.weights`) and ``is_mature`` are optional.
    specs
        Features to use.
    horizon_days
        Length of the label window, kept as a gap between slices; None for no gap.
    kinds
        Values for which ``per`` features were made, by column: kept with the model.
    extras
        Further plain data for the bundle.
    tune
        From the rows of the train slice to the shapes of trees; None uses the usual ones.

    Raises
    ------
    TooFewOutcomesError
        Fewer positives or negatives than ``min_outcomes``, or none in a slice that must be measured.
    ModelError
        A column is missing, no feature varies, or the model cannot tell leads apart.
    """
    every = History.of(rows)
    history = every.mature()
    check_outcomes(history.label, least=options.min_outcomes)
    check_leads(history.label, history.leads, least=options.min_outcomes)
    split = _split(history, options.shares, horizon_days)
    slices = _learned_from(history, split)
    check_slices(history.label, slices)
    check_leads(history.label[slices["train"]], history.leads[slices["train"]], least=FEWEST_LEARNED)
    specs = with_gain(
        history.table,
        history.label,
        split["train"],
        split["stop"],
        specs,
        options.limits,
        weight=history.weight,
    )
    measured = _measure(history, specs, split, options, tune or (lambda _: SHAPES))
    encoding, blend = _refit(every, specs, measured, options)
    later = np.concatenate([split["calibrate"], split["test"]])
    curve = fit_calibration(measured.margin[later], history.label[later], history.weight[later])
    calibration = _anchored(curve, history, later, encoding, blend)
    report = _report(history, split, measured, encoding, blend, options)
    target = Target(
        name=stage if horizon_days is None else f"{stage}-{horizon_days:g}d",
        stage=stage,
        horizon_days=horizon_days,
        blend=blend,
        calibration=calibration,
        reference=_reference(curve, measured.margin[later], history.weight[later]),
        spread=fit_spread(
            [(one.margin, other.margin) for one, other in measured.halves],
            measured.margin[later],
            history.label[later],
            curve,
            disagreement=measured.disagreement,
            weight=history.weight[later],
            rows_per_lead=len(later) / len(np.unique(history.leads[later].astype(str))),
        ),
        metrics=report["metrics"],
    )
    beside = {**(extras or {}), **promised(_in_order(encoding, specs), options.monotone)}
    bundle = _bundle(target, encoding, specs, every.window(), kinds or {}, beside)
    before_test = np.concatenate([split[name] for name in ("train", "stop", "calibrate")])
    first_bundle = _bundle(
        replace(target, blend=measured.blend, calibration=measured.calibration),
        measured.encoding,
        specs,
        Window(**history.described(before_test)),
        kinds or {},
        beside,
    )
    first = FirstPass(history, split, measured.margin, measured.calibration, measured.encoding)
    test = history.predictions(split["test"], measured.margin, measured.calibration)
    halves = [(one.blend, other.blend) for one, other in measured.halves]
    return Trained(bundle, report, test, first, first_bundle, halves)


@dataclass(frozen=True)
class _Measured:
    """First pass: the choice, and margins of the slices that its trees have not seen (elsewhere NaN)."""

    choice: Choice
    margin: Vector
    calibration: Calibration
    baseline: Vector
    halves: Sequence[tuple[Half, Half]]
    disagreement: Vector
    blend: Blend
    encoding: Encoding
    own: Mapping[str, Any] | None


def _split(history: History, shares: Shares, horizon_days: float | None) -> Split:
    if history.is_flat:
        return split_by_order(history.leads, shares=shares)
    return split_by_time(history.at, history.leads, gap_days=horizon_days or 0.0, shares=shares)


def _measure(
    history: History,
    specs: Sequence[FeatureSpec],
    split: Split,
    options: TrainOptions,
    tune: Callable[[Rows], Mapping[str, Shape]],
) -> _Measured:
    seen = np.concatenate([split["train"], split["stop"]])
    later = np.concatenate([split["calibrate"], split["test"]])
    encoding = _encoding(history.table.take(seen), specs, options)
    known = _rows(history, encoding, seen, specs, options)
    unseen = encode(history.table.take(later), encoding)
    if is_small(history.label, history.leads):
        choice = small_choice(known, options)
    else:
        choice = _searched(history, specs, split, options, tune)
    blend = fit_choice(known, choice, options)
    margin = np.full(len(history.label), np.nan)
    ensemble = Ensemble(blend, threads=options.threads)
    margin[later] = ensemble.margin(unseen)
    evidence = None
    if options.own_by is not None:
        pooled = Pooled(choice, blend, encoding, known, unseen, margin)
        own = own_where_it_pays(pooled, history, split, options)
        choice, blend, margin, evidence = own.choice, own.blend, own.margin, own.evidence
        ensemble = Ensemble(blend, threads=options.threads)
    _check_spread(margin[split["test"]])
    with ThreadPoolExecutor(max_workers=1) as pool:  # the rest is mostly Python, and waits for no core
        halves = pool.submit(
            halved,
            history.leads[seen],
            history.label[seen],
            lambda mask: fit_half(known.take(mask), unseen, choice, options),
            threads=options.threads,
        )
        before = split["calibrate"]
        calibration = fit_calibration(margin[before], history.label[before], history.weight[before])
        baseline = logistic_probability(known, unseen[len(split["calibrate"]) :])
        _check_null(known, unseen[len(split["calibrate"]) :], history, split, options)
    apart = ensemble.disagreement(unseen)
    return _Measured(choice, margin, calibration, baseline, halves.result(), apart, blend, encoding, evidence)


def _searched(
    history: History,
    specs: Sequence[FeatureSpec],
    split: Split,
    options: TrainOptions,
    tune: Callable[[Rows], Mapping[str, Shape]],
) -> Choice:
    """What served the stop slice, learned from the train slice."""
    encoding = _encoding(history.table.take(split["train"]), specs, options)
    train, stop = (_rows(history, encoding, split[name], specs, options) for name in ("train", "stop"))
    return search(train, stop, options, shapes=tune(train))


def _learned_from(history: History, split: Split) -> Mapping[str, Places]:
    """The slices that must hold both outcomes; a small history has no stop slice of its own."""
    if not is_small(history.label, history.leads):
        return split.places
    return {**split.places, "train": np.concatenate([split["train"], split["stop"]])}


def _check_null(known: Rows, unseen: Matrix, history: History, split: Split, options: TrainOptions) -> None:
    """Refuse a training that learns from shuffled labels; on the latest rows of either side."""
    seen = np.concatenate([split["train"], split["stop"]])[-NULL_ROWS:]
    judged = split["test"][-NULL_ROWS:]
    rows = known.take(slice(-NULL_ROWS, None))
    shape = fitting(SHALLOW, options, rows=len(seen), columns=rows.matrix.shape[1])

    def fit_and_score(label: Vector) -> Vector:
        bags = fit(
            replace(rows, label=label[: len(seen)]),
            shape,
            trees=NULL_TREES,
            bags=1,
            seed=options.seed,
            threads=1,
        )
        return Ensemble(Blend.mean(bags.boosters)).margin(unseen[-NULL_ROWS:])

    places = np.concatenate([seen, judged])
    is_judged = np.arange(len(places)) >= len(seen)
    label, leads = history.label[places], history.leads[places]
    check_null(fit_and_score, label, leads, is_judged, seed=options.seed)


def _refit(
    history: History, specs: Sequence[FeatureSpec], measured: _Measured, options: TrainOptions
) -> tuple[Encoding, Blend]:
    encoding = _encoding(history.table, specs, options)
    everything = _rows(history, encoding, np.arange(len(history.label)), specs, options)
    return encoding, fit_choice(everything, moved(measured.choice, measured.encoding, encoding), options)


def _encoding(table: pa.Table, specs: Sequence[FeatureSpec], options: TrainOptions) -> Encoding:
    encoding = fit_encoding(
        table, specs, max_categories=options.max_categories, min_rows=options.min_category_rows
    )
    if not encoding.names:
        raise ModelError("no feature varies in the training rows", hint="declare more fields or touches")
    return encoding


def _rows(
    history: History, encoding: Encoding, places: Any, specs: Sequence[FeatureSpec], options: TrainOptions
) -> Rows:
    return Rows(
        encode(history.table.take(places), encoding),
        history.label[places],
        encoding.category_places,
        effective(history.weight[places], len(history.weight[places])),
        directions(_in_order(encoding, specs), options.monotone),
    )


def _in_order(encoding: Encoding, specs: Sequence[FeatureSpec]) -> tuple[FeatureSpec, ...]:
    """The features of the matrix, column by column."""
    by_name = {spec.name: spec for spec in specs}
    return tuple(by_name[name] for name in encoding.names)


def _check_spread(margin: Vector) -> None:
    if np.ptp(margin) == 0:
        raise ModelError(
            "the model gives every lead the same score",
            hint="the features carry no signal: declare more of them",
        )


def _anchored(
    curve: Calibration, history: History, later: Any, encoding: Encoding, blend: Blend
) -> Calibration:
    """The curve at the level of the refitted trees, which have learned the later rows' base rate already."""
    margin = Ensemble(blend).margin(encode(history.table.take(later), encoding))
    return curve.anchored(margin, history.rate(later), weight=history.weight[later])


def _reference(calibration: Calibration, margin: Vector, weight: Vector) -> tuple[float, ...]:
    found = quantiles(calibration.apply(margin), np.linspace(0, 1, QUANTILES), weight)
    return tuple(np.maximum.accumulate(found).tolist())


def _bundle(
    target: Target,
    encoding: Encoding,
    specs: Sequence[FeatureSpec],
    window: Window,
    kinds: Mapping[str, Sequence[str]],
    extras: Mapping[str, Any],
) -> Bundle:
    import lightgbm

    return Bundle(
        targets=(target,),
        encoding=encoding,
        specs=_in_order(encoding, specs),
        window=window,
        kinds={name: tuple(values) for name, values in kinds.items()},
        made_with={"lightgbm": lightgbm.__version__},
        extras=extras,
    )


def _report(
    history: History,
    split: Split,
    measured: _Measured,
    encoding: Encoding,
    blend: Blend,
    options: TrainOptions,
) -> dict[str, Any]:
    test = split["test"]
    chance = measured.calibration.apply(measured.margin[test])
    return {
        "rows": len(history.label),
        "positives": int(history.label.sum()),
        "base_rate": history.rate(),
        "split": {**split.as_json(), "slices": _slices(history, split)},
        "trees": measured.choice.trees,
        "boosters": len(blend.boosters),
        "linear_weight": measured.choice.linear_weight,
        "half_life": measured.choice.half_life,
        "small_history": is_small(history.label, history.leads),
        "search": {name: dict(found) for name, found in measured.choice.tried.items()},
        "segment_models": measured.own,
        "features": len(encoding.names),
        "dropped_columns": dict(encoding.dropped),
        "metrics": _figures(history, test, chance, options),
        "baselines": {"logistic_regression": _figures(history, test, measured.baseline, options)},
    }


def _slices(history: History, split: Split) -> dict[str, Any]:
    return {
        name: {**history.described(places), "base_rate": history.rate(places)}
        for name, places in split.places.items()
    }


def _figures(history: History, test: Places, chance: Vector, options: TrainOptions) -> dict[str, Any]:
    """Base rate, n, and each figure with its interval."""
    label, leads, weight = history.label[test], history.leads[test], history.weight[test]
    ends = interval(label, chance, leads, weight=weight, resamples=options.resamples, seed=options.seed)
    values = measure(label, chance, weight=weight).as_json()
    figures = {name: {"value": v, "low": ends[name][0], "high": ends[name][1]} for name, v in values.items()}
    return {"n": len(label), "positives": int(label.sum()), "base_rate": mean(label, weight), **figures}
