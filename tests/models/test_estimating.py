"""Expected figures without outcomes: against all combinations, drawn outcomes, and where they must fail."""

from __future__ import annotations

import inspect
import itertools

import numpy as np
import pytest

from features.errors import ModelError
from models.chance_errors import chance_errors
from models.estimating import Estimate, estimates
from models.fitting.newton import logit, sigmoid
from models.metrics import interval, measure
from models.recalibrating import Cells, Line, estimates_by

DRAWS = 1500


def chances(rows, seed=0, decimals=2):
    """Chances of leads as they are: most of them low; rounded, so that many are tied."""
    drawn = np.random.default_rng(seed).beta(0.7, 8, rows)
    return np.round(drawn, decimals).clip(0.005, 0.95)


def drawn(chance, seed):
    return (np.random.default_rng(seed).random(len(chance)) < chance).astype(float)


def figures(label, said):
    """The realised figures by the names of `estimates`."""
    found = measure(label, said).as_json()
    rates = {f"precision_{share}": found[f"lift_{share}"] * label.mean() for share in (10, 20)}
    return found | rates | {"wins": label.sum()}


def by_every_outcome(chance, said):
    """Expected pairs in the right order over expected pairs, by every combination of outcomes."""
    right = pairs = 0.0
    for outcome in itertools.product((0, 1), repeat=len(chance)):
        y = np.array(outcome)
        weight = np.prod(np.where(y == 1, chance, 1 - chance))
        above = said[y == 1][:, None] - said[y == 0][None, :]
        right += weight * ((above > 0) + (above == 0) / 2).sum()
        pairs += weight * above.size
    return right / pairs


def test_the_expected_area_is_that_of_every_combination_of_outcomes():
    chance = np.array([0.9, 0.6, 0.6, 0.3, 0.2, 0.05])
    said = np.array([0.8, 0.8, 0.5, 0.5, 0.1, 0.2])
    assert estimates(chance)["roc_auc"].value == pytest.approx(by_every_outcome(chance, chance), abs=1e-12)
    found = estimates(chance, said=said)["roc_auc"].value
    assert found == pytest.approx(by_every_outcome(chance, said), abs=1e-12)


@pytest.mark.parametrize("is_recalibrated", [False, True])
def test_figures_of_drawn_outcomes_have_the_expected_mean_and_spread(is_recalibrated):
    chance = chances(600)
    said = np.round(sigmoid(0.6 * logit(chance) - 0.5), 2).clip(0.01) if is_recalibrated else chance
    told = [figures(drawn(chance, seed), said) for seed in range(DRAWS)]
    for name, found in estimates(chance, said=said).items():
        values = np.array([one[name] for one in told])
        assert found.value == pytest.approx(values.mean(), abs=0.1 * values.std()), name
        assert found.error == pytest.approx(values.std(), rel=0.08), name


def test_the_interval_holds_nineteen_of_twenty_outcomes():
    chance = chances(800, seed=3)
    low, high = estimates(chance)["roc_auc"].interval()
    inside = [low <= figures(drawn(chance, seed), chance)["roc_auc"] <= high for seed in range(DRAWS)]
    assert 0.93 <= np.mean(inside) <= 0.97


def test_leads_that_are_all_alike_have_an_area_of_one_half_for_sure():
    found = estimates(np.full(50, 0.1))["roc_auc"]
    assert found.value == pytest.approx(0.5, abs=1e-12)
    assert found.error == pytest.approx(0, abs=1e-12)


def test_a_tie_that_the_cut_divides_is_shared_evenly():
    chance = np.array([0.9, *[0.4] * 4, *[0.1] * 5])
    assert estimates(chance)["precision_20"].value == pytest.approx((0.9 + 0.4) / 2)
    assert estimates(chance)["lift_20"].value == pytest.approx((0.9 + 0.4) / 2 / chance.mean())


def test_nothing_is_asked_but_probabilities():
    assert list(inspect.signature(estimates).parameters) == ["chance", "said"]
    assert list(inspect.signature(estimates_by).parameters) == ["line", "said"]


def test_a_change_of_who_the_leads_are_is_seen_without_outcomes():
    everyone = chances(20_000, decimals=6)
    alike = everyone[(everyone > 0.03) & (everyone < 0.1)]  # the easy ones are gone
    before, now = estimates(everyone)["roc_auc"].value, estimates(alike)["roc_auc"]
    assert now.value < before - 0.1
    assert now.value == pytest.approx(measure(drawn(alike, 1), alike).roc_auc, abs=3 * now.error)


def test_a_change_of_what_becomes_of_a_lead_is_not_seen_and_the_estimate_is_wrong():
    chance = chances(20_000, decimals=6)
    became = sigmoid(0.2 * logit(chance) - 2)  # the same leads; what told them apart tells little now
    label, found = drawn(became, 1), estimates(chance)["roc_auc"]
    realised = measure(label, chance).roc_auc
    assert found.value == estimates(chance)["roc_auc"].value  # there is nothing it could notice
    assert found.value - realised > 0.15
    assert not found.interval()[0] <= realised <= found.interval()[1]


def test_outcomes_that_have_matured_mend_the_estimate_of_the_next_list():
    earlier, now = chances(20_000, seed=1, decimals=6), chances(20_000, seed=2, decimals=6)

    def became(chance):
        return sigmoid(0.5 * logit(chance) - 1)

    line = Line.of(Cells.of(earlier, drawn(became(earlier), 5)))
    found, realised = estimates_by(line, now), figures(drawn(became(now), 6), now)
    assert line.slope == pytest.approx(0.5, abs=0.06)
    for name in ("roc_auc", "brier", "lift_10", "wins"):
        assert abs(found[name].value - realised[name]) < 3 * found[name].error, name
    assert abs(estimates(now)["roc_auc"].value - realised["roc_auc"]) > 0.08  # without them it is wrong


def test_what_is_not_known_of_the_line_widens_the_interval():
    earlier, now = chances(4000, seed=1, decimals=6), chances(4000, seed=2, decimals=6)
    cells = Cells.of(earlier, drawn(earlier, 5))
    once, often = Line.of(cells), Line.of(cells, times=10)
    sure = estimates(once.apply(now), said=now)["roc_auc"].error
    assert sure < estimates_by(once, now)["roc_auc"].error < estimates_by(often, now)["roc_auc"].error


def test_lines_of_many_samples_spread_as_the_covariance_says():
    chance = chances(3000, decimals=6)
    slopes = [Line.of(Cells.of(chance, drawn(chance, seed))).slope for seed in range(300)]
    line = Line.of(Cells.of(chance, drawn(chance, 0)))
    assert np.std(slopes) == pytest.approx(np.hypot(*line.root[0]), rel=0.2)


def test_cells_hold_every_row_and_every_win():
    chance = chances(500, decimals=6)
    label = drawn(chance, 0)
    cells = Cells.of(chance, label)
    assert (cells.rows.sum(), cells.won.sum()) == (500, label.sum())
    assert cells.log_odds @ cells.rows == pytest.approx(logit(chance).sum())


@pytest.mark.parametrize("wrong", [0.0, 1.0, np.nan, -0.1])
def test_what_is_no_open_chance_is_refused(wrong):
    with pytest.raises(ModelError, match="strictly between 0 and 1"):
        estimates(np.array([0.5, wrong]))
    with pytest.raises(ModelError, match="fewer than two"):
        estimates(np.array([0.5]))


def test_a_mended_estimate_still_judges_what_was_published():
    said, line = np.array([0.5, 0.2]), Line(1.0, -1.0, np.zeros((2, 2)))
    meant = line.apply(said)
    brier = (meant * (1 - said) ** 2 + (1 - meant) * said**2).mean()
    assert estimates_by(line, said)["brier"].value == pytest.approx(brier, abs=1e-12)


@pytest.mark.parametrize("is_rare", [True, False])
def test_errors_by_formula_are_those_of_resampled_leads(is_rare):
    said = chances(3000, decimals=6) if is_rare else np.random.default_rng(0).uniform(0.3, 0.99, 3000)
    label = drawn(said, 0)
    ends = interval(label, said, np.arange(3000), resamples=600)
    errors = chance_errors(label, said)
    for name in ("roc_auc", "brier", "log_loss", "lift_10", "capture_20"):
        low, high = ends[name]
        assert errors[name] == pytest.approx((high - low) / 3.92, rel=0.2), name


def test_an_interval_reaches_as_far_as_its_level_says():
    assert Estimate(1.0, 0.5).interval(0.95) == pytest.approx((1 - 0.98, 1 + 0.98), abs=1e-3)
