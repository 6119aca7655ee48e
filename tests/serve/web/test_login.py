"""Logging in and out: whom, for how long, and how often one may try."""

from __future__ import annotations

import pytest

from serve.state.users import Role
from serve.web.limiting import LOGINS_OF_ADDRESS, LOGINS_OF_NAME
from serve.web.local_paths import local

from .conftest import PASSWORD

BAD_PATHS = [
    "//evil.example", "/\\evil.example", "\\\\evil.example", "https:evil.example", "https://evil.example",
    "/\t/evil.example", "/x\r\nSet-Cookie: a=b", " //evil.example", "javascript:alert(1)", "", "evil",
    "/x\\y", "///evil.example", "/\x00/evil",
]  # fmt: skip


@pytest.mark.parametrize("path", BAD_PATHS)
def test_a_login_leads_to_a_path_of_ours_only(site, path):
    sent = {"name": "rep", "password": PASSWORD, "next": path}
    answer = site.browser().post("/login", data=sent)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert local(path) == "/"
    assert local("/" + "a" * 3000) == "/"


def test_a_login_leads_where_the_user_was_going(site):
    asked = site.browser().get("/account?a=1&b=/x")
    assert asked.headers["location"] == "/login?next=%2Faccount%3Fa%3D1%26b%3D%2Fx"
    sent = {"name": "rep", "password": PASSWORD, "next": "/account?a=1&b=/x"}
    assert site.browser().post("/login", data=sent).headers["location"] == "/account?a=1&b=/x"


def test_whatever_is_wrong_gets_one_answer(site):
    site.user("company", Role.REP, password=None)
    gone = site.user("gone", Role.REP)
    site.place.store.users.change(gone, at=site.clock(), by="test", is_active=False)
    tries = [("rep", "wrong password"), ("nobody", PASSWORD), ("company", PASSWORD), ("gone", PASSWORD)]
    answers = [site.browser().post("/login", data={"name": n, "password": p}) for n, p in tries]
    assert {(answer.status_code, answer.text) for answer in answers} == {(401, answers[0].text)}
    assert "set-cookie" not in answers[0].headers


def test_a_new_session_at_every_login_and_none_that_a_browser_brings(site):
    browser = site.browser()
    browser.cookies.set("leadrank", "chosen-by-somebody-else", domain="localhost.local")
    browser.post("/login", data={"name": "rep", "password": PASSWORD})
    first = browser.cookies["leadrank"]
    assert first != "chosen-by-somebody-else"
    browser.post("/login", data={"name": "rep", "password": PASSWORD})
    stolen = site.browser()
    stolen.cookies.set("leadrank", first)
    assert stolen.get("/account").status_code == 303  # the old one has ended
    assert browser.get("/account").status_code == 200


def test_a_cookie_is_out_of_reach_of_scripts_and_other_sites(site):
    answer = site.browser().post("/login", data={"name": "rep", "password": PASSWORD})
    told = answer.headers["set-cookie"].lower()
    assert "httponly" in told
    assert "samesite=lax" in told
    assert "path=/" in told
    assert "domain" not in told


def test_over_tls_a_cookie_is_this_hosts_alone(site):
    secure = site.with_settings(public_url="https://leads.example")
    answer = secure.browser("https://leads.example").post(
        "/login", data={"name": "rep", "password": PASSWORD}
    )
    told = answer.headers["set-cookie"]
    assert told.startswith("__Host-leadrank=")
    assert "secure" in told.lower()


def test_a_logout_ends_the_session_itself(site):
    browser = site.login("rep")
    kept = browser.cookies["leadrank"]
    assert browser.post("/logout").headers["location"] == "/login"
    browser.cookies.set("leadrank", kept)
    assert browser.get("/account").status_code == 303


@pytest.mark.parametrize(("hours", "status"), [(7.99, 200), (8, 303)])
def test_a_session_ends_after_eight_idle_hours(site, hours, status):
    browser = site.login("rep")
    site.clock.move(hours=hours)
    assert browser.get("/account").status_code == status


def test_a_session_ends_after_a_day_however_busy(site):
    browser = site.login("rep")
    statuses = []
    for _ in range(5):
        site.clock.move(hours=5)
        statuses.append(browser.get("/account").status_code)
    assert statuses == [200, 200, 200, 200, 303]


def test_a_change_by_an_admin_is_in_force_at_the_next_request(site):
    browser, admin = site.login("analyst"), site.login("admin")
    user = site.place.store.users.named("analyst")
    assert browser.get("/account").status_code == 200
    sent = {"role": "analyst", "territories": "North"}
    assert (
        admin.post(f"/admin/users/{user.user_id}", data=sent).status_code == 303
    )  # no is_active: not ticked
    assert browser.get("/account").status_code == 303


def test_two_hundred_tries_are_slowed_down_and_nobody_is_locked_out(site):
    browser = site.browser()
    statuses = [
        browser.post("/login", data={"name": "rep", "password": f"guess number {n}"}).status_code
        for n in range(200)
    ]
    assert statuses.count(401) == LOGINS_OF_NAME.amount
    assert statuses.count(429) == 200 - LOGINS_OF_NAME.amount
    from starlette.testclient import TestClient

    elsewhere = TestClient(
        site.app, "http://localhost", headers={"Origin": "http://localhost"}, client=("10.1.1.1", 1),
        follow_redirects=False,
    )  # fmt: skip
    assert elsewhere.post("/login", data={"name": "rep", "password": PASSWORD}).status_code == 303


def test_one_address_cannot_try_many_names(site):
    browser = site.browser()
    statuses = [
        browser.post("/login", data={"name": f"n{n}", "password": "guess"}).status_code
        for n in range(LOGINS_OF_ADDRESS.amount + 5)
    ]
    assert statuses.count(401) == LOGINS_OF_ADDRESS.amount
    assert set(statuses[-5:]) == {429}


def test_refused_logins_are_in_the_audit_log_without_a_name(site):
    site.browser().post("/login", data={"name": "secret name", "password": "guess"})
    entry = site.place.store.audit.latest()[0]
    assert (entry.user_id, entry.action, entry.subject, entry.detail) == ("nobody", "login refused", None, {})
