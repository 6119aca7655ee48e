"""A row that stands for several moments counts as these moments would, in every rate, level and figure."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from features.catalogue import FeatureSpec
from models.cards.card import calibration
from models.curves.choice import WAYS, fit_calibration
from models.evidence import gather
from models.fitting.newton import attainable_loss, rising_fit, sigmoid
from models.fitting.options import TrainOptions
from models.further.tags import Said
from models.grades import learned
from models.matrix import Encoding
from models.metrics import interval, measure
from models.promoting.paired import Pair, differences, segment_differences
from models.scoring import Scorer
from models.segments.reliability import reliability
from models.training import train
from models.weights import effective, evidence_of, mean, per_row, quantiles, weights_of

RANDOM = np.random.default_rng(5)
TIMES = RANDOM.integers(1, 5, 400)
CHANCE = np.round(RANDOM.uniform(0.05, 0.9, 400), 6)
LABEL = (RANDOM.uniform(size=400) < CHANCE).astype(float)
LEADS = np.arange(400) // 2
WEIGHT = TIMES.astype(float)


def each(values):
    """Every row as often as it counts: the oracle."""
    return np.repeat(values, TIMES, axis=0)


def test_means_and_quantiles_are_those_of_the_moments():
    shares = np.linspace(0, 1, 21)
    assert mean(CHANCE, WEIGHT) == pytest.approx(each(CHANCE).mean())
    found = quantiles(CHANCE, shares, WEIGHT)
    np.testing.assert_allclose(found, np.quantile(each(CHANCE), shares, method="inverted_cdf"))


def test_rows_that_count_alike_have_the_quantiles_of_rows_without_a_weight():
    for weight in (None, np.ones(400), np.full(400, 2.5)):
        np.testing.assert_array_equal(quantiles(CHANCE, 0.3, weight), np.quantile(CHANCE, 0.3))


def test_evidence_is_never_more_than_the_rows_and_less_where_they_count_unequally():
    assert effective(np.full(7, 3.0), 7) == pytest.approx(np.ones(7))
    assert effective(np.array([1.0, 1e9]), 2).sum() == pytest.approx(1, abs=1e-6)
    assert per_row(WEIGHT, 400).mean() == pytest.approx(1)


def test_a_table_without_a_weight_counts_each_row_once_and_censoring_goes_before_the_draw():
    table = pa.table({"label": [1.0, 0.0]})
    assert weights_of(table).tolist() == [1, 1]
    table = table.append_column("stands_for", pa.array([2.0, 1.0]))
    assert weights_of(table).tolist() == [2, 1]
    assert weights_of(table.append_column("weight", pa.array([5.0, 6.0]))).tolist() == [5, 6]


def test_figures_are_those_of_the_moments():
    weighted, oracle = measure(LABEL, CHANCE, weight=WEIGHT), measure(each(LABEL), each(CHANCE))
    for name in ("roc_auc", "average_precision", "log_loss", "brier", "lift_10", "capture_20"):
        assert getattr(weighted, name) == pytest.approx(getattr(oracle, name), abs=2e-3), name
    low, high = interval(LABEL, CHANCE, LEADS, weight=WEIGHT, resamples=50)["log_loss"]
    again = interval(each(LABEL), each(CHANCE), each(LEADS), resamples=50)["log_loss"]
    assert (low, high) == pytest.approx(again)


def test_a_segment_is_judged_on_the_moments_and_its_interval_on_the_leads():
    weighted = reliability(LABEL, CHANCE, LEADS, weight=WEIGHT)
    oracle = reliability(each(LABEL), each(CHANCE), each(LEADS))
    names = ("leads", "forecast", "rate", "rate_low", "rate_high")
    assert [weighted[n] for n in names] == pytest.approx([oracle[n] for n in names])
    assert weighted["rows"] == 400


def test_evidence_beside_a_reason_is_the_rate_of_the_moments_among_as_many_leads():
    encoding = Encoding(("visits",), ("number",), {}, {})
    values = np.round(CHANCE * 4)[:, None]
    weighted = gather(values, LABEL, LEADS, encoding, weight=WEIGHT)
    oracle = gather(each(values), each(LABEL), each(LEADS), encoding)
    assert weighted.base_rate == pytest.approx(oracle.base_rate)
    assert weighted.features[0].leads == oracle.features[0].leads
    assert weighted.features[0].rates == pytest.approx(oracle.features[0].rates)


DRAWS, SHARE = 150, 20


def drawn_by_label(random, rate, count=4000):
    """Leads of whom all won and every twentieth lost one were drawn, one row each: label and weight."""
    won = random.binomial(count, rate)
    lost = random.binomial(count - won, 1 / SHARE)
    return np.repeat([1.0, 0.0], [won, lost]), np.repeat([1.0, SHARE], [won, lost])


@pytest.mark.parametrize("rate", [0.05, 0.3, 0.45])
def test_an_interval_of_a_rate_holds_it_where_a_sample_was_drawn_by_label(rate):
    """Nine in ten and more; an interval that counted the drawn leads held a rate of 0.45 six times in ten."""
    random, encoding = np.random.default_rng(1), Encoding(("visits",), ("number",), {}, {})
    segments = evidences = 0
    for _ in range(DRAWS):
        label, weight = drawn_by_label(random, rate)
        leads, value = np.arange(len(label)), np.zeros((len(label), 1))
        told = reliability(label, np.full(len(label), rate), leads, weight=weight)
        segments += told["is_inside"]
        found = gather(value, label, leads, encoding, weight=weight).of(np.zeros(1), 0, floor=1)
        evidences += found["low"][0] <= rate <= found["high"][0]
        assert told["rate_low"] == pytest.approx(found["low"][0], abs=1e-5)
        assert told["leads"] == found["leads"][0] == len(label)  # they are told as they are
    assert min(segments, evidences) >= 0.92 * DRAWS


def test_rows_that_count_much_alike_leave_an_interval_all_of_its_leads():
    assert evidence_of(200, None) == evidence_of(200, WEIGHT) == 200
    assert evidence_of(400, np.full(400, 1 / 3)) == 400
    assert evidence_of(400, WEIGHT) == pytest.approx(WEIGHT.sum() ** 2 / (WEIGHT**2).sum())


def test_the_precision_of_a_tag_is_that_of_the_moments():
    said = Said(LABEL, CHANCE, LEADS.astype(object), WEIGHT)
    assert said.precision(CHANCE > 0.5) == pytest.approx(each(LABEL)[each(CHANCE) > 0.5].mean())


def test_grades_are_percentiles_of_the_moments():
    totals = {"fit": CHANCE, "behaviour": 1 - CHANCE}
    found = learned(totals, weight=WEIGHT).fit
    expected = np.quantile(each(CHANCE), np.linspace(0, 1, 101), method="inverted_cdf")
    assert found == pytest.approx(expected)


def test_the_bins_of_the_card_add_up_to_the_forecast_and_rate_of_the_moments():
    bins = calibration(LABEL, CHANCE, WEIGHT)
    parts = np.array_split(np.argsort(CHANCE, kind="stable"), 10)
    mass = [WEIGHT[part].sum() for part in parts]
    assert np.average([b["rate"] for b in bins], weights=mass) == pytest.approx(each(LABEL).mean())
    assert np.average([b["forecast"] for b in bins], weights=mass) == pytest.approx(each(CHANCE).mean())


def test_the_paired_test_is_that_of_the_moments():
    other = sigmoid(np.log(CHANCE / (1 - CHANCE)) * 0.7)
    cut = {"source": np.where(CHANCE > 0.4, "web", "fair").astype(object)}
    pair = Pair(LABEL, CHANCE, other, LEADS, cut, WEIGHT)
    oracle = Pair(each(LABEL), each(CHANCE), each(other), each(LEADS), {"source": each(cut["source"])})
    found, expected = (differences(p, capacity_share=0.2, resamples=50) for p in (pair, oracle))
    assert found["log_loss"] == pytest.approx(expected["log_loss"])
    parts = [segment_differences(p, least_outcomes=5) for p in (pair, oracle)]
    for one, same in zip(*parts, strict=True):
        names = ("champion", "difference", "low", "high")
        assert [one[n] for n in names] == pytest.approx([same[n] for n in names])
    assert differences(replace(pair, weight=None), capacity_share=0.2)["log_loss"] != found["log_loss"]


def test_a_logistic_fit_is_that_of_the_moments():
    margin = np.log(CHANCE / (1 - CHANCE))[None]
    given = {"prior": np.ones(1), "strength": 2.0}
    found = rising_fit(margin, LABEL, weight=WEIGHT, **given)
    expected = rising_fit(each(margin.T).T, each(LABEL), **given)
    assert (*found[0], found[1]) == pytest.approx((*expected[0], expected[1]))
    losses = attainable_loss(margin[0], LABEL, WEIGHT)
    assert losses.mean() == pytest.approx(attainable_loss(each(margin[0]), each(LABEL)).mean(), abs=1e-4)


def nights(leads=1500, seed=2, most=6):
    """A drawn history: leads of three kinds, the hot ones soon won, the cold ones open for long.

    Returns the drawn rows as a training table and, row by row, whether every night was positive.
    """
    random = np.random.default_rng(seed)
    kind = random.integers(0, 3, leads)
    weekly = np.array([0.01, 0.05, 0.15])[kind]
    until, won = random.geometric(0.04, leads), random.geometric(weekly)
    born = random.integers(0, 60, leads)
    last = np.minimum(np.minimum(until, won), 60)
    lead = np.repeat(np.arange(leads), last)
    week = np.concatenate([np.arange(n) for n in last])
    label = ((won <= until)[lead] & (won[lead] - week <= 4)).astype(float)
    place = random.uniform(size=len(lead))
    order = np.lexsort((place, lead))
    rank = np.arange(len(lead)) - np.concatenate([[0], np.cumsum(last)[:-1]])[lead[order]]
    drawn = np.sort(order[rank < most])
    every = pa.table(
        {
            "snapshot_id": np.arange(len(lead)),
            "lead_id": [f"lead-{i:05d}" for i in lead],
            "as_of": (np.datetime64("2024-01-01") + (born[lead] + week) * 7).astype("datetime64[us]"),
            "label": label,
            "visits": kind[lead] + random.normal(0, 0.7, len(lead)),
            "stands_for": np.maximum(1.0, last[lead] / most),
        }
    )
    return every, every.take(drawn)


SPECS = [FeatureSpec("visits", "visits", "behaviour", "number", "{value}")]
QUICK = TrainOptions(bags=1, most_trees=60, resamples=20)


@pytest.fixture(scope="module")
def trained():
    every, rows = nights(4000)
    return every, rows, train(rows, SPECS, QUICK, horizon_days=28.0)


def test_the_stated_base_rate_is_that_of_all_nights_and_not_that_of_the_drawn(trained):
    every, rows, found = trained
    truth, plain = (table["label"].to_numpy().mean() for table in (every, rows))
    assert plain > 1.5 * truth, "the draw knows who is soon won"
    assert found.report["base_rate"] == pytest.approx(truth, rel=0.03)


def between(every, slices):
    """All nights from the first moment of some slices to their last."""
    first, last = slices[0]["first_as_of"], slices[-1]["last_as_of"]
    at = every["as_of"].to_numpy()
    return every.filter(pa.array((at >= np.datetime64(first)) & (at <= np.datetime64(last))))


@pytest.mark.parametrize(
    ("which", "learned_on"), [("bundle", ["calibrate", "test"]), ("first_bundle", ["calibrate"])]
)
def test_the_probabilities_have_the_level_of_all_nights(trained, which, learned_on):
    """Without the weight in the curve, or in its anchor, they are too high by more than a third."""
    every, _, found = trained
    asked = between(every, [found.report["split"]["slices"][name] for name in learned_on])
    chance = Scorer(getattr(found, which)).score(asked).probability
    assert chance.mean() == pytest.approx(asked["label"].to_numpy().mean(), rel=0.08)


@pytest.mark.parametrize("way", [fit_calibration, *WAYS.values()], ids=["chosen", *WAYS])
def test_every_way_to_calibrate_learns_of_the_drawn_what_it_would_learn_of_all(way):
    every, rows = nights(1500)
    margin, label = every["visits"].to_numpy() - 3, every["label"].to_numpy()
    drawn = rows["visits"].to_numpy() - 3, rows["label"].to_numpy()
    level = way(margin, label).apply(margin).mean()
    assert way(*drawn, rows["stands_for"].to_numpy()).apply(margin).mean() == pytest.approx(level, rel=0.06)
    assert way(*drawn).apply(margin).mean() > 1.3 * level
