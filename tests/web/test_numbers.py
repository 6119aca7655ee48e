"""A number that is missing or none is a dash, and the page around it stands."""

from __future__ import annotations

import math

import pytest

from serve.web.rendering import environment


@pytest.mark.parametrize("value", [None, math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("look", ["whole", "percent", "points", "signed", "score", "amount", "decimal"])
def test_a_number_that_is_none_is_a_dash(look, value):
    assert environment("en").filters[look](value) == "\N{EN DASH}"


@pytest.mark.parametrize(
    ("look", "value", "expected"),
    [("whole", 1545, "1,545"), ("percent", 0.4234, "42.3%"), ("points", -1.25, "\u22121.2"),
     ("score", 0.0, "0"), ("percent", 0.0, "0.0%"), ("amount", 80139.4, "80,139"), ("signed", 0.0, "+0.000")],
)  # fmt: skip
def test_a_number_is_written_in_its_look(look, value, expected):
    assert environment("en").filters[look](value) == expected


def test_numbers_are_written_as_the_language_does():
    assert environment("ru").filters["percent"](0.4234) == "42,3\xa0%"


def test_a_lead_without_an_interval_has_no_bar():
    template = environment("en").from_string('{% import "macros.html" as m %}{{ m.chance(row, 1.0) }}')
    row = {"probability": 0.5, "probability_low": None, "probability_high": None}
    assert "svg" not in template.render(row=row)
    assert "svg" in template.render(row={**row, "probability_low": 0.4, "probability_high": 0.6})
