"""The replay: each origin learns its own rows, each list is ordered by the model that it should be."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest

from features.catalogue import FeatureSpec
from features.errors import TooFewOutcomesError
from models.backtests import replay as backtest
from models.backtests.contenders import orders
from models.backtests.figures import Settings, ages, by_origin, contenders, differences, figure, slices
from models.backtests.lists import Cuts, Lists, count
from models.backtests.replay import Answer, Task, model_order, replay
from models.fitting.options import TrainOptions
from models.points.rule import Rule
from models.points.scorecard import WrittenCard

SPEC = FeatureSpec("visits", "visits", "fit", "number", "")


@dataclass(frozen=True)
class Fake:
    """A model that knows what it was trained on: it adds the number of its rows to the visits."""

    rows: int

    def __call__(self, table):
        visits = table.column("visits").to_numpy()
        return SimpleNamespace(probability=np.round(visits), margin=visits + 1000 * self.rows)


@pytest.fixture
def learned(monkeypatch):
    """What each training was given; three rows are too few."""
    given = []

    def train(rows, *_given, **_named):
        given.append(rows)
        if rows.num_rows <= 3:
            raise TooFewOutcomesError("3 rows", hint="")
        return SimpleNamespace(bundle=Fake(rows.num_rows), report={"rows": rows.num_rows, "positives": 1})

    monkeypatch.setattr(backtest, "train", train)
    monkeypatch.setattr(backtest, "Scorer", lambda bundle: SimpleNamespace(score=bundle))
    return given


def table(visits):
    start = datetime(2026, 1, 1)  # noqa: DTZ001  # stamps are naive UTC
    return pa.table(
        {
            "snapshot_id": range(len(visits)),
            "lead_id": [f"L{row}" for row in range(len(visits))],
            "as_of": [start + timedelta(days=row) for row in range(len(visits))],
            "visits": pa.array(visits, pa.float64()),
            "label": [1.0] * len(visits),  # what is known today: no training may see it
        }
    )


def replayed(rows, tasks):
    return replay(rows, tasks, [SPEC], TrainOptions(), stage="won", horizon_days=30.0, processes=1)


def test_an_origin_is_trained_on_its_own_rows_with_its_own_labels(learned):
    tasks = [
        Task(np.array([0, 1, 2, 3]), np.array([0.0, 1.0, 0.0, 0.0]), np.array([5, 6])),
        Task(np.array([0, 1, 2, 3, 4]), np.array([0.0, 1.0, 1.0, 0.0, 0.0]), np.array([6])),
    ]
    answers = replayed(table([3, 1, 2, 9, 4, 7.2, 7]), tasks)
    assert [rows.column("snapshot_id").to_pylist() for rows in learned] == [[0, 1, 2, 3], [0, 1, 2, 3, 4]]
    assert [rows.column("label").to_pylist() for rows in learned] == [task.label.tolist() for task in tasks]
    assert [answer.report["rows"] for answer in answers] == [4, 5]
    first = answers[0].order
    assert first[0] > first[1]  # one probability, and the margin breaks the tie


@pytest.mark.usefixtures("learned")
def test_an_origin_that_cannot_be_trained_says_why_and_the_others_go_on():
    few = Task(np.array([0, 1, 2]), np.zeros(3), np.array([4]))
    answers = replayed(table([1, 2, 3, 4, 5]), [few, Task(np.arange(4), np.zeros(4), np.array([4]))])
    assert (answers[0].order, answers[0].reason) == (None, "3 rows")
    assert answers[1].order is not None
    with pytest.raises(TooFewOutcomesError, match="none of 1 origins can be trained: at the last 3 rows"):
        replayed(table([1, 2, 3, 4, 5]), [few])


def drawn_lists(origin, won=None, orders=None):
    rows = len(origin)
    won = np.zeros(rows) if won is None else np.asarray(won, float)
    return Lists(np.asarray(origin), np.asarray(origin), np.arange(rows), won, 10 * won, orders or {})


def test_a_list_is_ordered_by_its_own_origin_or_by_the_one_so_many_before():
    """Rows 10 to 15, two on the list of each origin; origin 1 has no model."""
    lists, rows = drawn_lists([0, 0, 1, 1, 2, 2]), np.array([10, 11, 12, 13, 14, 15])
    asked = [np.array([10, 11, 12, 13, 14, 15]), np.array([12, 13, 14, 15]), np.array([15, 14])]
    tasks = [Task(np.arange(3), np.zeros(3), places) for places in asked]
    answers = [
        Answer(np.array([0.0, 1, 2, 3, 4, 5]), {}),
        Answer(None, {}, "too few"),
        Answer(np.array([25.0, 24.0]), {}),
    ]
    found = {age: model_order(lists, rows, tasks, answers, age=age) for age in (0, 1, 2)}
    nan = np.nan
    np.testing.assert_equal(found[0], [0, 1, nan, nan, 24, 25])
    np.testing.assert_equal(found[1], [nan, nan, 2, 3, nan, nan])
    np.testing.assert_equal(found[2], [nan, nan, nan, nan, 4, 5])


def test_the_orders_without_a_model():
    rows = pa.table({"visits": [1.0, 3.0], "lead_age_days": [5.0, 2.0]})
    found = orders(rows, WrittenCard((Rule("visits", 20, at_least=2),)), today=np.array([np.nan, 1.0]))
    assert {name: order.tolist() for name, order in found.items()} == {
        "scorecard": [0, 20], "newest_first": [-5, -2], "todays_order": [-np.inf, 1], "random": [0, 0],
    }  # fmt: skip
    assert "todays_order" not in orders(rows, WrittenCard())


SETTINGS = Settings(calls=2, resamples=100, seed=3, least_outcomes=4)


@pytest.fixture(scope="module")
def judged():
    """Four origins of 50 rows, 5 of them won: the model knows them, the scorecard knows the opposite."""
    won = np.tile([1.0] * 5 + [0.0] * 45, 4)
    return drawn_lists(np.repeat(range(4), 50), won, {"model": won, "scorecard": -won, "random": 0 * won})


def test_figures_of_a_perfect_and_a_useless_order(judged):
    found = SETTINGS.found(judged, (0.1, 0.2))
    rows = contenders(found)
    value = {(row["contender"], row["figure"]): row["value"] for row in rows}
    assert value["model", "capture_10"] == value["model", "capture_20"] == 1
    assert value["model", "deals_per_list"] == 2  # two calls, both find one
    assert value["model", "amount_per_list"] == 20
    assert value["model", "lift_at_calls"] == pytest.approx(10)
    assert value["random", "lift_20"] == pytest.approx(1)
    assert value["scorecard", "capture_20"] == 0
    apart = figure(differences(found), "scorecard", "capture_20")
    assert (apart["value"], apart["low"] > 0.9) == (1, True)


def test_a_slice_below_the_floor_is_counted_and_not_judged(judged):
    few = np.arange(200) % 50 == 0  # one won lead of each origin: four in all
    fewer = few & (np.arange(200) > 0)
    at_floor, below = slices(judged, [("s", "at", few), ("s", "below", fewer)], SETTINGS)
    assert (at_floor["won_leads"], at_floor["is_judged"]) == (4, True)
    assert (below["won_leads"], below["is_judged"], below["capture_20"]) == (3, False, None)


def test_an_aged_model_is_compared_with_a_fresh_one_on_the_same_lists(judged):
    aged = judged.with_orders({"model": -judged.won, "fresh": judged.won, "scorecard": -judged.won})
    fresh = judged.with_orders({"model": judged.won, "fresh": judged.won, "scorecard": -judged.won})
    first, second = ages({30: aged, 0: fresh}, SETTINGS)
    assert (first["age_days"], first["minus_fresh"]) == (0, None)
    assert (second["minus_fresh"]["value"], second["minus_fresh"]["high"] < -0.9) == (-1, True)
    assert second["minus_scorecard"]["value"] == 0


def test_each_origin_is_counted_alone(judged):
    alone = dict(by_origin(judged, SETTINGS))
    assert list(alone) == [0, 1, 2, 3]
    assert alone[2]["capture_20"] == pytest.approx({"model": 1, "scorecard": 0, "random": 0.2})
    whole = count(judged, Cuts((0.2,), 2), resamples=0, seed=0)
    assert sum(row["rows"] for row in alone.values()) == whole.rows[0]
