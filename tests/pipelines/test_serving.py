"""``leadrank serve`` and ``leadrank users``: what is refused before anybody can ask, and who may log in."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from datetime import UTC, datetime
from pathlib import Path

import pytest

from features.errors import ParameterError
from pipelines import forgetting, params, serving, user_commands
from pipelines.serve_sections import OpenId, Serve
from serve.state.feedback import Action, Said
from serve.state.store import Store, opened
from serve.state.users import Role
from tests.serve.published import publish

LEADRANK = Path(sys.executable).with_name("leadrank")
PASSWORD = "correct horse battery"  # noqa: S105  # of users who do not exist
AT = datetime(2026, 7, 1, tzinfo=UTC)
TEXT = "tables: {leads: {path: leads.csv, outcome_column: won}}\n"


@pytest.fixture
def home(tmp_path):
    """A folder with parameters and a ranking of three leads."""
    (tmp_path / "params.yaml").write_text(TEXT)
    publish(tmp_path / "runs", [{"lead_id": f"L{n}", "territory": "North"} for n in range(3)])
    return tmp_path


def leadrank(home, *words, sent=""):
    done = subprocess.run(
        [LEADRANK, *words], cwd=home, input=sent, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def store(tmp_path) -> Store:
    made = opened(tmp_path)
    yield made
    made.close()


def settings(host="127.0.0.1", **more):
    return serving.settings_of(Serve(**more), {"SECRET": "x"}, host=host)


def test_nothing_is_served_while_nobody_could_log_in(store):
    for host in ("127.0.0.1", "0.0.0.0"):  # noqa: S104  # it is refused
        with pytest.raises(ParameterError, match="no user"):
            serving.check(settings(host), store)


@pytest.mark.parametrize(
    ("host", "public_url", "is_served"),
    [("127.0.0.1", None, True), ("::1", None, True), ("localhost", None, True), ("0.0.0.0", None, False),  # noqa: S104
     ("10.0.0.7", None, False), ("::", None, False), ("crm.local", None, False),
     ("0.0.0.0", "http://leads.example", False), ("0.0.0.0", "https://leads.example", True)],  # noqa: S104
)  # fmt: skip
def test_beyond_this_machine_passwords_travel_over_tls_only(store, host, public_url, is_served):
    store.users.add("Ann", Role.ADMIN, password=PASSWORD, at=AT, by="test")
    given = settings(host, public_url=public_url)
    if is_served:
        serving.check(given, store)
    else:
        with pytest.raises(ParameterError, match="https"):
            serving.check(given, store)


def test_insecure_is_loud(store, capsys):
    given = serving.settings_of(Serve(), {}, host="0.0.0.0", is_open=True)  # noqa: S104
    serving.check(given, store)
    assert "*** --insecure: no login is asked for" in capsys.readouterr().err


def test_the_secret_of_the_provider_comes_from_the_environment_and_is_not_shown():
    oidc = OpenId(issuer="https://login.example", client_id="x", client_secret_env="SECRET")  # noqa: S106  # a name
    found = serving.settings_of(Serve(oidc=oidc), {"SECRET": "hush"})
    assert found.oidc is not None
    assert found.oidc.client_secret == "hush"  # noqa: S105
    assert "hush" not in repr(found)
    with pytest.raises(ParameterError, match="'SECRET' is not set"):
        serving.settings_of(Serve(oidc=oidc), {})


def test_only_a_proxy_that_is_named_is_believed():
    assert serving._served(settings())["proxy_headers"] is False
    named = serving._served(settings(trusted_proxy="10.0.0.5"))
    assert (named["proxy_headers"], named["forwarded_allow_ips"]) == (True, "10.0.0.5")
    assert named["server_header"] is False
    assert named["access_log"] is False


@pytest.mark.parametrize(
    "serve", ["public_url: leads.example", "public_url: https://user:hush@leads.example", "port: 0",
              "idle_hours: 0", "oidc: {issuer: 'x'}", "state_url_env: 'postgresql://hush@h'"],
)  # fmt: skip
def test_a_section_that_cannot_be_used_is_refused_unseen(serve):
    with pytest.raises(ParameterError) as refused:
        params.parse(f"{TEXT}serve: {{{serve}}}")
    assert "hush" not in str(refused.value)


def test_users_are_added_changed_and_listed(home):
    given = {"password": PASSWORD, "territories": frozenset({"North"}), "owner": None}
    where = (params.load(home / "params.yaml"), home)
    assert user_commands.add(*where, "Ann", "rep", at=AT, given=given)["role"] == "rep"
    to = {"role": "manager", "is_active": False, "territories": None, "owner": None, "password": None}
    assert user_commands.change(*where, "ann", at=AT, to=to)["is_active"] is False
    (ann,) = user_commands.every(*where)["users"]
    assert ann == {
        "name": "Ann", "role": "manager", "territories": ["North"], "owner": None, "is_active": False
    }  # fmt: skip
    with pytest.raises(ParameterError, match="no user"):
        user_commands.change(*where, "Bob", at=AT, to=to)
    with pytest.raises(ParameterError, match="nothing"):
        user_commands.change(*where, "Ann", at=AT, to=dict.fromkeys(to))


def test_a_page_is_served_to_whom_was_added_until_a_signal_ends_it(home):
    words = ("users", "add", "Ann", "--role", "rep", "--territory", "North", "--password-stdin", "--json")
    code, out, err = leadrank(home, *words, sent=PASSWORD + "\n")
    assert code == 0, err
    assert PASSWORD not in out + err
    assert json.loads(out)["territories"] == ["North"]
    port = free_port()
    with subprocess.Popen(
        [LEADRANK, "serve", "--port", str(port)], cwd=home, stderr=subprocess.PIPE, text=True
    ) as process:
        assert answered(f"http://127.0.0.1:{port}/api/v1/ready") == {"status": "ready"}
        with pytest.raises(urllib.error.HTTPError, match="401"):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/leads", timeout=10)
        process.terminate()
        told = process.communicate(timeout=30)[1]
    assert process.returncode == 128 + 15
    assert json.loads(told.splitlines()[0])["event"] == "serving"


def test_a_demo_gets_one_user_of_each_role_and_passwords_once(home, store):
    from pipelines.demo import page_users

    where = (params.load(home / "params.yaml"), home, store, AT)
    passwords = page_users.added(*where)
    assert set(passwords) == {"rep", "manager", "analyst", "admin"}
    for name, password in passwords.items():
        assert store.users.checked(name, password).role == name
    assert store.users.named("rep").territories == {"North"}
    assert "North" in store.tree.below(store.users.named("manager").territories)
    assert page_users.added(*where) == {}


def test_erased_leads_leave_the_state_where_there_is_one(home):
    given = params.load(home / "params.yaml")
    assert forgetting.forget(given, home, {"L1"}, None) is None
    store = opened(home)
    user = store.users.add("Ann", Role.REP, password=None, at=AT, by="test")
    store.feedback.give(Said(user.user_id, "L1", Action.WON, "run"), AT)
    store.close()
    assert forgetting.forget(given, home, {"L1"}, None) == 2  # feedback and its line in the log
    assert forgetting.forget(given, home, {"L1", "L2"}, lambda _: "erased") == 2
    assert forgetting.forget(given, home, {"L1"}, None) == 0


def test_a_port_that_is_taken_ends_with_code_2(home):
    store = opened(home)
    store.users.add("Ann", Role.ADMIN, password=PASSWORD, at=AT, by="test")
    store.close()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        code, _, err = leadrank(home, "serve", "--port", str(taken.getsockname()[1]))
    assert code == 2
    assert "nothing can listen" in json.loads(err.splitlines()[-1])["reason"]


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def answered(address):
    end = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(address, timeout=5) as answer:  # noqa: S310  # of this machine
                return json.load(answer)
        except OSError:
            assert time.monotonic() < end, "nothing answers"
            time.sleep(0.2)
