"""The workspace: what it leaves behind when something fails inside it."""

from __future__ import annotations

import gc

import ibis
import pyarrow as pa
import pytest

from features.backend import workspace


def keep_a_table_and_fail(backend):
    """As a step does that fails after it has kept a table: the frame of the error holds the table."""
    kept = backend.create_table("touches", pa.table({"days": [1, 2]})).filter(ibis._.days > 1).cache()
    raise ValueError(kept.count().to_pyarrow().as_py())


def fail_in(folder):
    with workspace(folder) as backend:
        keep_a_table_and_fail(backend)


def test_a_failure_while_a_table_is_kept_is_the_only_one(tmp_path, monkeypatch):
    """A kept table that is dropped after the connection is closed fails in its finalizer, which prints."""
    printed = []
    monkeypatch.setattr("sys.unraisablehook", printed.append)
    with pytest.raises(ValueError, match="1") as failed:
        fail_in(tmp_path)
    del failed
    gc.collect()
    assert printed == []


def test_the_scratch_of_a_failure_is_gone(tmp_path):
    with pytest.raises(ValueError, match="1"):
        fail_in(tmp_path)
    assert list((tmp_path / ".leadrank").iterdir()) == []
