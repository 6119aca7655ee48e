"""The reports (model card, backtest, audit) say everything in the reader's language, but names and data."""

from __future__ import annotations

import re
from dataclasses import replace
from gettext import NullTranslations
from html import unescape

import pytest

from features.languages import ENGLISH
from models.audit.audit import Audit
from models.audit.findings import Finding
from models.audit.page import page as audit_page
from models.backtests.page import Report, verdict
from models.backtests.page import page as backtest_page
from models.cards.markdown import markdown
from models.cards.page import page as card_page
from models.labels import labels
from models.phrases import Phrase
from tests.models.test_audit_page import report
from tests.models.test_backtest_page import backtest
from tests.models.test_card import audit, bundle, made  # noqa: F401  # fixtures

OF_CARDS = {
    "leads", "touches", "accounts", "outcomes", "field_history", "source", "web", "fair", "b", "x", "won",
    "opens_7d", "static", "filled", "at", "the", "end", "sql", "mql", "too", "few", "fast_close",
    "going_cold", "high_value", "n", "carry", "amount", "no", "under", "floor", "precision",
}  # fmt: skip
"""Names of tables, columns, stages and tags, and plain text of the test where a training has phrases."""


class Marks(NullTranslations):
    """Says every text in brackets: what stands outside was never asked to be translated."""

    def gettext(self, message: str) -> str:
        if not re.search(r"[A-Za-z]", re.sub(r"{[^}]*}", "", message)):
            return message
        return re.sub(r"({[^}]*})", r"⟧\1⟦", f"⟦{message}⟧")

    def ngettext(self, one: str, many: str, number: int) -> str:
        return self.gettext(one if number == 1 else many)


MARKED = replace(ENGLISH, texts=Marks())


def unsaid(text: str) -> set[str]:
    """The words of a page that no catalogue was asked for."""
    seen = re.sub(r"<style.*?</style>|<!doctype html>", " ", text, flags=re.DOTALL)
    seen = re.sub(r"⟦[^⟦⟧]*⟧", " ", seen)
    return set(re.findall(r"[A-Za-z][\w']*", unescape(re.sub(r"<[^>]*>", " ", seen))))


def test_the_search_finds_a_text_that_nobody_asked_for():
    assert unsaid("<style>p {}</style><p>⟦said⟧ 5 <b>left</b> out</p>") == {"left", "out"}


def test_every_word_of_the_model_card_is_asked_for(made):  # noqa: F811
    digest = made["digest"]
    for text in (card_page(made, MARKED), markdown(made, MARKED)):
        left = unsaid(text.replace(digest, ""))
        assert {word for word in left if "⟦" not in word} - OF_CARDS == {"Jan", "Jun"} & left


def test_every_word_of_the_audit_is_asked_for():
    leak = Finding("tier", "closing", Phrase("it hardly varies"), "refuse")
    columns = (
        report("tier", leak),
        report("visits", time=None, is_unknown=True),
        report("industry", loss=None, allowed="mine"),
    )
    assert unsaid(audit_page(Audit(columns, 0.71, None, 1234, 56), MARKED)) == {
        "tier", "visits", "industry", "static", "mine",
    }  # fmt: skip


def test_every_word_of_the_backtest_is_asked_for():
    found = {**backtest(), "left_out": [Phrase("value captured: no outcome of the stage has an amount")]}
    found["slices"] = [{**row, "group": Phrase("old")} for row in found["slices"]]
    found["origins"] = [
        {**row, "reason": row["reason"] and Phrase("every lead states it")} for row in found["origins"]
    ]
    assert unsaid(backtest_page(Report(found, {}), MARKED)) == {"won", "source", "Jan", "Feb", "Mar", "Apr"}


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("zh", ("模型卡", "校准", "0.600 至 0.800", "达到阶段“won”的概率")),
        ("ru", ("Паспорт модели: leads", "Калибровка", "0,700 (от 0,600 до 0,800)", "дойдёт до этапа «won»")),
    ],
)
def test_a_card_is_in_the_language_and_its_data_stay_english(made, code, said):  # noqa: F811
    for text in (card_page(made, labels(code)), markdown(made, labels(code))):
        assert all(words in text for words in said)
        assert "Calibration" not in text
    assert f'<html lang="{code}">' in card_page(made, labels(code))
    assert "it tells who will convert" in made["limits"][-1]


@pytest.mark.parametrize(("low", "said"), [(0.01, "модель находит больше"), (-0.2, "неразличимы")])
def test_a_verdict_is_in_the_language(low, said):
    row = {"contender": "model", "figure": "capture_20", "value": 0.5, "low": 0.4, "high": 0.6}
    other = {**row, "contender": "scorecard"}
    apart = {**other, "value": 0.1, "low": low, "high": 0.2}
    told = verdict({"contenders": [row, other], "differences": [apart]}, labels("ru"))
    assert said in told
    assert "50,0\xa0%" in told
