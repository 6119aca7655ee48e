"""The state in PostgreSQL: the same answers as from the file."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from features.errors import UpstreamError
from serve.state.feedback import Action, Said
from serve.state.store import opened
from serve.state.users import Role

from .conftest import AT, CHEAP, PASSWORD


@pytest.fixture
def store(postgres, tmp_path):
    url = f"postgresql://tests@127.0.0.1:{postgres.con.info.port}/postgres"
    made = opened(tmp_path, url, hasher=CHEAP)
    yield made
    made.close()


def test_users_sessions_tokens_and_feedback_are_kept(store):
    assert store.is_there()
    user = store.users.add("Ann", Role.MANAGER, password=PASSWORD, at=AT, by="test", territories=["North"])
    assert store.users.checked("ann", PASSWORD) == user
    token = store.sessions.start(user.user_id, AT, minutes=10)
    assert store.sessions.find(token, AT, 10).user == user
    assert store.sessions.find(token, AT + timedelta(minutes=10), 60) is None
    _, secret = store.tokens.issue(user.user_id, "sync", AT, by="test", territories=["North"])
    assert store.tokens.find(secret, AT).territories == {"North"}
    said = Said(user.user_id, "L1", Action.ACCEPT, "run", key="k", version=0)

    def give(n):
        return store.feedback.give(replace(said, key=str(n)), AT)

    with ThreadPoolExecutor(4) as threads:
        given = [found for found in threads.map(give, range(4)) if found is not None]
    assert [found.version for found in given] == [1]
    (row,) = store.feedback.rows(until=AT + timedelta(days=1))
    assert row["at"] == AT
    store.users.change(user.user_id, at=AT, by="test", is_active=False)
    assert store.tokens.find(secret, AT) is None
    assert store.audit.latest()[0].action == "user changed"


def test_a_server_that_does_not_answer_is_told_without_its_address(tmp_path):
    with pytest.raises(UpstreamError) as refused:
        opened(tmp_path, "postgresql+psycopg://ann:hush@127.0.0.1:1/secret")
    assert "hush" not in str(refused.value)
    assert "127.0.0.1" not in str(refused.value)
