"""What would help: one change of the team's own doing, to a value that earlier leads had."""

import dataclasses

import numpy as np
import pyarrow as pa
import pytest

from models import evidence
from models.improvement import best_improvement
from models.matrix import encode
from models.scoring import Scorer
from tests.serve.small import bundle, features

SILENCE = "days_since_last_touch"


@pytest.fixture(scope="module")
def model():
    """A model whose silence is the team's own: the shorter, the better."""
    plain = bundle()
    ours = tuple(
        dataclasses.replace(spec, family="follow_up") if spec.name == SILENCE else spec
        for spec in plain.specs
    )
    table = features(600, seed=1)
    matrix = encode(table, plain.encoding)
    label = (np.arange(600) % 5 == 0).astype(float)
    found = evidence.gather(matrix, label, table.column("lead_id").to_pylist(), plain.encoding)
    return Scorer(dataclasses.replace(plain, specs=ours)), found


def lead(silence: float | None, opens: float = 3.0) -> pa.Table:
    row = features(1)
    for name, value in ((SILENCE, silence), ("opens_7d", opens)):
        row = row.set_column(row.column_names.index(name), name, pa.array([value], pa.float64()))
    return row


def test_a_silent_lead_is_helped_by_a_touch(model):
    found = best_improvement(*model, lead(45.0), floor=1)
    assert found.feature == SILENCE
    assert found.value < 45
    assert found.now == "45 days ago"
    assert found.then == f"{found.value:.0f} days ago"
    before, after = (model[0].score(lead(value)).probability[0] for value in (45.0, found.value))
    assert found.points == pytest.approx(100 * (after - before))


def test_no_other_value_that_leads_had_would_help_more(model):
    best = best_improvement(*model, lead(45.0), floor=1).points
    place = model[0].bundle.encoding.names.index(SILENCE)
    for value in model[1].features[place].middles:
        gain = model[0].score(lead(value)).probability[0] - model[0].score(lead(45.0)).probability[0]
        assert 100 * gain <= best + 1e-9


def test_only_what_the_team_does_is_changed(model):
    """More opened e-mails would help more, but nobody opens them for the lead."""
    assert best_improvement(*model, lead(45.0, opens=0.0), floor=1).feature == SILENCE


def test_a_lead_that_was_touched_today_needs_nothing(model):
    assert best_improvement(*model, lead(0.0), floor=1) is None


def test_a_value_of_too_few_leads_is_not_advised(model):
    assert best_improvement(*model, lead(45.0), floor=10_000) is None


def test_an_unknown_value_has_no_sentence(model):
    found = best_improvement(*model, lead(None), floor=1)
    assert found is None or found.now is None


def test_a_model_without_evidence_advises_nothing():
    assert best_improvement(Scorer(bundle()), evidence.NONE, lead(45.0), floor=1) is None
