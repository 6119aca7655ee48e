"""What a bundle keeps of its leads: counts of leads and not of rows, new ones by segment, nothing damaged."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from features.catalogue import FeatureSpec
from features.errors import ModelError
from models import populations
from models.populations import EVERY, NEW_DAYS, POPULATION, SCORE, Population
from models.references import explained_later
from models.scoring import Scorer, standing
from models.training import train
from serve.gates.distances import psi
from tests.models.test_training import QUICK, SPECS, drawn

AGED = [*SPECS, FeatureSpec("lead_age_days", "lead_age_days", "recency", "number", "{value}")]


def rows(count=1500):
    made = drawn(count)
    return made.append_column("lead_age_days", pa.array(np.arange(count) % 100 / 1.0))


@pytest.fixture(scope="module")
def trained():
    made = train(rows(), AGED, QUICK, horizon_days=28.0)
    return populations.with_population(made, explained_later(made), "source")


@pytest.fixture(scope="module")
def kept(trained):
    return populations.kept(trained.bundle.extras)


def test_every_feature_and_the_score_are_counted_in_leads_of_the_later_slices(trained, kept):
    later = len(set(trained.first.history.leads[trained.first.later].tolist()))
    assert set(kept.every) == {*(spec.name for spec in trained.bundle.specs), SCORE}
    for seen in kept.every.values():
        assert seen.counts.sum() == pytest.approx(later, abs=0.6)  # counts are kept to a tenth


def test_scores_are_held_against_the_leads_that_a_score_is_the_standing_among(trained, kept):
    reference, seen = trained.bundle.target.reference, kept.every[SCORE]
    scores = pa.chunked_array([standing(np.asarray(reference), reference)])
    assert psi(seen.counts, seen.cuts.counts(scores)) == pytest.approx(0, abs=1e-6)
    # The model that measured has a curve and trees of its own: by its scores the leads would have moved.
    measured = Scorer(trained.first_bundle).score(trained.first.history.table.take(trained.first.later)).score
    assert psi(seen.counts, seen.cuts.counts(pa.chunked_array([measured]))) > 0.02


def test_new_leads_are_those_of_so_many_days_by_segment(trained, kept):
    history = trained.first.history.table
    is_new = np.asarray(history["lead_age_days"]) <= NEW_DAYS
    source = np.asarray(history["source"])
    assert set(kept.new) == {EVERY, "web", "fair", "ad"}
    for value in ("web", "fair", "ad"):
        assert kept.new[value]["opens"].counts.sum() == pytest.approx(
            (is_new & (source == value)).sum(), abs=0.6
        )
    assert kept.new[EVERY]["opens"].counts.sum() == pytest.approx(is_new.sum(), abs=0.6)


def test_several_rows_of_a_lead_are_one_lead():
    twice = rows(750)
    again = twice.set_column(0, "snapshot_id", pa.array(np.arange(750, 1500)))
    made = train(pa.concat_tables([twice, again]), AGED, QUICK, horizon_days=28.0)
    found = populations.kept(populations.with_population(made, explained_later(made), None).bundle.extras)
    leads = len(set(made.first.history.leads[made.first.later].tolist()))
    assert found.every["opens"].counts.sum() == pytest.approx(leads, abs=0.6)
    assert found.segment_by is None
    assert set(found.new) == {EVERY}


def test_a_history_without_the_age_of_leads_keeps_no_new_ones():
    made = train(drawn(), SPECS, QUICK, horizon_days=28.0)
    found = populations.kept(populations.with_population(made, explained_later(made), "source").bundle.extras)
    assert found.new == {}
    assert "opens" in found.every


def test_it_comes_back_as_it_was_kept(kept):
    again = Population.from_json(kept.as_json())
    assert again.as_json() == kept.as_json()
    assert again.every["opens"].cuts == kept.every["opens"].cuts


def test_a_model_from_before_has_none():
    assert populations.kept({}) is None


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data.pop("every"),
        lambda data: data["every"]["opens"].update(counts="1 2"),
        lambda data: data["every"]["opens"].update(counts="1 -2 nan"),
        lambda data: data["every"]["opens"].update(edges=None, values=None),
    ],
)
def test_a_damaged_one_is_refused(kept, damage):
    data = kept.as_json()
    damage(data)
    with pytest.raises(ModelError, match="damaged"):
        populations.kept({POPULATION: data})


def test_a_bundle_with_it_is_loaded_bit_for_bit(trained):
    from models.bundle import from_files

    again = from_files(trained.bundle.files())
    assert again.digest == trained.bundle.digest
    assert replace(again, extras={}).fingerprint == trained.bundle.fingerprint
