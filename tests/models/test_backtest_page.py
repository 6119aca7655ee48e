"""The page of a backtest: whole, escaped, without addresses."""

from __future__ import annotations

import re

import numpy as np
import pytest

from models.backtests.figures import CURVE, Settings, ages, by_origin, contenders, curves, differences, slices
from models.backtests.lists import Lists
from models.backtests.page import Report, page, verdict
from models.backtests.pictures import draw

# matplotlib's parser of font patterns warns about its own dependency.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def backtest(*, amount: float = 100.0):
    rng = np.random.default_rng(1)
    rows, settings = 300, Settings(calls=10, resamples=20, least_outcomes=10)
    origin = np.repeat(range(3), 100)
    score = rng.normal(size=rows)
    won = (rng.random(rows) < 1 / (1 + np.exp(1 - score))).astype(float)
    orders = {"model": score, "scorecard": rng.normal(size=rows), "random": np.zeros(rows)}
    lists = Lists(origin, origin, np.arange(rows), won, won * amount, orders)
    found = settings.found(lists, CURVE)
    named = [("source", "<b>fair</b> $ & co", origin == 0), ("source", "rare", np.arange(rows) < 2)]
    aged = {0: lists.with_orders({**orders, "fresh": score})}
    empty = {"at": "2026-01-01T00:00:00+00:00", "learned_rows": None, "learned_positives": None, "lists": 0,
             "rows": 0, "won_leads": 0, "capture_20": None, "reason": "3 positive rows"}  # fmt: skip
    learned = {"learned_rows": 900, "learned_positives": 90, "reason": None}
    origins = [
        {"at": f"2026-0{number + 2}-01T00:00:00+00:00", **learned, **row}
        for number, row in by_origin(lists, settings)
    ]
    return {
        "stage": "won", "horizon_days": 90, "calls_per_list": 10, "lists": 3, "rows": rows,
        "won_leads": lists.won_leads, "base_rate": float(won.mean()), "contenders": contenders(found),
        "differences": differences(found), "curves": curves(found), "ages": ages(aged, settings),
        "slices": slices(lists, named, settings), "origins": [empty, *origins], "left_out": ["today's order"],
    }  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    found = backtest()
    pictures = draw(tmp_path_factory.mktemp("pictures"), found)
    return pictures, page(Report(found, pictures))


def test_every_table_and_picture_is_on_the_page(made):
    pictures, text = made
    assert set(pictures) == {"deals", "capture", "lift", "amount", "origins", "ages", "slices"}
    assert text.count("data:image/png;base64,") == len(pictures)
    for said in ("too few to judge", "not trained: 3 positive rows", "today&#39;s order", "0 days", "rare"):
        assert said in text


def test_names_of_slices_are_escaped(made):
    assert "<b>fair</b>" not in made[1]
    assert "&lt;b&gt;fair&lt;/b&gt; $ &amp; co" in made[1]


def test_the_page_asks_no_address_and_runs_no_script(made):
    assert "<script" not in made[1]
    assert not re.findall(r"""(?:src|href)=["'](?!data:)""", made[1])


def test_without_amounts_and_slices_their_pictures_are_left_out(tmp_path):
    found = {**backtest(amount=0.0), "slices": []}
    pictures = draw(tmp_path, found)
    assert not {"amount", "slices"} & set(pictures)
    assert "value per list" not in page(Report(found, pictures))


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (0.01, 0.2, "the model finds more"),
        (-0.2, -0.01, "the scorecard finds more"),
        (0.0, 0.2, "told apart"),
    ],
)
def test_the_verdict_follows_the_interval_of_the_difference(low, high, said):
    row = {"contender": "model", "figure": "capture_20", "value": 0.5, "low": 0.4, "high": 0.6}
    other = {**row, "contender": "scorecard"}
    gap = {**other, "value": 0.1, "low": low, "high": high}
    assert said in verdict({"contenders": [row, other], "differences": [gap]})
