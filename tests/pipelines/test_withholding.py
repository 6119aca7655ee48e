"""Which history decides whose probability is withheld, and which names may tell leads apart."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest

from features.catalogue import FeatureSpec
from features.errors import ParameterError
from models.fitting.rows import History
from models.fitting.split import Split
from models.further.first_pass import FirstPass
from models.segments.floor import FLOOR, floor_of
from models.training import Trained
from pipelines import withholding
from pipelines.sections import Train
from tests.serve.small import SPECS
from tests.serve.small import bundle as small_bundle

# slice, source, label: one lead a row
DRAWN = [
    ("train", "web", 1), ("train", "web", 1), ("train", "fair", 1), ("stop", "fair", 1),
    ("train", "web", 0), ("stop", "fair", 0),
    ("calibrate", "web", 1), ("calibrate", "web", 0), ("calibrate", "fair", 1), ("calibrate", None, 0),
    ("test", "web", 1), ("test", "web", 0), ("test", "fair", 0), ("test", None, 1), ("test", "rare", 1),
]  # fmt: skip


@pytest.fixture(scope="module")
def trained():
    """A training of ``DRAWN`` with the encoding of the small bundle: it knows web and fair."""
    slices, source, label = zip(*DRAWN, strict=True)
    start = datetime(2026, 1, 1, tzinfo=UTC)
    rows = pa.table(
        {
            "snapshot_id": np.arange(len(DRAWN)),
            "lead_id": [f"L{row}" for row in range(len(DRAWN))],
            "as_of": pa.array([start + timedelta(days=row) for row in range(len(DRAWN))]),
            "label": label,
            "source": pa.array(source, pa.string()),
        }
    )
    names = ("train", "stop", "calibrate", "test")
    places = {name: np.flatnonzero(np.array(slices) == name) for name in names}
    bundle = small_bundle()
    split = Split(places, (0.0, 0.0, 0.0), 0.0, 0)
    curve = bundle.target.calibration
    first = FirstPass(History.of(rows), split, np.zeros(len(DRAWN)), curve, bundle.encoding)
    return Trained(replace(bundle, extras={"kept": 1}), {}, rows, first, bundle)


def test_only_outcomes_of_the_later_slices_count(trained):
    held, floor = withholding.with_floor(trained, Train(segment_outcomes=3))
    assert floor.outcomes == {"web": 2, "fair": 1}
    assert (floor.outcomes_without_value, floor.least_outcomes) == (1, 3)
    assert floor_of(held.bundle) == floor
    assert set(held.bundle.extras) == {"kept", FLOOR}


@pytest.mark.parametrize("name", [None, "owner", "opens_7d"])
def test_without_a_category_that_the_model_reads_nothing_is_withheld(trained, name):
    held, floor = withholding.with_floor(trained, Train(segment_by=name))
    assert floor is None
    assert held.bundle.extras == {"kept": 1}


def test_the_usual_segment_may_be_absent_and_none_is_a_choice():
    others = [spec for spec in SPECS if spec.name != "source"]
    withholding.check(Train(), others)
    withholding.check(Train(segment_by=None), others)
    withholding.check(Train(segment_by="source"), SPECS)


def test_a_segment_that_nothing_has_is_refused_with_the_nearest_name():
    specs = (*SPECS, FeatureSpec("territory", "territory", "fit", "category", "in {value}"))
    with pytest.raises(ParameterError, match="'teritory', which is no category of the leads") as refused:
        withholding.check(Train(segment_by="teritory"), specs)
    assert "did you mean 'territory'?" in refused.value.hint
    with pytest.raises(ParameterError, match="'opens_7d'"):  # a number has no segments
        withholding.check(Train(segment_by="opens_7d"), specs)
