"""Training is measured forward in time, repeats exactly, and refuses what it cannot learn from."""

import json
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from sklearn.metrics import roc_auc_score

from features.catalogue import FeatureSpec
from features.errors import ModelError, TooFewOutcomesError
from models.fitting.options import TrainOptions
from models.scoring import Scorer
from models.store import load, save
from models.training import train

SPECS = [
    FeatureSpec("opens", "opens", "behaviour", "number", "{value}"),
    FeatureSpec("source", "source", "fit", "category", "{value}"),
    FeatureSpec("fax", "fax", "fit", "number", "{value}"),
]
QUICK = TrainOptions(bags=2, most_trees=80, resamples=20, min_category_rows=5)


def drawn(rows=1500, *, seed=0, flat=False, signal=1.0):
    """Weekly rows whose outcome depends on opens and source."""
    random = np.random.default_rng(seed)
    opens = random.poisson(3, rows).astype(float)
    source = random.choice(["web", "fair", "ad"], rows)
    log_odds = signal * (0.6 * (opens - 3) + 1.5 * (source == "fair")) - 1
    nights = np.zeros(rows, int) if flat else np.sort(random.integers(0, 100, rows)) * 7
    return pa.table(
        {
            "snapshot_id": np.arange(rows),
            "lead_id": [f"lead-{i:05d}" for i in range(rows)],
            "as_of": (np.datetime64("2024-01-01") + nights).astype("datetime64[us]"),
            "order": np.arange(rows, dtype=float),
            "label": (random.uniform(size=rows) < 1 / (1 + np.exp(-log_odds))).astype(float),
            "opens": opens,
            "source": source,
            "fax": np.ones(rows),
        }
    )


ROWS = drawn()


@pytest.fixture(scope="module")
def trained():
    return train(ROWS, SPECS, QUICK, horizon_days=28.0, kinds={"kind": ["email_open"]})


def test_the_figures_are_those_of_the_returned_test_rows(trained):
    test, figures = trained.test, trained.report["metrics"]
    expected = roc_auc_score(test["label"], test["probability"])
    assert figures["roc_auc"]["value"] == pytest.approx(expected)
    assert figures["roc_auc"]["low"] < expected < figures["roc_auc"]["high"]
    assert figures["n"] == test.num_rows == trained.report["split"]["rows"]["test"]


def test_the_test_rows_are_later_than_all_others_by_the_horizon(trained):
    slices = list(trained.report["split"]["slices"].values())
    for earlier, later in pairwise(slices):
        days = np.datetime64(later["first_as_of"]) - np.datetime64(earlier["last_as_of"])
        assert days >= np.timedelta64(28, "D")


def test_it_finds_the_signal_and_measures_a_baseline_on_the_same_rows(trained):
    baseline = trained.report["baselines"]["logistic_regression"]
    assert trained.report["metrics"]["roc_auc"]["value"] > 0.72
    assert baseline["n"] == trained.report["metrics"]["n"]
    assert baseline["roc_auc"]["value"] > 0.72


def test_a_constant_column_is_reported_and_left_out(trained):
    assert trained.report["dropped_columns"] == {"fax": "constant"}
    assert [spec.name for spec in trained.bundle.specs] == ["opens", "source"]


def test_the_same_rows_and_seed_give_the_same_digest_in_any_order_and_on_any_threads(trained):
    shuffled = ROWS.take(np.random.default_rng(1).permutation(ROWS.num_rows))
    columns = shuffled.select(sorted(shuffled.column_names))
    again = train(
        columns,
        SPECS,
        QUICK.__class__(**{**vars(QUICK), "threads": 1}),
        horizon_days=28.0,
        kinds={"kind": ["email_open"]},
    )
    assert again.bundle.digest == trained.bundle.digest
    assert again.report == trained.report


def test_another_seed_gives_another_digest(trained):
    other = TrainOptions(**{**vars(QUICK), "seed": 8})
    assert train(ROWS, SPECS, other, horizon_days=28.0).bundle.digest != trained.bundle.digest


def test_a_saved_model_scores_like_the_trained_one(trained, tmp_path):
    digest = save(trained.bundle, tmp_path / "model")
    loaded, fresh = Scorer(load(tmp_path / "model", digest=digest)), Scorer(trained.bundle)
    for name in ("margin", "probability", "score"):
        np.testing.assert_array_equal(getattr(loaded.score(ROWS), name), getattr(fresh.score(ROWS), name))


def test_probabilities_have_the_level_of_later_rows(trained):
    unseen = drawn(seed=5)
    chance = Scorer(trained.bundle).score(unseen).probability
    assert chance.mean() == pytest.approx(unseen["label"].to_numpy().mean(), abs=0.06)


def test_the_reference_population_is_like_new_rows(trained):
    found = Scorer(trained.bundle).score(drawn(seed=5)).probability
    shares = [0.1, 0.5, 0.9]  # probabilities, not scores: many of these rows are alike and share their score
    expected = np.quantile(trained.bundle.target.reference, shares)
    assert np.quantile(found, shares) == pytest.approx(expected, abs=0.04)


def test_the_report_is_plain_json(trained):
    assert json.loads(json.dumps(trained.report, allow_nan=False)) == trained.report


def test_the_bundle_knows_its_window_horizon_and_kinds(trained):
    bundle = trained.bundle
    assert (bundle.target.name, bundle.target.horizon_days) == ("won-28d", 28.0)
    assert (bundle.window.rows, bundle.window.positives) == (1500, int(ROWS["label"].to_numpy().sum()))
    assert bundle.window.first_as_of.startswith("2024-01-01")
    assert bundle.kinds == {"kind": ("email_open",)}


def test_rows_of_one_moment_are_measured_in_their_order():
    rows = drawn(flat=True)
    found = train(rows, SPECS, QUICK)
    assert found.test["snapshot_id"].to_pylist() == list(range(1200, 1500))
    assert found.bundle.window.first_as_of is None
    assert found.bundle.target.name == "won"
    backwards = train(rows.take(np.arange(1499, -1, -1)), SPECS, QUICK)
    assert backwards.bundle.digest == found.bundle.digest


def with_positives(count):
    label = np.zeros(400)
    label[np.linspace(0, 399, count).astype(int)] = 1
    rows = drawn(400, flat=True)
    return rows.set_column(rows.column_names.index("label"), "label", pa.array(label))


def test_ten_positives_are_enough_and_nine_are_not():
    assert train(with_positives(10), SPECS, QUICK).report["positives"] == 10
    with pytest.raises(TooFewOutcomesError, match="9 positive and 391 negative"):
        train(with_positives(9), SPECS, QUICK)


def test_one_class_is_refused_with_its_counts():
    with pytest.raises(TooFewOutcomesError, match="0 positive and 400 negative"):
        train(with_positives(0), SPECS, QUICK)


def test_a_slice_without_positives_is_refused_by_name():
    label = np.zeros(400)
    label[:30] = 1
    rows = drawn(400, flat=True)
    rows = rows.set_column(rows.column_names.index("label"), "label", pa.array(label))
    with pytest.raises(TooFewOutcomesError, match="the calibrate slice holds 0 positive"):
        train(rows, SPECS, QUICK)


def test_features_that_never_vary_are_refused():
    with pytest.raises(ModelError, match="no feature varies"):
        train(ROWS, SPECS[2:], QUICK)


def test_a_null_label_is_refused():
    label = ROWS["label"].to_pylist()
    label[3] = None
    with pytest.raises(ModelError, match="neither 0 nor 1"):
        train(ROWS.set_column(4, "label", pa.array(label)), SPECS, QUICK)


def test_missing_columns_are_named():
    with pytest.raises(ModelError, match="lack 'label'"):
        train(ROWS.drop_columns(["label"]), SPECS, QUICK)
