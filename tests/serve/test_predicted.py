"""Of two values of one field that both hold, a lead gets the likelier; one that states a value gets none."""

from dataclasses import replace

import numpy as np

from models.calibration import Calibration
from models.further.stated import STATED
from models.further.tags import TAGS, Tag
from models.scoring import Scorer
from serve.predicted import Predictor
from tests.serve.small import bundle, features

TABLE = features(50)
LIKELIER = Calibration((-1.0, 1.0), (1.0, 4.0))


def with_values(small):
    """Two values whose tags hold for every lead, the second likelier."""
    values = [
        replace(small.target, name="role-0"),
        replace(small.target, name="role-1", calibration=LIKELIER),
    ]
    tags = [Tag(f"role: {n}", f"role-{n}", -99.0, 0.5, 0.0, 0.5, 0.8, 40).as_json() for n in (0, 1)]
    stated = {"role": {"field": "role", "targets": ["role-0", "role-1"]}}
    extras = {**small.extras, TAGS: {"shown": tags}, STATED: stated}
    return replace(small, targets=(small.target, *values), extras=extras)


def tags(made, asked):
    return Predictor(made).columns(TABLE, Scorer(made).score(TABLE), asked)["tags"].to_pylist()


def test_a_lead_gets_the_likelier_of_two_values_and_none_where_it_states_one():
    is_silent = np.arange(50) < 30
    found = tags(with_values(bundle()), {"role-0": is_silent, "role-1": is_silent})
    assert found == ["role: 1"] * 30 + [""] * 20


def test_nobody_is_asked_about_a_value_without_knowing_who_states_one():
    assert tags(with_values(bundle()), {}) == [""] * 50


def test_a_tag_below_its_threshold_is_not_replaced_by_a_less_likely_one():
    made = with_values(bundle())
    shown = made.extras[TAGS]["shown"]
    first_only = replace(made, extras={**made.extras, TAGS: {"shown": shown[:1]}})
    everybody = np.ones(50, dtype=bool)
    assert tags(first_only, {"role-0": everybody, "role-1": everybody}) == [""] * 50
