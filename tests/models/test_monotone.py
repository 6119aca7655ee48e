"""A feature that is held never moves the margin the other way: trees, linear part and their blend."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.catalogue import FeatureSpec
from models.fitting.blend import Ensemble
from models.fitting.classifier import SHAPES, Rows, fit
from models.fitting.linear import VALUE, fit_linear
from models.fitting.monotone import MONOTONE, directions, promised
from models.fitting.options import TrainOptions
from models.fitting.search import Choice, Part, fit_choice
from models.matrix import encode
from models.training import train
from models.trees import check_booster

OPTIONS = TrainOptions(bags=1, fewest_bags=1, threads=1, resamples=20, min_category_rows=5)
FREE, HELD, CATEGORY = 0, 1, 3
COLUMNS = 4
VALUES = np.r_[-1e9, np.linspace(-4, 4, 41), 1e9]


def drawn(seed, *, rows=500, nulls=0.1):
    """The chance swings with the held column, and the swing depends on the free column and on a category."""
    random = np.random.default_rng(seed)
    matrix = random.normal(size=(rows, COLUMNS))
    matrix[:, CATEGORY] = random.integers(0, 5, rows)
    margin = 2 * np.sin(2 * matrix[:, HELD] + matrix[:, CATEGORY]) + matrix[:, HELD] * matrix[:, FREE]
    label = (random.uniform(size=rows) < 1 / (1 + np.exp(-margin))).astype(float)
    matrix[random.uniform(size=matrix.shape) < nulls] = np.nan
    return Rows(matrix, label, [CATEGORY])


def steps(margin_of, matrix, column):
    """How the margin of each row changes from one value of a column to the next, all else as it is."""
    found = []
    for value in VALUES:
        asked = matrix.copy()
        asked[:, column] = value
        found.append(margin_of(asked))
    return np.diff(np.array(found), axis=0)


def blend_of(rows, *, shapes=SHAPES, linear_weight=0.25):
    parts = tuple(Part(name, shape, 40, 0.25) for name, shape in shapes.items())
    shaped = tuple(replace(part, shape=replace(part.shape, min_leaf_rows=5)) for part in parts)
    return fit_choice(rows, Choice(shaped, linear_weight, 0.2, None, {}), OPTIONS)


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    signs=st.tuples(st.sampled_from([-1, 1]), st.sampled_from([-1, 0, 1])),
    nulls=st.sampled_from([0.0, 0.1, 0.5]),
)
def test_raising_a_held_feature_never_moves_the_margin_of_a_blend_against_it(seed, signs, nulls):
    held = (signs[1], signs[0], 0, 0)
    rows = replace(drawn(seed, nulls=nulls), directions=held)
    ensemble = Ensemble(blend_of(rows))
    for column in (FREE, HELD):
        assert (held[column] * steps(ensemble.margin, rows.matrix[:60], column) >= 0).all()


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("sign", [-1, 1])
def test_each_shape_of_trees_is_held_and_would_break_the_direction_if_it_were_not(name, sign):
    rows = drawn(1)
    held = Ensemble(blend_of(replace(rows, directions=(0, sign, 0, 0)), shapes={name: SHAPES[name]}))
    free = Ensemble(blend_of(rows, shapes={name: SHAPES[name]}))
    assert (sign * steps(held.margin, rows.matrix, HELD) >= 0).all()
    assert (sign * steps(free.margin, rows.matrix, HELD)).min() < -0.05


def test_some_of_the_rows_are_held_as_all_of_them():
    rows = replace(drawn(1), weight=np.ones(500), directions=(0, 1, 0, 0))
    assert rows.take(slice(0, 5)).directions == (0, 1, 0, 0)


def test_a_held_feature_still_speaks_where_it_may():
    rows = replace(drawn(1), directions=(0, 1, 0, 0))
    assert steps(Ensemble(blend_of(rows)).margin, rows.matrix, HELD).max() > 0.05


@pytest.mark.parametrize(("sign", "kept"), [(1, 1), (-1, 0)])
def test_the_linear_part_drops_the_term_of_a_number_that_goes_the_wrong_way(sign, kept):
    random = np.random.default_rng(0)
    matrix = random.normal(size=(800, COLUMNS))
    label = (random.uniform(size=800) < 1 / (1 + np.exp(-matrix[:, HELD]))).astype(float)
    part = fit_linear(Rows(matrix, label, (), None, (0, sign, 0, 0)), strength=0.2)
    assert ((part.column == HELD) & (part.reads == VALUE)).sum() == kept
    assert (sign * part.coefficient[part.column == HELD] >= 0).all()


def test_after_a_term_is_dropped_the_others_are_fitted_anew():
    """Two columns tell the same, so that one takes the place of the other."""
    random = np.random.default_rng(0)
    truth = random.normal(size=800)
    matrix = np.column_stack([truth, truth + 0.1 * random.normal(size=800)])
    label = (random.uniform(size=800) < 1 / (1 + np.exp(-truth))).astype(float)
    held = fit_linear(Rows(matrix, label, (), None, (-1, 0)), strength=0.2)
    alone = fit_linear(Rows(matrix[:, 1:], label), strength=0.2)
    np.testing.assert_array_equal(held.column, [1])
    np.testing.assert_allclose(held.coefficient, alone.coefficient, atol=1e-9)


def test_a_term_that_turns_wrong_only_after_another_was_dropped_goes_too():
    random = np.random.default_rng(0)
    truth, noise = random.normal(size=(2, 2000))
    matrix = np.column_stack([truth + noise, noise + truth / 3])  # the second corrects the first
    label = (random.uniform(size=2000) < 1 / (1 + np.exp(-2 * truth))).astype(float)
    both, second = (fit_linear(Rows(m, label), strength=1.0) for m in (matrix, matrix[:, 1:]))
    assert both.coefficient[0] > 0 > both.coefficient[1]
    assert second.coefficient[0] > 0
    assert len(fit_linear(Rows(matrix, label, (), None, (-1, -1)), strength=1.0).column) == 0


def test_whether_a_held_number_is_null_is_free_to_speak():
    random = np.random.default_rng(0)
    value = random.normal(size=800)
    is_null = random.uniform(size=800) < 0.5
    label = (random.uniform(size=800) < np.where(is_null, 0.8, 0.2)).astype(float)
    matrix = np.where(is_null, np.nan, value)[:, None]
    part = fit_linear(Rows(matrix, label, (), None, (-1,)), strength=0.2)
    known, unknown = part.margin(np.array([[0.0], [np.nan]]))
    assert unknown > known + 1


def test_the_text_of_held_trees_is_a_sound_booster_without_a_line_of_their_parameters():
    rows = replace(drawn(1), directions=(0, 1, 0, 0))
    for name, shape in SHAPES.items():
        (text,) = fit(rows, shape, trees=5, bags=1, seed=0, threads=1).boosters
        assert check_booster(text, features=COLUMNS) == 5, name
        assert "monotone" not in text


def spec(name, *, stem=None, family="behaviour", kind="number"):
    return FeatureSpec(name, stem or name, family, kind, "{value}")


OPENS_7D, OPENS_30D = (spec(f"opens_{days}d", stem="opens") for days in (7, 30))
SINCE = spec("days_since[form]", family="recency")
LAST = spec("last_kind", family="recency", kind="category")
EVERY = [OPENS_7D, OPENS_30D, SINCE, LAST]


@pytest.mark.parametrize(
    ("asked", "signs"),
    [
        ({}, (0, 0, 0, 0)),
        ({"behaviour": "rising"}, (1, 1, 0, 0)),
        ({"opens": "rising", "behaviour": "falling"}, (1, 1, 0, 0)),
        ({"opens_7d": "falling", "opens": "rising"}, (-1, 1, 0, 0)),
        ({"opens_7d": "free", "behaviour": "rising"}, (0, 1, 0, 0)),
        ({"days_since": "falling"}, (0, 0, -1, 0)),
        ({"days_since[form]": "rising", "days_since": "falling"}, (0, 0, 1, 0)),
        ({"recency": "falling"}, (0, 0, -1, 0)),  # a category has no order
    ],
)
def test_the_name_nearest_to_a_feature_says_its_direction(asked, signs):
    assert directions(EVERY, asked) == signs


def test_a_bundle_names_the_features_that_are_held_and_is_silent_without_any():
    assert promised(EVERY, {"opens": "free"}) == {}
    assert promised(EVERY, {"opens": "rising", "recency": "falling"}) == {
        MONOTONE: {"rising": ["opens_7d", "opens_30d"], "falling": ["days_since[form]"]}
    }


ROWS = 1200
SPECS = [spec("visits"), spec("age"), spec("source", family="fit", kind="category")]


def history():
    """Weekly rows whose chance swings with the visits."""
    random = np.random.default_rng(3)
    visits, age = random.uniform(-3, 3, size=(2, ROWS))
    source = random.choice(["web", "fair"], ROWS)
    margin = 2 * np.sin(2 * visits) + age * (source == "fair")
    nights = np.sort(random.integers(0, 100, ROWS)) * 7
    return pa.table(
        {
            "snapshot_id": np.arange(ROWS),
            "lead_id": [f"lead-{row:05d}" for row in range(ROWS)],
            "as_of": (np.datetime64("2024-01-01") + nights).astype("datetime64[us]"),
            "label": (random.uniform(size=ROWS) < 1 / (1 + np.exp(-margin))).astype(float),
            "visits": visits,
            "age": age,
            "source": source,
        }
    )


@pytest.mark.parametrize(("asked", "is_held"), [({}, False), ({"visits": "rising"}, True)])
def test_a_training_holds_the_features_that_it_is_asked_to_hold(asked, is_held):
    rows = history()
    trained = train(rows, SPECS, replace(OPTIONS, most_trees=60, monotone=asked), horizon_days=28.0)
    for bundle in (trained.bundle, trained.first_bundle):
        matrix = encode(rows, bundle.encoding)[:200]
        found = steps(Ensemble(bundle.target.blend).margin, matrix, bundle.encoding.names.index("visits"))
        assert (found >= 0).all() == is_held
        assert (MONOTONE in bundle.extras) == is_held
