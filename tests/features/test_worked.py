"""After the first call list training looks at called leads only, each for those that it stands for."""

from __future__ import annotations

from datetime import UTC, datetime

import ibis
import pyarrow as pa
import pytest

from features.moments import Moments
from features.questions import Plan, past
from features.worked import Calls
from tests.features.drawn import drawn, install

KNOWN = datetime(2025, 8, 1, tzinfo=UTC)
SINCE = datetime(2025, 6, 1, tzinfo=UTC)
LEADS = """
lead_id | created_at | deleted_at
a       | 2025-05-11 |
b       | 2025-05-11 |
c       | 2025-05-11 |
gone    | 2025-05-11 | 2025-06-01
won     | 2025-05-11 |
"""
OUTCOMES = """
lead_id | stage | occurred_at
won     | won   | 2025-05-31
b       | won   | 2025-06-05
"""


@pytest.fixture(scope="module")
def duck():
    return ibis.duckdb.connect()


def asked(
    duck, *called: tuple, most_weight: float = 10.0, every_days: int = 61, censoring="leave_out", known=KNOWN
):
    """What is learned from where (lead, moment, chance) were called: weight by lead and day."""
    rows = pa.table(
        {
            "lead_id": pa.array([lead for lead, *_ in called], pa.string()),
            "as_of": pa.array([datetime.fromisoformat(at) for _, at, _ in called], pa.timestamp("us")),
            "selection_probability": pa.array([chance for *_, chance in called], pa.float64()),
        }
    )
    tables = install(duck, leads=drawn(LEADS), outcomes=drawn(OUTCOMES), calls=rows)
    plan = Plan(
        "won",
        20,
        Moments(every_days),
        12,
        0,
        known_at=known,
        censoring=censoring,
        calls=Calls(tables.pop("calls"), SINCE, most_weight),
    )
    found = past(duck, tables, plan).snapshots.to_pyarrow().to_pylist()
    name = "weight" if censoring == "weight" else "stands_for"
    return {(row["lead_id"], f"{row['as_of']:%m-%d}"): (row[name], row["label"]) for row in found}


def test_from_the_first_list_on_only_called_leads_are_learned_from(duck):
    found = asked(duck, ("a", "2025-06-01", 1.0), ("b", "2025-06-02", 0.25), every_days=10)
    before = {key for key in found if key[1] < "06-01"}  # 10 days apart, back from August
    assert {lead for lead, _ in before} == {"a", "b", "c", "gone", "won"}
    assert {key: found[key] for key in found if key not in before} == {
        ("a", "06-01"): (1.0, 0.0),
        ("b", "06-02"): (4.0, 1.0),
    }


def test_leads_that_are_gone_or_closed_by_then_are_not_asked_about_though_a_list_names_them(duck):
    called = [(lead, "2025-06-02", 1.0) for lead in ("a", "gone", "won")]
    assert {key for key in asked(duck, *called) if key[1] >= "06-01"} == {("a", "06-02")}


def test_no_called_lead_stands_for_more_than_the_bound(duck):
    found = asked(duck, ("a", "2025-06-01", 0.1), ("b", "2025-06-01", 0.05), ("c", "2025-06-01", 0.5))
    assert [found[lead, "06-01"][0] for lead in "abc"] == [10.0, 10.0, 2.0]
    assert asked(duck, ("b", "2025-06-01", 0.05), most_weight=50.0)["b", "06-01"][0] == 20.0


def test_of_many_calls_of_a_lead_those_drawn_stand_for_all(duck):
    called = [("a", f"2025-06-{day:02}", 0.5) for day in range(1, 25)]  # 24 calls, 12 moments of a lead
    found = {key: value for key, value in asked(duck, *called).items() if key[1] >= "06-01"}
    assert len(found) == 12
    assert {weight for weight, _ in found.values()} == {4.0}  # two calls, each of two leads


def test_lists_after_the_moment_of_training_are_not_seen(duck):
    known = datetime(2025, 6, 25, tzinfo=UTC)
    found = asked(duck, ("a", "2025-06-03", 1.0), ("c", "2025-06-26", 1.0), known=known, every_days=20)
    assert ("a", "06-03") in found
    assert not [key for key in found if key[0] == "c" and key[1] >= "06-01"]


def test_weights_of_censoring_have_the_calls_in_them(duck):
    found = asked(duck, ("b", "2025-06-01", 0.25), censoring="weight")
    assert found["b", "06-01"] == (4.0, 1.0)
