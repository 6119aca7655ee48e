"""Work beside a command: it is waited for, and only who asks for its result hears of its failure."""

from __future__ import annotations

import threading

import pytest

from pipelines.meanwhile import meanwhile


def fails():
    raise OSError


def test_it_goes_on_while_the_block_runs():
    begun, seen = threading.Event(), threading.Event()

    def work():
        begun.set()
        assert seen.wait(timeout=20)

    with meanwhile(work) as ready:
        assert begun.wait(timeout=20)
        seen.set()
        ready()


def test_what_was_raised_is_raised_where_the_result_is_asked_for():
    with meanwhile(fails) as ready, pytest.raises(OSError):  # noqa: PT011  # the type is all there is
        ready()


def test_a_failure_nobody_asks_about_hides_no_other():
    with pytest.raises(KeyError), meanwhile(fails):
        raise KeyError


def test_the_end_of_the_block_waits():
    done = []
    with meanwhile(lambda: threading.Event().wait(0.2), lambda: done.append("second")):
        pass
    assert done == ["second"]
