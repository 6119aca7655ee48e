"""How far leads have moved, on drawn runs: nothing where nothing moved, and the right thing first."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from models.populations import EVERY, SCORE
from serve.monitoring import alarms, drift
from serve.monitoring.bins import MISSING, bins, merged
from serve.monitoring.drift import Features
from serve.monitoring.figure import LAST_WEEK, TRAINING, Figure
from serve.monitoring.limits import DriftLimits
from serve.monitoring.newcomers import Asked, newcomers
from serve.monitoring.summary import summary
from tests.serve.monitoring.watched import NAMES, WEIGHTS, leads, population, published

FEATURES = Features(NAMES, WEIGHTS)
ASKED = Asked(min_leads=20, false_alarms=0.01)


@pytest.fixture(scope="module")
def known():
    return population()


def psi_of(figures, subject, kind="drift"):
    return next(f.value for f in figures if (f.kind, f.subject, f.measure) == (kind, subject, "psi"))


def set_column(rows, name, values):
    return rows.set_column(rows.schema.get_field_index(name), name, pa.array(values))


def test_leads_like_those_of_the_training_have_not_moved(tmp_path, known):
    view = published(tmp_path, leads(800, 2))
    found = list(drift.against_training(view, known, FEATURES))
    assert max(f.value for f in found if f.measure == "psi") < 0.03
    assert not alarms.ordered(alarms.levelled(found, DriftLimits()))


def test_a_number_that_doubled_has_moved_and_alone(tmp_path, known):
    rows = leads(800, 2)
    view = published(tmp_path, set_column(rows, "visits", 2 * np.asarray(rows["visits"])))
    found = list(drift.against_training(view, known, FEATURES))
    assert psi_of(found, "visits") > 0.5
    assert psi_of(found, "email_kind") < 0.03


def test_each_share_is_told_beside_that_of_the_reference(tmp_path, known):
    rows = leads(400, 2)
    half = pa.array([None if place % 2 else value for place, value in enumerate(rows["visits"].to_pylist())])
    view = published(tmp_path, set_column(rows, "visits", half))
    nulls = next(
        f
        for f in drift.against_training(view, known, FEATURES)
        if (f.subject, f.measure) == ("visits", "null_share")
    )
    assert (nulls.value, nulls.against, nulls.rows) == (0.5, 0.0, 400)


def test_a_category_that_training_did_not_know_is_counted(tmp_path, known):
    rows = leads(400, 2)
    texts = ["proxy" if place % 4 == 0 else text for place, text in enumerate(rows["email_kind"].to_pylist())]
    view = published(tmp_path, set_column(rows, "email_kind", texts))
    unseen = [f for f in drift.against_training(view, known, FEATURES) if f.measure == "unseen_share"]
    assert [(f.subject, f.value, f.against) for f in unseen] == [("email_kind", 0.25, 0.0)]


def test_last_week_is_compared_with_its_own_bins_and_scores_only_of_one_model(tmp_path):
    view, before = (
        published(tmp_path / "a", leads(500, 2)),
        published(tmp_path / "b", leads(500, 3), days_before=7),
    )
    other = published(tmp_path / "c", leads(500, 3), days_before=7, digest="another")
    subjects = [{f.subject for f in drift.against_last_week(view, old, FEATURES)} for old in (before, other)]
    assert subjects == [{*NAMES, "score"}, {*NAMES}]


def test_all_features_together_are_the_mean_weighted_by_what_they_move():
    figures = [
        Figure("drift", "a", "psi", 0.4, reference=TRAINING, weight=0.75),
        Figure("drift", "b", "psi", 0.0, reference=TRAINING, weight=0.25),
        Figure("drift", "a", "psi", 9.0, reference=LAST_WEEK, weight=0.75),
        Figure("score", "score", "psi", 9.0, reference=TRAINING, weight=1.0),
    ]
    (whole,) = drift.whole(figures, TRAINING)
    assert (whole.subject, whole.value) == ("model", pytest.approx(0.3))


def test_the_share_of_a_feature_is_that_of_its_mean_absolute_contributions(tmp_path):
    view = published(tmp_path, leads(50, 2))
    assert view.importance(NAMES) == pytest.approx(WEIGHTS)


def test_a_source_that_turned_bad_is_named_with_the_feature_that_it_shows_in(tmp_path, known):
    view = published(tmp_path, leads(300, 4, bad="tv"))
    found = alarms.ordered(alarms.levelled(newcomers(view, known, FEATURES, ASKED), DriftLimits()))
    assert (found[0].slice, found[0].subject, found[0].level) == ("source=tv", "email_kind", "alarm")
    others = {(f.slice, f.subject) for f in found[1:]}
    assert others <= {("", "email_kind")}  # the bad ones are among all new leads, too


def test_new_leads_like_those_of_training_are_rarely_named(tmp_path, known):
    named = 0
    for seed in range(10, 40):
        view = published(tmp_path / str(seed), leads(150, seed))
        named += bool(alarms.ordered(alarms.levelled(newcomers(view, known, FEATURES, ASKED), DriftLimits())))
    assert named <= 2  # one night in a hundred; more than two of thirty come once in three hundred times


def test_of_features_that_the_ranking_hardly_uses_nothing_is_asked(tmp_path, known):
    view = published(tmp_path, leads(300, 4))
    for least, is_asked in ((0.3, True), (0.3001, False)):  # the share of email_kind is 0.3
        subjects = {f.subject for f in newcomers(view, known, FEATURES, Asked(20, 0.01, least))}
        assert ("email_kind" in subjects) is is_asked
    assert not list(newcomers(view, known, FEATURES, Asked(20, 0.01, least_share=0.7)))  # of none at all


def test_only_leads_of_the_last_two_weeks_are_new(tmp_path, known):
    view = published(tmp_path, leads(300, 4, bad="tv", days=400))
    few = [f.rows for f in newcomers(view, known, FEATURES, Asked(1, 0.01)) if f.slice == ""]
    assert 0 < max(few) < 30


def test_a_segment_with_too_few_new_leads_is_not_asked(tmp_path, known):
    view = published(tmp_path, leads(300, 4))
    tv = sum(source == "tv" for source in leads(300, 4)["source"].to_pylist())
    for least, is_asked in ((tv, True), (tv + 1, False)):
        slices = {f.slice for f in newcomers(view, known, FEATURES, Asked(least, 0.01))}
        assert ("source=tv" in slices) is is_asked


def test_the_picture_behind_an_alarm_has_both_shares_of_every_bin(tmp_path, known):
    view = published(tmp_path, leads(300, 4, bad="tv"))
    figures = alarms.ordered(alarms.levelled(newcomers(view, known, FEATURES, ASKED), DriftLimits()))
    rows = [row for row in bins(view, known, figures).to_pylist() if row["slice"] == "source=tv"]
    drawn = {row["bin"]: (row["before"], row["now"]) for row in rows}
    assert drawn["free"] == (pytest.approx(0.2, abs=0.04), pytest.approx(0.9, abs=0.1))
    assert sum(now for _, now in drawn.values()) == pytest.approx(1)


def test_bins_of_a_number_are_named_by_their_ends(known):
    seen = known.every["visits"]
    named = [name for name, *_ in merged(seen.cuts, np.ones(seen.cuts.bins), np.zeros(seen.cuts.bins))]
    assert (named[0], named[-1]) == ("< 1", MISSING)
    assert {"1", "1 - 2", "2"} <= set(named)


def test_the_few_figures_that_are_followed_are_named_with_their_reference(tmp_path, known):
    view = published(tmp_path, leads(300, 4, bad="tv"))
    found = [*drift.against_training(view, known, FEATURES), *newcomers(view, known, FEATURES, ASKED)]
    told = summary(alarms.levelled([*found, *drift.whole(found, TRAINING)], DriftLimits()))
    assert told["alarms|"] == 1
    assert {"model_drift|training", "worst_drift|training", "score_drift|training"} <= set(told)
    assert told["newcomers|training"] > DriftLimits().matters


def test_the_population_of_the_tests_is_one_that_a_bundle_could_keep(known):
    from models.populations import Population

    again = Population.from_json(known.as_json())
    assert again.as_json() == known.as_json()
    assert again.new[EVERY].keys() == set(NAMES)
    assert SCORE in again.every
