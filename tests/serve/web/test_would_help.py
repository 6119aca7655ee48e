"""What would help a lead: asked on the page, told to those who may see the lead, worded as `explain` does."""

from __future__ import annotations

from dataclasses import replace

import pytest

from serve.online.refusal import BusyError
from tests.serve.web.conftest import Site

FOUND = {"points": 1.4, "now": "no attempt for 9 days", "then": "no attempt for 1 day"}


@pytest.fixture
def asked(ranked):
    """The page with a model that says `FOUND`, and what it was asked."""

    def served(answer=FOUND):
        heard = []

        def say(run, lead_id):
            heard.append((run.run_id, lead_id))
            if isinstance(answer, Exception):
                raise answer
            return answer

        return Site(replace(ranked.place, extras={"help": say}), ranked.clock), heard

    return served


def test_a_lead_of_mine_links_to_what_would_help_and_there_it_stands(asked):
    site, heard = asked()
    browser = site.login("rep")
    link = '/would-help/zqNorth-0"'
    assert f'href="{link}' in browser.get("/leads/zqNorth-0").text
    assert heard == []  # nobody has asked yet: the page waits for no model
    answer = browser.get(link.rstrip('"'))
    assert answer.status_code == 200
    for text in ("no attempt for 1 day", "+1.4", "Now: no attempt for 9 days.", "doing it promises nothing"):
        assert text in answer.text
    assert heard == [(site.place.following.index().run.run_id, "zqNorth-0")]


@pytest.mark.parametrize("lead_id", ["zqSouth-0", "zqNone-0", "nobody", "zqNorth-0/would-help"])
def test_a_foreign_lead_is_as_unknown_as_none_and_the_model_is_not_asked(asked, lead_id):
    site, heard = asked()
    answer = site.login("rep").get(f"/would-help/{lead_id}")
    assert (answer.status_code, heard) == (404, [])
    assert "zqSouth" not in answer.text.replace(f"would-help%2F{lead_id}", "").replace(lead_id, "")


def test_while_the_model_is_made_ready_the_page_says_when_to_ask_again(asked):
    site, _ = asked(BusyError("the model is being made ready"))
    answer = site.login("rep").get("/would-help/zqNorth-0")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert "being made ready" in answer.text


def test_where_nothing_would_help_much_that_is_said(asked):
    site, _ = asked(None)
    assert "Nothing that is in your hands" in site.login("rep").get("/would-help/zqNorth-0").text


@pytest.mark.parametrize(("language", "text"), [("zh", "可能有帮助的做法"), ("ru", "Что могло бы помочь")])
def test_it_is_told_in_the_readers_language(asked, language, text):
    site, _ = asked()
    user = site.place.store.users.named("rep")
    site.place.store.users.change(user.user_id, at=site.clock(), by="test", language=language)
    assert text in site.login("rep").get("/would-help/zqNorth-0").text


def test_without_anybody_to_ask_there_is_no_link_and_no_page(ranked):
    browser = ranked.login("rep")
    assert "/would-help/" not in browser.get("/leads/zqNorth-0").text
    assert browser.get("/would-help/zqNorth-0").status_code == 404
