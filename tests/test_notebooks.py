"""The notebooks run from the first cell to the last on a demo CRM, and say what the command line says."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest

from tests.notebooks import (
    NOTEBOOKS,
    check_seconds,
    complaints,
    executed,
    find,
    html,
    notebook,
    parameter_cells,
    pictures,
    sockets,
    text,
)
from tests.test_notebooks_that_train import FIXTURES as TRAINING

LONGEST_FUNCTION = 10  # lines: more is logic that a module should hold
FIXTURES = {
    "explore_history": "explored",
    "review_model": "reviewed",
    "features_and_leakage": "leaking",
    "explain_ranking": "told",
}

pytest.importorskip("nbclient", reason="notebook tests want the extra [notebooks]")
pytest.importorskip("jupytext", reason="notebook tests want the extra [notebooks]")


@pytest.fixture(scope="module")
def kernels() -> Iterator[Path]:
    with sockets() as folder:
        yield folder


@pytest.fixture(scope="module")
def explored(demo: Any, kernels: Path) -> Any:
    return executed("explore_history", demo.home, kernels)


@pytest.fixture(scope="module")
def reviewed(demo: Any, kernels: Path) -> Any:
    return executed("review_model", demo.home, kernels)


@pytest.fixture(scope="module")
def leaking(demo: Any, kernels: Path) -> Any:
    return executed("features_and_leakage", demo.home, kernels)


@pytest.fixture(scope="module")
def told(demo: Any, kernels: Path) -> Any:
    return executed("explain_ranking", demo.home, kernels)


def test_each_notebook_is_run() -> None:
    assert sorted([*FIXTURES, *TRAINING]) == [path.stem for path in NOTEBOOKS]


@pytest.mark.parametrize("name", FIXTURES)
def test_a_notebook_takes_less_than_a_minute(name: str, request: pytest.FixtureRequest) -> None:
    check_seconds(name, request.getfixturevalue(FIXTURES[name]))


def test_the_history_notebook_shows_its_pictures_and_no_complaint(explored: Any) -> None:
    assert len(pictures(explored)) == 6
    assert not complaints(explored)


def test_the_history_notebook_counts_what_training_counts(explored: Any, demo: Any) -> None:
    trained = demo.result["train"]
    said = text(explored)
    assert f"{trained['rows']:,} mature snapshots, {trained['positives']:,} of them converted" in said
    assert f"{trained['immature']:,} immature snapshots are left out" in said
    for counts in trained["counts"]:
        assert f"{counts['accepted']:,}" in html(explored)


def test_the_model_notebook_shows_its_pictures_and_no_complaint(reviewed: Any) -> None:
    assert len(pictures(reviewed)) == 1 + 4 + 2 + 3  # contenders, curves, contributions, three leads
    assert not complaints(reviewed)


def test_the_model_notebook_says_what_the_command_line_said(reviewed: Any, demo: Any) -> None:
    figures, page = demo.result["train"]["metrics"], html(reviewed)
    for name in ("roc_auc", "brier", "lift_10"):
        found = figures["model"][name]
        assert f"{found['value']:.3f} ({found['low']:.3f} to {found['high']:.3f})" in page
    for contender in ("scorecard", "newest_first"):
        assert f"{figures[contender]['roc_auc']:.3f} (" in page
    assert demo.result["train"]["digest"][:16] in page
    first = demo.result["score"]["leads"][0]
    assert f"rank 1: {first['lead_id']}, probability {first['probability']:.1%}" in text(reviewed)
    assert first["for_1"] in page


def test_the_feature_notebook_shows_its_pictures_and_no_complaint(leaking: Any) -> None:
    assert len(pictures(leaking)) == 3  # one lead's facts, the fields alone, with and without the leak
    assert not complaints(leaking)


def test_the_feature_notebook_says_what_the_audit_of_the_training_said(leaking: Any, demo: Any) -> None:
    audit, said = demo.result["train"]["audit"], text(leaking)
    assert (
        f"{len(audit['columns'])} features of {audit['rows']:,} rows, {audit['positives']:,} of them won"
        in said
    )
    assert ", ".join(f"{verdict}: {count}" for verdict, count in audit["verdicts"].items()) in said
    (refused,) = [column for column in audit["columns"] if column["verdict"] == "refuse"]
    assert refused["column"] == "onboarding_tier"
    assert f"onboarding_tier (refuse): {refused['evidence']}" in said


def test_the_feature_notebook_shows_that_later_knowledge_changes_nothing(leaking: Any) -> None:
    lines = r"(.+): (\d+) of (\d+) features differ for some of ([\d,]+) leads"
    ends, at_the_moment, before = re.findall(lines, text(leaking))
    assert (ends[1], at_the_moment[1]) == ("0", "0")
    assert int(before[1]) > int(before[2]) // 2  # else the proof could not have failed


def test_the_feature_notebook_traces_a_lead_as_the_command_does(leaking: Any, demo: Any) -> None:
    from pipelines import trace
    from pipelines.params import load
    from pipelines.progress import Progress

    lead, day, known, every = find(r"(L\d+) on (\S+): (\d+) of (\d+) facts are known", text(leaking))
    at = datetime.fromisoformat(day).replace(tzinfo=UTC)
    found = trace.run(
        load(demo.home / "params.yaml"), demo.home, lead, as_of=at, progress=Progress(is_quiet=True)
    )
    facts = [found["facts"][table] for table in ("touches", "outcomes")]
    assert sum(fact["known"] for fact in facts) == int(known)
    assert sum(fact["known"] + fact["later"] for fact in facts) == int(every)
    margin, chance = found["margin"], found["probability"]
    assert f"base {found['base']:+.3f}, margin {margin:+.3f}, probability {chance:.1%}" in text(leaking)
    for feature in found["features"][:10]:
        assert f"{feature['contribution']:+.3f}" in html(leaking)


def test_the_leak_shines_in_the_test_and_not_at_night(leaking: Any) -> None:
    without, with_it, at_night = map(float, re.findall(r"ROC-AUC (\S+)\n", text(leaking)))
    assert without < 0.9 < with_it
    assert at_night < without + 0.02


def test_the_sales_notebook_shows_its_pictures_and_no_complaint(told: Any) -> None:
    assert len(pictures(told)) == 4  # said and came true, three leads, what changed, what to expect
    assert not complaints(told)


def test_the_sales_notebook_says_what_the_command_line_says(told: Any, demo: Any) -> None:
    from pipelines.params import load
    from pipelines.show import explain

    score, said = demo.result["score"], text(told)
    assert f"{score['counts']['ranked']:,} open leads as of {score['as_of'][:10]}" in said
    assert f"{score['listed']['calls']:,} of them are on the call list" in said
    withheld = sum(score["withheld"].values())
    assert f"{withheld:,} of {score['counts']['ranked']:,} leads have no probability" in said
    assert f"{score['counts']['opted_out']:,} more have opted out" in said
    first = explain(load(demo.home / "params.yaml"), demo.home, score["leads"][0]["lead_id"])
    for reason in first["reasons"]:
        assert reason["sentence"] in html(told)
        assert f"{reason['points']:+.1f}" in html(told)


def test_the_sales_notebook_expects_the_wins_that_the_probabilities_add_up_to(told: Any, demo: Any) -> None:
    sql = "SELECT coalesce(probability, 0) FROM read_parquet(?) ORDER BY rank LIMIT 50"
    path = str(Path(demo.result["score"]["folder"]) / "ranking.parquet")
    chances = np.array(duckdb.sql(sql, params=[path]).fetchall())[:, 0]
    number = np.ones(1)  # by hand: the distribution of how many of them are won, one lead after the other
    for chance in chances:
        number = np.convolve(number, [1 - chance, chance])
    low, high = (int(np.argmax(number.cumsum() >= end)) for end in (0.05, 0.95))
    wins = f"about {chances.sum():.0f} will be won, between {low} and {high}"
    assert f"of the first 50 {wins}\n" in text(told)


def test_the_sales_notebook_names_no_person(told: Any, demo: Any) -> None:
    path = str(demo.home / "data" / "leads.csv")
    sql = "SELECT DISTINCT name FROM read_csv(?, all_varchar = true) WHERE name LIKE '% %'"
    names = [name for (name,) in duckdb.sql(sql, params=[path]).fetchall()]
    assert len(names) > 100
    said = text(told) + html(told)
    assert [name for name in names if name in said] == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_holds_no_logic_of_its_own(path: Path) -> None:
    defined = [
        node
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
    ]
    assert not [node.name for node in defined if isinstance(node, ast.ClassDef)]
    assert {node.name: lines(node) for node in defined if lines(node) > LONGEST_FUNCTION} == {}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_begins_with_its_only_parameter(path: Path) -> None:
    [cell] = parameter_cells(notebook(path))
    assert cell.source.startswith('FOLDER = "../demo"')
    first = next(cell for cell in notebook(path).cells if cell.cell_type == "code")
    assert first.source == cell.source


def lines(node: ast.FunctionDef | ast.ClassDef) -> int:
    """Lines of a definition, from its first to its last."""
    return (node.end_lineno or node.lineno) - node.lineno + 1
