"""Sessions and tokens: until when they hold, and how wide they are."""

from __future__ import annotations

from datetime import timedelta

import pytest

from serve.state.pending import Login
from serve.state.users import Role

from .conftest import AT, PASSWORD

MINUTE = timedelta(minutes=1)


@pytest.fixture
def user(store):
    return store.users.add("Ann", Role.REP, password=PASSWORD, at=AT, by="test", territories=["North"])


@pytest.mark.parametrize(("minutes", "holds"), [(0, True), (9, True), (10, False), (11, False)])
def test_a_session_ends_when_it_was_idle_for_so_long(store, user, minutes, holds):
    token = store.sessions.start(user.user_id, AT, minutes=100)
    found = store.sessions.find(token, AT + minutes * MINUTE, 10)
    assert (found is not None) == holds


def test_requests_keep_a_session_awake_until_its_end(store, user):
    token = store.sessions.start(user.user_id, AT, minutes=20)
    held = [store.sessions.find(token, AT + m * MINUTE, 10) is not None for m in (6, 12, 18, 19, 20, 21)]
    assert held == [True, True, True, True, False, False]


def test_a_login_ends_the_session_that_the_browser_came_with(store, user):
    old = store.sessions.start(user.user_id, AT, minutes=20)
    new = store.sessions.start(user.user_id, AT, minutes=20, old=old)
    assert store.sessions.find(old, AT, 20) is None
    assert store.sessions.find(new, AT, 20).user == user


def test_a_logout_ends_that_session_and_no_other(store, user):
    here, there = (store.sessions.start(user.user_id, AT, minutes=20) for _ in range(2))
    store.sessions.end(here, AT)
    assert store.sessions.find(here, AT, 20) is None
    assert store.sessions.find(there, AT, 20) is not None


@pytest.mark.parametrize("change", [str.upper, str.lower, lambda t: t[:-1], lambda t: t + "a", lambda _: ""])
def test_a_token_is_found_whole_and_as_it_was_given(store, user, change):
    _, secret = store.tokens.issue(user.user_id, "sync", AT, by="test")
    session = store.sessions.start(user.user_id, AT, minutes=20)
    assert store.tokens.find(secret, AT) is not None
    assert store.tokens.find(change(secret), AT) is None
    assert store.sessions.find(change(session), AT, 20) is None


@pytest.mark.parametrize(("days", "holds"), [(2.99, True), (3, False)])
def test_a_token_ends_after_its_days(store, user, days, holds):
    _, secret = store.tokens.issue(user.user_id, "sync", AT, by="test", days=3)
    assert (store.tokens.find(secret, AT + timedelta(days=days)) is not None) == holds


def test_a_revoked_token_opens_nothing_and_only_its_user_revokes_it(store, user):
    token_id, secret = store.tokens.issue(user.user_id, "sync", AT, by="test")
    assert not store.tokens.revoke(token_id, AT, by="eve", of="eve")
    assert store.tokens.find(secret, AT) is not None
    assert store.tokens.revoke(token_id, AT, by=user.user_id, of=user.user_id)
    assert store.tokens.find(secret, AT) is None


def test_a_list_of_tokens_tells_nothing_that_opens(store, user):
    _, secret = store.tokens.issue(user.user_id, "sync", AT, by="test", territories=["South", "North"])
    (told,) = store.tokens.every(user.user_id)
    assert told["territories"] == ["North", "South"]
    assert "digest" not in told
    assert secret not in str(told)
    assert store.tokens.every("another") == []


def test_a_login_on_its_way_is_taken_up_once_and_in_time(store):
    login = Login("nonce", "verifier", "/leads/7")
    store.pending.begin("state", login, AT)
    assert store.pending.take("other", AT) is None
    assert store.pending.take("state", AT + 9 * MINUTE) == login
    assert store.pending.take("state", AT + 9 * MINUTE) is None
    store.pending.begin("state", login, AT)
    assert store.pending.take("state", AT + 10 * MINUTE) is None
