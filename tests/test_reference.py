"""docs/reference.md is what the code says, and says something of every key."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.test_docs import made_by

PAGE = Path(__file__).resolve().parents[1] / "docs" / "reference.md"


@pytest.fixture(scope="module")
def page() -> str:
    return PAGE.read_text(encoding="utf-8")


def test_the_reference_is_that_of_the_code(page):
    assert page == made_by("make_reference").written(), "run docs/make_reference.py"


def test_every_key_of_the_parameters_and_every_option_is_explained(page):
    rows = re.findall(r"^\| (`[^|]*) \|.*\| ?([^|]*) \|$", page.partition("## HTTP API")[0], re.MULTILINE)
    assert len(rows) > 200
    assert [key for key, what in rows if not what.strip() and not key.strip("`").isupper()] == []
