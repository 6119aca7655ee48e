"""The page of the monitor: everything found, in the reader's language, without a script or an address."""

from __future__ import annotations

import re
from html import unescape
from html.parser import HTMLParser

import pyarrow as pa
import pytest

from serve.monitoring.alarms import levelled, verdict
from serve.monitoring.figure import Figure
from serve.monitoring.limits import DriftLimits
from serve.monitoring.page import page

VOID = {"meta", "br"}
MOVED = [
    Figure("newcomers", "email_kind", "psi", 2.37, "source=tv", "training", rows=32, weight=0.05),
    Figure("newcomers", "email_kind", "chance", 1e-9, "source=tv", "training", low=1.0, rows=32, weight=0.05),
    Figure("newcomers", "visits", "psi", 0.9, "source=tv", "training", rows=32, weight=0.2),
    Figure("newcomers", "visits", "chance", 0.4, "source=tv", "training", low=0.0, rows=32, weight=0.2),
]
STILL = [
    Figure("drift", "email_kind", "psi", 0.04, reference="training", rows=900, weight=0.05),
    Figure(
        "drift", "email_kind", "null_share", 0.25, reference="training", against=0.2, rows=900, weight=0.05
    ),
    Figure("drift", "idle", "psi", 0.6, reference="training", rows=900, weight=0.001),
    Figure("drift", "model", "psi", 0.02, reference="training", rows=900, weight=1.0),
    Figure("score", "score", "psi", 0.03, reference="training", rows=900, weight=1.0),
]
QUALITY = [
    Figure(
        "realised", "wins", "value", 1125.25, reference="expected", against=1116.7, low=1084.2, high=1166.3
    ),
    Figure("estimated", "roc_auc", "value", 0.784, reference="training", against=0.79, low=0.74, high=0.83),
]
CALLED = [
    Figure(
        "unbiased", "rate", "value", 0.0312, reference="called", against=0.09, low=0.02, high=0.05, rows=450
    ),
    Figure("unbiased", "rate 0.1 to 0.2", "value", 0.15, "", "called", 0.16, 0.1, 0.2, rows=60),
    Figure(
        "unbiased", "roc_auc", "value", 0.77, reference="called", against=0.61, low=0.7, high=0.84, rows=450
    ),
]
BINS = pa.table(
    {"subject": ["email_kind"], "slice": ["source=tv"], "bin": ["free"], "before": [0.2], "now": [0.83]}
)
LISTS = pa.table({"mature": [16], "immature": [13]})


def made(figures, language="en", **tables):
    judged = levelled(figures, DriftLimits())
    said = {
        "run_id": "20260602T000000Z-3b0a",
        "as_of": "2026-06-02T00:00:00+00:00",
        **verdict(judged),
        "last_week": None,
        "knows_training": True,
        "figures": {"model_drift|training": 0.02},
    }
    earlier = {**said, "as_of": "2026-05-26T00:00:00+00:00"}
    return page(said, judged, tables, [said, earlier], language)


def text(html):
    """What is read, without tags, with single spaces and plain dashes."""
    read = unescape(re.sub(r"<style>.*?</style>|<[^>]+>", " ", html, flags=re.DOTALL))
    return re.sub(r"\s+", " ", read).replace("\N{EN DASH}", "-")


class Balanced(HTMLParser):
    """Refuses a tag that closes another one than the last that was opened."""

    def __init__(self):
        super().__init__()
        self.open = []

    def handle_starttag(self, tag, _attrs):
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, _attrs):
        pass

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_what_was_found_stands_first_and_with_what_to_do():
    said = text(made([*MOVED, *STILL], bins=BINS))
    first = said.index("new leads of source tv are not what such leads were in training: 'email_kind'")
    assert first < said.index("training again would learn from it") < said.index("What it was and what it is")
    assert "83.0%" in said


def test_among_new_leads_only_what_chance_does_not_explain_is_named():
    row = re.search(r'<th scope="row">tv.*?</tr>', made([*MOVED, *STILL]), flags=re.DOTALL).group()
    assert "email_kind" in row
    assert "visits" not in row


def test_a_clean_week_says_so_and_names_what_moved_without_mattering():
    said = text(made(STILL))
    assert "all is well" in said
    assert "Nothing is beyond its limit." in said
    assert "too small a part of the ranking to matter: idle 0.60" in said
    assert "Not known: last week" in said


def test_quality_is_told_with_whole_deals_and_a_list_is_counted():
    said = text(made([*STILL, *QUALITY], realised_lists=LISTS))
    assert "won leads 1,125 1,084 - 1,166 1,117" in said
    assert "0.78 0.74 - 0.83 0.79" in said
    assert "whose outcomes are known: 16; not yet: 13." in said


def test_all_leads_of_the_call_lists_stand_beside_the_called_ones():
    said = text(made([*STILL, *CALLED]))
    assert "share won 3.1% 2.0% - 5.0% 9.0% 450" in said
    assert "won at a probability of 10.0% to 20.0% 15.0% 10.0% - 20.0% 16.0% 60" in said
    assert "ROC-AUC 0.77 0.70 - 0.84 0.61 450" in said
    assert "All leads of past call lists" not in text(made(STILL))


@pytest.mark.parametrize(
    ("language", "alarm", "number"),
    [("zh", "警报", "2.37"), ("ru", "тревога", "2,37"), ("en", "alarm", "2.37")],
)
def test_the_page_is_whole_in_each_language(language, alarm, number):
    html = made([*MOVED, *STILL, *QUALITY, *CALLED], language, bins=BINS, realised_lists=LISTS)
    assert f'<html lang="{language}">' in html
    assert alarm in html
    assert number in html
    assert ("What to do" in html) is (language == "en")
    left = re.findall(r"[A-Za-z]{3,}(?: [a-z]{2,}){2,}", text(html))
    assert bool(left) is (language == "en"), left  # three English words in a row
    reader = Balanced()
    reader.feed(html)
    assert reader.open == []


def test_the_page_asks_nobody_for_anything():
    html = made([*MOVED, *STILL], bins=BINS)
    assert not re.search(r"<script|https?://|src=|@import|url\(", html)


def test_what_a_crm_holds_is_text_and_no_markup():
    name = "source=<b onload=x>"
    html = made(
        [
            Figure(f.kind, f.subject, f.measure, f.value, name, "training", low=f.low, rows=32, weight=1.0)
            for f in MOVED[:2]
        ]
    )
    assert "<b onload" not in html
    assert "&lt;b onload" in html
