"""A night against nights like it: seconds of its stages, its memory, its libraries."""

from __future__ import annotations

from pathlib import Path

import pytest

from serve.monitoring.pace import FEWEST_NIGHTS, pace
from serve.monitoring.packages import packages
from serve.runs import Run


def night(seconds=100.0, mib=1000.0, **manifest):
    stages = [
        {"stage": "reading tables", "seconds": 5.0, "peak_mib": 400.0, "rows": None},
        {"stage": "building features", "seconds": seconds, "peak_mib": mib, "rows": None},
    ]
    return Run("night", Path(), {"as_of": "2026-06-30", "files": {}, "resources": stages, **manifest})


def levels(part):
    return {figure.subject: figure.level for figure in part.figures}


USUAL = [
    night(seconds, mib) for seconds, mib in ((90, 900), (100, 1000), (95, 1100), (110, 950), (1000, 9000))
]


def test_a_night_like_the_others_is_told_without_a_warning():
    found = pace(night(), USUAL)
    assert levels(found) == {"reading tables": "ok", "building features": "ok", "memory": "ok"}
    [features] = [figure for figure in found.figures if figure.subject == "building features"]
    assert (features.value, features.against, features.limit) == (100.0, 100.0, 200.0)


@pytest.mark.parametrize(("seconds", "level"), [(200.0, "ok"), (200.1, "warning")])
def test_a_stage_is_slow_beyond_twice_its_usual_seconds(seconds, level):
    assert levels(pace(night(seconds), USUAL))["building features"] == level


def test_a_stage_of_seconds_may_double_without_a_word():
    slow = night()
    slow.manifest["resources"][0]["seconds"] = 34.9
    assert levels(pace(slow, USUAL))["reading tables"] == "ok"
    slow.manifest["resources"][0]["seconds"] = 35.1
    assert levels(pace(slow, USUAL))["reading tables"] == "warning"


@pytest.mark.parametrize(("mib", "level"), [(1512.0, "ok"), (1513.0, "warning")])
def test_memory_is_held_against_its_median(mib, level):
    assert levels(pace(night(mib=mib), USUAL))["memory"] == level


def test_the_sentence_has_both_figures():
    [said] = [figure.because for figure in pace(night(450.0), USUAL).figures if figure.because]
    assert said == "'building features' took 450 seconds, usually 100"


def test_few_nights_are_not_usual_and_a_night_built_on_another_is_none_like_a_whole_one():
    assert pace(night(), USUAL[: FEWEST_NIGHTS - 1]).figures == ()
    assert pace(night(changed_since={"run_id": "x"}), USUAL).figures == ()
    assert pace(Run("old", Path(), {"as_of": "2026-06-30", "files": {}}), USUAL).figures == ()


def test_a_library_that_changed_is_named_with_both_versions():
    before = night(packages={"duckdb": "1.5.5", "lightgbm": "4.7.0", "gone": "1"})
    now = night(packages={"duckdb": "1.5.5", "lightgbm": "4.8.0", "new": "2"})
    found = packages(now, before)
    assert [figure.because for figure in found.figures if figure.because] == [
        "'gone' is absent tonight and was 1",
        "'lightgbm' is 4.8.0 tonight and was 4.7.0",
        "'new' is 2 tonight and was absent",
    ]
    assert found.figures[0].value == 3


def test_the_same_libraries_are_no_finding_and_nothing_is_said_of_nights_that_did_not_keep_them():
    same = night(packages={"duckdb": "1.5.5"})
    assert [figure.value for figure in packages(same, same).figures] == [0.0]
    assert packages(same, night()).figures == ()
    assert packages(same, None).figures == ()
