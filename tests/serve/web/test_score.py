"""``POST /api/v1/score``: who may ask, what is refused and how, and when there is nobody to answer."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from serve.online.refusal import BusyError, ForeignError, Problem, refused
from serve.views.scope import Scope
from serve.web.sizes import SCORE_BYTES
from tests.serve.web.conftest import Site

SECRET = "Erika Mustermann"  # noqa: S105  # what no refusal repeats
PATH = "/api/v1/score"
JSON = {"Content-Type": "application/json"}


class Standing:
    """Answers with what it was asked, or refuses."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error

    def answer(self, content: bytes, scope: Scope, moment: datetime) -> bytes:
        if self.error is not None:
            raise self.error
        told = sorted(scope.territories) if scope.territories is not None else None
        return json.dumps({"bytes": len(content), "territories": told, "at": moment.isoformat()}).encode()


def scoring(site: Site, error: Exception | None = None) -> Site:
    return Site(replace(site.place, extras={"score": Standing(error)}), site.clock)


def post(site: Site, content: bytes = b"{}", headers: Any = JSON) -> Any:
    return site.login("rep").post(PATH, content=content, headers=headers)


def test_the_caller_asks_within_what_they_may_see_and_at_this_moment(site: Site) -> None:
    answer = post(scoring(site), b'{"leads": []}')
    assert answer.status_code == 200
    assert answer.json() == {"bytes": 13, "territories": ["North"], "at": site.clock().isoformat()}


def test_nobody_asks_without_logging_in(site: Site) -> None:
    assert scoring(site).browser().post(PATH, json={}).status_code == 401


def test_a_body_that_is_no_json_is_not_read(site: Site) -> None:
    assert post(scoring(site), b"{}", {"Content-Type": "text/plain"}).status_code == 415


def test_a_body_may_be_as_large_as_a_thousand_leads_and_no_larger(site: Site) -> None:
    assert post(scoring(site), b" " * SCORE_BYTES).status_code == 200
    assert (
        scoring(site).login("rep").post(PATH, content=b" " * (SCORE_BYTES + 1), headers=JSON).status_code
        == 413
    )


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (refused(Problem("touches[7].kind", "is empty")), 422),
        (ForeignError("'leads[0]': the territory is not among yours"), 403),
        (BusyError("all scorers are busy"), 503),
    ],
)
def test_a_refusal_says_why(site: Site, error: Exception, status: int) -> None:
    answer = post(scoring(site, error), SECRET.encode())
    assert answer.status_code == status
    assert SECRET not in answer.text
    if status == 422:
        assert answer.json()["details"] == [{"where": "touches[7].kind", "what": "is empty"}]
    if status == 503:
        assert answer.headers["Retry-After"] == "5"


def test_without_a_model_there_is_no_answer(site: Site) -> None:
    assert post(site).status_code == 503
