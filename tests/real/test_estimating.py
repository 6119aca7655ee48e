"""Estimated against realised ROC-AUC, on calls in order of time and on weekly lists of a CRM.

The bar of issue 9: a mean distance of at most 0.03; what was measured is printed (``pytest -s``).
"""

from __future__ import annotations

import pytest

from tests.benches.estimating import NIGHTS, PARTS, bank, demo, gaps, summary

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1200),
    # mlflow and its dependencies warn about themselves while they are imported.
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning"),
]
BAR = 0.03
QUARTERS = 4  # of ten thousand calls: their realised area is known to 0.03 and better


def distance(found, way):
    return (found[way] - found["realised"]).abs().mean()


@pytest.mark.real
@pytest.mark.usefixtures("shared")
def test_bank_marketing_is_estimated_well_only_once_some_outcomes_have_matured(tmp_path):
    rows = bank(tmp_path)
    for parts in PARTS:
        print(f"\nbank, {parts} parts: {summary(gaps(rows, parts))}")  # noqa: T201  # the figure is what is asked for
    found = gaps(rows, QUARTERS)
    assert distance(found.dropna(), "matured") <= BAR
    # From 2008 to 2010 the meaning of the columns changes: no estimate without outcomes could know it.
    assert distance(found, "published") > BAR


def test_weekly_lists_of_the_demo_are_estimated_well(tmp_path):
    found = demo(tmp_path, NIGHTS[0])
    print(f"\ndemo: {summary(found)}")  # noqa: T201  # likewise
    mended = found.dropna()
    assert len(mended) >= 8
    assert distance(mended, "matured") <= BAR
    assert mended["realised"].max() < 0.9  # above it a leak would be near
