"""The page, served on this machine to a real browser. Skipped where Chromium or Playwright is absent."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher

from serve.state.store import Store, opened
from serve.state.users import Role
from serve.views.following import Following
from serve.web.app import create_app
from serve.web.place import Place
from serve.web.settings import Settings
from tests.web.drawn import publish

PASSWORD = "correct horse battery"  # noqa: S105  # of users who do not exist
NIGHT = datetime(2026, 6, 30, tzinfo=UTC)
HELPS = {"points": 1.4, "now": "no attempt for 9 days", "then": "<b>no attempt</b> for 1 day"}
"""What the model says would help a lead."""
MORNING = NIGHT + timedelta(hours=7)
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@dataclass
class Served:
    """A page that browsers can open.

    Attributes
    ----------
    url
        Its address.
    runs
        Folder of the published nights.
    store
        Its state.
    following
        What follows the nights.
    """

    url: str
    runs: Path
    store: Store
    following: Following


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Two nights, a manager of North, a rep of South, an analyst and an admin; seven in the morning."""
    uvicorn = pytest.importorskip("uvicorn")
    home = tmp_path_factory.mktemp("page")
    first = publish(home / "runs", NIGHT - timedelta(days=1))
    publish(home / "runs", NIGHT, before=first.run_id)
    store = opened(home, hasher=CHEAP)
    for role, territories in ((Role.MANAGER, ["North"]), (Role.REP, ["South"]), (Role.ANALYST, []),
                              (Role.ADMIN, [])):  # fmt: skip
        store.users.add(role.value, role, password=PASSWORD, territories=territories, at=MORNING, by="test")
    following = Following(home / "runs", home / "pages")
    following.prepare()
    place = Place(following, store, Settings(), lambda: MORNING, home, {"help": lambda *_: HELPS})
    app = create_app(place)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="critical", access_log=False))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        thread.join(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield Served(f"http://localhost:{port}", home / "runs", store, following)
    server.should_exit = True
    thread.join(10)
    following.close()
    store.close()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """A browser."""
    if CHROMIUM is None:
        pytest.skip("browser tests want Chromium, which is not on this machine")
    playwright = pytest.importorskip("playwright.sync_api", reason="browser tests want Playwright")
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@dataclass
class Visit:
    """A page in a browser, and what happened in it.

    Attributes
    ----------
    page
        Playwright's page.
    url
        Address of the site.
    troubles
        Dialogs, errors of scripts, refused content, and requests to another host.
    bytes
        Bytes of each answer's body, by address.
    """

    page: Any
    url: str
    troubles: list[str]
    bytes: dict[str, int]

    def open(self, path: str) -> Any:
        """Open a path of the site."""
        return self.page.goto(self.url + path)


@pytest.fixture(scope="module")
def cookies() -> dict[str, list[Any]]:
    """Of who has logged in, by name: the site refuses an address that logs in every few seconds."""
    return {}


@pytest.fixture
def visit(chromium: Any, served: Served, cookies: dict[str, list[Any]]) -> Iterator[Any]:
    """Open the site as somebody: ``visit("manager")``; every trouble in it fails the test at its end."""
    contexts: list[Any] = []
    visits: list[Visit] = []

    def begin(name: str | None = None, **look: Any) -> Visit:
        context = chromium.new_context(**{"viewport": {"width": 1280, "height": 900}, **look})
        context.set_default_timeout(10_000)
        contexts.append(context)
        made = Visit(context.new_page(), served.url, [], {})
        visits.append(made)
        _watch(made)
        if name is not None:
            context.add_cookies(cookies.get(name, []))
            made.open("/")
            if not made.page.url.endswith("/"):  # a first visit, or the one before has logged out
                _log_in(made, name)
                cookies[name] = context.cookies()
        return made

    yield begin
    for context in contexts:
        context.close()
    assert not [trouble for made in visits for trouble in made.troubles]


def _log_in(made: Visit, name: str) -> None:
    made.open("/login")
    made.page.get_by_label("Name").fill(name)
    made.page.get_by_label("Password").fill(PASSWORD)
    made.page.get_by_role("button", name="Log in").click()
    made.page.wait_for_url(made.url + "/")


def _watch(made: Visit) -> None:
    def dismissed(dialog: Any) -> None:
        made.troubles.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def asked(request: Any) -> None:
        if not request.url.startswith((made.url, "data:", "blob:")):
            made.troubles.append(f"another host: {request.url}")

    def weighed(request: Any) -> None:
        sizes = request.sizes()
        made.bytes[request.url] = sizes["responseBodySize"] + sizes["responseHeadersSize"]

    made.page.on("dialog", dismissed)
    made.page.on("request", asked)
    made.page.on("requestfinished", weighed)
    made.page.on("pageerror", lambda error: made.troubles.append(f"script: {error}"))
    made.page.on("console", lambda said: made.troubles.append(said.text) if _is_refusal(said) else None)


def _is_refusal(said: Any) -> bool:
    """An error that is not the browser's word on a page that is meant to be missing."""
    return said.type == "error" and not said.text.startswith("Failed to load resource")
