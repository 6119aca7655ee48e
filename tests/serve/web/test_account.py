"""A user's own settings, and what an admin does to others."""

from __future__ import annotations

import re

import pytest

from serve.state.users import Role

from .conftest import PASSWORD

HOSTILE = '"><script>alert(1)</script>'


def test_a_choice_of_language_and_theme_is_kept_for_the_next_login(site):
    browser = site.login("rep")
    browser.post("/look", data={"language": "ru", "next": "/account"})
    browser.post("/look", data={"theme": "dark"})
    text = site.login("rep").get("/account").text
    assert '<html lang="ru" data-theme="dark">' in text


def test_a_new_password_wants_the_old_one_and_ends_other_sessions(site):
    here, there = site.login("rep"), site.login("rep")
    new = {"old": PASSWORD, "new": PASSWORD + " 2"}
    wrong = here.post("/account/password", data={**new, "old": "wrong"})
    assert wrong.status_code == 403
    assert "nothing was changed" in wrong.text
    assert here.post("/account/password", data={**new, "new": "short"}).status_code == 422
    assert here.post("/account/password", data=new).status_code == 303
    assert here.get("/account").status_code == 200
    assert there.get("/account").status_code == 303
    assert site.browser().post("/login", data={"name": "rep", "password": PASSWORD}).status_code == 401


def test_a_token_is_shown_once_and_opens_the_api_only(site):
    browser = site.login("analyst")
    shown = browser.post("/account/tokens", data={"label": "sync", "days": "30"}).text
    secret = re.search(r"lr_[\w-]{40,}", shown)[0]
    assert secret not in browser.get("/account").text
    program = site.browser()
    bearer = {"Authorization": f"Bearer {secret}"}
    assert program.get("/api/v1/runs/current", headers=bearer).status_code == 503
    assert program.get("/account", headers=bearer).status_code == 303  # not a page
    assert program.get(f"/api/v1/runs/current?token={secret}").status_code == 401
    assert program.get("/api/v1/runs/current", headers={"Authorization": secret}).status_code == 401


def test_one_revokes_ones_own_tokens_only(site):
    user = site.place.store.users.named("rep")
    token_id, secret = site.place.store.tokens.issue(user.user_id, "sync", site.clock(), by="test")
    assert site.login("analyst").post(f"/account/tokens/{token_id}/revoke").status_code == 404
    assert site.login("rep").post(f"/account/tokens/{token_id}/revoke").status_code == 303
    answer = site.browser().get("/api/v1/runs/current", headers={"Authorization": f"Bearer {secret}"})
    assert answer.status_code == 401


def test_a_token_that_is_known_to_be_wrong_is_not_helped_by_a_session(site):
    browser = site.login("rep")
    answer = browser.get("/api/v1/runs/current", headers={"Authorization": "Bearer lr_wrong"})
    assert answer.status_code == 401


def test_an_admin_adds_a_user_who_can_log_in_and_the_log_tells(site):
    admin = site.login("admin")
    sent = {"name": "Eva", "role": "manager", "territories": "North, South", "password": PASSWORD}
    assert admin.post("/admin/users", data=sent).status_code == 303
    site.login("eva")
    assert site.place.store.users.named("eva").territories == {"North", "South"}
    log = admin.get("/admin/audit").text
    assert "user added" in log
    assert "<bdi>Eva</bdi>" in log  # by name, not by id
    assert "territories: <bdi>North, South</bdi>" in log


def test_an_admin_cannot_lock_everybody_out(site):
    admin = site.login("admin")
    me = site.place.store.users.named("admin").user_id
    for sent in ({"role": "rep", "is_active": "yes"}, {"role": "admin"}):
        answer = admin.post(f"/admin/users/{me}", data=sent)
        assert answer.status_code == 409
        assert "somebody else changes your role" in answer.text
    assert site.place.store.users.named("admin").role is Role.ADMIN


def test_what_is_not_changed_ends_no_session(site):
    browser, admin = site.login("rep"), site.login("admin")
    user = site.place.store.users.named("rep").user_id
    sent = {"role": "rep", "is_active": "yes", "territories": "North, South"}
    assert admin.post(f"/admin/users/{user}", data=sent).status_code == 303
    assert browser.get("/account").status_code == 200
    assert "South" in browser.get("/account").text


def test_names_from_people_are_inert_on_every_page(site):
    admin = site.login("admin")
    admin.post(
        "/admin/users", data={"name": HOSTILE, "role": "rep", "territories": HOSTILE, "password": PASSWORD}
    )
    admin.post("/admin/territories", data={"name": HOSTILE, "parent": "North"})
    admin.post("/account/tokens", data={"label": HOSTILE})
    user = site.place.store.users.named(HOSTILE)
    pages = (
        "/admin",
        f"/admin/users/{user.user_id}",
        "/admin/territories",
        "/admin/tokens",
        "/admin/audit",
        "/account",
    )
    texts = [admin.get(path).text for path in pages] + [site.login(HOSTILE).get("/account").text]
    assert all("<script>alert" not in text for text in texts)
    assert all("&lt;script&gt;" in text for text in texts)


def test_the_tree_is_changed_by_an_admin(site):
    admin = site.login("admin")
    admin.post("/admin/territories", data={"name": "France", "parent": "Europe"})
    assert site.place.store.tree.below({"Europe"}) == {"Europe", "France"}
    assert admin.post("/admin/territories", data={"name": "Europe", "parent": "France"}).status_code == 422
    admin.post("/admin/territories/remove", data={"name": "France"})
    assert site.place.store.tree.below({"Europe"}) == {"Europe"}


@pytest.mark.parametrize("before", ["-1", "0", "1e9", "9" * 40, "x"])
def test_a_place_in_the_log_is_a_number(site, before):
    assert site.login("admin").get("/admin/audit", params={"before": before}).status_code == 422


@pytest.mark.parametrize("path", ["/admin/users/nobody", "/admin/users/..%2f", "/admin/users/%00"])
def test_an_unknown_user_is_not_found(site, path):
    assert site.login("admin").get(path).status_code == 404
