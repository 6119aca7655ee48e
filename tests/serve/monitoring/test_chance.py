"""What chance gives, against SciPy's own test and a loop over the definition."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chi2_contingency, fisher_exact

from serve.monitoring.chance import discoveries, probability


@pytest.mark.parametrize("seed", range(5))
def test_the_chance_is_that_of_scipy_where_every_bin_is_full(seed):
    random = np.random.default_rng(seed)
    before, now = random.integers(50, 200, 6).astype(float), random.integers(50, 200, 6).astype(float)
    assert probability(before, now) == pytest.approx(chi2_contingency([before, now], correction=False).pvalue)


def test_bins_with_few_leads_are_taken_together():
    before, now = np.array([100.0, 30.0, 100.0, 40.0]), np.array([10.0, 5.0, 10.0, 4.0])
    # 3.4 and 4.3 are expected of the second and the last; of both together enough.
    together = chi2_contingency([[100.0, 100.0, 70.0], [10.0, 10.0, 9.0]], correction=False).pvalue
    assert probability(before, now) == pytest.approx(together)


@pytest.mark.parametrize("now", [(7.0, 3.0), (10.0, 0.0), (1.0, 9.0), (9.0, 1.0), (0.0, 10.0)])
@pytest.mark.parametrize("before", [(196.0, 1.0), (80.0, 20.0), (100.0, 150.0), (15.0, 0.0)])
def test_what_is_rare_altogether_is_judged_by_fishers_exact_test(before, now):
    found = probability(np.array(before), np.array(now))
    assert found == pytest.approx(fisher_exact([before, now]).pvalue, rel=1e-6)


def test_of_a_rare_bin_beside_common_ones_the_surer_answer_counts_half():
    before, now = np.array([100.0, 100.0, 3.0, 2.0]), np.array([10.0, 10.0, 1.0, 2.0])
    exact = fisher_exact([[200.0, 5.0], [20.0, 3.0]]).pvalue
    assert probability(before, now) == pytest.approx(2 * exact)
    common = chi2_contingency([[100.0, 100.0], [18.0, 2.0]], correction=False).pvalue
    assert probability(before, np.array([18.0, 2.0, 0.0, 0.0])) == pytest.approx(2 * common)


def test_where_no_bin_is_common_the_largest_is_held_against_the_others():
    before, now = np.array([100.0, 100.0, 100.0]), np.array([12.0, 0.0, 0.0])
    assert probability(before, now) == pytest.approx(fisher_exact([[200, 100], [0, 12]]).pvalue)


def test_counts_of_a_weighted_training_are_rounded():
    assert probability(np.array([79.6, 20.4]), np.array([4.0, 6.0])) == pytest.approx(
        fisher_exact([[80.0, 20.0], [4.0, 6.0]]).pvalue
    )


@pytest.mark.parametrize("count", [10, 14, 24])
def test_few_draws_of_one_distribution_are_told_apart_no_oftener_than_chance_says(count):
    random, shares = np.random.default_rng(count), [0.6, 0.25, 0.1, 0.05]
    before = random.multinomial(3000, shares).astype(float)
    found = np.array(
        [probability(before, random.multinomial(count, shares).astype(float)) for _ in range(1500)]
    )
    for level in (0.05, 0.01):
        assert (found < level).mean() < 1.5 * level + 0.004


def test_a_single_bin_and_an_empty_side_say_nothing():
    assert probability(np.array([50.0, 0.0]), np.array([20.0, 0.0])) == 1.0
    assert probability(np.array([50.0, 40.0]), np.zeros(2)) == 1.0


def test_draws_of_one_distribution_are_rarely_told_apart():
    random = np.random.default_rng(7)
    shares = [0.5, 0.2, 0.2, 0.1]
    found = [
        probability(
            random.multinomial(2000, shares).astype(float), random.multinomial(60, shares).astype(float)
        )
        for _ in range(400)
    ]
    assert np.mean(np.array(found) < 0.05) < 0.09


def test_the_discoveries_are_those_of_the_definition():
    chances = np.array([0.2, 0.001, 0.03, 0.008, 0.9])
    order = sorted(chances)
    passing = [k for k in range(1, 6) if order[k - 1] <= k / 5 * 0.05]
    assert discoveries(chances, 0.05).tolist() == [chance <= order[max(passing) - 1] for chance in chances]
    assert discoveries(chances, 0.05).sum() == 3


def test_a_chance_exactly_at_its_step_is_a_discovery():
    assert discoveries(np.array([0.01, 1.0]), 0.02).tolist() == [True, False]
    assert discoveries(np.array([0.0101, 1.0]), 0.02).tolist() == [False, False]


def test_no_questions_have_no_discoveries():
    assert discoveries(np.empty(0), 0.01).tolist() == []
