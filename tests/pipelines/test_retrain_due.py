"""When a training is due: each rule at its own boundary, and what keeps the others from being asked."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from textwrap import dedent

import pytest

from models.registry import Version
from pipelines import params as parameters
from pipelines import retrain_asked, shadowing
from pipelines.retrain_due import Standing, decided
from tests.pipelines import small_crm

NOW = datetime(2026, 7, 1, 1, 30, tzinfo=UTC)
TABLES = "tables: {leads: {path: leads.csv}, outcomes: {path: outcomes.csv}}\n"


def version(number, *aliases, days=100.0, **tags):
    return Version(
        version=number,
        digest=f"digest-{number}",
        run_id="r",
        artifact_uri="a",
        aliases=aliases,
        tags=tags,
        created_at=NOW - timedelta(days=days),
    )


def due(home, policy="{}", *, shadow="{}", newest=None, challenger=None, is_forced=False):
    params = parameters.parse(f"{TABLES}retrain: {policy}\nshadow: {shadow}\n")
    champion = version("1", "champion")
    stands = Standing(challenger or newest or champion, champion, challenger)
    found = decided(params, home, stands, now=NOW, is_forced=is_forced)
    return found.action, {rule.name: rule.is_met for rule in found.rules}


@pytest.fixture(autouse=True)
def advice(monkeypatch):
    """What the monitor said last; nothing until a test puts something in."""
    said: dict[str, object] = {}
    monkeypatch.setattr(retrain_asked, "advice", lambda _home: said or None)
    return said


def test_the_first_model_is_due_whatever_the_policy_says(tmp_path):
    params = parameters.parse(f"{TABLES}retrain: {{every_days: null, on_drift: false}}\n")
    found = decided(params, tmp_path, Standing(None, None, None), now=NOW, is_forced=False)
    assert (found.action, [rule.name for rule in found.rules]) == ("train", ["first"])


@pytest.mark.parametrize(("days", "action"), [(29, "wait"), (30, "train"), (31, "train")])
def test_a_training_is_due_on_the_day_that_the_policy_says(tmp_path, days, action):
    assert due(tmp_path, newest=version("1", "champion", days=days))[0] == action


def test_a_few_minutes_do_not_put_a_training_off_by_a_night(tmp_path):
    late = version("1", "champion", days=30 - 0.02)  # it ended half an hour later in its night
    assert due(tmp_path, newest=late)[0] == "train"


def test_without_days_time_alone_makes_nothing_due(tmp_path):
    assert due(tmp_path, "{every_days: null}") == ("wait", {"rest_days": True, "on_drift": False})


def test_a_policy_that_never_asks_for_a_training_says_so(tmp_path):
    found = due(tmp_path, "{every_days: null, on_drift: false}")
    assert found == ("wait", {"rest_days": True, "no_rule": False})


@pytest.mark.parametrize(("days", "action"), [(6, "wait"), (7, "train")])
def test_after_a_training_there_is_rest_whatever_the_monitor_says(tmp_path, advice, days, action):
    advice.update(retrain=True, as_of="2026-07-01T00:00:00+00:00", model_digest="digest-1")
    assert due(tmp_path, newest=version("1", "champion", days=days))[0] == action


def test_the_monitor_is_heard_only_of_the_model_in_force(tmp_path, advice):
    advice.update(retrain=True, as_of="2026-07-01T00:00:00+00:00", model_digest="digest-1")
    only = "{every_days: null}"
    assert due(tmp_path, only)[0] == "train"
    assert due(tmp_path, "{every_days: null, on_drift: false}")[0] == "wait"
    advice.update(model_digest="digest-0")
    assert due(tmp_path, only)[0] == "wait"
    advice.update(model_digest="digest-1", retrain=False)
    assert due(tmp_path, only)[0] == "wait"


def test_a_verdict_that_cannot_be_read_is_not_taken_for_none(tmp_path):
    folder = tmp_path / ".leadrank" / "monitoring"
    folder.mkdir(parents=True)
    (folder / "20260630T000000Z-000000000000.json").write_text('{"as_of": "2026-')
    params = parameters.parse(f"{TABLES}retrain: {{every_days: null}}\n")
    champion = version("1", "champion")
    found = decided(params, tmp_path, Standing(champion, champion, None), now=NOW, is_forced=False)
    (rule,) = (rule for rule in found.rules if rule.name == "on_drift")
    assert (rule.is_met, "cannot be read: run `leadrank monitor`" in str(rule.says)) == (False, True)


@pytest.mark.parametrize(("new", "action"), [(199, "wait"), (200, "train"), (None, "train")])
def test_enough_new_outcomes_or_nobody_knows_how_many(tmp_path, monkeypatch, new, action):
    monkeypatch.setattr(retrain_asked, "new_outcomes", lambda *_: new)
    assert due(tmp_path, "{every_days: null, new_outcomes: 200}")[0] == action


def test_no_table_is_read_where_time_decides_already(tmp_path, monkeypatch):
    monkeypatch.setattr(retrain_asked, "new_outcomes", lambda *_: pytest.fail("a table was read"))
    assert due(tmp_path, "{new_outcomes: 5}")[0] == "train"
    assert due(tmp_path, "{new_outcomes: 5}", newest=version("1", days=1))[0] == "wait"


def test_by_hand_a_training_is_due_even_while_another_is_on_trial(tmp_path):
    challenger = version("2", "challenger", days=1)
    assert due(tmp_path, shadow="{nights: 3}", challenger=challenger, is_forced=True)[0] == "train"


def test_a_challenger_on_trial_is_left_alone_then_judged_once(tmp_path):
    folder = tmp_path / ".leadrank" / "shadow" / "digest-2"
    folder.mkdir(parents=True)
    on_trial = version("2", "challenger")
    for night, action in ((1, "wait"), (2, "wait"), (3, "promote")):
        (folder / f"2026070{night}.json").write_text("{}")
        assert due(tmp_path, shadow="{nights: 3}", challenger=on_trial)[0] == action
    assert due(tmp_path, "{promote: false}", shadow="{nights: 3}", challenger=on_trial)[0] == "train"
    optional = "{nights: 3, needed_to_promote: false}"
    assert due(tmp_path, shadow=optional, challenger=on_trial)[0] == "train"

    def refused(shut):
        tags = {"leadrank.promotion": "refused", "leadrank.promotion_shut": shut}
        return due(tmp_path, shadow="{nights: 3}", challenger=version("2", "challenger", **tags))[0]

    assert refused("log_loss, slice") == "train"  # judged already: the policy decides about the next one
    assert refused(f"churn, {shadowing.GATE}") == "promote"  # refused while nights were lacking


def test_a_challenger_that_is_the_champion_s_own_model_is_on_no_trial(tmp_path):
    params = parameters.parse(f"{TABLES}shadow: {{nights: 3}}\n")
    champion, same = version("1", "champion"), replace(version("2", "challenger"), digest="digest-1")
    stands = Standing(same, champion, same)
    assert decided(params, tmp_path, stands, now=NOW, is_forced=False).action == "train"
    assert shadowing.gates(params, tmp_path, champion, same) == ()
    other = version("2", "challenger")
    assert [gate.is_open for gate in shadowing.gates(params, tmp_path, champion, other)] == [False]


# ── new outcomes ─────────────────────────────────────────────────────────────────────────────────


def test_leads_decided_from_the_training_s_present_on_count_once(tmp_path):
    home = small_crm.write(tmp_path / "crm")
    drawn = """\
        lead_id,stage,occurred_at
        L1,won,2026-06-20
        L2,lost,2026-06-21
        L2,disqualified,2026-06-22
        L3,mql,2026-06-23
        L4,won,2026-06-19T23:59:59
    """
    (home / "outcomes.csv").write_text(dedent(drawn), encoding="utf-8")
    params = parameters.load(home / "params.yaml")
    count = retrain_asked.new_outcomes
    assert (
        count(params, home, {"known_until": "2026-06-20T00:00:00+00:00"}) == 2
    )  # L1 and L2; an MQL decides nothing
    assert count(params, home, {"known_until": "2026-06-19T00:00:00+00:00"}) == 3
    assert count(params, home, {}) is None


def test_in_a_flat_start_leads_with_an_outcome_are_counted(flat):
    params = parameters.load(flat / "params.yaml")
    assert retrain_asked.new_outcomes(params, flat, {"decided_leads": "380"}) == 20
    assert retrain_asked.new_outcomes(params, flat, {"decided_leads": "999"}) == 0  # rows went
    assert retrain_asked.new_outcomes(params, flat, {"known_until": "2026-06-20T00:00:00+00:00"}) is None


def test_rules_are_told_as_plain_data(tmp_path):
    params = parameters.parse(TABLES)
    found = decided(params, tmp_path, Standing(version("1"), None, None), now=NOW, is_forced=False)
    assert json.loads(json.dumps([rule.says for rule in found.rules])) == [
        "the latest training is 100 days old, 7 at least",
        "the latest training is 100 days old; one is due every 30",
    ]
