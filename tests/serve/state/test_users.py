"""Users: what is kept of them, and what a change ends."""

from __future__ import annotations

import sqlite3
import stat
from datetime import timedelta

import pytest
from argon2 import PasswordHasher

from features.errors import ParameterError, StorageError
from serve.state.store import FILE, opened
from serve.state.users import Role
from tests.timing import quickest

from .conftest import AT, CHEAP, PASSWORD


def add(store, name="Ann", role=Role.REP, **more):
    return store.users.add(name, role, password=PASSWORD, at=AT, by="test", **more)


def test_a_user_is_let_in_by_name_and_password_alone(store):
    user = add(store, territories=["North"])
    assert store.users.checked("ann ", PASSWORD) == user
    assert store.users.checked("Ann", PASSWORD + "x") is None
    assert store.users.checked("Bob", PASSWORD) is None


def test_two_names_that_differ_in_case_or_form_are_one(store):
    add(store, "Änn")
    with pytest.raises(ParameterError, match="name"):
        add(store, "ÄNN")


@pytest.mark.parametrize(("letters", "is_taken"), [(11, False), (12, True), (200, True), (201, False)])
def test_a_password_has_12_to_200_characters(store, letters, is_taken):
    def make():
        store.users.add("Ann", Role.REP, password="x" * letters, at=AT, by="test")

    if is_taken:
        make()
        assert store.users.checked("Ann", "x" * letters) is not None
    else:
        with pytest.raises(ParameterError, match="12 to 200"):
            make()


def test_the_file_holds_no_password_and_no_token_and_is_its_owners_alone(store, tmp_path):
    user = add(store)
    token = store.sessions.start(user.user_id, AT, minutes=10)
    _, secret = store.tokens.issue(user.user_id, "sync", AT, by="test")
    store.close()
    files = list((tmp_path / FILE).parent.iterdir())
    assert files
    for path in files:
        held = path.read_bytes()
        assert not any(text.encode() in held for text in (PASSWORD, token, secret))
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / FILE).parent.stat().st_mode) == 0o700


def test_an_unknown_name_takes_as_long_as_a_wrong_password(tmp_path):
    slow = opened(tmp_path, hasher=PasswordHasher(time_cost=3, memory_cost=16_384, parallelism=1))
    slow.users.add("Ann", Role.REP, password=PASSWORD, at=AT, by="test")
    slow.users.add("Eve", Role.REP, password=None, at=AT, by="test")

    def seconds(name):
        assert slow.users.checked(name, "wrong password") is None
        return quickest(lambda: slow.users.checked(name, "wrong password"), times=5)

    known = seconds("Ann")
    assert known > 0.005  # the hash is what takes the time
    assert seconds("nobody") > known / 2
    assert seconds("Eve") > known / 2  # has no password
    slow.close()


@pytest.mark.parametrize(
    "to", [{"password": PASSWORD + "2"}, {"role": Role.MANAGER}, {"is_active": False}], ids=str
)
def test_a_new_password_or_role_and_a_deactivation_end_all_sessions(store, to):
    user = add(store)
    token = store.sessions.start(user.user_id, AT, minutes=10)
    store.users.change(user.user_id, at=AT, by="test", **to)
    assert store.sessions.find(token, AT, 10) is None


def test_new_territories_are_in_force_at_the_next_request(store):
    user = add(store, territories=["North"])
    token = store.sessions.start(user.user_id, AT, minutes=10)
    store.users.change(user.user_id, at=AT, by="test", territories=frozenset({"South"}))
    assert store.sessions.find(token, AT, 10).user.territories == {"South"}


def test_who_may_no_longer_log_in_has_no_password_and_no_token_that_opens(store):
    user = add(store)
    _, secret = store.tokens.issue(user.user_id, "sync", AT, by="test")
    store.users.change(user.user_id, at=AT, by="test", is_active=False)
    assert store.users.checked("Ann", PASSWORD) is None
    store.users.change(user.user_id, at=AT, by="test", is_active=True)
    assert store.users.checked("Ann", PASSWORD) is not None
    assert store.tokens.find(secret, AT) is None  # it was revoked, and stays so


def test_every_change_is_in_the_audit_log_without_the_password(store):
    user = add(store)
    store.users.change(user.user_id, at=AT, by="boss", role=Role.ADMIN, password=PASSWORD + "2")
    entry = store.audit.latest()[0]
    assert (entry.user_id, entry.action, entry.subject) == ("boss", "user changed", user.user_id)
    assert entry.detail == {"changed": ["password", "role"], "role": "admin"}


def test_a_state_of_a_later_version_is_refused(store, tmp_path):
    store.close()
    with sqlite3.connect(tmp_path / FILE) as raw:
        raw.execute("UPDATE state_version SET version = 99")
    raw.close()
    with pytest.raises(StorageError, match="later version"):
        opened(tmp_path, hasher=CHEAP)


@pytest.mark.parametrize(
    "url", ["mysql://u:secret@h/d", "secret", "duckdb:///secret", "postgresql+psycopg2://secret@h/x"]
)
def test_another_database_is_refused_without_its_address(tmp_path, url):
    with pytest.raises(ParameterError) as refused:
        opened(tmp_path, url)
    assert "secret" not in str(refused.value)


def test_the_state_opens_again_with_what_it_held(store, tmp_path):
    add(store, territories=["North"])
    store.close()
    again = opened(tmp_path, hasher=CHEAP)
    assert [user.territories for user in again.users.every()] == [{"North"}]
    assert again.sessions.find("", AT + timedelta(days=1), 10) is None
    again.close()
