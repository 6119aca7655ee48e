"""docs/ml-test-score.md: all 28 tests once, every proof is there, and the points add up to what is said."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.test_faults import missing

PAGE = Path(__file__).resolve().parents[1] / "docs" / "ml-test-score.md"
SECTIONS = ("Data", "Model", "Infrastructure", "Monitoring")
EACH = 7
LEAST = 6
"""Points of a section without which leadrank is not released."""


@pytest.fixture(scope="module")
def page() -> str:
    return PAGE.read_text(encoding="utf-8")


def rows(page: str, section: str) -> list[list[str]]:
    """Name, meaning, points and proof of each test of a section."""
    text = page.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    lines = [line for line in text.splitlines() if re.match(r"\| \d ", line)]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


@pytest.mark.parametrize("section", SECTIONS)
def test_a_section_has_its_seven_tests_in_order(page, section):
    assert [row[0].split()[0] for row in rows(page, section)] == [str(n + 1) for n in range(EACH)]


@pytest.mark.parametrize("section", SECTIONS)
def test_a_whole_point_names_tests_that_are_there_and_half_a_point_says_who_does_it(page, section):
    for _, _, points, proof in rows(page, section):
        if points == "1":
            assert missing(proof) == []
        else:
            assert points in ("0", "0.5")
            assert proof.startswith(("by hand: ", "not done: "))


def test_the_page_says_its_own_sums_and_every_section_holds_the_bar(page):
    sums = {section: sum(float(row[2]) for row in rows(page, section)) for section in SECTIONS}
    said = dict(re.findall(r"^\| (\w+) \| (\S+) \|$", page, re.MULTILINE))
    assert {section: float(said[section]) for section in SECTIONS} == sums
    assert f"**Score: {min(sums.values()):g}.**" in page
    assert min(sums.values()) >= LEAST
