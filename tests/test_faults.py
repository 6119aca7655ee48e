"""docs/faults.md: every case once, every test that it names is there, and its own count is right."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "faults.md"
CASES = {"A": 37, "B": 18, "C": 15, "D": 14, "E": 10, "F": 10, "G": 25, "H": 13, "I": 9}
IDS = [f"{group}{number:02}" for group, count in CASES.items() for number in range(1, count + 1)]
WITHOUT = ("not covered: ", "does not apply: ")
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")
COVERED_AT_LEAST = 0.9


def rows(text):
    """Id, what happens, what is done and proof of each case."""
    lines = [line for line in text.splitlines() if re.match(r"\| [A-Z]\d\d \|", line)]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


@cache
def names_in(path):
    """Names of the test functions of a file, those of classes among them."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return {
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
    }


def missing(proof):
    """What a proof names and nobody has written; a proof that names nothing is missing itself."""
    named = NAMED.findall(proof)
    if not named or re.sub(NAMED, "", proof).strip(" ,"):
        return [proof]
    return [f"{path}::{name}" for path, name in named if not is_there(path, name)]


def is_there(path, name):
    return (ROOT / path).is_file() and name in names_in(path)


@pytest.fixture(scope="module")
def page():
    return PAGE.read_text(encoding="utf-8")


def test_every_case_stands_there_once_and_in_order(page):
    assert [row[0] for row in rows(page)] == IDS
    assert all(len(row) == 4 and all(row) for row in rows(page))


def test_every_test_that_is_named_is_there(page):
    proofs = {row[0]: row[3] for row in rows(page) if not row[3].startswith(WITHOUT)}
    assert {case: lost for case, proof in proofs.items() if (lost := missing(proof))} == {}


def test_a_case_without_a_test_says_why(page):
    told = [row[3] for row in rows(page) if row[3].startswith(WITHOUT)]
    assert told
    assert all(len(text.partition(": ")[2]) > 10 and "`tests/" not in text for text in told)


def test_the_page_counts_its_own_rows_and_holds_the_bar(page):
    proofs = [row[3] for row in rows(page)]
    without, foreign = (sum(proof.startswith(word) for proof in proofs) for word in WITHOUT)
    covered = len(proofs) - without - foreign
    said = re.search(
        r"Of (\d+) cases (\d+) are covered \((\d+\.\d) %\), (\d+) are not, and (\d+) do not apply", page
    )
    assert said is not None
    share = f"{100 * covered / len(proofs):.1f}"
    assert said.groups() == (str(len(proofs)), str(covered), share, str(without), str(foreign))
    assert covered / len(proofs) >= COVERED_AT_LEAST


@pytest.mark.parametrize(
    "proof",
    [
        "`tests/test_faults.py::test_that_nobody_wrote`",
        "`tests/no_such_file.py::test_x`",
        "`tests/test_faults.py::rows`",
        "",
        "surely",
        "`tests/test_faults.py::test_a_case_without_a_test_says_why`, and more",
    ],
)
def test_a_proof_that_is_none_is_found(proof):
    assert missing(proof)
    assert not missing("`tests/test_faults.py::test_a_case_without_a_test_says_why`")
