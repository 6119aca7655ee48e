"""Curves for several horizons never fall with the horizon, and the ranking target's own is not touched."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from features.errors import ModelError
from models.bundle import from_files
from models.calibration import Calibration
from models.curves.horizon_curves import learned, with_horizons
from models.fitting.rows import History
from models.fitting.split import split_by_time
from models.further.answers import Answers
from models.further.first_pass import FirstPass
from models.further.horizons import check_horizons, joined, within
from models.matrix import fit_encoding
from models.scoring import Scorer
from tests.models.test_training import QUICK, ROWS, SPECS
from tests.serve.small import bundle, features

RANKING = Calibration((-2.0, 2.0), (-3.0, 1.0))
STEEP = Calibration((-2.0, 2.0), (-9.0, 7.0))  # crosses the ranking curve
FLAT = Calibration((-2.0, 2.0), (-1.5, -0.5))  # likewise, the other way
MARGINS = np.concatenate([np.linspace(-40, 40, 4001), [-2.0, 2.0, -12.0, 12.0]])


def test_crossing_curves_are_held_in_order_for_every_margin_also_beyond_the_knots():
    found = joined({30.0: STEEP, 60.0: FLAT, 180.0: STEEP, 360.0: FLAT}, RANKING, 90.0)
    chances = within(MARGINS, found, RANKING, 90.0)
    assert list(chances) == [30.0, 60.0, 90.0, 180.0, 360.0]
    for shorter, longer in pairwise(chances.values()):
        assert (shorter <= longer).all()
    check_horizons(found, RANKING, 90.0)


def test_the_curves_alone_are_in_order_before_anything_is_rounded():
    found = joined({30.0: STEEP, 60.0: FLAT}, RANKING, 90.0)
    shorter, longer = (curve.apply(MARGINS) for _, curve in found)
    assert (shorter <= longer + 1e-9).all()
    assert (longer <= RANKING.apply(MARGINS) + 1e-9).all()


def test_a_curve_that_needs_no_hold_stays_as_it_was_learned():
    lower = Calibration((-2.0, 2.0), (-4.0, 0.0))
    chances = within(MARGINS, joined({30.0: lower}, RANKING, 90.0), RANKING, 90.0)
    np.testing.assert_allclose(chances[30.0], lower.apply(MARGINS), rtol=1e-6)


def test_the_ranking_horizon_is_the_probability_itself():
    found = joined({30.0: STEEP, 180.0: FLAT}, RANKING, 90.0)
    assert (within(MARGINS, found, RANKING, 90.0)[90.0] == RANKING.apply(MARGINS)).all()


def test_without_further_horizons_there_is_nothing_to_publish():
    assert within(MARGINS, (), RANKING, 90.0) == {}


@pytest.mark.parametrize(
    ("horizons", "says"),
    [
        (((90.0, FLAT),), "rising days"),
        (((0.0, FLAT),), "rising days"),
        (((60.0, FLAT), (30.0, FLAT)), "rising days"),
        (((30.0, FLAT),), "fall"),
        (
            ((30.0, Calibration((-2.0, 2.0), (-4.0, 0.0))), (60.0, Calibration((-1.0, 2.0), (-3.5, 0.5)))),
            "knots",
        ),
        (
            (
                (30.0, Calibration((-2.0, 2.0), (-3.5, 0.5))),
                (60.0, Calibration((-2.0, 2.0), (-4.0, 0.0))),
            ),
            "fall",
        ),
        (((180.0, Calibration((-2.0, 2.0), (-3.1, 1.0))),), "fall"),
    ],
)
def test_a_bundle_whose_horizons_are_out_of_order_is_refused(horizons, says):
    with pytest.raises(ModelError, match=says):
        check_horizons(horizons, RANKING, 90.0)


def test_a_bundle_keeps_its_horizons_bit_for_bit_and_refuses_altered_ones():
    model = bundle()
    ranking = model.target
    lower = replace(ranking.calibration, log_odds=tuple(y - 1 for y in ranking.calibration.log_odds))
    found = joined({30.0: lower}, ranking.calibration, 90.0)
    kept = replace(model, targets=(replace(ranking, horizons=found),))
    assert from_files(kept.files()) == kept
    broken = ((90.0, found[0][1]),)
    altered = replace(model, targets=(replace(ranking, horizons=broken),))
    with pytest.raises(ModelError):
        from_files(altered.files())
    scores = Scorer(kept).score(features(50))
    assert (scores.within[90.0] == scores.probability).all()
    assert (scores.within[30.0] < scores.probability).all()


# ── rows of the slices ───────────────────────────────────────────────────────────────────────────


def first_pass(margin=None):
    """The slices of the drawn rows with a gap of 28 days, and a margin on all of them."""
    history = History.of(ROWS)
    split = split_by_time(history.at, history.leads, gap_days=28.0)
    margin = np.linspace(-2, 2, ROWS.num_rows) if margin is None else margin
    return FirstPass(history, split, margin, RANKING, fit_encoding(ROWS, SPECS))


@pytest.mark.parametrize(("days", "is_kept"), [(28.0, True), (42.0, False)])
def test_a_row_whose_answer_comes_after_the_next_slice_begins_is_left_out(days, is_kept):
    first = first_pass()
    assert first.split.gap_days[2] == 28.0
    last = first.split["calibrate"][-1]
    kept = first.slices(np.ones(ROWS.num_rows, dtype=bool), horizon_days=days)
    next_begins = first.history.at[first.split["test"][0]]
    assert (first.history.at[kept["calibrate"]] + days * 86_400e6 <= next_begins).all()
    assert (last in kept["calibrate"]) == is_kept
    assert len(kept["test"]) == len(first.split["test"])


def test_an_answer_on_the_very_moment_the_next_slice_begins_is_known_in_time():
    first = first_pass()
    at = first.history.at
    begins = at[first.split["test"][0]]
    days = (begins - at[first.split["calibrate"][-1]]) / 86_400e6
    everything = np.ones(ROWS.num_rows, dtype=bool)
    assert first.split["calibrate"][-1] in first.slices(everything, horizon_days=days)["calibrate"]
    assert first.split["calibrate"][-1] not in first.slices(everything, horizon_days=days + 1e-3)["calibrate"]


def test_immature_rows_are_neither_learned_from_nor_judged_and_are_counted():
    asked, mature = np.array([True, True, False]), np.array([True, False, True])
    answers = Answers.of(np.array([1.0, 0.0, 1.0]), asked, mature)
    assert answers.is_known.tolist() == [True, False, False]
    assert answers.immature == 1


def test_a_longer_horizon_is_learned_and_judged_on_its_own_labels():
    from models.training import train

    done = train(ROWS, SPECS, QUICK, horizon_days=28.0)
    random = np.random.default_rng(5)
    label = done.first.history.label
    more = np.maximum(label, (random.uniform(size=len(label)) < 0.3).astype(float))
    fewer = label * (random.uniform(size=len(label)) < 0.5)
    known = np.ones(len(label), dtype=bool)
    known[done.first.split["test"][-10:]] = False
    answers = {35.0: Answers(more, known, 10), 7.0: Answers(fewer, np.ones(len(label), dtype=bool))}
    found = learned(done.bundle, done.first, answers, least=10)
    model, report = with_horizons(done.bundle, done.first, found, {7.0, 35.0})
    assert list(report) == ["7", "28", "35"]
    assert report["35"]["n"] == report["28"]["n"] - 10
    assert report["35"]["immature"] == 10
    assert report["28"]["log_loss"] == pytest.approx(done.report["metrics"]["log_loss"]["value"])
    for days, figures in report.items():
        assert figures["log_loss"] < figures["base_rate_log_loss"], days
    scores = Scorer(model).score(ROWS)
    means = [float(chance.mean()) for chance in scores.within.values()]
    assert means[0] == pytest.approx(fewer.mean(), abs=0.05)
    assert means[2] == pytest.approx(more.mean(), abs=0.05)


def test_a_horizon_with_too_few_outcomes_is_left_out_with_its_reason():
    from models.training import train

    done = train(ROWS, SPECS, QUICK, horizon_days=28.0)
    none = Answers(np.zeros(ROWS.num_rows), np.ones(ROWS.num_rows, dtype=bool))
    found = learned(done.bundle, done.first, {7.0: none}, least=10)
    model, report = with_horizons(done.bundle, done.first, found, {7.0})
    assert "0 positive" in report["7"]["left_out"]
    assert model.target.horizons == ()
