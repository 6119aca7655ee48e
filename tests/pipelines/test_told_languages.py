"""The terminal speaks the language of the ranking's sentences, and says nothing that is not translated."""

from __future__ import annotations

import pytest

from models.labels import labels
from pipelines import told_calls, told_lead, told_ranking, told_trace
from tests.models.test_report_languages import MARKED, unsaid
from tests.serve.test_lead_page import LEAD, REASON

WITHHELD = "too few outcomes in source"
TOLD = {
    **LEAD, "score": 71.0, "rank": 1234, "html": "lead.html", "ranked_because": "",
    "probability_withheld": None,
    "reasons": [{**REASON, "family": "follow_up", "sentence": "3 ☎"}],
    "would_help": {"points": 1.4, "now": "9 ☎", "then": "1 ☎"},
    "change": {**LEAD["change"], "previous_run": "R0", "reasons": [{**REASON, "sentence": "3 ☎"}]},
}  # fmt: skip
RANKING = {
    "run_id": "R", "as_of": "2026-06-30", "is_new": False, "folder": "runs", "ranked_by": "scorecard",
    "ranked_because": "no version of the model has shown signal on later leads",
    "counts": {"ranked": 2, "opted_out": 1, "tables": [{"quarantined": 1}]}, "withheld": {WITHHELD: 5},
    "listed": {"calls": 3, "nurture": 1}, "missed": ["2026-06-29"],
    "leads": [{"rank": 1, "lead_id": "L1", "probability": None, "probability_withheld": WITHHELD, "score": 7,
               "grade": "A1", "change": -1.5, "for_1": "3 ☎", "against_1": None}],
}  # fmt: skip
TRACE = {
    "lead_id": "L1", "as_of": "2026-06-30", "model": {"version": "1"},
    "facts": {"touches": {"known": 1200, "later": 1}}, "base": -1.5, "margin": -1.25,
    "families": {"fit": 0.25},
    "features": [{"name": "calls", "value": 2.5, "contribution": 0.25, "sentence": "2,5 ☎"}],
    "probability": 0.1, "probability_low": 0.05, "probability_high": 0.2, "score": 50.0,
    "published": {"run_id": "R", "rank": 3, "features_differ": [], "probability_withheld": WITHHELD},
}  # fmt: skip

CALL = {"owner": "Ann", "territory": "N", "place": 1, "lead_id": "L1", "probability": 0.25, "value": 1234.5}
TOTAL = {
    "by": "all", "owner": None, "calls": 5, "capacity": 25, "expected_wins": 1.25, "wins_low": 0.0,
    "wins_high": 3.0, "value_of_next_call": 0.5,
}  # fmt: skip
CALLS = {
    "calls": [{**CALL, "why": why} for why in ("best", "explore", "recycled", "control")],
    "totals": [TOTAL, {**TOTAL, "by": "owner", "owner": "Ann"}, {**TOTAL, "by": "owner"}],
}


@pytest.fixture
def wide(monkeypatch):
    monkeypatch.setenv("COLUMNS", "400")


def said(capsys, shown, result, words):
    shown(result, words)
    return capsys.readouterr().out


@pytest.mark.parametrize(
    ("shown", "result", "data"),
    [
        (told_lead.lead, TOLD, {"L1", "R", "R0", "B1", "lead", "html"}),
        (told_ranking.ranking, RANKING, {"L1", "R", "A1", "runs", "source"}),
        (told_calls.calls, CALLS, {"L1", "Ann", "N"}),
        (told_trace.trace, TRACE, {"L1", "R", "touches", "calls", "source"}),
        (told_trace.trace, {**TRACE, "published": None}, {"L1", "touches", "calls"}),
    ],
)
@pytest.mark.usefixtures("wide")
def test_every_word_of_the_terminal_is_asked_for(capsys, shown, result, data):
    assert unsaid(said(capsys, shown, result, MARKED)) - {"leadrank", "check"} == data


@pytest.mark.usefixtures("wide")
def test_a_ranking_is_told_with_the_plural_forms_of_its_language(capsys):
    told = said(capsys, told_ranking.ranking, RANKING, labels("ru"))
    assert "2 лида на 2026-06-30" in told
    assert "1 строка в карантине" in told
    assert "5 лидов есть место и балл, но нет вероятности: слишком мало исходов по полю «source»" in told
    assert "-1,5" in told
    assert "ни одна версия модели не показала сигнала" in told


@pytest.mark.usefixtures("wide")
def test_calls_are_told_with_the_plural_forms_and_numbers_of_the_language(capsys):
    told = said(capsys, told_calls.calls, CALLS, labels("ru"))
    assert "Ann: 5 звонков, возможно 25, ожидается побед: 1,2" in told
    assert "пока никто не работал" in told
    unknown = {**TOTAL, "expected_wins": None, "value_of_next_call": None}
    told = said(capsys, told_calls.calls, {"calls": [], "totals": [unknown]}, labels("zh"))
    assert "5 个电话" in told
    assert "成交" not in told
    assert "再打一个" not in told


@pytest.mark.usefixtures("wide")
def test_a_lead_is_told_in_chinese(capsys):
    told = said(capsys, told_lead.lead, TOLD, labels("zh"))
    assert "排名 1,234" in told
    assert "412 条中的 14.2%" in told
    assert "立即致电" in told


@pytest.mark.usefixtures("wide")
def test_numbers_of_a_trace_are_written_as_the_language_does(capsys):
    told = said(capsys, told_trace.trace, TRACE, labels("ru"))
    assert "-1,250000" in told
    assert "10,0000\xa0%" in told
    assert "известно 1\xa0200" in told
