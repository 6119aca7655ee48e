"""Routes: what to do with a lead of each grade."""

import numpy as np
import pytest

from models.grades import learned
from serve.routes import GRADES, REST, ROUTES, routed

RISING = np.arange(101.0)
POPULATION = learned({"fit": RISING, "recency": RISING})


def of(fit: float, recency: float, **more) -> tuple[str, str]:
    found = routed({"fit": np.array([fit]), "recency": np.array([recency])}, POPULATION, **more)
    return found["grade"][0].as_py(), found["route"][0].as_py()


@pytest.mark.parametrize(
    ("fit", "recency", "expected"),
    [
        (90, 90, ("A1", "call_now")),
        (60, 90, ("B1", "call_now")),
        (10, 90, ("D1", "fast_track")),
        (60, 60, ("B2", "fast_track")),
        (90, 10, ("A4", "nurture")),
        (10, 10, ("D4", "hold")),
    ],
)
def test_high_intent_is_called_and_good_fit_without_it_is_nurtured(fit, recency, expected):
    assert of(fit, recency) == expected


def test_every_grade_has_one_route_and_sixteen_there_are():
    named = [grade for grades in ROUTES.values() for grade in grades]
    assert len(named) == len(set(named))
    assert set(named) < set(GRADES)
    assert len(GRADES) == 16
    assert list(GRADES) == sorted(GRADES)


def test_a_team_may_route_in_its_own_way():
    assert of(90, 90, routes={"partner": ["A1"]}) == ("A1", "partner")
    assert of(10, 90, routes={"partner": ["A1"]}) == ("D1", REST)


def test_a_team_may_be_stricter_with_its_best_grade():
    assert of(90, 90, shares=(0.05, 0.5, 0.75))[0] == "B2"


def test_a_model_without_a_population_gives_no_grade():
    found = routed({"fit": RISING}, None)
    assert found["grade"].null_count == found["route"].null_count == len(RISING)
