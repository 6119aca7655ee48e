"""Asking the model what would help, in a real browser: in its place, and without scripts on a page."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.slow
ASK, ANSWER = "Ask the model", "<b>no attempt</b> for 1 day"


def test_the_answer_takes_the_place_of_its_link(visit):
    there = visit("manager")
    there.open("/leads/L000")
    there.page.get_by_role("link", name=ASK).click()
    there.page.locator("#would-help").get_by_text(ANSWER).wait_for()
    assert there.page.url.endswith("/leads/L000")
    assert there.page.get_by_role("link", name=ASK).count() == 0
    assert there.page.locator("#would-help b").count() == 0  # a text is a text
    assert there.troubles == []


def test_without_scripts_the_link_leads_to_a_page_that_leads_back(visit):
    there = visit("manager", java_script_enabled=False)
    there.open("/leads/L000")
    there.page.get_by_role("link", name=ASK).click()
    there.page.wait_for_url("**/would-help/L000")
    assert there.page.get_by_text(ANSWER).is_visible()
    there.page.locator("#back").click()
    there.page.wait_for_url("**/leads/L000")
