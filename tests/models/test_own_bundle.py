"""Models of single values travel in the bundle; one that is damaged, or speaks of nobody, is refused."""

import json
from dataclasses import replace

import pytest

from features.errors import ModelError
from models.bundle import from_files
from models.fitting.blend import Blend, Own
from models.fitting.linear import Linear
from tests.models.test_bundle import edited, signed
from tests.models.test_explaining import LINEAR
from tests.models.test_trees import changed, resized
from tests.serve import small

PLAIN = small.bundle()
FIRST = "boosters/segment-0-0.txt"


def with_own(*own):
    blend = replace(PLAIN.target.blend, own=own)
    return replace(PLAIN, targets=(replace(PLAIN.target, blend=blend),))


def own(code=0, column=1, share=0.5, linear=None):
    blend = Blend(PLAIN.target.blend.boosters, (0.25, 0.75), linear)
    return Own(column, code, share, blend)


BUNDLE = with_own(own(0, share=0.5), own(1, share=1.0, linear=LINEAR))


def test_what_is_loaded_is_what_was_saved():
    files = BUNDLE.files()
    assert {path for path in files if "segment" in path} == {
        f"boosters/segment-{number}-{bag}.txt" for number in (0, 1) for bag in (0, 1)
    }
    loaded = from_files(files)
    assert loaded.files() == files
    one, other = loaded.target.blend.own
    assert one == BUNDLE.target.blend.own[0]
    assert (other.column, other.code, other.share) == (1, 1, 1.0)
    assert isinstance(other.blend.linear, Linear)


def test_a_bundle_from_before_there_were_such_models_is_as_it_was():
    files = PLAIN.files()
    assert "own" not in json.loads(files["model.json"])["targets"][0]
    assert from_files(files).target.blend.own == ()


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        ((own(2),), "a value that its features lack"),  # web and fair are 0 and 1
        ((own(-1),), "a value that its features lack"),
        ((own(0, column=0),), "a value that its features lack"),  # a number
        ((own(0, column=3),), "a value that its features lack"),
        ((own(True),), "a value that its features lack"),  # noqa: FBT003  # what JSON may hold
        ((own(0, share=0.0),), "share"),
        ((own(0, share=1.01),), "share"),
        ((own(0), own(0)), "for the same leads"),
        ((replace(own(), blend=Blend((), ())),), "no margin"),
        ((replace(own(), blend=Blend(PLAIN.target.blend.boosters, (0.5, -0.5))),), "weight is not above 0"),
    ],
)
def test_a_model_for_nobody_or_for_too_much_is_refused(bad, why):
    with pytest.raises(ModelError, match=why):
        from_files(with_own(*bad).files())


@pytest.mark.parametrize(
    "edit",
    [
        lambda target: target["own"][0].pop("share"),
        lambda target: target["own"][0].update(weights=[0.5, 0.25, 0.25]),  # one more than there are trees
        lambda target: target["own"][0].update(weights=[0.5]),  # and one fewer: a file that nobody reads
        lambda target: target.update(own=None),
        lambda target: target.pop("own"),
    ],
)
def test_an_index_that_does_not_fit_the_files_is_refused(edit):
    with pytest.raises(ModelError, match="refused"):
        from_files(edited(BUNDLE, lambda data: edit(data["targets"][0])))


def test_trees_of_a_value_are_walked_before_they_are_read():
    files = BUNDLE.files()
    text = files[FIRST].decode()
    broken = resized(changed(text, "split_feature", 0, "9"))
    with pytest.raises(ModelError, match="a feature that does not exist"):
        from_files(signed({**files, FIRST: broken.encode()}))


def test_a_target_whose_trees_would_have_the_files_of_a_value_is_refused():
    other = replace(PLAIN.target, name="segment-0")
    found = replace(BUNDLE, targets=(*BUNDLE.targets, other))
    with pytest.raises(ModelError, match="two boosters have one file"):
        found.files()
