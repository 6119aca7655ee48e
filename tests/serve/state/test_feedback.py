"""Feedback: kept once, in order, with a line in the audit log; the tree and saved views beside it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from features.errors import ParameterError
from serve.state import schema
from serve.state.erasing import erase, rows_of
from serve.state.feedback import Action, Said
from serve.state.saved_views import MOST
from serve.state.store import FILE
from serve.state.users import Role

from .conftest import AT, PASSWORD


@pytest.fixture
def user(store):
    return store.users.add("Ann", Role.REP, password=PASSWORD, at=AT, by="test")


@pytest.fixture
def said(user):
    """Ann accepts lead L1."""
    return Said(user.user_id, "L1", Action.ACCEPT, "run", territory="North", rank=3, probability=0.2, key="k")


def test_the_same_request_twice_is_one_row_and_one_line_in_the_log(store, said):
    first, again = store.feedback.give(said, AT), store.feedback.give(said, AT + timedelta(hours=1))
    assert (first.is_new, again.is_new) == (True, False)
    assert first.feedback_id == again.feedback_id
    assert len(store.feedback.of("L1")) == 1
    assert [entry.action for entry in store.audit.latest()].count("feedback accept") == 1


@pytest.mark.parametrize(
    "other",
    [{"user_id": "x"}, {"lead_id": "x"}, {"run_id": "x"}, {"action": Action.WON}, {"key": "x"}],
    ids=str,
)
def test_a_request_is_another_one_by_user_lead_run_action_or_key(said, other):
    assert replace(said, **other).request != said.request
    assert replace(said, reason="x", version=7).request == said.request


def test_who_saw_an_older_version_has_to_look_again(store, said):
    assert store.feedback.give(replace(said, version=0), AT).version == 1
    late = replace(said, action=Action.LOST, version=0)
    assert store.feedback.give(late, AT) is None
    assert store.feedback.version("L1") == 1
    assert store.feedback.give(replace(late, version=1), AT).version == 2


def test_of_many_at_once_each_is_kept_and_the_same_one_once(store, said):
    with ThreadPoolExecutor(8) as threads:
        same = list(threads.map(lambda _: store.feedback.give(said, AT), range(8)))
        others = list(threads.map(lambda n: store.feedback.give(replace(said, key=str(n)), AT), range(8)))
    assert sum(given.is_new for given in same) == 1
    assert sorted(given.version for given in others) == list(range(2, 10))


def test_of_many_who_saw_the_same_version_one_is_heard(store, said):
    def give(n):
        return store.feedback.give(replace(said, key=str(n), version=0), AT)

    with ThreadPoolExecutor(8) as threads:
        assert sum(given is not None for given in threads.map(give, range(8))) == 1


def test_a_return_came_at_once_unless_somebody_had_worked_on_the_lead(store, said):
    back = replace(said, action=Action.RETURN, reason="no budget")
    assert store.feedback.give(back, AT).stage == "returned_at_once"
    store.feedback.give(replace(said, action=Action.WORKED), AT)
    assert store.feedback.give(replace(back, key="2"), AT).stage == "returned_after_follow_up"
    assert store.feedback.give(replace(back, lead_id="L2"), AT).stage == "returned_at_once"


def test_training_reads_feedback_as_stages_known_when_they_were_said(store, said):
    store.feedback.give(replace(said, action=Action.NOT_A_FIT, reason="a student"), AT)
    (row,) = store.feedback.rows(until=AT + timedelta(microseconds=1))
    assert (row["lead_id"], row["stage"], row["at"], row["reason"]) == ("L1", "disqualified", AT, "a student")
    assert (row["rank"], row["probability"]) == (3, 0.2)
    assert list(store.feedback.rows(until=AT)) == []


def test_what_was_said_at_one_moment_is_read_in_its_order(store, said):
    for number, action in enumerate((Action.WON, Action.ACCEPT, Action.LOST, Action.WORKED)):
        store.feedback.give(replace(said, action=action, key=str(number)), AT)
    rows = store.feedback.rows(until=AT + timedelta(microseconds=1))
    assert [row["action"] for row in rows] == ["won", "accept", "lost", "worked"]


def test_a_tree_shows_what_lies_below_and_has_no_circle(store):
    put = store.tree.put
    put("France", "Europe", at=AT, by="test")
    put("Paris", "France", at=AT, by="test")
    assert store.tree.below({"Europe"}) == {"Europe", "France", "Paris"}
    assert store.tree.below({"Paris", "Asia"}) == {"Paris", "Asia"}
    with pytest.raises(ParameterError, match="below itself"):
        put("Europe", "Paris", at=AT, by="test")
    store.tree.remove("France", at=AT, by="test")
    assert store.tree.below({"Europe"}) == {"Europe"}
    assert store.tree.parents()["Paris"] is None


def test_a_saved_view_is_its_users_alone_and_replaced_by_name(store, user):
    other = store.users.add("Bob", Role.REP, password=None, at=AT, by="test")
    store.views.save(user.user_id, "mine", "grade=A1", AT)
    view_id = store.views.save(user.user_id, "mine", "grade=B1", AT)
    assert [view["query"] for view in store.views.every(user.user_id)] == ["grade=B1"]
    assert store.views.every(other.user_id) == []
    assert not store.views.remove(other.user_id, view_id)
    assert store.views.remove(user.user_id, view_id)


def test_there_are_fifty_saved_views_and_not_one_more(store, user):
    for n in range(MOST):
        store.views.save(user.user_id, f"view {n}", "", AT)
    store.views.save(user.user_id, "view 0", "q=1", AT)
    with pytest.raises(ParameterError, match="50"):
        store.views.save(user.user_id, "one more", "", AT)


def test_the_log_is_read_backwards_in_pages(store):
    for n in range(5):
        store.audit.add(AT, "nobody", f"did {n}")
    first = store.audit.latest(size=2)
    assert [entry.action for entry in first] == ["did 4", "did 3"]
    after = store.audit.latest(before=first[-1].audit_id, size=9)
    assert [entry.action for entry in after] == ["did 2", "did 1", "did 0"]


def test_an_erased_lead_is_nowhere_in_the_state_and_its_figures_stay(store, said, user, tmp_path):
    store.feedback.give(replace(said, lead_id="L-secret", action=Action.RETURN, reason="moved to Rome"), AT)
    store.feedback.give(replace(said, lead_id="L-other"), AT)
    store.views.save(user.user_id, "look", "q=L-secret", AT)
    store.views.save(user.user_id, "grade", "grade=A1", AT)
    assert rows_of(store, frozenset({"L-secret"})) == 3
    assert erase(store, {"L-secret": "erased-1"}) == 3
    assert rows_of(store, frozenset({"L-secret"})) == 0
    (row,) = store.feedback.of("erased-1")
    assert (row["action"], row["reason"], row["rank"]) == ("return", None, 3)
    assert [view["name"] for view in store.views.every(user.user_id)] == ["grade"]
    assert len(store.feedback.of("L-other")) == 1
    with store.engine.connect() as connection:
        requests = set(connection.scalars(sa.select(schema.feedback.c.request)))
    assert replace(said, lead_id="L-secret", action=Action.RETURN).request not in requests
    store.close()
    held = [path.read_bytes() for path in (tmp_path / FILE).parent.iterdir()]
    assert not any(b"L-secret" in each or b"moved to Rome" in each for each in held)
