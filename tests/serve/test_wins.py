"""How many calls end in a win: against the Poisson-binomial distribution of SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import poisson_binom

from serve.lists import wins
from serve.lists.wins import wins_interval

CHANCES = st.lists(st.floats(0.001, 0.999), min_size=1, max_size=40)


@given(CHANCES)
def test_the_ends_are_the_quantiles_of_the_poisson_binomial(chances):
    low, high = wins_interval(np.array([chances]))
    distribution = poisson_binom(chances)
    for end, level in ((low[0], 0.05), (high[0], 0.95)):
        # The least whole number that reaches the level; rounding may decide where it is met exactly.
        assert distribution.cdf(end) >= level - 1e-9
        assert distribution.cdf(end - 1) <= level + 1e-9


def test_a_shorter_list_is_filled_up_with_calls_that_never_win():
    low, high = wins_interval(np.array([[0.5, 0.5, 0.5, 0.5], [0.5, 0.5, 0.0, 0.0]]))
    alone = wins_interval(np.array([[0.5, 0.5]]))
    assert (low[1], high[1]) == (alone[0][0], alone[1][0])
    assert high[0] > high[1]


def test_certain_calls_leave_nothing_to_chance():
    assert [end.tolist() for end in wins_interval(np.array([[1.0, 1.0, 0.0]]))] == [[2.0], [2.0]]


def test_nobody_called_means_nobody_won():
    assert [end.tolist() for end in wins_interval(np.zeros((1, 0)))] == [[0.0], [0.0]]


@pytest.mark.parametrize("chance", [0.02, 0.3])
def test_the_approximation_of_long_lists_is_a_win_off_at_most(monkeypatch, chance):
    chances = np.full((1, 400), chance)
    exact = wins_interval(chances)
    monkeypatch.setattr(wins, "EXACT", 0)
    np.testing.assert_allclose(wins_interval(chances), exact, atol=1)
