"""The page of one lead: the way to its probability, words in three languages, nothing that could run."""

import re

import pytest

from serve.lead_page import LEFT, WIDTH, bars, page

STEPS = [
    {"name": "base", "contribution": None, "probability": 0.05, "points": 5.0},
    {"name": "stage", "contribution": 1.0, "probability": 0.20, "points": 15.0},
    {"name": "fit", "contribution": -0.5, "probability": 0.10, "points": -10.0},
]
REASON = {
    "points": 4.2, "sentence": "3 calls in the last 7 days", "is_changeable": True, "evidence_rate": 0.142,
    "evidence_low": 0.11, "evidence_high": 0.18, "evidence_leads": 412, "part": "new_facts",
}  # fmt: skip
LEAD = {
    "lead_id": "L1", "run_id": "R", "as_of": "2026-06-30T00:00:00+00:00", "ranked_by": "model", "rank": 3,
    "probability": 0.1, "probability_low": 0.06, "probability_high": 0.15, "score": 71.2, "grade": "B1",
    "route": "call_now", "tags": "likely_sql", "base_rate": 0.051, "reasons": [REASON], "steps": STEPS,
    "would_help": {"points": 1.4, "now": "no attempt for 9 days", "then": "no attempt for 1 day"},
    "change": {
        "points": 2.0, "rank_before": 9, "new_facts": 0.5, "time_passing": -0.1, "model": 0.0,
        "calibration": 0.0, "reasons": [REASON],
    },
}  # fmt: skip


def test_each_bar_begins_where_the_one_before_ended():
    base, stage, fit, total = bars(STEPS)
    assert (base["x"], base["width"]) == (LEFT, WIDTH / 4)  # 5 of at most 20 per cent
    assert stage["x"] == base["x"] + base["width"]
    assert fit["x"] == pytest.approx(LEFT + WIDTH / 2)
    assert fit["x"] + fit["width"] == stage["x"] + stage["width"]
    assert [bar["kind"] for bar in (base, stage, fit, total)] == ["base", "for", "against", "total"]
    assert (total["x"], total["width"], total["probability"]) == (LEFT, WIDTH / 2, 0.1)


def test_a_page_tells_reasons_with_points_and_evidence():
    text = re.sub(r"\s+", " ", page(LEAD))
    assert "+4.2" in text
    assert "Leads like this convert in 14.2% of cases (11.0% to 18.0%, 412 leads); all in 5.1%" in text
    assert "in your hands" in text
    assert "rank 9 → 3" in text
    assert "call now" in text
    assert "follow_up" not in text
    assert "call_now" not in text


def test_what_could_help_is_no_promise():
    text = page(LEAD)
    assert "no attempt for 1 day" in text
    assert "+1.4" in text
    assert "doing it promises nothing" in text
    assert "could help" not in page({**LEAD, "would_help": None})


def test_evidence_is_not_told_where_there_is_none():
    silent = {**REASON, "evidence_rate": None}
    assert "Leads like this" not in page({**LEAD, "reasons": [silent]})


def test_a_lead_without_probability_says_why_and_has_no_picture():
    text = page({**LEAD, "probability": None, "steps": []})
    assert "too few leads of this kind" in text
    assert "<svg" not in text


@pytest.mark.parametrize(("code", "expected"), [("ru", "14,2"), ("zh", "412 条线索")])
def test_a_page_speaks_the_reader_s_language(code, expected):
    text = page(LEAD, language=code)
    assert expected in text
    assert f'<html lang="{code}">' in text
    assert "Reasons" not in text


def test_a_page_has_no_script_and_no_address_and_shows_markup_as_text():
    text = page({**LEAD, "lead_id": "<script>alert(1)</script>", "tags": '"><img src=x onerror=1>'})
    assert "<script" not in text
    assert "<img" not in text
    assert "http" not in text
