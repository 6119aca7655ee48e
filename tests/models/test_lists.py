"""Call lists: what is found above a cut, by perfect, random and tied orders, and how far it is certain."""

from __future__ import annotations

import numpy as np
import pytest

from models.backtests.lists import Cuts, Lists, count, interval, ratio

CUTS = Cuts((0.2, 0.5, 1.0), calls=2)


def lists(won, orders, *, origin=None, night=None, lead=None, amount=None):
    won = np.asarray(won, dtype=float)
    rows = len(won)
    given = [np.zeros(rows, int) if codes is None else np.asarray(codes) for codes in (origin, night)]
    lead = np.arange(rows) if lead is None else np.asarray(lead)
    amount = 10 * won if amount is None else np.asarray(amount, float)
    return Lists(*given, lead, won, amount, {name: np.asarray(o, float) for name, o in orders.items()})


def captured(found, name, cut):
    return ratio(found.of(found.won, name, cut), found.all_won)


def test_a_perfect_order_finds_all_deals_and_a_random_one_its_share():
    won = [1, 1] + [0] * 8
    found = count(lists(won, {"perfect": won, "random": [0] * 10}), CUTS, resamples=0, seed=1)
    assert [captured(found, "perfect", cut)[0] for cut in (0.2, 0.5, 1.0, None)] == [1, 1, 1, 1]
    assert [captured(found, "random", cut)[0] for cut in (0.2, 0.5, 1.0, None)] == pytest.approx(
        [0.2, 0.5, 1, 0.2]
    )


def test_a_tie_that_the_cut_divides_is_shared_evenly():
    won, order = [1, 0, 1, 0, 0], [9, 5, 5, 5, 1]
    found = count(lists(won, {"o": order}), Cuts((0.4,), calls=3), resamples=0, seed=1)
    assert found.of(found.won, "o", 0.4)[0] == pytest.approx(1 + 1 / 3)
    assert found.of(found.won, "o", None)[0] == pytest.approx(1 + 2 / 3)


def test_each_list_is_cut_by_itself_and_a_list_shorter_than_the_calls_is_called_whole():
    night = [0] * 4 + [1] * 1
    found = count(lists([0, 0, 1, 0, 1], {"o": [4, 3, 2, 1, 0]}, night=night), CUTS, resamples=0, seed=1)
    assert found.of(found.won, "o", None)[0] == 1  # the single lead of the second list
    assert (found.called[0], found.rows[0], found.lists[0]) == (3, 5, 2)


def test_value_counts_the_amounts_of_won_leads_alone():
    given = lists([1, 0, 1], {"o": [3, 2, 1]}, amount=[100, 900, 50])
    found = count(given, Cuts((0.5,), calls=1), resamples=0, seed=1)
    assert (found.of(found.amount, "o", None)[0], found.all_amount[0]) == (100, 150)


def test_a_resample_counts_like_the_rows_written_out():
    """Against a slow loop: every row repeated as often as its lead and its origin were drawn."""
    rng = np.random.default_rng(3)
    night = np.repeat([0, 1, 2], 20)
    given = lists(
        rng.random(60) < 0.3, {"o": rng.integers(0, 8, 60)}, origin=night // 2, night=night,
        lead=np.concatenate([np.arange(20), np.arange(10, 30), rng.permutation(30)[:20]]),
        amount=rng.random(60) * 9,
    )  # fmt: skip
    found = count(given, CUTS, resamples=30, seed=5)
    for number in (1, 7, 30):
        draws = [
            np.random.default_rng([5, kind, number]).integers(0, size, size)
            for kind, size in ((0, 30), (1, 2))
        ]
        lead, origin = (
            np.bincount(drawn, minlength=size) for drawn, size in zip(draws, (30, 2), strict=True)
        )
        won = amount = 0.0
        for one in range(3):
            rows = np.flatnonzero(night == one)
            out = np.repeat(rows, lead[given.lead[rows]])
            value = np.array([given.won[out], given.amount[out] * given.won[out]])
            out_order = given.orders["o"][out]
            left, got = 0.5 * len(out), np.zeros(2)
            for tie in sorted(set(out_order.tolist()), reverse=True):
                inside = out_order == tie
                part = min(1.0, left / inside.sum())
                got, left = got + part * value[:, inside].sum(axis=1), left - part * inside.sum()
            won, amount = won + origin[one // 2] * got[0], amount + origin[one // 2] * got[1]
        assert found.of(found.won, "o", 0.5)[number] == pytest.approx(won)
        assert found.of(found.amount, "o", 0.5)[number] == pytest.approx(amount)


def test_a_difference_is_paired_the_same_leads_stand_for_both():
    rng = np.random.default_rng(0)
    won, order = rng.random(400) < 0.1, rng.random(400)
    twin = {"one": order, "same": 3 * order + 1, "other": rng.random(400)}
    found = count(lists(won, twin, night=np.repeat(range(4), 100)), CUTS, resamples=50, seed=2)
    one, same, other = (captured(found, name, 0.2) for name in twin)
    assert np.ptp(one) > 0
    assert (one - same == 0).all()
    assert np.ptp(one - other) > 0


def test_intervals_cover_the_truth():
    """Worlds with drifting origins: the capture of an endless world lies inside about 95 of 100 intervals."""
    rng, inside, worlds = np.random.default_rng(11), 0, 60
    score = rng.normal(size=400_000)
    truth = np.sort(score)[-80_000:]
    chance = lambda z, drift: 1 / (1 + np.exp(3 - drift - z))  # noqa: E731  # drawn in one line
    wanted = chance(truth, 0.0).sum() / chance(score, 0.0).sum()
    for world in range(worlds):
        origin = np.repeat(np.arange(8), 300)
        z, lead = rng.normal(size=2400), np.arange(2400)
        won = rng.random(2400) < chance(z, rng.normal(0, 0.2, 8)[origin])
        found = count(
            lists(won, {"o": z}, origin=origin, night=origin, lead=lead),
            Cuts((0.2,), 5),
            resamples=100,
            seed=world,
        )
        ends = interval(captured(found, "o", 0.2))
        inside += ends["low"] <= wanted <= ends["high"]
    assert 0.9 * worlds <= inside


def test_the_same_seed_gives_the_same_intervals_however_many_resamples_are_taken_at_once(monkeypatch):
    given = lists([1, 0, 1, 0], {"o": [1, 2, 3, 4]}, night=[0, 0, 1, 1])
    once = count(given, CUTS, resamples=20, seed=4)
    monkeypatch.setattr("models.backtests.lists._NUMBERS_AT_ONCE", 1)
    assert (count(given, CUTS, resamples=20, seed=4).won == once.won).all()


def test_lists_without_a_deal_have_no_figure():
    found = count(lists([0, 0], {"o": [1, 2]}), CUTS, resamples=10, seed=4)
    assert interval(captured(found, "o", 0.2)) == {"value": None, "low": None, "high": None}
