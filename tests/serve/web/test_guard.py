"""What every answer carries and every request must pass."""

from __future__ import annotations

import asyncio
import json

import pytest
from starlette.testclient import TestClient

from serve.web.headers import ALWAYS, NO_STORE
from serve.web.sizes import ADDRESS_BYTES, BODY_BYTES

from .conftest import HERE, PASSWORD

CANARY = "canary.person@example.com"


def crawled(site):
    """An answer of each kind."""
    browser, admin = site.browser(), site.login("admin")
    yield from (
        browser.get(path) for path in ("/login", "/account", "/nowhere", "/api/v1/health", "/static/app.css")
    )
    yield from (browser.get(path) for path in ("/static/nowhere", "/api/v1/nowhere", "/api/v1/runs/current"))
    yield from (
        admin.get(path) for path in ("/account", "/admin", "/admin/audit?before=x", "/openapi.json", "/docs")
    )
    yield browser.post("/login", data={"name": "x"})  # 422
    yield browser.post("/logout", headers={"Origin": "http://evil.example"})  # 403
    yield browser.get("/login", headers={"Host": "evil.example"})  # 400
    yield browser.get("/" + "a" * ADDRESS_BYTES)  # 414
    yield browser.post("/login", content=b"x" * (BODY_BYTES + 1))  # 413
    yield browser.request("TRACE", "/login")
    yield browser.options("/api/v1/health")
    yield browser.head("/login")


def test_every_answer_carries_every_header(site):
    answers = list(crawled(site))
    assert {answer.status_code for answer in answers} >= {200, 303, 400, 401, 403, 404, 405, 413, 414, 422}
    for answer in answers:
        for name, value in ALWAYS.items():
            assert answer.headers[name] == value, (answer.request.url, name)
        assert answer.headers["cache-control"] == NO_STORE
        assert len(answer.headers["x-request-id"]) == 16
        assert "server" not in answer.headers
        assert "strict-transport-security" not in answer.headers
        assert "access-control-allow-origin" not in answer.headers


def test_behind_tls_browsers_are_told_to_stay_there(site):
    secure = site.with_settings(public_url="https://leads.example")
    for path in ("/login", "/nowhere"):
        told = secure.browser("https://leads.example").get(path).headers["strict-transport-security"]
        assert told.startswith("max-age=31536000")


def test_the_policy_lets_nothing_inline_run(site):
    policy = site.browser().get("/login").headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy


def test_only_a_static_file_by_its_digest_is_kept(site):
    from serve.web.rendering import asset

    browser = site.browser()
    assert "immutable" in browser.get(asset("app.css")).headers["cache-control"]
    assert browser.get("/static/nowhere?v=1").headers["cache-control"] == NO_STORE


@pytest.mark.parametrize(
    "host",
    ["evil.example", "localhost.evil.example", "localhost@evil.example", "evil@localhost", "localhost/?x=",
     "a/?x=", "localhost:80:80", "", "xlocalhost", "localhost#evil", "localhost,evil"],
)  # fmt: skip
def test_a_request_by_another_name_is_refused(site, host):
    answer = site.browser().get("/login", headers={"Host": host})
    assert answer.status_code == 400
    assert host not in answer.text or not host


@pytest.mark.parametrize("host", ["localhost", "localhost:8000", "127.0.0.1:8000", "LOCALHOST"])
def test_a_request_by_our_own_name_passes(site, host):
    assert site.browser().get("/login", headers={"Host": host}).status_code == 200


def test_the_public_name_is_one_of_ours_and_no_link_repeats_the_host(site):
    public = site.with_settings(public_url="https://leads.example")
    answer = public.browser("https://leads.example").get("/account")
    assert answer.headers["location"].startswith("/login?")


RAW = [
    "http://evil.example/account", "account", "//evil.example/account", "/\\evil", "/a\x00b", "*", "",
]  # fmt: skip


@pytest.mark.parametrize("path", RAW)
def test_a_path_that_is_none_reaches_no_route(site, path):
    """As a server may pass it on: an absolute address, no slash at the beginning, two of them."""
    assert asyncio.run(status_of(site.app, path)) in {400, 404}


async def status_of(app, path):
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
        "path": path, "raw_path": path.encode(), "query_string": b"", "root_path": "",
        "headers": [(b"host", b"localhost")], "client": ("127.0.0.1", 1), "server": ("localhost", 80),
    }  # fmt: skip
    told = []

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        told.append(message)

    await app(scope, receive, send)
    return told[0]["status"]


CROSS = [
    {"Origin": "http://evil.example"}, {"Origin": "null"}, {"Origin": "http://localhost.evil.example"},
    {"Origin": "https://localhost"}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "none"}, {"Sec-Fetch-Site": "same-origin", "Origin": "http://evil.example"}, {},
    {"Authorization": "Bearer x"},
]  # fmt: skip


@pytest.mark.parametrize("headers", CROSS, ids=str)
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_what_another_site_sends_with_a_users_cookie_is_refused(site, headers, method):
    browser = site.login("rep")
    del browser.headers["origin"]
    assert browser.request(method, "/look", data={"theme": "dark"}, headers=headers).status_code == 403
    assert site.place.store.users.named("rep").theme == "auto"


@pytest.mark.parametrize("headers", [{"Origin": HERE}, {"Sec-Fetch-Site": "same-origin"}], ids=str)
def test_what_our_own_page_sends_passes(site, headers):
    browser = site.login("rep")
    del browser.headers["origin"]
    assert browser.post("/look", data={"theme": "dark"}, headers=headers).status_code == 303
    assert site.place.store.users.named("rep").theme == "dark"


def test_a_program_with_a_token_needs_no_origin_and_a_preflight_gets_no_leave(site):
    program = site.program("analyst")
    assert program.post("/api/v1/health").status_code == 405  # not 403
    asked = {"Origin": "http://evil.example", "Access-Control-Request-Method": "POST"}
    answer = site.browser().options("/api/v1/feedback", headers=asked)
    assert answer.status_code == 405
    assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize(("letters", "status"), [(BODY_BYTES, 422), (BODY_BYTES + 1, 413)])
def test_a_body_has_a_bound_whether_its_length_is_told_or_not(site, letters, status):
    def pieces():
        for _ in range(letters // 1024):
            yield b"x" * 1024
        yield b"x" * (letters % 1024)

    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    browser = site.browser()
    assert browser.post("/login", content=b"x" * letters, headers=kind).status_code == status
    assert browser.post("/login", content=pieces(), headers=kind).status_code == status


def test_an_address_and_headers_have_a_bound(site):
    browser = site.browser()
    assert browser.get("/login?next=" + "a" * ADDRESS_BYTES).status_code == 414
    assert browser.get("/login", headers={"X-Many": "a" * 40_000}).status_code == 431
    assert browser.get("/login", headers={"Content-Length": "-1"}).status_code == 400


def test_one_who_asks_too_often_waits_and_others_do_not(site, monkeypatch):
    from limits import RateLimitItemPerMinute

    from serve.web import limiting

    monkeypatch.setattr(limiting, "REQUESTS", RateLimitItemPerMinute(20))
    one, other = site.login("rep"), site.login("manager")
    statuses = [one.get("/account").status_code for _ in range(25)]
    assert statuses.count(429) >= 4
    assert other.get("/account").status_code == 200
    assert one.get("/api/v1/health").status_code == 200


def test_who_makes_tokens_up_is_counted_by_address(site, monkeypatch):
    from limits import RateLimitItemPerMinute

    from serve.web import limiting

    monkeypatch.setattr(limiting, "OF_ADDRESS", RateLimitItemPerMinute(20))
    browser = site.browser()
    tokens = ({"Authorization": f"Bearer lr_{n}"} for n in range(25))
    statuses = [browser.get("/api/v1/leads", headers=token).status_code for token in tokens]
    assert statuses == [401] * 20 + [429] * 5


@pytest.mark.parametrize("path", ["/api/v1/feedback", "/login"])
def test_422_tells_places_and_repeats_nothing(site, path):
    program = site.program("rep")
    program.headers["origin"] = HERE
    body = {"lead_id": CANARY * 50, "action": CANARY, CANARY: CANARY, "version": CANARY}
    sent = {"json": body} if path.startswith("/api") else {"data": {"name": CANARY * 50, CANARY: CANARY}}
    answer = program.post(path, **sent)
    assert answer.status_code == 422
    assert "canary" not in answer.text
    assert path == "/login" or {"place": ["body", "action"], "kind": "enum"} in answer.json()["details"]


def test_a_body_that_is_no_json_is_not_repeated(site):
    program = site.program("rep")
    for body, kind in ((b"{" + CANARY.encode(), "application/json"), (CANARY.encode(), "text/plain")):
        answer = program.post("/api/v1/feedback", content=body, headers={"Content-Type": kind})
        assert answer.status_code == 422
        assert "canary" not in answer.text


@pytest.mark.parametrize("path", ["/account", "/api/v1/runs/current"])
def test_an_error_of_ours_is_told_by_a_number_and_its_words_stay_out_of_the_log(
    site, monkeypatch, capsys, path
):
    browser = site.login("rep")

    def broken(*_args):
        raise RuntimeError(CANARY)

    monkeypatch.setattr(site.place.following.__class__, "index", broken)
    answer = browser.get(path)
    assert answer.status_code == 500
    assert answer.headers["x-request-id"] in answer.text
    assert "canary" not in answer.text
    assert answer.headers["content-security-policy"]
    log = capsys.readouterr().err
    failure = next(json.loads(line) for line in log.splitlines() if '"failure"' in line)
    assert failure["request_id"] == answer.headers["x-request-id"]
    assert failure["error"] == "RuntimeError"
    assert "canary" not in log


def test_a_request_is_one_line_without_what_was_sent(site, capsys):
    browser = site.login("rep")
    capsys.readouterr()
    hostile = f"{CANARY}\r\n{{}}\x1b[31m\u2028"
    browser.get(
        "/account", params={"q": hostile}, headers={"User-Agent": CANARY, "Referer": f"http://x/{CANARY}"}
    )
    browser.get(f"/leads/{CANARY}%0d%0a%1b[31m?name={CANARY}")
    browser.post("/login", data={"name": CANARY, "password": PASSWORD})
    lines = capsys.readouterr().err.splitlines()
    told = [json.loads(line) for line in lines]
    assert len(told) == 3
    assert "canary" not in "".join(lines)
    assert told[0]["route"] == "/account"
    assert (told[0]["status"], told[0]["role"], told[0]["method"]) == (200, "rep", "GET")


@pytest.mark.parametrize(
    "header",
    [
        "X-Forwarded-User",
        "X-Forwarded-For",
        "X-Original-URL",
        "X-Rewrite-URL",
        "X-HTTP-Method-Override",
        "Forwarded",
    ],
)
def test_headers_of_a_proxy_open_nothing(site, header):
    for value in ("admin", "/admin", "for=127.0.0.1", "POST"):
        assert site.browser().get("/account", headers={header: value}).status_code == 303
        assert site.login("rep").get("/admin", headers={header: value}).status_code == 403


@pytest.mark.parametrize(
    "path", ["..%2f..%2fsettings.py", "%2e%2e/app.py", "..%5capp.py", "%00", "/etc/passwd", "..//..//x"]
)
def test_static_files_are_those_of_their_folder(site, path):
    answer = site.browser().get(f"/static/{path}")
    assert answer.status_code in {404, 405}
    assert "import" not in answer.text


@pytest.mark.parametrize(
    "path",
    ["/admin/", "/%61dmin", "/admin%2f", "/Admin", "/ADMIN", "/./admin", "/admin/.", "/admin;x"],
)
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "TRACE", "PUT"])
def test_another_way_to_write_an_address_has_the_same_rule_or_no_route(site, method, path):
    answer = site.login("rep").request(method, path)
    assert answer.status_code in {303, 403, 404, 405}


def test_whoever_has_not_logged_in_learns_little(site):
    browser = TestClient(site.app, HERE)
    assert browser.get("/api/v1/health").json() == {"status": "ok"}
    assert browser.get("/api/v1/ready").json() == {"status": "not ready"}
    for path in ("/api/v1/metrics", "/openapi.json", "/docs"):
        assert browser.get(path, follow_redirects=False).status_code in {303, 401}


def test_metrics_are_for_admins_and_name_no_user_and_no_territory(site):
    assert site.login("analyst").get("/api/v1/metrics").status_code == 403
    told = site.login("admin").get("/api/v1/metrics").text
    assert 'leadrank_requests_total{method="POST",route="/login",status="303"}' in told
    assert "North" not in told
    assert "analyst" not in told
