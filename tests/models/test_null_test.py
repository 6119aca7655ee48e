"""Shuffled labels: a pipeline that peeks at the rows it is judged on is refused, an honest one passes."""

import numpy as np
import pytest
from scipy.stats import rankdata
from sklearn.metrics import roc_auc_score
from sklearn.tree import DecisionTreeClassifier

from features.errors import ModelError
from models.fitting.null_test import check_null, null_test, reshuffled

RANDOM = np.random.default_rng(3)
ROWS = 900
LEADS = np.repeat(np.arange(ROWS // 3), 3)
IS_JUDGED = LEADS >= 200
VALUES = RANDOM.normal(size=(ROWS, 6))
VALUES[:, 0] = LEADS  # who it is: the rows of a lead can be learned by heart
LABEL = np.repeat(RANDOM.uniform(size=ROWS // 3) < 0.3, 3).astype(float)
LABEL[::5] = 0.0


def tree(label, rows):
    model = DecisionTreeClassifier(min_samples_leaf=5, random_state=0).fit(VALUES[rows], label[rows])
    return model.predict_proba(VALUES[IS_JUDGED])[:, 1]


def honest(label):
    return tree(label, ~IS_JUDGED)


def peeking(label):
    return tree(label, np.ones(ROWS, dtype=bool))


def peeking_a_little(label):
    """One judged row in ten is among the training rows."""
    return tree(label, ~IS_JUDGED | (np.arange(ROWS) % 10 == 0))


def test_an_honest_pipeline_passes():
    found = check_null(honest, LABEL, LEADS, IS_JUDGED)
    assert len(found.aucs) == 5
    assert found.low <= found.mean <= found.high
    assert found.low < 0.5 < found.high


@pytest.mark.parametrize("fit", [peeking, peeking_a_little])
def test_a_pipeline_that_learns_from_judged_rows_is_refused(fit):
    with pytest.raises(ModelError, match="trained on shuffled labels") as caught:
        check_null(fit, LABEL, LEADS, IS_JUDGED)
    assert caught.value.code == 8


def test_a_pipeline_that_ranks_the_wrong_way_is_refused_too():
    with pytest.raises(ModelError, match="shuffled labels"):
        check_null(lambda label: -peeking(label), LABEL, LEADS, IS_JUDGED)


def test_a_constant_score_tells_nothing_and_passes():
    assert check_null(lambda _: np.zeros(IS_JUDGED.sum()), LABEL, LEADS, IS_JUDGED).aucs == (0.5,) * 5


def test_rows_of_one_lead_are_one_piece_of_evidence():
    """Scores that know the lead and not the label: three like rows of a lead give a wider interval."""
    score = np.repeat(np.random.default_rng(4).normal(size=100), 3)
    by_lead, by_row = (
        null_test(lambda _: score, LABEL, leads, IS_JUDGED) for leads in (LEADS, np.arange(ROWS))
    )
    assert by_lead.high - by_lead.low > 1.3 * (by_row.high - by_row.low)


def test_the_interval_is_that_of_mann_and_whitney_where_every_lead_has_one_row():
    score = np.random.default_rng(5).integers(0, 4, IS_JUDGED.sum()).astype(float)
    found = null_test(lambda _: score, LABEL, np.arange(ROWS), IS_JUDGED)
    n, won = IS_JUDGED.sum(), LABEL[IS_JUDGED].sum()
    ties = np.unique(score, return_counts=True)[1].astype(float)
    variance = (n + 1 - (ties**3 - ties).sum() / (n * (n - 1))) / (12 * won * (n - won))  # Lehmann 1975, 1.4
    half = 2.576 * np.sqrt(variance / 5)
    assert (found.low, found.high) == (
        pytest.approx(0.5 - half, abs=0.12 * half),
        pytest.approx(0.5 + half, abs=0.12 * half),
    )


def test_the_figure_is_scikit_learns():
    seen = []

    def scoring(label):
        seen.append(label[IS_JUDGED])
        return rankdata(VALUES[IS_JUDGED, 1].round(1))

    aucs = null_test(scoring, LABEL, LEADS, IS_JUDGED).aucs
    expected = [roc_auc_score(label, VALUES[IS_JUDGED, 1].round(1)) for label in seen]
    assert aucs == pytest.approx(expected, abs=1e-12)


def test_a_shuffle_keeps_the_counts_of_each_side_and_the_labels_of_a_lead_together():
    seen = []
    null_test(lambda label: seen.append(label) or VALUES[IS_JUDGED, 1], LABEL, LEADS, IS_JUDGED)
    for label in seen:
        assert label[IS_JUDGED].sum() == LABEL[IS_JUDGED].sum()
        assert label[~IS_JUDGED].sum() == LABEL[~IS_JUDGED].sum()
        assert np.mean(label != LABEL) > 0.2
    drawn = reshuffled(np.repeat([1.0, 0.0, 0.0, 0.0], 3), np.repeat([0, 1, 2, 3], 3), RANDOM)
    assert sorted(drawn.reshape(4, 3).sum(axis=1)) == [0, 0, 0, 3]


def test_the_same_seed_gives_the_same_answer():
    assert null_test(honest, LABEL, LEADS, IS_JUDGED) == null_test(honest, LABEL, LEADS, IS_JUDGED)
    assert (
        null_test(honest, LABEL, LEADS, IS_JUDGED).aucs
        != null_test(honest, LABEL, LEADS, IS_JUDGED, seed=1).aucs
    )


def test_judged_rows_of_one_outcome_are_refused():
    with pytest.raises(ModelError, match="one outcome only"):
        check_null(honest, np.where(IS_JUDGED, 0.0, LABEL), LEADS, IS_JUDGED)
