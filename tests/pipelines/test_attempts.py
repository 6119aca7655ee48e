"""Whoever reads a ranking is told that the latest attempt to renew it failed."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from features.errors import GateError, LockedError
from pipelines.attempts import failed, recorded

NIGHT = datetime(2026, 6, 30, tzinfo=UTC)


def attempt(home, error=None):
    with recorded(home, NIGHT):
        if error is not None:
            raise error


def test_a_failure_stays_until_an_attempt_succeeds(tmp_path):
    assert failed(tmp_path) is None
    attempt(tmp_path)
    assert failed(tmp_path) is None
    with pytest.raises(GateError):
        attempt(tmp_path, GateError("rows are gone"))
    told = {"as_of": "2026-06-30T00:00:00+00:00", "code": 4, "reason": "rows are gone"}
    assert failed(tmp_path) == told
    with pytest.raises(LockedError):
        attempt(tmp_path, LockedError("another run"))
    assert failed(tmp_path) == told
    attempt(tmp_path)
    assert failed(tmp_path) is None


def test_a_damaged_note_is_none(tmp_path):
    (tmp_path / ".leadrank").mkdir()
    (tmp_path / ".leadrank" / "last-attempt.json").write_text("[")
    assert failed(tmp_path) is None


def test_a_folder_that_cannot_be_written_hides_no_error(tmp_path):
    (tmp_path / ".leadrank").write_text("a file")
    with pytest.raises(GateError):
        attempt(tmp_path, GateError("rows are gone"))
