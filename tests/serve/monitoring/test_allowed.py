"""From where on a figure of outcomes is worth a warning: far from what was expected, and surely so."""

from __future__ import annotations

import pytest

from serve.monitoring.allowed import Allowed
from serve.monitoring.judging import Judged


def row(value, expected, error):
    return Judged("run", "2026-01-05", None, "", "any", 1000, 100, value, 0.5, expected, error)


@pytest.mark.parametrize(
    ("value", "error", "level"),
    [
        (0.76, 0.001, "ok"),  # surely below 0.8, but by less than 0.05
        (0.74, 0.001, "warning"),
        (0.71, 0.001, "warning"),
        (0.69, 0.001, "alarm"),
        (0.69, 0.05, "ok"),  # far below, and chance carries it as far
        (0.69, 0.04, "alarm"),  # 0.11 is 2.75 deviations: 99 % end at 2.58
        (0.69, 0.043, "ok"),  # and here it is 2.56
        (0.95, 0.001, "ok"),  # better
    ],
)
def test_a_fall_has_to_be_large_and_sure(value, error, level):
    assert Allowed(0.05, is_fall=True).level(row(value, 0.8, error)) == level


def test_of_several_slices_each_has_to_be_surer():
    doubtful = row(0.69, 0.8, 0.04)
    assert Allowed(0.05).level(doubtful, looks=1) == "alarm"
    assert Allowed(0.05).level(doubtful, looks=10) == "ok"


def test_a_share_is_of_what_was_expected():
    assert Allowed(0.25, is_share=True).level(row(124.0, 100.0, 1.0)) == "ok"
    assert Allowed(0.25, is_share=True).level(row(126.0, 100.0, 1.0)) == "warning"
    assert Allowed(0.25, is_share=True).level(row(74.0, 100.0, 1.0)) == "warning"


def test_what_is_not_known_is_not_judged():
    assert Allowed(0.05).level(row(None, None, None)) == "ok"
    assert Allowed(0.05).level(row(0.1, None, None)) == "ok"
