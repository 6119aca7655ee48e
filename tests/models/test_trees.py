"""A booster that is not made of sound trees is refused before LightGBM reads it."""

import re

import numpy as np
import pytest

from features.errors import ModelError
from models.fitting.blend import Blend, Ensemble
from models.fitting.classifier import DEEP, SHALLOW, Rows, fit
from models.trees import check_booster

RANDOM = np.random.default_rng(0)


@pytest.fixture(scope="module")
def text():
    matrix = np.column_stack([RANDOM.normal(size=600), RANDOM.integers(0, 8, 600), RANDOM.normal(size=600)])
    label = (matrix[:, 0] + 2 * (matrix[:, 1] % 3 == 0) + RANDOM.normal(size=600) > 1).astype(float)
    return fit(Rows(matrix, label, [1]), DEEP, trees=5, bags=1, seed=0, threads=1).boosters[0]


def resized(text):
    """The text with tree sizes that fit its trees, as an insider would leave it."""
    head, body = text.split("\n\n", 1)
    trees = re.split(r"(?m)^(?=Tree=)", body.removesuffix("end of trees\n"))[1:]
    sizes = " ".join(str(len(tree)) for tree in trees)
    return re.sub(r"tree_sizes=.*", f"tree_sizes={sizes}", head) + "\n\n" + body


def changed(text, key, place, value):
    """The text with one number of the first tree that has the line replaced."""

    def swap(match):
        parts = match.group(1).split(" ")
        parts[place] = value
        return f"\n{key}=" + " ".join(parts) + "\n"

    found = re.sub(rf"\n{key}=(\S.*)\n", swap, text, count=1)
    assert found != text
    return resized(found)


def test_a_sound_booster_passes_with_its_number_of_trees(text):
    assert check_booster(text, features=3) == 5


def test_the_helper_that_repairs_sizes_changes_nothing_else(text):
    assert resized(text) == text


@pytest.mark.parametrize(
    ("key", "place", "value", "why"),
    [
        ("left_child", 0, "0", "circle"),
        ("left_child", 1, "0", "circle"),
        ("right_child", 0, "99999", "out of range"),
        ("right_child", 0, "-99999", "out of range"),
        ("left_child", 0, "-1", "circle|not reach"),
        ("split_feature", 0, "3", "does not exist"),
        ("split_feature", 0, "-1", "does not exist"),
        ("leaf_value", 0, "nan", "numbers it should"),
        ("leaf_value", 0, "1e999", "not finite"),
        ("threshold", 0, "nan", "numbers it should"),
        ("threshold", 0, "-inf", "numbers it should"),
        ("leaf_value", 0, "inf", "numbers it should"),
        ("decision_type", 0, "64", "kind of split"),
        ("cat_boundaries", 1, "4000000", "whole numbers"),
        ("cat_threshold", 0, "99999999999", "overlap"),
        ("num_leaves", 0, "100000", "unknown ones"),
        ("num_cat", 0, "7", "sets|whole numbers|unknown ones"),
        ("is_linear", 0, "1", "unknown ones"),
        ("tree_sizes", 0, "1_0", "."),
    ],
)
def test_one_wrong_number_is_refused(text, key, place, value, why):
    broken = (
        changed(text, key, place, value)
        if key != "tree_sizes"
        else text.replace("tree_sizes=", "tree_sizes=1_")
    )
    with pytest.raises(ModelError, match=why):
        check_booster(broken, features=3)


def test_sizes_that_are_not_those_of_the_trees_are_refused(text):
    wrong = re.sub(r"tree_sizes=(\d+)", lambda m: f"tree_sizes={int(m.group(1)) + 1}", text)
    with pytest.raises(ModelError, match="tree sizes"):
        check_booster(wrong, features=3)


@pytest.mark.parametrize("features", [2, 4])
def test_another_number_of_features_is_refused(text, features):
    with pytest.raises(ModelError, match=f"{features} features"):
        check_booster(text, features=features)


def test_every_truncation_is_refused(text):
    for end in range(0, len(text), 97):
        with pytest.raises(ModelError):
            check_booster(text[:end], features=3)


def test_a_line_more_is_refused(text):
    with pytest.raises(ModelError, match="unknown ones"):
        check_booster(resized(text.replace("is_linear=0\n", "is_linear=0\nleaf_const=1\n", 1)), features=3)


def test_content_after_the_trees_is_refused(text):
    with pytest.raises(ModelError, match="to their end"):
        check_booster(text + "parameters:\n[data: ../../x]\n", features=3)


def test_a_tree_of_one_leaf_passes():
    flat = fit(Rows(np.zeros((60, 2)), np.tile([0.0, 1.0], 30)), SHALLOW, trees=2, bags=1, seed=0, threads=1)
    assert check_booster(flat.boosters[0], features=2) == 1
    assert Ensemble(Blend.mean(flat.boosters)).margin(np.zeros((3, 2))).tolist() == [0, 0, 0]


def test_a_split_that_only_asks_whether_there_is_a_value_passes(text):
    assert check_booster(changed(text, "threshold", 0, "inf"), features=3) == 5
