"""The funnel reports: who had the whole window, what counts as converted, and how fast."""

from datetime import UTC, datetime

import pytest

from features.funnel import STEPS, Window, by_source, conversions, cost_by_source, touches_before
from tests.features.drawn import drawn, fetched, install

# A window of 10 days and a delay of 2: who entered until 19 January is mature on 31 January.
WINDOW = Window(days=10, reporting_delay_days=2, known_at=datetime(2026, 1, 31, tzinfo=UTC))
LEADS = """
lead_id | created_at | source
--------+------------+-------
early   | 2026-01-01 | fair
edge    | 2026-01-19 | fair
late    | 2026-01-20 | fair
other   | 2026-01-02 |
future  | 2026-02-01 | fair
"""
OUTCOMES = """
lead_id | stage | occurred_at | recorded_at
--------+-------+-------------+------------
early   | mql   | 2026-01-03  |
early   | mql   | 2026-01-08  |
early   | won   | 2026-01-12  |
edge    | mql   | 2026-01-29  |
late    | mql   | 2026-01-21  |
other   | mql   | 2026-01-04  |
other   | won   | 2026-01-05  | 2026-01-31
"""


@pytest.fixture
def tables(engine):
    return install(engine, leads=drawn(LEADS), outcomes=drawn(OUTCOMES))


def test_only_leads_that_had_the_whole_window_are_counted(engine, tables):
    """``edge`` had ten days and two to record them, but its tenth day is not inside ``[entered, +10)``."""
    found = fetched(engine, conversions(tables["leads"], tables["outcomes"], WINDOW, steps=STEPS[:1]))
    assert (found["from_stage"], found["to_stage"]) == (["lead"], ["mql"])
    assert (found["mature"], found["immature"]) == ([3], [1])
    assert found["converted"] == [2]  # early after 2 days, other after 2


def test_the_first_entry_counts_and_days_are_those_of_the_converted(engine, tables):
    found = fetched(
        engine,
        conversions(tables["leads"], tables["outcomes"], WINDOW, steps=[("lead", "mql"), ("mql", "won")]),
    )
    assert found["step"] == [0, 1]
    assert found["mature"] == [3, 2]
    assert found["converted"] == [2, 1]  # other's win was recorded at the moment itself: not known yet
    assert found["days_median"] == [2.0, 9.0]


def test_a_step_that_nobody_took_has_no_days(engine, tables):
    found = fetched(engine, conversions(tables["leads"], tables["outcomes"], WINDOW, steps=[("sql", "won")]))
    assert (found["mature"], found["converted"], found["immature"]) == ([0], [0], [0])
    assert found["days_median"] == [None]


def test_a_source_is_judged_by_its_mature_leads_only(engine, tables):
    found = fetched(engine, by_source(tables["leads"], tables["outcomes"], WINDOW))
    assert found["source"] == ["fair", None]
    assert (found["leads"], found["immature"]) == ([2, 1], [1, 0])
    assert (found["mql"], found["won"]) == ([1, 1], [0, 0])  # early was won after 11 days


def test_cost_is_of_the_days_whose_leads_are_mature(engine):
    spend = drawn(
        """
        date       | source | cost
        -----------+--------+-----
        2026-01-18 | fair   | 1
        2026-01-19 | fair   | 2
        2026-01-20 | fair   | 4
        """.replace("date ", "changed_at ")
    ).rename_columns(["date", "source", "cost", "row_number", "recorded_at"])
    typed = spend.set_column(2, "cost", spend.column("cost").cast("float64"))
    found = fetched(engine, cost_by_source(install(engine, spend=typed)["spend"], WINDOW))
    assert found == {"source": ["fair"], "cost": [3.0]}


def test_touches_count_from_the_first_day_of_the_window_until_the_closing_itself(engine):
    tables = install(
        engine,
        touches=drawn(
            """
            lead_id | occurred_at      | kind
            --------+------------------+-----
            a       | 2026-01-09 23:59 | call
            a       | 2026-01-10       | call
            a       | 2026-01-19       | mail
            a       | 2026-01-20       | call
            b       | 2026-01-19       | mail
            b       | 2026-01-19       | mail
            c       | 2026-01-19       | mail
            """
        ),
        outcomes=drawn(
            """
            lead_id | stage | occurred_at
            --------+-------+------------
            a       | won   | 2026-01-20
            b       | won   | 2026-01-20
            c       | sql   | 2026-01-20
            """
        ),
    )
    found = fetched(engine, touches_before(tables["touches"], tables["outcomes"], days=10))
    assert found == {
        "stage": ["won", "won"],
        "kind": ["mail", "call"],
        "leads": [2, 2],
        "leads_with": [2, 1],
        "touches": [3, 1],
    }
