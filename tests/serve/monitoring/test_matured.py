"""Which published lists can be judged, and of which of their leads what became of them is known."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from features.errors import StorageError
from features.labels import Target
from serve.monitoring.listed import rows_of
from serve.monitoring.matured import matured, weekly
from serve.runs import MANIFEST, WITHDRAWN, find
from tests.serve.monitoring.lists import DELAY, FIRST, HORIZON, crm, listed, name_of

TARGET = Target("won", HORIZON)
LEADS = [{"lead_id": name} for name in ("first", "last", "after", "before", "unsaid", "other", "again")]
WON = """
    lead_id | stage | occurred_at         | recorded_at
    --------+-------+---------------------+-----------------
    first   | won   | 2026-01-05 00:00    |
    last    | won   | 2026-02-03 23:59:59 |
    after   | won   | 2026-02-04 00:00    |
    before  | won   | 2026-01-04 23:59:59 |
    unsaid  | won   | 2026-01-20 00:00    | 2026-02-06 00:00
    other   | sql   | 2026-01-20 00:00    |
    again   | won   | 2025-12-01 00:00    |
    again   | won   | 2026-01-20 00:00    |
"""
OVER = FIRST.replace(tzinfo=UTC) + timedelta(days=HORIZON + DELAY)


def names(folder, known_at=OVER + timedelta(days=60)):
    weeks = weekly(folder, known_at=known_at, target=TARGET, delay_days=DELAY)
    return [run.run_id for run in weeks.mature]


def test_a_lead_is_won_from_the_moment_of_the_list_until_the_horizon_ends(tmp_path):
    run = listed(tmp_path, FIRST, LEADS)
    backend, tables = crm(WON, leads=["first"])
    (one,) = matured([run], backend, tables, target=TARGET, known_at=OVER, unreadable=[])
    won = {lead["lead_id"] for lead, label in zip(LEADS, one.label, strict=True) if label}
    # 'unsaid' was recorded only at the very moment of looking: nobody knew it before.
    assert won == {"first", "last", "again"}


def test_what_is_recorded_later_is_known_later(tmp_path):
    run = listed(tmp_path, FIRST, LEADS)
    backend, tables = crm(WON)
    (one,) = matured(
        [run], backend, tables, target=TARGET, known_at=OVER + timedelta(seconds=1), unreadable=[]
    )
    assert one.label.tolist() == [1, 1, 0, 0, 1, 0, 1]


def test_a_list_is_mature_when_its_window_and_the_delay_are_over_and_not_a_second_before(tmp_path):
    listed(tmp_path, FIRST, LEADS)
    early = weekly(tmp_path, known_at=OVER - timedelta(seconds=1), target=TARGET, delay_days=DELAY)
    assert (early.mature, early.immature) == ((), 1)
    assert names(tmp_path, OVER) == [name_of(FIRST)]


def test_of_the_lists_of_one_week_the_first_counts(tmp_path):
    for days in (-1, 0, 1, 6, 7):  # Sunday; Monday, Tuesday, Sunday; Monday
        listed(tmp_path, FIRST + timedelta(days=days), LEADS)
    assert names(tmp_path) == [name_of(FIRST + timedelta(days=days)) for days in (-1, 0, 7)]


def test_a_list_that_was_withdrawn_gives_its_week_to_the_next_one(tmp_path):
    listed(tmp_path, FIRST, LEADS)
    listed(tmp_path, FIRST + timedelta(days=1), LEADS)
    (tmp_path / WITHDRAWN).write_text(json.dumps({name_of(FIRST): "wrong prices"}))
    assert names(tmp_path) == [name_of(FIRST + timedelta(days=1))]


def test_of_a_list_that_was_made_again_without_erased_leads_the_latest_copy_counts(tmp_path):
    listed(tmp_path, FIRST, LEADS)
    listed(tmp_path, FIRST, LEADS[1:], digest="aaaaaaaaaaaa-r2")
    assert names(tmp_path) == [name_of(FIRST) + "-r2"]


def test_a_list_that_was_made_for_something_else_is_left_out(tmp_path):
    listed(tmp_path, FIRST, LEADS, model={"stage": "won", "horizon_days": HORIZON})
    listed(tmp_path, FIRST + timedelta(days=7), LEADS, model={"stage": "sql", "horizon_days": HORIZON})
    listed(tmp_path, FIRST + timedelta(days=14), LEADS, model={"stage": "won", "horizon_days": 60})
    assert names(tmp_path) == [name_of(FIRST)]


def test_what_was_said_comes_from_the_file_in_the_order_of_its_ranks(tmp_path):
    rows = [
        {"lead_id": "b", "rank": 2, "probability": None, "score": 40.0, "source": None},
        {"lead_id": "a", "rank": 1, "probability": 0.3, "score": 90.0, "source": "web"},
        {"lead_id": "c", "rank": 3, "probability": 0.1, "score": 10.0, "source": "fair"},
    ]
    run = listed(tmp_path, FIRST, rows)
    backend, tables = crm(WON.replace("first ", "b     "))
    (one,) = matured([run], backend, tables, target=TARGET, known_at=OVER, unreadable=[])
    assert one.label.tolist() == [0, 1, 0]
    assert (one.said[0], one.said[2], one.score.tolist()) == (0.3, 0.1, [90, 40, 10])
    assert one.slices["source=unknown"].tolist() == [False, True, False]


def test_a_lead_is_new_under_thirty_days(tmp_path):
    born = [FIRST - timedelta(days=days) for days in (29, 30)]
    rows = [{"lead_id": str(at.day), "created_at": at.isoformat()} for at in born]
    backend, tables = crm(WON)
    (one,) = matured(
        [listed(tmp_path, FIRST, rows)], backend, tables, target=TARGET, known_at=OVER, unreadable=[]
    )
    assert (one.slices["age=new"].tolist(), one.slices["age=old"].tolist()) == ([True, False], [False, True])


def test_a_run_whose_file_is_damaged_is_named(tmp_path):
    run = listed(tmp_path, FIRST, LEADS)
    (run.folder / "ranking.parquet").write_bytes(b"PAR1 and then nothing")
    with pytest.raises(StorageError, match=name_of(FIRST)):
        rows_of(run)
    left_out = []
    assert list(matured([run], *crm(WON), target=TARGET, known_at=OVER, unreadable=left_out)) == []
    assert left_out == [run.run_id]


def test_a_run_that_was_just_collected_is_left_out(tmp_path):
    listed(tmp_path, FIRST, LEADS)
    run = find(tmp_path, name_of(FIRST))
    (run.folder / MANIFEST).unlink()
    assert (
        list(
            matured([run], *crm(WON), target=TARGET, known_at=datetime(2026, 6, 1, tzinfo=UTC), unreadable=[])
        )
        == []
    )
