"""The maturity reports: what is decided already, and that what is not is counted apart."""

from datetime import UTC, datetime

from features.funnel import Window
from features.maturity import leads_by_month, rates_by_night, snapshots_by_month
from features.moments import Moments
from features.questions import Plan, Question, past
from tests.features.drawn import drawn, fetched, install

# A window of 10 days and a delay of 2: who entered until 19 January is mature on 31 January.
WINDOW = Window(days=10, reporting_delay_days=2, known_at=datetime(2026, 1, 31, tzinfo=UTC))


def test_a_month_counts_what_was_reached_so_far_apart_from_what_was_reached_in_time(engine):
    tables = install(
        engine,
        leads=drawn(
            """
            lead_id | created_at
            --------+-----------
            slow    | 2025-12-30
            quick   | 2025-12-31
            edge    | 2026-01-19
            young   | 2026-01-20
            """
        ),
        outcomes=drawn(
            """
            lead_id | stage | occurred_at | recorded_at
            --------+-------+-------------+------------
            slow    | won   | 2026-01-09  |
            quick   | won   | 2026-01-09  |
            edge    | won   | 2026-01-20  | 2026-01-31
            young   | won   | 2026-01-21  |
            """
        ),
    )
    found = fetched(engine, leads_by_month(tables["leads"], tables["outcomes"], WINDOW))
    assert [month.month for month in found["month"]] == [12, 1]
    assert (found["leads"], found["mature"]) == ([2, 2], [2, 1])
    assert found["reached"] == [2, 1]  # young; edge's win is not recorded before the moment
    assert found["reached_in_window"] == [1, 0]  # slow needed exactly ten days


def test_months_of_snapshots_add_up_to_what_training_reads_and_leaves_out():
    import ibis

    backend = ibis.duckdb.connect()
    leads = "lead_id | created_at\n--------+-----------\n" + "\n".join(
        f"l{n} | 2025-11-0{n}" for n in range(1, 8)
    )
    outcomes = (
        "lead_id | stage | occurred_at\n--------+-------+---\nl1 | won | 2025-12-20\nl2 | lost | 2026-01-05"
    )
    tables = install(backend, leads=drawn(leads), outcomes=drawn(outcomes))
    plan = Plan(
        stage="won",
        horizon_days=30,
        moments=Moments(every_days=7),
        max_per_lead=3,
        reporting_delay_days=2,
        known_at=datetime(2026, 1, 31, tzinfo=UTC),
    )
    question = past(backend, tables, plan)
    months = fetched(backend, snapshots_by_month(question))
    nights = fetched(backend, rates_by_night(question.snapshots))
    assert sum(months["mature"]) == sum(nights["rows"]) == question.snapshots.count().to_pyarrow().as_py()
    assert sum(months["immature"]) == question.immature > 0
    assert sum(nights["positives"]) > 0
    assert nights["as_of"] == sorted(nights["as_of"])


def test_a_question_without_young_snapshots_has_no_immature_ones(engine):
    rows = """
    snapshot_id | lead_id | as_of
    ------------+---------+-----------
    0           | a       | 2026-01-01
    1           | a       | 2026-01-08
    2           | b       | 2026-02-01
    """
    table = install(engine, question=drawn(rows))["question"]
    found = fetched(engine, snapshots_by_month(Question(table)))
    assert (found["mature"], found["immature"]) == ([2, 1], [0, 0])
