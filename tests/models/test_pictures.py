"""Pictures: each is a PNG of its own, and the lines behind them are right."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from models.cards.curves import found as found_along
from models.cards.pictures import _auc_interval, draw

# matplotlib's parser of font patterns warns about its own dependency.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

RNG = np.random.default_rng(5)
P = RNG.beta(1, 12, 600)
WON = RNG.random(600) < P


def test_each_picture_is_a_png_and_the_same_rows_give_the_same_bytes(tmp_path):
    given = {"others": {"scorecard": np.round(100 * P)}}
    first = {name: path.read_bytes() for name, path in draw(tmp_path, WON, P, **given).items()}
    assert set(first) == {"reliability", "roc", "precision_recall", "gains"}
    assert all(picture.startswith(b"\x89PNG") for picture in first.values())
    again = {name: path.read_bytes() for name, path in draw(tmp_path, WON, P).items()}
    assert [name for name in again if again[name] != first[name]] == ["gains"]  # without the scorecard's line


def test_gains_share_wins_evenly_among_equal_scores():
    won = np.array([True, False, False, True, False])

    def found(score):
        return np.interp(np.arange(6) / 5, *found_along(won, np.array(score), np.ones(5)))

    assert found([3.0, 1.0, 1.0, 1.0, 1.0]) == pytest.approx([0, 0.5, 0.625, 0.75, 0.875, 1.0])
    assert found([5.0, 4.0, 3.0, 2.0, 1.0]) == pytest.approx([0, 0.5, 0.5, 0.5, 1.0, 1.0])


def test_a_row_that_stands_for_three_is_called_as_three():
    called, found = found_along(np.array([True, False]), np.array([1.0, 2.0]), np.array([1.0, 3.0]))
    assert (called.tolist(), found.tolist()) == ([0, 0.75, 1.0], [0, 0.0, 1.0])


def test_the_interval_of_the_auc_is_that_of_the_bootstrap():
    rng = np.random.default_rng(0)
    draws = [rng.integers(0, 600, 600) for _ in range(300)]
    low, high = np.percentile([roc_auc_score(WON[d], P[d]) for d in draws], [2.5, 97.5])
    assert _auc_interval(roc_auc_score(WON, P), WON) == pytest.approx((low, high), abs=0.03)


def test_groups_without_any_win_are_drawn_too(tmp_path):
    p = np.linspace(0.01, 0.3, 110)
    won = p > 0.28  # nine groups of eleven have no win: the bound of their rate may fall below 0 by a digit
    assert draw(tmp_path, won, p)["reliability"].stat().st_size > 0
