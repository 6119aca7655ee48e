"""Who sees which leads: every text of a foreign territory is marked, and no answer may hold such a mark."""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import replace
from urllib.parse import quote

import pytest
from limits import RateLimitItemPerMinute

from serve.state.users import Role
from serve.web import limiting

from .conftest import EACH, TERRITORIES, Site

ALL = {str(territory) for territory in TERRITORIES}
WHO = {
    "of North": (Role.REP, ["North"], None, {"North"}),
    "of South alone": (Role.REP, ["South"], None, {"South"}),
    "above Paris": (Role.MANAGER, ["South"], None, {"South", "Paris"}),
    "of two": (Role.REP, ["North", "Paris"], None, {"North", "Paris"}),
    "own leads": (Role.REP, ["North", "South"], "Anna zqNorth", {"North"}),
    "of nothing": (Role.REP, [], None, set()),
    "of nowhere": (Role.MANAGER, ["Atlantis"], None, set()),
    "of *": (Role.REP, ["*", "%", ""], None, set()),
    "reads all": (Role.ANALYST, [], None, ALL),
    "may all": (Role.ADMIN, [], None, ALL),
}
"""Role, territories, owner, and the territories whose leads they may see."""
FORGED = [
    "territory=South", "territory=*", "territory=North&territory=South", "scope=*", "user_id=1", "role=admin",
    "owner=Bo%20zqSouth", "run_id=..%2f..%2f", "run=../..", "q=zqSouth", "q=%27%20OR%201=1--", "q=%25",
    "sort=owner", "sort=place;DROP", "tag=tag%20zqSouth", "stage=sql", "changed=new", "calls=1", "offset=3",
    "size=200", "q=shared",
]  # fmt: skip
LISTS = (
    "/", "/leads.csv", "/leads.xlsx", "/api/v1/leads", "/api/v1/facets",
    "/team", "/sources", "/funnel", "/model",
)  # fmt: skip


@pytest.fixture
def sales(ranked, monkeypatch):
    """The page with a user of each kind, and Paris below South; nobody waits."""
    monkeypatch.setattr(limiting, "EXPORTS", RateLimitItemPerMinute(1000))
    monkeypatch.setattr(limiting, "REQUESTS", RateLimitItemPerMinute(1000))
    ranked.place.store.tree.put("Paris", "South", at=ranked.clock(), by="test")
    for name, (role, territories, owner, _) in WHO.items():
        ranked.user(name, role, territories, owner=owner)
    advice = {"help": lambda _, lead_id: {"points": 1.0, "now": None, "then": f"call {lead_id}"}}
    return Site(replace(ranked.place, extras=advice), ranked.clock)


def text_of(answer) -> str:
    """All text of an answer, that of an Excel file among it."""
    if not answer.headers.get("content-type", "").endswith("sheet"):
        return answer.text
    with zipfile.ZipFile(io.BytesIO(answer.content)) as book:
        return "".join(book.read(name).decode("utf-8", "replace") for name in book.namelist())


def foreign(text: str, own: set[str], asked: str = "") -> set[str]:
    """Territories of which a text holds a mark, but for the viewer's and what the request itself said."""
    return {
        found for found in re.findall(r"zq([A-Z]\w+)", text) if found not in own and f"zq{found}" not in asked
    }


@pytest.mark.parametrize("name", WHO)
def test_no_answer_holds_a_foreign_lead_a_foreign_word_or_their_number(sales, name):
    role, _, _, own = WHO[name]
    browser, program = sales.login(name), sales.program(name)
    for path in LISTS:
        for query in ("", *FORGED):
            asked = f"{path}?{query}" if query else path
            answer = (program if path.startswith("/api") else browser).get(asked)
            assert answer.status_code in {200, 403, 422}, (asked, answer.status_code)
            assert foreign(text_of(answer), own, query) == set(), asked
    listed = program.get("/api/v1/leads?size=200").json()
    assert listed["total"] == len(own) * EACH
    assert [lead["place"] for lead in listed["leads"]] == list(range(1, len(own) * EACH + 1))
    assert {lead["lead_id"][2:].rpartition("-")[0] for lead in listed["leads"]} == own
    counts = {count["leads"] for found in program.get("/api/v1/facets").json().values() for count in found}
    assert counts <= {EACH, len(own) * EACH}
    assert role is not None


@pytest.mark.parametrize("name", WHO)
def test_a_foreign_lead_is_as_unknown_as_one_that_is_not_there(sales, name):
    own = WHO[name][3]
    browser, program = sales.login(name), sales.program(name)
    for territory in ALL:
        lead_id = f"zq{territory}-0"
        page, call = browser.get(f"/leads/{lead_id}"), program.get(f"/api/v1/leads/{lead_id}")
        advice = browser.get(f"/would-help/{lead_id}")
        said = program.post("/api/v1/feedback", json={"lead_id": lead_id, "action": "accept"})
        statuses = (page.status_code, call.status_code)
        if territory in own:
            assert statuses == (200, 200)
            assert (advice.status_code, foreign(advice.text, own)) == (200, set())
            assert said.status_code == (403 if WHO[name][0] is Role.ANALYST else 201)
            assert foreign(page.text + call.text, own) == set()
        else:
            unknown = program.get("/api/v1/leads/nobody")
            assert statuses == (404, 404)
            assert advice.status_code == 404
            assert without_numbers(advice.text) == without_numbers(
                browser.get("/would-help/nobody").text, "nobody"
            )
            assert said.status_code in {403, 404}
            assert without_id(call.json()) == without_id(unknown.json())
            assert without_numbers(page.text) == without_numbers(browser.get("/leads/nobody").text, "nobody")


def without_id(told):
    return {name: value for name, value in told.items() if name != "request_id"}


def without_numbers(text, lead_id="zq"):
    """A page without the request's own number and what the address said."""
    return re.sub(rf"[0-9a-f]{{16}}|(%2F|/)(leads|would-help)(%2F|/)({lead_id}|zq)[\w-]*", "", text)


@pytest.mark.parametrize("lead_id", ["zqSouth-0", "zqNone-0"])
def test_no_feedback_is_kept_about_a_foreign_lead(sales, lead_id):
    program = sales.program("of North")
    for more in ({}, {"version": 0}, {"run_id": "x"}, {"key": "k"}):
        body = {"lead_id": lead_id, "action": "won", **more}
        assert program.post("/api/v1/feedback", json=body).status_code == 404
    assert sales.place.store.feedback.version(lead_id) == 0
    forged = {"lead_id": "zqNorth-0", "action": "won", "territory": "South", "user_id": "x"}
    assert program.post("/api/v1/feedback", json=forged).status_code == 422


@pytest.mark.parametrize(
    ("name", "territories", "own"),
    [
        ("of North", ["North"], {"North"}),
        ("of North", ["South"], set()),
        ("above Paris", ["Paris"], {"Paris"}),
        ("above Paris", ["South"], {"South", "Paris"}),
        ("reads all", ["North"], {"North"}),
        ("reads all", [], set()),
        ("own leads", ["South"], set()),
    ],
)
def test_a_token_is_never_wider_than_its_user(sales, name, territories, own):
    program = sales.program(name, territories=territories)
    found = program.get("/api/v1/leads?size=200").json()["leads"]
    assert {lead["lead_id"][2:].rpartition("-")[0] for lead in found} == own


def test_new_territories_are_in_force_at_the_next_request(sales):
    program = sales.program("of North")
    assert program.get("/api/v1/leads").json()["total"] == EACH
    user = sales.place.store.users.named("of North")
    to = {"territories": frozenset({"South"})}
    sales.place.store.users.change(user.user_id, at=sales.clock(), by="test", **to)
    assert program.get("/api/v1/leads").json()["leads"][0]["territory"] == "South"


def test_order_and_search_tell_nothing_of_leads_that_are_not_mine(sales):
    program = sales.program("of North")
    for sort in ("place", "owner", "territory", "expected_value", "change"):
        for direction in ("asc", "desc"):
            found = program.get(f"/api/v1/leads?sort={sort}&direction={direction}").json()
            assert found["total"] == EACH
    for search in ("zqSouth", "company zqSouth", "Bo"):
        assert program.get(f"/api/v1/leads?q={quote(search)}").json()["total"] == 0


def test_feedback_is_kept_once_with_the_published_rank_and_stands_in_the_log(sales):
    program = sales.program("of North")
    body = {"lead_id": "zqNorth-1", "action": "return", "reason": "a student", "key": "k", "version": 0}
    first, again = (program.post("/api/v1/feedback", json=body) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["stage"] == "returned_at_once"
    assert first.headers["etag"] == '"1"'
    (row,) = sales.place.store.feedback.of("zqNorth-1")
    assert (row["rank"], row["territory"], row["action"]) == (5, "North", "return")
    assert sales.place.store.audit.latest()[0].action == "feedback return"
    assert program.get("/api/v1/leads/zqNorth-1").json()["feedback_version"] == 1


def test_who_saw_an_older_version_is_told(sales):
    program = sales.program("of North")
    body = {"lead_id": "zqNorth-1", "action": "accept"}
    assert program.post("/api/v1/feedback", json=body).status_code == 201
    late = {**body, "action": "lost", "version": 0}
    assert program.post("/api/v1/feedback", json=late).status_code == 409
    for header in ('"0"', "x", '"99999999999"', "*"):
        answer = program.post(
            "/api/v1/feedback", json={**body, "action": "won"}, headers={"If-Match": header}
        )
        assert answer.status_code == 412
    answer = program.post("/api/v1/feedback", json={**body, "action": "won"}, headers={"If-Match": '"1"'})
    assert answer.status_code == 201
    assert program.post("/api/v1/feedback", json={**body, "action": "return"}).status_code == 422  # why?


@pytest.mark.parametrize(
    "query",
    ["size=1000000000", "size=0", "offset=10000000", "offset=-1", "sort=password", "evil=1", "q=" + "a" * 101,
     "direction=up"],
)  # fmt: skip
def test_the_api_understands_what_it_says_and_nothing_else(sales, query):
    assert sales.program("of North").get(f"/api/v1/leads?{query}").status_code == 422
    many = "&".join(f"owner={n}" for n in range(201))
    assert sales.program("of North").get(f"/api/v1/leads?{many}").status_code == 422


def test_an_answer_for_one_is_kept_for_nobody(sales):
    for name in ("of North", "of South alone"):
        answer = sales.program(name).get("/api/v1/leads")
        assert answer.headers["cache-control"] == "private, no-store"
        assert {part.strip() for part in answer.headers["vary"].split(",")} >= {"Cookie", "Authorization"}
        assert "etag" not in answer.headers
        assert "last-modified" not in answer.headers


def test_without_a_login_everybody_reads_and_nobody_changes_anything(ranked):
    everybody = ranked.with_settings(is_open=True)
    browser = everybody.browser()
    assert browser.get("/api/v1/leads").json()["total"] == len(TERRITORIES) * EACH
    body = {"lead_id": "zqNorth-0", "action": "won"}
    assert browser.post("/api/v1/feedback", json=body).status_code == 403
    assert browser.get("/admin").status_code == 403
    for path, sent in {"/views": {"name": "x"}, "/account/tokens": {"label": "x"}, "/look": {}}.items():
        assert browser.post(path, data=sent).status_code == 403


def test_exports_are_counted_more_closely_than_pages(ranked):
    browser = ranked.login("analyst")
    statuses = [browser.get("/leads.csv").status_code for _ in range(limiting.EXPORTS.amount + 2)]
    assert statuses == [200] * limiting.EXPORTS.amount + [429] * 2
    assert browser.get("/account").status_code == 200
