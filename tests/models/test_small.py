"""A history of few conversions: an unsearched blend, intervals that hold, and a floor counted in leads."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from sklearn.metrics import roc_auc_score

from features.catalogue import FeatureSpec
from features.errors import TooFewOutcomesError
from models.explaining import Explainer
from models.fitting.options import TrainOptions
from models.fitting.small import FEW_OUTCOMES, LINEAR_SHARE, is_small
from models.scoring import Scorer
from models.training import train

NUMBERS = ("visits", "opens", "silence", "noise_a", "noise_b")
SPECS = [
    *(FeatureSpec(name, name, "behaviour", "number", "{value:.0f}") for name in NUMBERS),
    FeatureSpec("source", "source", "fit", "category", "{value}"),
]
QUICK = TrainOptions(bags=2, resamples=20)


def drawn(rows, *, seed, base=-2.2):
    """Leads of known chances: visits, opens and referrals are good, silence is bad."""
    random = np.random.default_rng(seed)
    visits, opens = random.poisson(2, rows).astype(float), random.poisson(4, rows).astype(float)
    silence, source = random.integers(0, 60, rows).astype(float), random.choice(["web", "referral"], rows)
    pull = 0.4 * (visits - 2) + 0.15 * (opens - 4) - 0.02 * (silence - 30) + 0.8 * (source == "referral")
    truth = 1 / (1 + np.exp(-(base + pull)))
    nights = np.sort(random.integers(0, 100, rows)) * 7
    table = pa.table(
        {
            "snapshot_id": np.arange(rows),
            "lead_id": [f"lead-{row:05d}" for row in range(rows)],
            "as_of": (np.datetime64("2024-01-01") + nights).astype("datetime64[us]"),
            "label": (random.uniform(size=rows) < truth).astype(float),
            "visits": visits,
            "opens": opens,
            "silence": silence,
            "noise_a": random.normal(size=rows),
            "noise_b": random.normal(size=rows),
            "source": source.tolist(),
        }
    )
    return table, truth


def with_conversions(count, *, seed):
    """Some rows of a drawn history, so many of them conversions."""
    table, _ = drawn(40 * count, seed=seed)
    picked = np.random.default_rng(seed).permutation(40 * count)
    last = np.flatnonzero(np.cumsum(table["label"].to_numpy()[picked]) == count)[0]
    return table.take(np.sort(picked[: last + 1]))


LATER, TRUTH = drawn(3000, seed=99)


@pytest.fixture(scope="module")
def small():
    return train(with_conversions(25, seed=3), SPECS, QUICK, horizon_days=14.0)


def test_a_history_is_small_below_fifty_leads_of_either_outcome():
    leads = np.array([f"L{row}" for row in range(200)], dtype=object)
    for count, expected in ((FEW_OUTCOMES - 1, True), (FEW_OUTCOMES, False)):
        label = (np.arange(200) < count).astype(float)
        assert is_small(label, leads) is expected
        assert is_small(1 - label, leads) is expected


def test_rows_of_one_lead_are_one_conversion():
    leads = np.array([f"L{row // 10}" for row in range(2000)], dtype=object)
    assert is_small((np.arange(2000) < 490).astype(float), leads)
    assert not is_small((np.arange(2000) < 500).astype(float), leads)


def test_nothing_is_searched_and_the_report_says_so(small):
    assert small.report["small_history"]
    assert small.report["search"] == {}
    assert set(small.report["trees"]) == {"shallow"}
    assert small.report["linear_weight"] == LINEAR_SHARE
    assert set(small.bundle.encoding.names) == {spec.name for spec in SPECS}


def test_base_and_contributions_are_the_margin(small):
    explained = Explainer(small.bundle).explain(LATER)
    total = explained.base + explained.contributions.sum(axis=1)
    np.testing.assert_allclose(total, explained.scores.margin, rtol=0, atol=1e-9)
    assert np.ptp(total) > 0.1


def test_it_ranks_unseen_leads_by_their_true_chances(small):
    margin = Scorer(small.bundle).margin(LATER)
    best = roc_auc_score(LATER["label"], TRUTH)
    assert roc_auc_score(LATER["label"], margin) - 0.5 > 0.5 * (best - 0.5)


def test_many_rows_of_three_leads_are_too_few_conversions():
    table = with_conversions(25, seed=3)
    won = table["label"].to_numpy() == 1
    leads = np.where(won, np.cumsum(won) % 3, 100 + np.arange(table.num_rows))
    table = table.set_column(1, "lead_id", pa.array([f"L{lead}" for lead in leads]))
    with pytest.raises(TooFewOutcomesError, match=r"3 leads with a positive row.*at least 10"):
        train(table, SPECS, QUICK, horizon_days=14.0)


def test_conversions_that_begin_in_the_stop_slice_are_enough():
    """The train slice alone holds none: nothing is searched, so train and stop are one slice."""
    table = with_conversions(30, seed=3)
    split = train(table, SPECS, QUICK, horizon_days=14.0).report["split"]
    stop = np.datetime64(split["slices"]["stop"]["first_as_of"])
    early = table["as_of"].to_numpy() < stop
    label = np.where(early, 0.0, table["label"].to_numpy())
    late = table.set_column(3, "label", pa.array(label))
    report = train(late, SPECS, QUICK, horizon_days=14.0).report
    assert report["split"]["slices"]["train"]["positives"] == 0
    assert report["small_history"]


@pytest.mark.slow
@pytest.mark.parametrize("conversions", [10, 20, 30])
def test_the_90_percent_interval_covers_the_true_chances_of_unseen_leads(conversions):
    covered = []
    for seed in range(12):
        try:
            bundle = train(with_conversions(conversions, seed=seed), SPECS, QUICK, horizon_days=14.0).bundle
        except TooFewOutcomesError:
            continue  # no conversion in a slice: nothing is published
        scores = Scorer(bundle).score(LATER)
        covered.append(((scores.low <= TRUTH) & (scores.high >= TRUTH)).mean())
    assert len(covered) >= 6
    assert 0.80 <= np.mean(covered) <= 0.97, covered
