"""What called leads say of all: a list is drawn often, and the truth of all its leads is known."""

from __future__ import annotations

from datetime import UTC, datetime

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from models.metrics import measure
from serve.lists.exploring import chosen_sql
from serve.monitoring.unbiased import MEASURES, SCHEMA, estimates, unbiased
from serve.runs import Run
from tests.serve.nights import MOMENTS, TEXTS, table

LEADS = 1000
SAID = np.linspace(0.5, 0.005, LEADS)
TRUE = 0.1 + 0.5 * SAID  # the model is too sure of the good and too hard on the rest
LABEL = (np.random.default_rng(3).uniform(size=LEADS) < TRUE).astype(float)
NAMES = np.array([f"L{place:04}" for place in range(LEADS)])


def called(nights: int, *, seed: int, share: float = 0.3) -> pa.Table:
    """The calls of some nights on the same list: 150 of 1,000 leads."""
    parts = []
    with duckdb.connect() as connection:
        members = {"list": ["all"] * LEADS, "lead_id": NAMES, "rank": np.arange(LEADS), "worth": SAID}
        connection.register("_members", pa.table(members))
        connection.register("_lists", pa.table({"list": ["all"], "calls": [150], "members": [LEADS]}))
        for night in range(nights):
            sql = chosen_sql(share, seed=seed, day=str(night))
            parts.append(
                connection.execute(
                    f"SELECT lead_id, selection_probability FROM ({sql}) WHERE is_called"  # noqa: S608
                ).to_arrow_table()
            )
    rows = pa.concat_tables(parts)
    places = np.searchsorted(NAMES, rows["lead_id"].to_numpy(zero_copy_only=False).astype(str))
    return rows.append_column("probability", pa.array(SAID[places])).append_column(
        "is_converted", pa.array(LABEL[places] == 1)
    )


def by_subject(rows: pa.Table) -> dict[str, dict]:
    return {row["subject"]: row for row in estimates(rows).to_pylist()}


@pytest.fixture
def quick(monkeypatch):
    """Intervals that nobody looks at are not worth their time."""
    monkeypatch.setattr("serve.monitoring.unbiased.RESAMPLES", 2)


@pytest.mark.usefixtures("quick")
def test_weighted_figures_are_those_of_all_leads_and_plain_ones_are_not():
    found = [by_subject(called(6, seed=seed)) for seed in range(12)]
    truth = {"rate": LABEL.mean(), **{name: getattr(measure(LABEL, SAID), name) for name in MEASURES}}
    for name, true in truth.items():
        values = np.array([one[name]["value"] for one in found])
        error = 3.5 * values.std(ddof=1) / np.sqrt(len(values))
        assert abs(values.mean() - true) < max(error, 0.02 * true), name
    plain = np.mean([one["rate"]["of_called"] for one in found])
    assert plain > 1.2 * truth["rate"]


@pytest.mark.usefixtures("quick")
def test_the_interval_of_a_rate_holds_the_truth_about_as_often_as_it_says():
    found = [by_subject(called(1, seed=seed, share=0.5))["rate"] for seed in range(80)]
    hits = [row["low"] <= LABEL.mean() <= row["high"] for row in found]
    assert 0.86 < np.mean(hits) <= 1


@pytest.mark.usefixtures("quick")
def test_bands_say_where_the_probability_is_wrong():
    found = by_subject(called(20, seed=1))
    inside = (SAID >= 0.05) & (SAID < 0.1)
    row = found["rate 0.05 to 0.1"]
    assert row["low"] < LABEL[inside].mean() < row["high"]
    assert row["value"] > 0.1  # more than the model said of any of them
    assert row["effective"] == pytest.approx(row["called"])  # all alike: below the cut


def test_nothing_is_estimated_from_a_handful():
    rows = called(1, seed=1, share=0.0)
    assert estimates(rows).equals(SCHEMA.empty_table())
    rows = called(2, seed=1)
    never = rows.set_column(3, "is_converted", pa.array([False] * rows.num_rows))
    assert estimates(never).num_rows == 0


def night(folder, name: str, as_of: str, rows: pa.Table) -> Run:
    (folder / name).mkdir()
    pq.write_table(rows, folder / name / "calls.parquet")
    (folder / name / "manifest.json").write_text("{}", encoding="utf-8")
    return Run(name, folder / name, {"as_of": as_of, "files": {}})


def test_a_run_that_was_just_collected_says_nothing(tmp_path, monkeypatch):
    def gone(run):
        raise FileNotFoundError(run.run_id)

    run = night(tmp_path, "old", "2026-01-01T00:00:00+00:00", called(1, seed=1))
    monkeypatch.setattr("serve.monitoring.unbiased.reading", gone)
    at, asked = datetime(2026, 3, 1, tzinfo=UTC), {"stage": "won", "horizon_days": 30, "delay_days": 3}
    with duckdb.connect() as connection:
        assert unbiased(connection, [run], as_of=at, **asked).figures == ()


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    ("won", "is_counted"),
    [
        (("2026-01-01", "2026-01-01"), True),
        (("2026-01-30", "2026-01-30"), True),
        (("2026-01-31", "2026-01-31"), False),  # the thirtieth day is past the window
        (("2025-12-31", "2026-01-01"), False),  # before the list
        (("2026-01-02", "2026-03-01"), False),  # recorded only now
    ],
)
def test_outcomes_count_in_the_window_of_their_list_and_as_far_as_they_are_known(tmp_path, won, is_counted):
    rows = called(2, seed=1).drop_columns("is_converted")
    rows = rows.append_column("why", pa.array(["best"] * (rows.num_rows - 1) + ["control"]))
    everybody = sorted(set(rows["lead_id"].to_pylist()[:60]))
    runs = [
        night(tmp_path, "old", "2026-01-01T00:00:00+00:00", rows),
        night(tmp_path, "young", "2026-02-20T00:00:00+00:00", rows),
    ]
    kinds = {"lead_id": TEXTS, "stage": TEXTS, "occurred_at": MOMENTS, "recorded_at": MOMENTS}
    with duckdb.connect() as connection:
        connection.register("outcomes", table([(lead, "won", *won) for lead in everybody], **kinds))
        asked = {"stage": "won", "horizon_days": 30, "delay_days": 3}
        part = unbiased(connection, runs, as_of=datetime(2026, 3, 1, tzinfo=UTC), **asked)
        assert unbiased(connection, [runs[1]], as_of=datetime(2026, 3, 1, tzinfo=UTC), **asked).figures == ()
    assert bool(part.figures) is is_counted
    if is_counted:
        assert {figure.rows for figure in part.figures if figure.subject == "rate"} == {rows.num_rows - 1}
