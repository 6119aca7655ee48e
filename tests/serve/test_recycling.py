"""Leads that nobody works go to the next rep of the territory, and on, until somebody does."""

from __future__ import annotations

import pytest

from features.errors import ParameterError
from serve.lists.capacity import Capacity
from serve.lists.routing import check
from tests.serve.nights import MOMENTS, TEXTS, called, ranking, table

TEN_DAYS = Capacity(calls_per_owner=9, explore_share=0, recycle_days=10)


def leads(*rows):
    return table(list(rows), lead_id=TEXTS, owner=TEXTS, territory=TEXTS, created_at=MOMENTS)


def touches(*rows):
    return table(list(rows), lead_id=TEXTS, occurred_at=MOMENTS, recorded_at=MOMENTS, direction=TEXTS)


def who_calls(folder, rows, *touched, **tables):
    """Rep and reason by lead; all three reps of the north have leads that were touched yesterday."""
    kept = [(f"of {name}", name, "N", "2026-06-29") for name in ("Ann", "Bob", "Cay")]
    ranked = ranking([(lead, 0.5) for lead, *_ in (*rows, *kept)])
    calls, _ = called(folder, ranked, leads(*rows, *kept), TEN_DAYS, touches=touches(*touched), **tables)
    found = {call["lead_id"]: (call["owner"], call["why"]) for call in calls}
    assert all(found[lead] == (owner, "best") for lead, owner, *_ in kept)
    return found


@pytest.mark.parametrize(
    ("created", "owner", "why"),
    [
        ("2026-06-20T00:00:01", "Ann", "best"),  # a second short of ten days
        ("2026-06-20", "Bob", "recycled"),
        ("2026-06-10T00:00:01", "Bob", "recycled"),
        ("2026-06-10", "Cay", "recycled"),
        ("2026-05-31", "Ann", "best"),  # thirty days: round the circle
    ],
)
def test_after_every_ten_days_without_work_the_lead_is_the_next_reps(tmp_path, created, owner, why):
    assert who_calls(tmp_path, [("x", "Ann", "N", created)])["x"] == (owner, why)


def test_the_rep_after_the_last_is_the_first(tmp_path):
    assert who_calls(tmp_path, [("x", "Cay", "N", "2026-06-15")])["x"] == ("Ann", "recycled")


@pytest.mark.parametrize(
    ("touch", "owner"),
    [
        (("x", "2026-06-25", "2026-06-25", "out"), "Ann"),  # we called
        (("x", "2026-06-25", "2026-06-25", "in"), "Bob"),  # the lead did something: that is not our work
        (("x", "2026-06-25", "2026-06-30", "out"), "Bob"),  # not recorded before tonight
        (("x", "2026-06-30", "2026-06-29", "out"), "Bob"),  # not before tonight
    ],
)
def test_only_a_touch_by_the_team_that_is_known_by_then_is_work(tmp_path, touch, owner):
    assert who_calls(tmp_path, [("x", "Ann", "N", "2026-06-15")], touch)["x"][0] == owner


def test_a_stage_that_somebody_set_and_a_new_owner_start_the_days_anew(tmp_path):
    outcomes = table(
        [("x", "sql", "2026-06-25", "2026-06-25")],
        lead_id=TEXTS, stage=TEXTS, occurred_at=MOMENTS, recorded_at=MOMENTS,
    )  # fmt: skip
    history = table(
        [("y", "owner", "2026-06-25", "2026-06-25"), ("z", "timeline", "2026-06-25", "2026-06-25")],
        lead_id=TEXTS, field=TEXTS, changed_at=MOMENTS, recorded_at=MOMENTS,
    )  # fmt: skip
    rows = [(lead, "Ann", "N", "2026-06-15") for lead in "xyz"]
    found = who_calls(tmp_path, rows, outcomes=outcomes, field_history=history)
    assert [found[lead][0] for lead in "xyz"] == ["Ann", "Ann", "Bob"]


def test_a_lead_stays_where_no_other_rep_is_in_its_territory(tmp_path):
    assert who_calls(tmp_path, [("x", "Ann", "S", "2026-06-15")])["x"] == ("Ann", "best")
    assert who_calls(tmp_path, [("x", None, "N", "2026-06-15")])["x"] == ("Ann", "best")  # nobody's yet


def test_recycling_needs_to_know_which_touches_are_ours():
    check({"touches": ["direction"]}, TEN_DAYS)
    check({"leads": ["lead_id"]}, Capacity(calls_per_owner=9))
    for tables in ({"touches": ["kind"]}, {"leads": ["lead_id"]}):
        with pytest.raises(ParameterError, match="recycle_days"):
            check(tables, TEN_DAYS)
