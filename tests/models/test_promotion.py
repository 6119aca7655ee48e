"""The paired test of two models: differences by lead, slices, and the gate that each failing shuts."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import log_loss, roc_auc_score

from features.errors import ParameterError
from models.promoting.gates import Evidence, judge
from models.promoting.paired import Pair, differences, segment_differences
from models.promoting.thresholds import Thresholds
from pipelines.params import parse

RANDOM = np.random.default_rng(3)
LEADS = np.repeat(np.arange(400), 2)
MARGIN = np.repeat(RANDOM.normal(-1, 1.2, 400), 2)
TRUE = 1 / (1 + np.exp(-MARGIN))
LABEL = (RANDOM.uniform(size=800) < TRUE).astype(float)
HALF = np.where(np.arange(800) < 400, "north", "south").astype(object)


def probability(noise, *, shift=0.0, seed=5):
    margin = MARGIN + shift + noise * np.random.default_rng(seed).normal(size=800)
    return 1 / (1 + np.exp(-margin))


def pair(challenger, champion=None):
    champion = probability(0.6) if champion is None else champion
    return Pair(LABEL, champion, challenger, LEADS, {"territory": HALF})


def shut(pair, **known):
    evidence = {
        "questions": ("won within 90 days",) * 2,
        "has_signal": True,
        "churn_share": 0.1,
        "same_reason_share": 0.9,
    }
    limits = Thresholds(**{name: known.pop(name) for name in list(known) if name not in evidence})
    return [gate.name for gate in judge(Evidence(pair=pair, **{**evidence, **known}), limits).shut]


def test_a_better_model_passes_every_gate():
    assert shut(pair(probability(0.3))) == []


def test_the_same_model_passes_every_gate():
    assert shut(pair(probability(0.6))) == []


def test_the_bad_end_of_the_interval_counts_and_not_the_figure():
    hardly_better = pair(probability(0.5, seed=8))
    found = differences(hardly_better, capacity_share=0.2)
    assert found["log_loss"]["difference"] < 0 < found["log_loss"]["high"]
    assert found["capture"]["low"] < 0 <= found["capture"]["difference"]
    strict = {"log_loss_rise_max_share": 0.0, "capture_loss_max_share": 0.0}
    assert shut(hardly_better, **strict) == ["log_loss", "capture"]
    assert shut(hardly_better, log_loss_rise_max_share=1.0, capture_loss_max_share=1.0) == []


def test_a_worse_ranking_shuts_log_loss_and_capture():
    assert {"log_loss", "capture"} <= set(shut(pair(probability(3.0, seed=6))))


def test_a_shifted_level_shuts_calibration_and_leaves_capture():
    names = shut(pair(probability(0.6, shift=1.0)))
    assert {"log_loss", "calibration"} <= set(names)
    assert "capture" not in names


def test_a_model_that_is_worse_in_one_slice_shuts_the_slice():
    worse = np.where(HALF == "south", probability(0.6, shift=1.2), TRUE)
    generous = {"log_loss_rise_max_share": 1.0, "calibration_rise_max_share": 1.0}
    assert shut(pair(worse), **generous) == ["slice"]
    assert shut(pair(worse), **generous, min_slice_outcomes=500) == []  # nothing can be judged


def test_too_few_outcomes_shut_the_evidence_and_nothing_is_measured_on_them():
    few = int(min(LABEL.sum(), 800 - LABEL.sum()))
    assert shut(pair(TRUE), min_outcomes=few) == []
    assert shut(pair(TRUE), min_outcomes=few + 1) == ["evidence"]
    empty = Pair(*(np.empty(0) for _ in range(3)), np.empty(0, np.int64), {})
    assert shut(empty) == ["evidence"]


def test_two_questions_cannot_be_compared():
    questions = ("won within 90 days", "won within 30 days")
    assert shut(pair(TRUE), questions=questions) == ["question"]


@pytest.mark.parametrize(("share", "names"), [(0.5, []), (0.51, ["churn"]), (None, [])])
def test_churn_on_its_boundary(share, names):
    assert shut(pair(TRUE), churn_share=share) == names


@pytest.mark.parametrize(("share", "names"), [(0.3, []), (0.29, ["reasons"]), (None, [])])
def test_equal_reasons_on_their_boundary(share, names):
    assert shut(pair(TRUE), same_reason_share=share) == names


def test_no_reason_opens_the_gate_of_a_model_without_signal():
    evidence = Evidence(pair(TRUE), ("won",) * 2, has_signal=False, churn_share=None, same_reason_share=None)
    verdict = judge(evidence, Thresholds())
    assert [gate.name for gate in verdict.shut] == ["signal"]
    assert not verdict.may_be_forced
    assert judge(replace(evidence, has_signal=True, churn_share=1.0), Thresholds()).may_be_forced


def test_figures_are_scikit_learns_and_the_interval_is_the_bootstrap_of_leads():
    one = pair(probability(0.3))
    found = differences(one, capacity_share=0.2)
    losses = [log_loss(LABEL, chance) for chance in (one.champion, one.challenger)]
    aucs = [roc_auc_score(LABEL, chance) for chance in (one.champion, one.challenger)]
    assert found["log_loss"]["difference"] == pytest.approx(losses[1] - losses[0], abs=1e-12)
    assert found["roc_auc"]["challenger"] == pytest.approx(aucs[1], abs=1e-12)
    drawn = []
    for _ in range(400):
        leads = RANDOM.integers(0, 400, 400)
        rows = np.concatenate([2 * leads, 2 * leads + 1])
        drawn.append(log_loss(LABEL[rows], one.challenger[rows]) - log_loss(LABEL[rows], one.champion[rows]))
    low, high = np.quantile(drawn, [0.025, 0.975])
    assert (found["log_loss"]["low"], found["log_loss"]["high"]) == pytest.approx((low, high), abs=0.006)


def test_like_rows_of_a_lead_do_not_narrow_an_interval():
    once = segment_differences(pair(probability(0.3)), least_outcomes=1)
    fourfold = Pair(
        *(np.tile(values, 4) for values in (LABEL, probability(0.6), probability(0.3), LEADS)),
        {"territory": np.tile(HALF, 4)},
    )
    for one, four in zip(once, segment_differences(fourfold, least_outcomes=1), strict=True):
        assert (one["low"], one["high"]) == pytest.approx((four["low"], four["high"]))
    whole, repeated = (
        differences(p, capacity_share=0.2)["log_loss"] for p in (pair(probability(0.3)), fourfold)
    )
    assert whole == pytest.approx(repeated)


def test_the_slice_in_which_the_challenger_is_surely_worst_comes_first():
    worse = np.where(HALF == "south", probability(0.6, shift=1.2), TRUE)
    first, second = segment_differences(pair(worse), least_outcomes=10)
    assert (first["value"], second["value"]) == ("south", "north")
    assert first["low"] > 0 > second["difference"]


def test_the_parameters_are_the_thresholds_and_keep_their_ranges():
    given = "tables: {leads: {path: leads.csv, outcome_column: won}}\npromotion: {churn_max_share: %s}"
    assert parse(given % 0.25).promotion == Thresholds(churn_max_share=0.25)
    with pytest.raises(ParameterError, match=r"promotion\.churn_max_share.* less than or equal to 1"):
        parse(given % 1.01)
    with pytest.raises(ParameterError, match="did you mean 'churn_max_share'"):
        parse(given.replace("churn_max_share", "churn_max_shar") % 0.25)
