"""The learned card: few lines, whole points, each feature one way, and judged on rows it has not seen."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pytest
from sklearn.metrics import roc_auc_score

from features.catalogue import FeatureSpec
from models.calibration import Calibration
from models.fitting.rows import History
from models.fitting.split import Shares, split_by_time
from models.further.first_pass import FirstPass
from models.matrix import fit_encoding
from models.points.learned import MOST_LINES, LearnedCard, learned
from models.points.lines import lines
from models.points.scorecard import WrittenCard, uncut

NUMBERS = ("visits", "silence", "budget", "fax")
SPECS = [
    *(FeatureSpec(name, name, "behaviour", "number", f"{{value:.0f}} {name}") for name in NUMBERS),
    FeatureSpec("source", "source", "source", "category", "came from {value}"),
]


def drawn(rows=3000, seed=0, signal=1.0):
    """More visits and a shorter silence are better, referrals good and students bad; fax says nothing."""
    random = np.random.default_rng(seed)
    visits, silence = random.poisson(3, rows).astype(float), random.integers(0, 90, rows).astype(float)
    source = random.choice(["web", "referral", "student"], rows, p=[0.6, 0.25, 0.15])
    budget = random.normal(50, 10, rows)
    unknown = random.uniform(size=rows) < 0.3
    pull = 0.5 * (visits - 3) - 0.03 * (silence - 45) + 1.5 * (source == "referral")
    log_odds = signal * (pull - 1.5 * (source == "student") - 0.8 * unknown) - 1.5
    nights = np.sort(random.integers(0, 100, rows)) * 7
    return pa.table(
        {
            "snapshot_id": np.arange(rows),
            "lead_id": [f"lead-{row:05d}" for row in range(rows)],
            "as_of": (np.datetime64("2024-01-01") + nights).astype("datetime64[us]"),
            "label": (random.uniform(size=rows) < 1 / (1 + np.exp(-log_odds))).astype(float),
            "visits": visits,
            "silence": silence,
            "budget": pa.array(budget, mask=unknown),
            "fax": random.normal(size=rows),
            "source": source.tolist(),
        }
    )


def first_pass(rows):
    """The first pass of a model that knows nothing but chance."""
    history = History.of(rows)
    split = split_by_time(history.at, history.leads, gap_days=28.0, shares=Shares())
    margin = np.random.default_rng(1).normal(size=rows.num_rows)
    encoding = fit_encoding(rows, SPECS)
    return FirstPass(history, split, margin, Calibration((-1.0, 1.0), (-2.0, -1.0)), encoding)


ROWS = drawn()


@pytest.fixture(scope="module")
def first():
    return first_pass(ROWS)


@pytest.fixture(scope="module")
def judged(first):
    return learned(first, SPECS, resamples=40)


def test_the_card_is_at_most_twenty_lines_of_whole_points(judged):
    given = [rule.points for rule in judged.card.rules]
    assert 4 <= len(given) <= MOST_LINES
    assert all(value == int(value) != 0 for value in given)
    assert given == sorted(given, reverse=True)


def test_every_number_pulls_one_way_and_it_is_the_true_one(judged):
    ways = {}
    for rule in judged.card.rules:
        if rule.at_least is not None or rule.at_most is not None:
            assert rule.points > 0
            ways.setdefault(rule.feature, set()).add("up" if rule.at_least is not None else "down")
    assert ways["visits"] == {"up"}
    assert ways["silence"] == {"down"}
    for name in ("visits", "silence"):
        values = np.arange(0.0, 91.0)
        mine = [rule for rule in judged.card.rules if rule.feature == name]
        steps = np.diff(uncut(pa.table({name: values}), mine))
        assert (steps >= 0).all() if name == "visits" else (steps <= 0).all()


def test_good_and_bad_values_get_points_of_their_sign(judged):
    by_value = {rule.equals: rule.points for rule in judged.card.rules if rule.feature == "source"}
    assert by_value["referral"] > 0 > by_value["student"]


def test_a_number_without_meaning_is_on_no_line(judged):
    assert "fax" not in {rule.feature for rule in judged.card.rules}


def test_the_best_lead_seen_has_about_100_points(judged, first):
    seen = np.concatenate([first.split["train"], first.split["stop"]])
    best = uncut(first.history.table.take(seen), judged.card.rules).max()
    assert best == pytest.approx(100, abs=len(judged.card.rules) / 2)
    assert WrittenCard(judged.card.rules).points(first.history.table).max() <= 100


def test_its_figures_are_those_of_the_test_rows(judged, first):
    places = first.split["test"]
    label = first.history.label[places]
    chance = judged.card.probability(first.history.table.take(places))
    figure = judged.figures["roc_auc"]
    assert figure["value"] == pytest.approx(roc_auc_score(label, chance))
    assert figure["low"] < figure["value"] < figure["high"]
    assert figure["value"] > 0.75
    assert chance.mean() == pytest.approx(label.mean(), abs=0.05)


def test_the_loss_against_the_model_and_of_rounding_are_told(judged):
    against = judged.report["against_model"]["roc_auc"]
    assert against["difference"] == pytest.approx(judged.figures["roc_auc"]["value"] - 0.5, abs=0.08)
    assert against["low"] < against["difference"] < against["high"]
    assert 0 < abs(judged.report["rounding"]["roc_auc"]) < 0.01


def test_the_sentences_are_those_of_the_features(judged):
    said = {line["sentence"] for line in judged.report["lines"]}
    assert {"came from referral", "came from student"} <= said
    assert any(sentence.startswith("at least: ") and sentence.endswith(" visits") for sentence in said)


def test_learning_again_and_json_give_the_same_card(judged, first):
    again = learned(first, SPECS, resamples=40)
    assert again == judged
    assert LearnedCard.from_json(json.loads(json.dumps(judged.as_json()))) == judged.card


def test_a_direction_that_later_rows_turn_round_gives_no_line():
    label = np.tile([0.0, 1.0], 200)
    turned = np.where(np.arange(400) < 200, label, 1 - label)
    table = pa.table({"turned": turned, "steady": label})
    specs = [FeatureSpec(name, name, "fit", "number", "{value}") for name in ("turned", "steady")]
    found = lines(table, label, slice(0, 200), slice(200, 400), specs)
    assert {line.rule.feature for line in found} == {"steady"}


def test_without_a_steady_line_there_is_no_card():
    assert learned(first_pass(drawn(600, signal=0.0)), SPECS[3:4], resamples=20) is None
