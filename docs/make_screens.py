"""Take `docs/screens/*.png`: the page of a demo in Chromium, at desktop and phone width.

Works on a copy of the demo, in which it ranks the nights before the last one, too, so that leads have moved:

    make screenshots
"""
# ruff: noqa: INP001  # a script beside the manual, not a package

from __future__ import annotations

import io
import shutil
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import uvicorn
from PIL import Image
from playwright.sync_api import sync_playwright

from pipelines import cli
from serve import runs
from serve.state.store import opened
from serve.state.users import Role
from serve.views import listing
from serve.views.asking import Asked
from serve.views.following import Following
from serve.views.scope import Scope
from serve.web.app import create_app
from serve.web.place import Place
from serve.web.settings import Settings

SCREENS = Path(__file__).with_name("screens")
NIGHTS = 4
BREAKFAST = timedelta(hours=6)
NAME, PASSWORD = "Anna Berger", "a demo has no secrets"  # of a folder that is thrown away
TERRITORY = "DACH"
COLOURS = 96
DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}


def main(demo: Path) -> None:
    """Write the pictures.

    Parameters
    ----------
    demo
        Working folder of a demo with a published ranking.
    """
    SCREENS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(shutil.copytree(demo, Path(folder) / "demo"))
        _rank_nights(home)
        with _served(home) as (url, lead_id):
            _take(url, lead_id)


def _rank_nights(home: Path) -> None:
    last = runs.current_or_none(home / "runs")
    assert last is not None, "the demo has no ranking"  # noqa: S101  # `make demo` makes one
    shutil.rmtree(home / "runs")
    for days in reversed(range(NIGHTS)):
        night = datetime.fromisoformat(last.as_of) - timedelta(days=days)
        words = ["score", "--as-of", night.date().isoformat(), "--params", str(home / "params.yaml")]
        with redirect_stdout(io.StringIO()):
            cli.app(words, standalone_mode=False)


@contextmanager
def _served(home: Path) -> Iterator[tuple[str, str]]:
    """Its address for a manager at breakfast, and the lead that has risen most among the first."""
    following, store = Following(home / "runs", home / "pages"), opened(home)
    index = following.prepare()
    assert index is not None, "the demo has no ranking"  # noqa: S101  # as above
    morning = datetime.fromisoformat(index.run.as_of) + BREAKFAST
    given: dict[str, Any] = {"password": PASSWORD, "territories": [TERRITORY], "at": morning, "by": "demo"}
    store.users.add(NAME, Role.MANAGER, **given)
    app = create_app(Place(following, store, Settings(), lambda: morning, home))
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="critical", access_log=False))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        thread.join(0.05)
    first = listing.page(index, Scope(frozenset({TERRITORY})), Asked(size=10)).rows
    risen = max(first, key=lambda row: row["moved_by"] or 0)
    yield f"http://localhost:{server.servers[0].sockets[0].getsockname()[1]}", risen["lead_id"]
    server.should_exit = True
    thread.join(10)
    following.close()
    store.close()


def _take(url: str, lead_id: str) -> None:
    with sync_playwright() as playwright:
        path = shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(f"{url}/login")
        page.get_by_label("Name").fill(NAME)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        for name, address, size, theme in (
            ("today", "/", DESKTOP, "light"),
            ("today-dark", "/?calls=1", DESKTOP, "dark"),
            ("today-phone", "/", PHONE, "light"),
            ("lead", f"/leads/{lead_id}", DESKTOP, "light"),
            ("lead-phone", f"/leads/{lead_id}", PHONE, "light"),
            ("model", "/model", DESKTOP, "light"),
            ("sources", "/sources", DESKTOP, "light"),
        ):
            page.set_viewport_size(size)
            page.emulate_media(color_scheme=theme)
            page.goto(url + address)
            _keep(page.screenshot(), SCREENS / f"{name}.png")
        browser.close()


def _keep(png: bytes, path: Path) -> None:
    """In few colours: a page has few."""
    few = Image.open(io.BytesIO(png)).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    few.save(path, optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
