"""Every route says who may call it, and says it to the right people."""

from __future__ import annotations

import subprocess
import sys

import pytest
from starlette.routing import BaseRoute

from serve.state.users import Role
from serve.web import api, pages
from serve.web.rules import PUBLIC, Rule

ADMIN_ONLY = {"/admin", "/api/v1/metrics"}


def rules_of(route: BaseRoute) -> list[Rule]:
    """Rules among everything that a route depends on."""
    waiting, found = [route.dependant], []
    while waiting:
        dependant = waiting.pop()
        waiting += dependant.dependencies
        found += [dependant.call] if isinstance(dependant.call, Rule) else []
    return found


def test_a_route_without_a_rule_fails_here(ranked):
    without = [
        route.path
        for route in ranked.app.routes
        if route.path not in PUBLIC and (not hasattr(route, "dependant") or len(rules_of(route)) != 1)
    ]
    assert without == []


def test_what_is_public_is_little_and_there(ranked):
    paths = {route.path for route in ranked.app.routes}
    assert {"/login", "/logout", "/static", "/api/v1/health", "/api/v1/ready"} <= PUBLIC & paths
    assert len(PUBLIC) < 12
    assert not {path for path in PUBLIC if "lead" in path or "admin" in path}


def test_a_path_and_a_method_have_one_route(ranked):
    pairs = [(route.path, m) for route in ranked.app.routes for m in getattr(route, "methods", ())]
    assert len(pairs) == len(set(pairs))


def test_every_file_of_pages_and_api_is_in_the_list_of_its_package():
    from importlib.resources import files

    for package in (pages, api):
        there = {path.name.removesuffix(".py") for path in files(package.__name__).iterdir()}
        assert set(package.NAMES) == there - {"__init__", "__pycache__"}


def test_nobody_gets_in_without_a_login(ranked):
    nobody = ranked.browser()
    for route in ranked.app.routes:
        for method in getattr(route, "methods", ()):
            if route.path in PUBLIC:
                continue
            answer = nobody.request(method, route.path.replace(":path", "").replace("{", "").replace("}", ""))
            assert answer.status_code in {303, 401}, (method, route.path)
            assert "zq" not in answer.text


@pytest.mark.parametrize("role", Role)
def test_admin_is_for_admins(ranked, role):
    browser = ranked.login(role.value)
    for route in ranked.app.routes:
        if route.path.startswith("/admin") and "GET" in route.methods and "{" not in route.path:
            assert browser.get(route.path).status_code == (200 if role is Role.ADMIN else 403)
    for path in ("/admin/users", "/admin/territories", "/admin/territories/remove"):
        answer = browser.post(path, data={"name": "x", "role": "admin"})
        assert answer.status_code == (303 if role is Role.ADMIN else 403)


@pytest.mark.parametrize("role", [Role.REP, Role.MANAGER, Role.ADMIN, Role.ANALYST])
def test_an_analyst_reads_and_gives_no_feedback(ranked, role):
    ranked.place.store.tree.put("South", None, at=ranked.clock(), by="test")
    body = {"lead_id": "zqNorth-0", "action": "accept"}
    answer = ranked.program(role.value).post("/api/v1/feedback", json=body)
    assert answer.status_code == (403 if role is Role.ANALYST else 201)


def test_the_page_loads_nothing_that_trains():
    """No library of models, whatever is imported by what: a page starts in a second and stays small."""
    names = ["serve.web.app"] + [
        f"{package.__name__}.{name}" for package in (pages, api) for name in package.NAMES if name != "score"
    ]
    heavy = {"lightgbm", "shap", "mlflow", "numba", "sklearn", "optuna"}
    code = f"import sys, importlib; [importlib.import_module(n) for n in {names}]; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not heavy & set(loaded.stdout.split())
