"""The floor of outcomes: exactly the floor is printed, one fewer is withheld, and so is what nobody knows."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from features.errors import ModelError
from models.bundle import from_files
from models.segments.floor import FLOOR, Floor, counted, floor_of
from tests.serve.small import bundle as small_bundle

FEW, UNKNOWN = "too few outcomes in source", "source unknown to the model"


@pytest.fixture(scope="module")
def bundle():
    return small_bundle()


def drawn(*rows, values=("web", "fair"), least=2):
    """The floor of rows ``value, lead, label``."""
    column, leads, label = zip(*rows, strict=True)
    return counted(
        "source",
        pa.chunked_array([pa.array(column, pa.string())]),
        np.array(label, dtype=float),
        np.array(leads, dtype=object),
        values=values,
        least_outcomes=least,
    )


def test_outcomes_are_leads_of_the_rarer_kind_and_not_their_rows():
    floor = drawn(
        ("web", "a", 1), ("web", "a", 1), ("web", "a", 1),  # three nights of one won lead
        ("web", "b", 0), ("web", "c", 0), ("web", "d", 0),
        ("fair", "e", 1), ("fair", "f", 1), ("fair", "g", 1), ("fair", "h", 0), ("fair", "i", 0),
        (None, "j", 1), (None, "k", 0),
        ("rare", "l", 1), ("rare", "m", 0),  # the encoding does not know this value
    )  # fmt: skip
    assert floor.outcomes == {"web": 1, "fair": 2}
    assert floor.outcomes_without_value == 1


def test_exactly_the_floor_is_published_and_one_fewer_is_withheld():
    column = pa.chunked_array([["web", "fair"], ["web"]])
    assert Floor("source", 5, {"web": 5, "fair": 4}, 0).why_withheld(column).to_pylist() == [None, FEW, None]
    assert Floor("source", 5, {"web": 4, "fair": 5}, 0).why_withheld(column).to_pylist() == [FEW, None, FEW]


def test_a_value_that_training_did_not_know_is_below_the_floor():
    column = pa.chunked_array([["web", "moon"]])
    assert Floor("source", 1, {"web": 9}, 9).why_withheld(column).to_pylist() == [None, UNKNOWN]


@pytest.mark.parametrize(("without", "why"), [(5, None), (4, FEW)])
def test_leads_without_a_value_are_a_segment_of_their_own(without, why):
    column = pa.chunked_array([pa.array([None, "web"], pa.string())])
    assert Floor("source", 5, {"web": 9}, without).why_withheld(column).to_pylist() == [why, None]


def test_no_reason_names_a_value():
    floor = Floor("source", 5, {"web": 4}, 0)
    said = floor.why_withheld(pa.chunked_array([pa.array(["web", "moon", None], pa.string())])).to_pylist()
    assert not any(value in why for why in said for value in ("web", "moon"))


def test_the_floor_comes_back_from_the_bundle_as_it_was(bundle):
    floor = Floor("source", 5, {"web": 90, "fair": 3}, 2)
    kept = from_files(replace(bundle, extras={FLOOR: floor.as_json()}).files())
    assert floor_of(kept) == floor
    assert floor_of(bundle) is None


@pytest.mark.parametrize(
    "damage",
    [
        {"segment_by": "opens_7d"},
        {"segment_by": "owner"},
        {"segment_by": ["source"]},
        {"least_outcomes": None},
        {"least_outcomes": -1},
        {"outcomes": {"web": "9"}},
        {"outcomes": ["web"]},
        {"outcomes_without_value": -1},
        {"more": 1},
    ],
)
def test_a_damaged_floor_is_refused(bundle, damage):
    kept = {**Floor("source", 5, {"web": 90}, 2).as_json(), **damage}
    with pytest.raises(ModelError, match="floor of the model's segments is damaged"):
        floor_of(replace(bundle, extras={FLOOR: kept}))
