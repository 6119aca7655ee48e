"""The report on the funnel: steps and their days, months and velocity, returns, and the pool."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from statistics import quantiles

import ibis
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features.funnel import Window, by_source, conversions
from serve.reporting.files import quartiles
from serve.reporting.reading_funnel import funnel
from serve.reporting.reading_sources import sources
from tests.serve.nights import AS_OF, MOMENTS
from tests.serve.reports import DELAY, WINDOW, leads, outcomes, reported, touches

STEPS = (
    ("lead", "mql"), ("mql", "sql"), ("mql", "opportunity"), ("mql", "won"), ("sql", "opportunity"),
    ("opportunity", "won"),
)  # fmt: skip


def step_of(report, first, then):
    return next(step for step in report["steps"] if (step["from_stage"], step["to_stage"]) == (first, then))


def test_a_step_counts_its_leads_and_the_days_that_they_took(tmp_path):
    run = reported(
        tmp_path,
        leads=leads(
            *((name, "2026-01-01", "N", "Ann", "fair") for name in "abcd"),
            ("e", "2026-06-01", "N", "Ann", "fair"),
        ),
        outcomes=outcomes(
            ("a", "mql", "2026-01-02"), ("b", "mql", "2026-01-05"), ("c", "mql", "2026-01-11T12:00"),
            ("e", "mql", "2026-06-02"), ("a", "won", "2026-01-03"), ("b", "won", "2026-03-06"),
        ),
    )  # fmt: skip
    report = funnel(run, None)
    first = step_of(report, "lead", "mql")
    assert (first["entered"], first["mature"], first["converted"]) == (5, 4, 3)
    assert first["rate"]["value"] == 0.75
    assert first["days"] == {"q1": 1.0, "median": 4.0, "q3": 10.5}
    won = step_of(report, "mql", "won")
    assert (won["entered"], won["mature"], won["converted"]) == (4, 3, 1)  # b: sixty days after, too late
    assert [(step["from_stage"], step["to_stage"]) for step in report["steps"]] == [
        step for step in STEPS if step[0] in {"lead", "mql"}
    ]


def test_quartiles_of_a_scope_are_those_of_its_leads(tmp_path):
    """Ten leads of the north take a day, ten of the south nine: sums of quartiles tell nothing of both."""
    born = [(f"{name}{n}", "2026-01-01", name, "Ann", "fair") for name in "NS" for n in range(10)]
    moved = [(lead, "mql", "2026-01-02" if name == "N" else "2026-01-10") for lead, _, name, *_ in born]
    run = reported(tmp_path, leads=leads(*born), outcomes=outcomes(*moved))
    found = [
        step_of(funnel(run, part), "lead", "mql")["days"] for part in (None, frozenset("N"), frozenset("S"))
    ]
    assert [days["q3"] for days in found] == [9.0, 1.0, 9.0]
    assert [days["q1"] for days in found] == [1.0, 1.0, 9.0]


@given(st.lists(st.integers(0, 40), min_size=1, max_size=60))
def test_quartiles_are_the_least_values_that_so_many_do_not_exceed(values):
    found = quartiles(Counter(float(value) for value in values))
    ordered = sorted(values)
    for name, part in (("q1", 1), ("median", 2), ("q3", 3)):
        enough = [value for value in ordered if 4 * sum(v <= value for v in values) >= part * len(values)]
        assert found[name] == min(enough)
    if len(values) % 4 == 3:  # where the usual quartiles are values themselves, they are these
        assert list(found.values()) == quantiles(values, n=4) if len(values) > 1 else True


def months_of(tmp_path, *rows, as_of=AS_OF):
    born = leads(*((name, at, "N", "Ann", "fair") for name, at, *_ in rows))
    moved = outcomes(*((name, stage, then) for name, _, *stages in rows for stage, then in stages))
    return funnel(reported(tmp_path, leads=born, outcomes=moved, as_of=as_of), None)


def test_velocity_is_the_growth_of_qualified_leads_over_the_month_before(tmp_path):
    """2 in January, 3 in February, none in March, 1 in April; December is where the history begins."""
    report = months_of(
        tmp_path,
        ("z", "2025-12-05", ("mql", "2025-12-06")),
        ("a", "2026-01-01", ("mql", "2026-01-02")), ("b", "2026-01-01", ("mql", "2026-01-31T23:59:59")),
        ("c", "2026-01-01", ("mql", "2026-02-01")), ("d", "2026-01-01", ("mql", "2026-02-03")),
        ("e", "2026-01-01", ("mql", "2026-02-28")), ("f", "2026-01-01", ("mql", "2026-04-01")),
        as_of="2026-05-01T00:00:00",
    )  # fmt: skip
    assert [(month["month"], month["mql"], month["velocity"]) for month in report["months"]] == [
        ("2025-12", 1, None), ("2026-01", 2, None), ("2026-02", 3, 50.0), ("2026-03", 0, -100.0),
        ("2026-04", 1, None), ("2026-05", 0, None),
    ]  # fmt: skip


@pytest.mark.parametrize(("as_of", "is_whole"), [("2026-07-01", True), ("2026-06-30", False)])
def test_a_month_that_is_not_over_has_no_velocity(tmp_path, as_of, is_whole):
    report = months_of(
        tmp_path,
        ("z", "2026-04-01"), ("a", "2026-05-01", ("mql", "2026-05-02")),
        ("b", "2026-05-01", ("mql", "2026-06-02")),
        as_of=f"{as_of}T00:00:00",
    )  # fmt: skip
    june = next(month for month in report["months"] if month["month"] == "2026-06")
    assert (june["is_whole"], june["velocity"]) == (is_whole, 0.0 if is_whole else None)


@pytest.mark.parametrize(("won_at", "fast"), [("2026-01-30T23:59:59", 1), ("2026-01-31", 0)])
def test_a_win_is_fast_while_its_lead_is_younger_than_thirty_days(tmp_path, won_at, fast):
    year = months_of(tmp_path, ("a", "2026-01-01", ("won", won_at)))["year"]
    assert (year["won_fast"], year["won_old"]) == (fast, 1 - fast)


def test_the_year_holds_the_latest_twelve_whole_months(tmp_path):
    rows = [
        ("a", "2025-05-31", ("won", "2025-05-31")), ("b", "2025-06-01", ("won", "2025-06-01")),
        ("c", "2026-06-01", ("won", "2026-06-02")),
    ]  # fmt: skip
    year = months_of(tmp_path, *rows)["year"]
    assert (year["months"], year["won"]) == (12, 1)  # a is older than a year, June is not over


@pytest.mark.parametrize(
    ("returned_at", "touched_at", "status"),
    [
        ("2026-01-17", None, "returned_at_once"),  # seven days after the stage before, exactly
        ("2026-01-17T00:00:01", None, "returned_after_follow_up"),
        ("2026-01-12", "2026-01-11", "returned_after_follow_up"),
        ("2026-01-12", "2026-01-10", "returned_after_follow_up"),  # with the stage itself
        ("2026-01-12", "2026-01-09", "returned_at_once"),  # before it was handed over
        ("2026-01-12", "2026-01-12", "returned_at_once"),  # when it was back already
    ],
)
def test_a_lead_is_returned_at_once_within_seven_days_and_without_a_touch(
    tmp_path, returned_at, touched_at, status
):
    worked = [("a", "phone", "out", touched_at)] if touched_at else []
    run = reported(
        tmp_path,
        leads=leads(("a", "2026-01-01", "N", "Ann", "fair")),
        outcomes=outcomes(("a", "mql", "2026-01-10"), ("a", "returned", returned_at)),
        touches=touches(*worked, ("a", "web", "in", "2026-01-11")),
    )
    report = funnel(run, None)
    assert report["pool"] == [{"status": status, "leads": 1}]
    assert report["months"][0][status] == 1


def test_a_return_without_a_stage_before_counts_from_the_creation(tmp_path):
    run = reported(
        tmp_path,
        leads=leads(("a", "2026-01-01", "N", "Ann", "fair"), ("b", "2026-01-01", "N", "Ann", "fair")),
        outcomes=outcomes(("a", "returned", "2026-01-08"), ("b", "returned", "2026-01-08T00:00:01")),
    )
    found = {row["status"]: row["leads"] for row in funnel(run, None)["pool"]}
    assert found == {"returned_at_once": 1, "returned_after_follow_up": 1}


def test_the_pool_has_every_lead_that_is_there_by_its_latest_known_stage(tmp_path):
    drawn = leads(
        ("a", "2026-01-01", "N", "Ann", "fair", None), ("b", "2026-01-01", "N", "Ann", "fair", None),
        ("c", "2026-01-01", None, "Ann", "fair", None), ("d", "2026-01-01", "N", "Ann", "fair", "2026-06-29"),
        ("e", "2026-01-01", "N", "Ann", "fair", "2026-06-30"),
        deleted_at=MOMENTS,
    )  # fmt: skip
    moved = outcomes(
        ("b", "mql", "2026-02-01"), ("b", "sql", "2026-02-01"),  # of equal moments the later row
        ("a", "mql", "2026-03-01", "2026-06-30"),  # not known tonight
    )  # fmt: skip
    run = reported(tmp_path, leads=drawn, outcomes=moved)
    everybody = {row["status"]: row["leads"] for row in funnel(run, None)["pool"]}
    assert everybody == {"lead": 3, "sql": 1}
    assert {row["status"]: row["leads"] for row in funnel(run, frozenset("N"))["pool"]} == {
        "lead": 2,
        "sql": 1,
    }


# ── against a slow loop, and against the same figures of another engine ──────────────────────────

DAYS = st.integers(0, 170)
HISTORY = st.lists(
    st.tuples(
        DAYS,
        st.sampled_from(["N", "S", None]),
        st.lists(st.tuples(st.sampled_from(["mql", "sql", "opportunity", "won"]), DAYS, DAYS), max_size=4),
    ),
    min_size=1,
    max_size=12,
)
START, MOMENT = datetime(2026, 1, 10), datetime.fromisoformat(AS_OF)  # noqa: DTZ001  # as kept


def at(day):
    return START + timedelta(days=day)


def tables_of(history):
    born = leads(
        *((f"L{n}", at(day).isoformat(), where, "Ann", where) for n, (day, where, _) in enumerate(history))
    )
    moved = [
        (f"L{n}", stage, at(day).isoformat(), max(at(day), at(known)).isoformat())
        for n, (_, _, stages) in enumerate(history)
        for stage, day, known in stages
    ]
    return born, outcomes(*moved)


def entered(lead, stage):
    """When a lead is known to have first reached a stage; None if it did not."""
    day, _, stages = lead
    if stage == "lead":
        return at(day) if at(day) < MOMENT else None
    if at(day) >= MOMENT:
        return None
    known = [at(then) for name, then, said in stages if name == stage and at(max(then, said)) < MOMENT]
    return min(known, default=None)


def counted(history, first, then, territories):
    """Mature leads, and the days of those that converted."""
    mature, took = 0, []
    for lead in history:
        start, end = entered(lead, first), entered(lead, then)
        if start is None or (territories is not None and lead[1] not in territories):
            continue
        if start + timedelta(days=WINDOW + DELAY) <= MOMENT:
            mature += 1
            if end is not None and start <= end < start + timedelta(days=WINDOW):
                took.append((end - start) / timedelta(days=1))
    return mature, took


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(HISTORY)
def test_steps_are_those_of_a_slow_loop_and_scopes_add_up(tmp_path, history):
    born, moved = tables_of(history)
    run = reported(tmp_path, leads=born, outcomes=moved)
    reports = {part: funnel(run, part) for part in (None, frozenset("N"), frozenset("S"), frozenset("NS"))}
    for part, report in reports.items():
        for step in report["steps"]:
            mature, took = counted(history, step["from_stage"], step["to_stage"], part)
            assert (step["mature"], step["converted"]) == (mature, len(took))
            assert step["days"] == quartiles(Counter(took))
    for figure in ("leads", "mql", "won"):
        north, south, both = (
            sum(month[figure] for month in reports[frozenset(part)]["months"]) for part in ("N", "S", "NS")
        )
        assert north + south == both


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(HISTORY)
def test_steps_and_sources_are_those_of_the_notebooks(tmp_path, history):
    """`features.funnel` counts the same by other code, on Ibis."""
    born, moved = tables_of(history)
    run = reported(tmp_path, leads=born, outcomes=moved)
    backend = ibis.duckdb.connect()
    mine = [backend.create_table(name, rows) for name, rows in (("leads", born), ("outcomes", moved))]
    window = Window(WINDOW, DELAY, MOMENT)
    theirs = conversions(*mine, window, steps=STEPS).to_pyarrow().to_pylist()
    steps = {step["step"]: step for step in funnel(run, None)["steps"]}
    for row in theirs:
        step = steps.get(row["step"], {"mature": 0, "converted": 0})
        assert (step["mature"], step["converted"]) == (row["mature"], row["converted"])
    by = {row["source"]: row for row in sources(run, None)["sources"]}
    for row in by_source(*mine, window).to_pyarrow().to_pylist():
        found = by[row["source"]]
        assert found["mature"] == row["leads"]
        assert (
            found["rates"]["won"] is None
            or round(found["rates"]["won"]["value"] * row["leads"]) == row["won"]
        )
    backend.disconnect()
