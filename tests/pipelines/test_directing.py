"""A direction of ``train.monotone`` that no feature can follow is refused before a table is read."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from features.catalogue import catalogue
from features.errors import ParameterError
from features.tables import Field
from pipelines import train
from pipelines.directing import check
from pipelines.params import parse
from tests.pipelines.ends import asked, failed

FIELDS = {
    "leads": {
        "employees": Field("number", "static"),
        "industry": Field("category", "static"),
        "plan": Field("number", "current"),
    },
    "touches": {"depth": Field("number")},
}


@pytest.mark.parametrize(
    "name",
    [
        "recency",  # a family, with categories among its numbers
        "touches",  # a stem
        "touches_7d",
        "days_since",  # a stem whose features are about one kind each
        "days_since[email_open]",  # which kinds there are only the tables say
        "kind_touches[call]_30d",
        "employees",
        "plan",
        "fit",
        "sum[depth]_30d",
    ],
)
@pytest.mark.parametrize("direction", ["rising", "falling", "free"])
def test_families_stems_and_features_may_have_a_direction(name, direction):
    check({name: direction}, FIELDS, modules=())


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("days_since_last_tuch", "no feature — did you mean 'days_since_last_touch'"),
        ("touches_31d", "no feature — did you mean 'touches_1d'"),
        ("employes", "no feature — did you mean 'employees'"),
        ("weather[berlin]", "no feature"),
        ("last_touch_kind", "a category and neither rises nor falls"),
        ("industry", "a category and neither rises nor falls"),
    ],
)
def test_unknown_names_and_categories_are_refused_with_the_next_step(name, reason):
    with pytest.raises(ParameterError) as caught:
        check({"touches": "rising", name: "rising"}, FIELDS, modules=())
    assert f"train.monotone names '{name}', which is {reason}" in str(caught.value)
    assert caught.value.place.stage == "parameters"
    assert caught.value.hint


def test_the_directions_of_the_manual_are_taken():
    manual = (Path(__file__).parents[2] / "docs" / "model.md").read_text(encoding="utf-8")
    block = manual.partition("\n## Directions\n")[2].partition("```yaml\n")[2].partition("```")[0]
    asked_for = parse(f"tables: {{leads: {{path: a, outcome_column: won}}}}\n{block}").train.monotone
    assert asked_for["negative_touches"] == "free"
    check(asked_for, FIELDS, modules=())


def test_another_word_than_the_three_is_refused():
    with pytest.raises(ParameterError, match=r"train\.monotone\.touches.* 'rising', 'falling' or 'free'"):
        parse("tables: {leads: {path: a, outcome_column: won}}\ntrain: {monotone: {touches: up}}")


def test_what_the_parameters_ask_reaches_the_training():
    params = parse("tables: {leads: {path: a, outcome_column: won}}\ntrain: {monotone: {calls: rising}}")
    assert train.options(params).monotone == {"calls": "rising"}
    assert train.options(parse("tables: {leads: {path: a, outcome_column: won}}")).monotone == {}


CRM = {
    "leads.csv": ["lead_id,created_at,size", "a,2026-01-01,3", "b,2026-01-02,4"],
    "touches.csv": ["lead_id,occurred_at,kind", "a,2026-01-03,call"],
    "outcomes.csv": ["lead_id,stage,occurred_at", "a,won,2026-01-04"],
    "params.yaml": [
        "tables:",
        "  leads: {path: leads.csv, fields: {size: {kind: number, time: static}}}",
        "  touches: {path: touches.csv}",
        "  outcomes: {path: outcomes.csv}",
    ],
}


@pytest.fixture
def home(tmp_path):
    for name, lines in CRM.items():
        (tmp_path / name).write_text("\n".join([*lines, ""]))
    return tmp_path


def said(home, monotone):
    path = home / "params.yaml"
    path.write_text(path.read_text() + f"train: {{monotone: {monotone}}}\n")


def test_every_command_that_reads_tables_refuses_it_with_code_2_and_reads_none(home, leadrank):
    said(home, "{touchs: rising}")
    for name in ("leads.csv", "touches.csv", "outcomes.csv"):
        (home / name).unlink()
    for command in ("check", "train", "score"):
        told = failed(leadrank, command, home=home)
        assert (told["code"], told["stage"], told["file"]) == (2, "parameters", "params.yaml")
        assert "did you mean 'touches'" in told["reason"]


def test_check_names_a_direction_that_no_feature_of_these_tables_follows(home, leadrank):
    said(home, '{"kind_touches[call]": rising, "kind_touches[demo]": rising, size: rising, recency: falling}')
    assert asked(leadrank, "check", home=home)["warnings"] == [
        "train.monotone names 'kind_touches[demo]', which is no feature of these tables"
    ]


def test_a_module_of_ones_own_beside_the_parameters_may_be_named(home, leadrank, monkeypatch):
    monkeypatch.setattr(catalogue, "_features", dict(catalogue._features))  # other tests build without it
    monkeypatch.setattr(sys, "path", list(sys.path))
    (home / "my_calls.py").write_text(
        "from features.catalogue import feature\n\n\n"
        '@feature(on="touches", empty=0, says="{value:.0f} calls of ours")\n'
        "def calls_of_ours(touch):\n"
        '    """Touches, in touches; 0 if none."""\n'
        "    return touch.count()\n"
    )
    said(home, "{my_calls: rising, calls_of_ours: rising}")
    path = home / "params.yaml"
    path.write_text(path.read_text() + "features: {modules: [my_calls]}\n")
    assert asked(leadrank, "check", home=home)["warnings"] == []
    sys.modules.pop("my_calls", None)
