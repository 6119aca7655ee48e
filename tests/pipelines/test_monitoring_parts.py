"""What a night is held against: which run is last week's, and which features are asked of new leads."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from features.families import by_name
from pipelines.monitoring_parts import Night, own_of_leads, without_colleagues
from serve import runs

TONIGHT = datetime(2026, 6, 30, tzinfo=UTC)
PARAMS = SimpleNamespace(score=SimpleNamespace(runs="runs"))


def published(home, *ages):
    """A run of each age in days, tonight's first; the files of a run are its age."""
    folder, found = home / "runs", []
    folder.mkdir(exist_ok=True)
    for age in (0, *ages):
        at = TONIGHT - timedelta(days=age)
        with runs.staging(folder) as staged:
            (staged / "age").write_text(str(age), encoding="utf-8")
            found.append(runs.publish(staged, folder, runs.run_id(at, str(age)), {"as_of": at.isoformat()}))
    return found


def night(home, run):
    return Night.of(PARAMS, home, None, run, None)


@pytest.mark.parametrize(
    ("ages", "expected"),
    [
        ((6.99,), None),
        ((7,), 7),
        ((1, 2, 7, 8, 30), 7),
        ((35,), 35),
        ((35.01,), None),
        ((-7,), None),  # a later night is no week before
    ],
)
def test_last_week_is_the_latest_run_that_is_a_week_older_and_five_at_most(tmp_path, ages, expected):
    tonight, *_ = published(tmp_path, *ages)
    found = night(tmp_path, tonight).last_week
    age = None if found is None else float((found.folder / "age").read_text(encoding="utf-8"))
    assert age == expected


def test_a_withdrawn_run_and_a_damaged_one_are_no_last_week(tmp_path):
    tonight, withdrawn, damaged, whole = published(tmp_path, 7, 8, 9)
    runs.withdraw(withdrawn, tmp_path / "runs", reason="wrong list", instead=tonight)
    (damaged.folder / "age").write_text("other", encoding="utf-8")
    found = night(tmp_path, tonight)
    assert found.last_week == whole
    assert night(tmp_path, whole).earlier == []  # later nights are not before it
    assert [run.run_id for run in found.earlier] == [damaged.run_id, whole.run_id]


def test_what_all_leads_of_an_owner_share_is_no_distribution_of_leads():
    features = by_name(["colleagues", "active_days_30d", "owner_open_leads"], {}, {})
    assert own_of_leads(features) == ["colleagues", "active_days_30d"]


def test_of_new_leads_nothing_is_asked_that_their_colleagues_have_as_well():
    names = ["colleagues", "active_colleagues_30d", "account_wins", "active_days_30d"]
    features = by_name(names, {}, {})
    assert without_colleagues(features, names) == ["active_days_30d"]
