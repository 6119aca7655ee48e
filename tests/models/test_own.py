"""A value gets a model of its own where later leads are surely better served by it, and nowhere else."""

import json
from dataclasses import replace
from types import SimpleNamespace

import lightgbm
import numpy as np
import pyarrow as pa
import pytest
import shap
from sklearn.metrics import log_loss, roc_auc_score

from features.catalogue import FeatureSpec
from models.blend_contributions import BlendKernel
from models.explaining import Explainer
from models.fitting.blend import Blend, Ensemble, Own
from models.fitting.classifier import SHALLOW, Rows, fit
from models.fitting.options import TrainOptions
from models.fitting.search import Choice, OwnChoice, fit_choice
from models.fitting.small import small_choice
from models.fitting.split import Split
from models.matrix import Encoding, encode
from models.scoring import Scorer
from models.segments.own import moved
from models.segments.trials import FEW, FEW_LATER, FEWEST_JUDGED, Trials
from models.store import load, save
from models.training import train

NAMES = [f"x{number:02}" for number in range(16)]
SPECS = [
    *(FeatureSpec(name, name, "fit", "number", "{value}") for name in NAMES),
    FeatureSpec("source", "source", "fit", "category", "{value}"),
]
QUICK = TrainOptions(bags=1, most_trees=60, resamples=40)
BY_SOURCE = replace(QUICK, own_by="source")


def world(rows=2000, *, fair=-1.0, seed=0):
    """Leads from web or fair, in order; what counts once for one from the web counts ``fair`` times there."""
    random = np.random.default_rng(seed)
    values = random.normal(size=(rows, len(NAMES)))
    source = random.choice(["web", "fair"], rows)
    effects = np.where(np.arange(len(NAMES)) % 2, 0.35, -0.35)
    log_odds = np.where(source == "fair", fair, 1.0) * (values @ effects) - 0.5
    return pa.table(
        {
            "snapshot_id": np.arange(rows),
            "lead_id": [f"lead-{row:05}" for row in range(rows)],
            "as_of": np.full(rows, np.datetime64("2024-01-01", "us")),
            "order": np.arange(rows, dtype=float),
            "label": (random.uniform(size=rows) < 1 / (1 + np.exp(-log_odds))).astype(float),
            **dict(zip(NAMES, values.T, strict=True)),
            "source": source,
        }
    )


@pytest.fixture(scope="module")
def opposite():
    return train(world(), SPECS, BY_SOURCE)


@pytest.fixture(scope="module")
def alike():
    return train(world(fair=1.0), SPECS, BY_SOURCE)


def values(trained):
    return {found["value"]: found for found in trained.report["segment_models"]["values"]}


# ── where it pays, and where not ─────────────────────────────────────────────────────────────────


def test_where_effects_are_opposite_a_value_has_its_own_model_and_later_leads_are_better_served(opposite):
    used = {value: found for value, found in values(opposite).items() if found["share"]}
    assert used
    for found in used.values():
        assert found["why"] == "surely better"
        assert found["calibrate"]["high"] < 0
        assert found["test"]["difference"] < 0  # rows that decided nothing
    whole = opposite.report["segment_models"]["whole"]
    assert whole["log_loss"]["high"] < 0
    assert whole["roc_auc"]["low"] > 0
    assert len(opposite.bundle.target.blend.own) == len(opposite.first_bundle.target.blend.own) == len(used)


def test_where_one_model_is_right_the_bundle_is_that_of_one_model_byte_for_byte(alike):
    assert {found["share"] for found in values(alike).values()} == {0.0}
    assert alike.report["segment_models"]["whole"] is None
    plain = train(world(fair=1.0), SPECS, QUICK)
    assert plain.report["segment_models"] is None
    assert alike.bundle.digest == plain.bundle.digest
    assert alike.report["metrics"] == plain.report["metrics"]
    assert "own" not in json.loads(plain.bundle.files()["model.json"])["targets"][0]


def test_the_metrics_are_those_of_the_model_with_its_own_parts(opposite):
    test = opposite.test
    auc = roc_auc_score(test["label"], test["probability"])
    assert opposite.report["metrics"]["roc_auc"]["value"] == pytest.approx(auc)
    assert opposite.report["segment_models"]["whole"]["roc_auc"]["challenger"] == pytest.approx(auc)


def test_the_figures_of_a_value_are_those_of_its_later_leads(opposite):
    first, trained = opposite.first, opposite.first_bundle
    rows = first.split["test"]
    plain = replace(trained, targets=(replace(trained.target, blend=replace(trained.target.blend, own=())),))
    table, label = first.history.table.take(rows), first.history.label[rows]
    for value, found in values(opposite).items():
        its = np.asarray(table["source"].to_pylist()) == value
        margin = Scorer(plain).margin(table)[its]
        assert found["test"]["rows"] == its.sum()
        assert found["test"]["positives"] == label[its].sum()
        assert found["test"]["pooled_auc"] == pytest.approx(roc_auc_score(label[its], margin))
        if found["share"]:
            tried = Scorer(trained).margin(table)[its]
            assert found["test"]["tried_auc"] == pytest.approx(roc_auc_score(label[its], tried))
        part = found["test"]
        assert part["tried"] - part["pooled"] == pytest.approx(part["difference"])


def test_a_column_that_the_model_does_not_read_leaves_one_model():
    found = train(world(600), SPECS, replace(QUICK, own_by="territory")).report["segment_models"]
    assert found == {"by": "territory", "min_outcomes": 100, "values": [], "whole": None}


def test_the_same_rows_give_the_same_digest_on_any_threads(opposite):
    again = train(world(), SPECS, replace(BY_SOURCE, threads=1))
    assert again.bundle.digest == opposite.bundle.digest
    assert again.report == opposite.report


# ── who is compared at all ───────────────────────────────────────────────────────────────────────


def drawn(train_won, train_lost, later_won, later_lost):
    """Trials of one source with so many won and lost leads in the train and in the calibrate slice."""
    counts = [(1.0, train_won), (0.0, train_lost), (1.0, later_won), (0.0, later_lost)]
    label = np.concatenate([np.full(count, won) for won, count in counts] + [[0.0, 1.0]])
    rows, early = len(label), train_won + train_lost
    later = rows - 2
    split = Split(
        {
            "train": np.arange(early),
            "stop": np.arange(0),
            "calibrate": np.arange(early, later),
            "test": np.arange(later, rows),
        },
        (0.0, 0.0, 0.0),
        0.0,
        0,
    )
    encoding = Encoding(("source",), ("category",), {"source": ("web",)}, {})
    history = SimpleNamespace(label=label, leads=np.array([f"L{n}" for n in range(rows)], dtype=object))
    pooled = SimpleNamespace(
        encoding=encoding,
        known=Rows(np.zeros((early, 1)), label[:early]),
        unseen=np.zeros((rows - early, 1)),
    )
    return Trials.of(pooled, history, split, TrainOptions(own_by="source", own_min_outcomes=30))


def test_exactly_the_outcomes_that_are_asked_for_are_enough_and_one_fewer_is_not():
    assert "why" not in drawn(30, 40, 20, 25).counted(0)
    assert drawn(30, 40, 20, 25).counted(0) == {"leads": 70, "wins": 30, "share": 0.0}
    assert drawn(29, 40, 20, 25).counted(0)["why"] == FEW
    assert drawn(40, 29, 20, 25).counted(0)["why"] == FEW
    assert FEWEST_JUDGED == 20
    assert drawn(30, 40, 19, 25).counted(0)["why"] == FEW_LATER
    assert drawn(30, 40, 25, 19).counted(0)["why"] == FEW_LATER


def test_outcomes_are_leads_and_not_their_rows():
    trials = drawn(30, 40, 20, 25)
    trials.history.leads[1] = trials.history.leads[0]
    assert trials.counted(0)["why"] == FEW


def test_of_a_value_that_a_later_encoding_lacks_nothing_is_fitted():
    before = Encoding(("x", "source"), ("number", "category"), {"source": ("web", "fair")}, {})
    after = Encoding(("source", "x"), ("category", "number"), {"source": ("fair", "ad")}, {})
    plain = Choice((), 1.0, 0.02, None, {})
    own = (OwnChoice(1, 0, 1.0, plain), OwnChoice(1, 1, 0.5, plain))
    found = moved(replace(plain, own=own), before, after)
    assert found.own == (OwnChoice(0, 0, 0.5, plain),)


def test_half_of_the_leads_with_hardly_an_outcome_of_a_value_are_fitted_without_its_own():
    random = np.random.default_rng(0)
    matrix = np.column_stack([random.normal(size=400), np.repeat([0.0, 1.0], 200)])
    label = (matrix[:, 0] + random.normal(size=400) > 0).astype(float)
    label[200:] = np.arange(200) < 9
    rows = Rows(matrix, label, [1])
    plain = small_choice(rows, QUICK)
    choice = replace(plain, own=(OwnChoice(1, 0, 1.0, plain), OwnChoice(1, 1, 1.0, plain)))
    assert [own.code for own in fit_choice(rows, choice, QUICK).own] == [0]
    label[209] = 1.0
    assert [own.code for own in fit_choice(rows, choice, QUICK).own] == [0, 1]


# ── what the margin of a lead is, and why ────────────────────────────────────────────────────────


def boosters(seed):
    """Two boosters on a number and a category of three values."""
    random = np.random.default_rng(seed)
    matrix = np.column_stack([random.normal(size=500), random.integers(0, 3, 500)])
    label = (matrix[:, 0] * (seed - 1) + random.normal(size=500) > 0.3 * seed).astype(float)
    return fit(Rows(matrix, label, [1]), SHALLOW, trees=8, bags=2, seed=seed, threads=1).boosters


POOLED, OWN = boosters(0), boosters(3)
BLEND = Blend(POOLED, (0.4, 0.6), own=(Own(1, 2, 0.25, Blend(OWN, (0.5, 0.5))),))
MATRIX = np.column_stack(
    [np.random.default_rng(9).normal(size=60), np.tile([0.0, 1.0, 2.0, 3.0, np.nan], 12)]
)


def raw(text):
    return lightgbm.Booster(model_str=text).predict(MATRIX, raw_score=True)


def test_only_rows_of_the_value_hear_its_own_model_by_its_share():
    pooled = 0.4 * raw(POOLED[0]) + 0.6 * raw(POOLED[1])
    own = 0.5 * raw(OWN[0]) + 0.5 * raw(OWN[1])
    its = MATRIX[:, 1] == 2
    assert its.sum() == 12
    found = Ensemble(BLEND).margin(MATRIX)
    np.testing.assert_allclose(found[its], 0.75 * pooled[its] + 0.25 * own[its], rtol=0, atol=1e-12)
    np.testing.assert_allclose(found[~its], pooled[~its], rtol=0, atol=1e-12)
    assert np.abs(found[its] - pooled[its]).min() > 1e-3


def test_contributions_blend_as_the_margins_do_and_the_category_says_how_the_value_differs():
    values, base = BlendKernel(BLEND, threads=1).contributions(MATRIX)
    told = [shap.TreeExplainer(lightgbm.Booster(model_str=text))(MATRIX) for text in (*POOLED, *OWN)]
    shares = np.array([0.4, 0.6, 0.0, 0.0])
    assert base == pytest.approx(shares @ [one.base_values[0] for one in told], abs=1e-9)
    its = MATRIX[:, 1] == 2
    expected = np.tensordot(shares, [one.values for one in told], 1)
    mixed = np.tensordot([0.3, 0.45, 0.125, 0.125], [one.values for one in told], 1)
    own_base = (told[2].base_values[0] + told[3].base_values[0]) / 2
    mixed[:, 1] += 0.25 * (own_base - base)
    np.testing.assert_allclose(values, np.where(its[:, None], mixed, expected), rtol=0, atol=1e-9)
    np.testing.assert_allclose(base + values.sum(axis=1), Ensemble(BLEND).margin(MATRIX), rtol=0, atol=1e-9)


def test_the_parts_of_a_margin_disagree_around_it_by_how_much_they_count():
    parts = np.stack([raw(text) for text in (*POOLED, *OWN)])
    its = (MATRIX[:, 1] == 2)[:, None]
    weights = np.where(its, [0.3, 0.45, 0.125, 0.125], [0.4, 0.6, 0.0, 0.0]).T
    middle = (weights * parts).sum(axis=0)
    expected = (weights * (parts - middle) ** 2).sum(axis=0)
    np.testing.assert_allclose(Ensemble(BLEND).disagreement(MATRIX), expected, rtol=0, atol=1e-12)


def test_a_saved_model_scores_and_explains_every_lead_as_the_trained_one(opposite, tmp_path):
    rows = world(500, seed=5)
    source = [None, "expo", *rows["source"].to_pylist()[2:]]  # none, and one that nobody has seen
    rows = rows.set_column(rows.column_names.index("source"), "source", pa.array(source))
    digest = save(opposite.bundle, tmp_path / "model")
    loaded = load(tmp_path / "model", digest=digest)
    assert loaded.digest == digest
    explained = Explainer(loaded, threads=1).explain(rows)
    np.testing.assert_array_equal(explained.scores.margin, Scorer(opposite.bundle).margin(rows))
    plain = Ensemble(replace(opposite.bundle.target.blend, own=()))
    apart = explained.scores.margin - plain.margin(encode(rows, loaded.encoding))
    own = {loaded.encoding.categories["source"][one.code] for one in loaded.target.blend.own}
    assert np.asarray([name in own for name in source]).tolist() == (apart != 0).tolist()
    label = rows["label"].to_numpy()
    assert log_loss(label, explained.scores.probability) < 0.65
