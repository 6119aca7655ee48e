"""The page in this process: a state of its own, a clock that a test moves, browsers that have logged in."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from fastapi import FastAPI
from starlette.testclient import TestClient

from serve.state.store import opened
from serve.state.users import Role
from serve.web.app import create_app
from serve.web.place import Place
from serve.web.settings import Settings

PASSWORD = "correct horse battery"  # noqa: S105  # of users who do not exist
HERE = "http://localhost"
START = datetime(2026, 7, 1, 9, 0, tzinfo=UTC)
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@dataclass
class Clock:
    """A clock that stands still until a test moves it."""

    at: datetime = START

    def __call__(self) -> datetime:
        return self.at

    def move(self, **by: float) -> None:
        """Let time pass."""
        self.at += timedelta(**by)


class NoRanking:
    """Before the first night."""

    def index(self, _run_id: str | None = None) -> None:
        return None


@dataclass
class Site:
    """A page that is being tested.

    Attributes
    ----------
    place
        What it is made of.
    clock
        Its clock.
    """

    place: Place
    clock: Clock
    apps: dict[int, FastAPI] = field(default_factory=dict)

    @property
    def app(self) -> FastAPI:
        """The application, made at its first use."""
        return self.apps.setdefault(id(self.place), create_app(self.place))

    def with_settings(self, **settings: Any) -> Site:
        """The same page, served otherwise."""
        other = replace(self.place, settings=replace(self.place.settings, **settings))
        return Site(other, self.clock)

    def browser(self, base: str = HERE) -> TestClient:
        """A browser that has not logged in; it says where its requests come from, as browsers do."""
        return TestClient(self.app, base, headers={"Origin": base}, follow_redirects=False)

    def user(self, name: str, role: Role, territories: Collection[str] = (), **more: Any) -> str:
        """A new user's id."""
        given = {"password": PASSWORD, "territories": territories, "at": self.clock(), "by": "test", **more}
        return self.place.store.users.add(name, role, **given).user_id

    def login(self, name: str, base: str = HERE) -> TestClient:
        """A browser in which somebody has logged in."""
        browser = self.browser(base)
        answer = browser.post("/login", data={"name": name, "password": PASSWORD})
        assert answer.status_code == 303, answer.status_code
        return browser

    def program(self, name: str, **of: Any) -> TestClient:
        """A program with a new token of somebody."""
        user = self.place.store.users.named(name)
        assert user is not None
        _, secret = self.place.store.tokens.issue(user.user_id, "test", self.clock(), by="test", **of)
        return TestClient(self.app, HERE, headers={"Authorization": f"Bearer {secret}"})


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A page without a ranking, with one user of each role."""
    store, clock = opened(tmp_path, hasher=CHEAP), Clock()
    made = Site(Place(NoRanking(), store, Settings(), clock, tmp_path), clock)  # type: ignore[arg-type]
    for role in Role:
        made.user(role.value, role, ["North"])
    yield made
    store.close()


TERRITORIES = {"North": "Anna", "South": "Bo", "Paris": "Cleo", None: "Dan"}
"""Territories of the ranking, and who has their leads; Paris lies below South."""
EACH = 3


def ranking() -> list[dict[str, Any]]:
    """Leads by turns of each territory: every text of one holds its marker, such as ``zqSouth``."""
    return [
        {
            "lead_id": f"zq{territory}-{n}", "territory": territory, "owner": f"{owner} zq{territory}",
            "source": f"source zq{territory}", "campaign": f"campaign zq{territory}", "stage": "sql",
            "tags": f"tag zq{territory}", "grade": "A1", "route": "call_now", "account_id": "shared account",
            "company": f"company zq{territory} {n}", "rank_before": None, "change": 1.0, "touches": 1,
            "for_1": f"reason zq{territory}", "probability": 0.9 - n / 10,
            "probability_low": None if n else 0.8, "probability_high": None if n else 1.0,
        }
        for n in range(EACH)
        for territory, owner in TERRITORIES.items()
    ]  # fmt: skip


def details(leads: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Reasons, touches and calls of those leads, with the same markers."""
    return {
        "reasons": [
            {"lead_id": lead["lead_id"], "rank_in_row": 1, "direction": "for", "sentence": lead["for_1"],
             "points": 1.0, "family": "fit", "stem": "x", "feature": "x", "contribution": 0.1}
            for lead in leads
        ],
        "timeline": [
            {"lead_id": lead["lead_id"], "occurred_at": "2026-06-29T10:00:00", "kind": "call",
             "place": f"place zq{lead['territory']}", "direction": "out"}
            for lead in leads
        ],
        "calls": [
            {"owner": lead["owner"], "territory": lead["territory"], "place": n, "lead_id": lead["lead_id"],
             "probability": 0.5, "value": 1.0, "why": "best", "expected_wins": 0.5}
            for n, lead in enumerate(leads, start=1)
        ],
    }  # fmt: skip


@pytest.fixture(scope="session")
def rankings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A published ranking of the territories, followed; nobody changes it."""
    import pyarrow as pa

    from serve.views.following import Following
    from tests.serve.published import publish

    folder, leads = tmp_path_factory.mktemp("rankings"), ranking()
    publish(folder / "runs", leads, publish_columns={"company": pa.string()}, **details(leads))
    following = Following(folder / "runs", folder / "pages")
    following.prepare()
    yield following
    following.close()


@pytest.fixture
def ranked(site: Site, rankings: Any) -> Site:
    """The page with that ranking, on the morning of its day."""
    site.clock.at = datetime(2026, 6, 30, 6, 0, tzinfo=UTC)
    return Site(replace(site.place, following=rankings), site.clock)
