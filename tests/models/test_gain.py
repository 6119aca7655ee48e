"""Which features stay: those with a forward gain that say something new, and all that are not ours."""

import numpy as np
import pyarrow as pa
import pytest

from features.catalogue import FeatureSpec
from models.audit.gain import Limits, with_gain

ROWS = 4000


def spec(name, family="behaviour", kind="number"):
    return FeatureSpec(name, name, family, kind, name + ": {value}")


@pytest.fixture(scope="module")
def world():
    """Columns whose use is known, labels, and the earlier and later half."""
    rng = np.random.default_rng(7)
    strong, weak = rng.normal(size=ROWS), rng.normal(size=ROWS)
    label = (strong + 0.5 * weak + rng.normal(size=ROWS) > 1.5).astype(float)
    is_early = np.arange(ROWS) < ROWS // 2
    table = pa.table(
        {
            "strong": strong,
            "weak": weak,
            "twin": strong * 2 + 0.01 * rng.normal(size=ROWS),
            "noise": rng.normal(size=ROWS),
            # Right in the past and wrong since: only looking forward tells.
            "yesterday": np.where(is_early, label, 1 - label) + 0.1 * rng.normal(size=ROWS),
            "word": np.where(strong + rng.normal(size=ROWS) > 0, "high", "low"),
            "other": strong + weak,
        }
    )
    return table, label, np.flatnonzero(is_early), np.flatnonzero(~is_early)


def kept(world, specs, limits=None):
    return [s.name for s in with_gain(*world, specs, limits or Limits())]


def test_a_feature_that_helps_only_in_the_past_is_left_out(world):
    assert kept(world, [spec("yesterday"), spec("strong")]) == ["strong"]


def test_of_two_that_say_the_same_the_better_stays(world):
    assert kept(world, [spec("twin"), spec("strong"), spec("weak")]) in (["twin", "weak"], ["strong", "weak"])


def test_noise_is_left_out_but_never_a_field_of_the_lead_or_a_feature_of_the_team(world):
    assert kept(world, [spec("noise"), spec("strong")]) == ["strong"]
    own = [spec("noise", "fit"), spec("yesterday", "my_features"), spec("strong")]
    assert kept(world, own) == ["noise", "yesterday", "strong"]


def test_a_category_is_judged_by_its_values(world):
    assert kept(world, [spec("word", kind="category")]) == ["word"]


def test_the_limits_keep_the_best(world):
    specs = [spec("weak"), spec("strong"), spec("other", "generic")]
    assert kept(world, specs, Limits(library=1)) == ["other"]
    assert kept(world, specs, Limits(generic=0)) == ["weak", "strong"]
    assert kept(world, specs, Limits(library=0)) == []


def test_with_too_few_later_outcomes_only_the_generic_features_go(world):
    table, label, earlier, later = world
    specs = [spec("noise"), spec("strong"), spec("other", "generic")]
    few = np.concatenate([later[label[later] > 0][:29], later[label[later] == 0]])
    assert [s.name for s in with_gain(table, label, earlier, few, specs, Limits())] == ["noise", "strong"]
    enough = np.concatenate([later[label[later] > 0][:30], later[label[later] == 0]])
    assert "other" in [s.name for s in with_gain(table, label, earlier, enough, specs, Limits())]
