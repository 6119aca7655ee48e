"""Who holds a lock, though the kernel's list of locks is one that others change while it is read."""

from __future__ import annotations

import fcntl
import os

import pytest

from serve import holder


def test_the_process_that_holds_it_is_named_and_nobody_who_does_not(tmp_path):
    if not holder._LOCKS.exists():
        pytest.skip("this kernel does not list its locks")
    with (tmp_path / ".lock").open("w") as file:
        assert holder.holder(tmp_path / ".lock") is None
        fcntl.flock(file, fcntl.LOCK_EX)
        assert holder.holder(tmp_path / ".lock") == os.getpid()
    assert holder.holder(tmp_path / "nothing") is None


def test_it_is_looked_for_until_the_list_has_it(tmp_path, monkeypatch):
    (tmp_path / ".lock").touch()
    looks = iter([None] * 12 + [4711])
    monkeypatch.setattr(holder, "_PAUSE_SECONDS", 0)
    monkeypatch.setattr(holder, "_look", lambda _inode: next(looks))
    assert holder.holder(tmp_path / ".lock") == 4711
