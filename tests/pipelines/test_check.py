"""``leadrank check``: feature modules are tried, and names that nothing answers to are told."""

from __future__ import annotations

import sys

import pytest

from features.catalogue import catalogue
from tests.pipelines.ends import asked, failed

CRM = {
    "leads.csv": """
        lead_id,created_at,channel
        a,2026-01-01,web
        b,2026-01-02,fair
    """,
    "touches.csv": """
        lead_id,occurred_at,kind,place
        a,2026-01-03,demo_request,/pricing
    """,
    "outcomes.csv": """
        lead_id,stage,occurred_at
        a,won,2026-01-04
    """,
}
PARAMS = """\
tables:
  leads: {path: leads.csv, fields: {channel: {kind: category, time: static}}}
  touches: {path: touches.csv}
  outcomes: {path: outcomes.csv}
"""


@pytest.fixture
def home(tmp_path):
    """A CRM of two leads and one touch."""
    for name, text in CRM.items():
        (tmp_path / name).write_text("\n".join(line.strip() for line in text.strip().splitlines()) + "\n")
    (tmp_path / "params.yaml").write_text(PARAMS)
    return tmp_path


def said(home, more):
    path = home / "params.yaml"
    path.write_text(path.read_text() + more)


def test_names_that_the_tables_have_are_no_warning(home, leadrank):
    said(home, "features: {kinds: {demo_request: {weight: 2}}, places: {/pricing: {weight: 2}}}\n")
    said(home, "audit: {allow: {channel: known at once, touches_30d: ours}}\n")
    checked = asked(leadrank, "check", home=home)
    assert checked["warnings"] == []
    assert checked["features"] > 50


@pytest.mark.parametrize(
    ("line", "warning"),
    [
        (
            "features: {kinds: {demo_requst: {weight: 2}}}",
            "features.kinds names 'demo_requst', which no touch has — did you mean 'demo_request'",
        ),
        (
            "features: {places: {/xyz: {weight: 2}}}",
            "features.places names '/xyz', which no touch has",
        ),
        (
            "audit: {allow: {chanel: known at once}}",
            "audit.allow names 'chanel', which is no feature of these tables — did you mean 'channel'",
        ),
    ],
)
def test_a_name_that_nothing_has_is_told_with_the_nearest_one(home, leadrank, line, warning):
    said(home, line + "\n")
    assert asked(leadrank, "check", home=home)["warnings"] == [warning]
    code, out, _ = leadrank("check", home=home)
    assert code == 0
    assert "".join(warning.split()) in "".join(out.split())


LATE_CALLS = """
from features.catalogue import feature
from features.wording import Sentence

@feature(on="touches", says="{value:.0f} late calls")
def late_calls(touch):
    \"\"\"Calls after six; 0 if none.\"\"\"
    return touch.count()

@feature(on="touches", says=Sentence("{value:.0f} faxes", translations={"ru": ["{value:.0f} факс"]}))
def faxes(touch):
    \"\"\"Faxes; 0 if none.\"\"\"
    return touch.count()
"""


@pytest.mark.parametrize(
    ("language", "missing"), [("en", None), ("ru", "'late_calls'"), ("zh", "'late_calls', 'faxes'")]
)
def test_own_sentences_without_a_translation_are_named(home, leadrank, monkeypatch, language, missing):
    monkeypatch.setattr(catalogue, "_features", dict(catalogue._features))  # other tests check without them
    (home / "spoken_features.py").write_text(LATE_CALLS, encoding="utf-8")
    said(home, f"features: {{modules: [spoken_features]}}\nscore: {{language: {language}}}\n")
    warnings = asked(leadrank, "check", home=home)["warnings"]
    sys.modules.pop("spoken_features")
    told = f"score.language is '{language}', and your own {missing} has no such translation"
    assert warnings == ([] if missing is None else [told])


def test_without_touches_every_kind_is_a_name_that_nothing_has(home, leadrank):
    path = home / "params.yaml"
    path.write_text(path.read_text().replace("  touches: {path: touches.csv}\n", ""))
    said(home, "features: {kinds: {call: {weight: 2}}}\n")
    warning = "features.kinds names 'call', which no touch has"
    assert asked(leadrank, "check", home=home)["warnings"] == [warning]


@pytest.mark.parametrize("key", ["segments: {by", "train: {segment_by", "train: {protected_fields"])
def test_a_lead_s_field_that_training_would_look_for_in_vain_ends_the_check(home, leadrank, key):
    is_list = key.endswith("fields")
    said(home, f"{key}: {'[chanel]' if is_list else 'chanel'}}}\n")
    line = failed(leadrank, "check", home=home)
    assert (line["code"], line["stage"]) == (2, "trying features")
    assert f"{key.replace(': {', '.')} names 'chanel'" in line["reason"]
    assert "did you mean 'channel'" in line["reason"] + line["hint"]


def test_a_feature_module_that_fails_ends_the_check(home, leadrank):
    (home / "slipped_features.py").write_text("WEEKS = 1 / 0\n")
    said(home, "features: {modules: [slipped_features]}\n")
    line = failed(leadrank, "check", home=home)
    assert (line["code"], line["stage"]) == (2, "trying features")
    assert "'slipped_features' cannot be imported (ZeroDivisionError)" in line["reason"]
    assert "python -c 'import slipped_features'" in line["hint"]
