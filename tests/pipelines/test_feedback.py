"""What people say on the page counts in the next night and training, and in no night before it was said."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pyarrow.parquet as pq
import pytest

from features.ingest.said import ROWS
from pipelines import params as parameters
from pipelines import told
from pipelines.inputs import opened
from pipelines.progress import Progress
from serve.state.feedback import Action, Said
from serve.state.store import FILE
from serve.state.store import opened as state
from serve.state.users import Role
from tests.pipelines.ends import asked, failed
from tests.pipelines.small_crm import NIGHT, write
from tests.serve.state.conftest import CHEAP, PASSWORD

MORE = "features: {feedback: false}\n"


@pytest.fixture
def home(tmp_path):
    return write(tmp_path / "crm")


def say(home, *said, url=None):
    """Keep (lead, action, moment[, rank, probability]) as the page does."""
    store = state(home, url, hasher=CHEAP)
    found = store.users.named("Ann")
    at = datetime(2026, 1, 1, tzinfo=UTC)
    user = found or store.users.add("Ann", Role.REP, password=PASSWORD, at=at, by="test")
    for lead, action, moment, *where in said:
        rank, probability = where or (None, None)
        own = {"reason": "x", "rank": rank, "probability": probability, "key": moment}
        word = Said(user.user_id, lead, Action(action), "run", **own)
        store.feedback.give(word, datetime.fromisoformat(moment).replace(tzinfo=UTC))
    store.close()


def ranked(result):
    ranking = pq.read_table(f"{result['folder']}/ranking.parquet", columns=["lead_id"])
    return set(ranking.column("lead_id").to_pylist())


def score(leadrank, home, *more):
    return asked(leadrank, "score", *NIGHT, *more, home=home)


def loaded(home, said_until=None):
    """Whether L1's loss is there, the counts of what was said, and the digest."""
    params = parameters.load(home / "params.yaml")
    with opened(params, home, Progress(), said_until=said_until) as inputs:
        stages = inputs.connection.execute("SELECT stage FROM outcomes WHERE lead_id = 'L1'").fetchall()
        return stages, inputs.said, inputs.loaded.digest


def test_a_lead_that_was_called_lost_is_ranked_no_more(leadrank, home):
    assert "L1" in ranked(score(leadrank, home))
    say(home, ("L1", "lost", "2026-06-29T23:59:59"), ("L2", "worked", "2026-06-29T12:00"))
    result = score(leadrank, home)
    assert result["is_new"]  # other facts, another run
    assert "L1" not in ranked(result)
    assert "L2" in ranked(result)
    assert result["counts"]["feedback"] == {
        "table": "feedback", "read": 2, "accepted": 2, "quarantined": 0, "deduplicated": 0, "erased": 0,
    }  # fmt: skip


def test_a_night_knows_nothing_of_what_was_said_at_its_moment_or_later(leadrank, home):
    first = score(leadrank, home)
    say(home, ("L1", "lost", "2026-06-30T00:00:00"), ("L2", "lost", "2026-07-02T00:00:00"))
    assert score(leadrank, home)["run_id"] == first["run_id"]  # a verified no-op
    assert score(leadrank, home, "--if-exists", "verify")["run_id"] == first["run_id"]


def test_a_night_with_feedback_can_be_made_again_when_more_has_been_said(leadrank, home):
    say(home, ("L1", "lost", "2026-06-29T00:00:00"))
    first = score(leadrank, home)
    say(home, ("L2", "lost", "2026-07-02T00:00:00"))
    assert score(leadrank, home, "--if-exists", "verify")["run_id"] == first["run_id"]


def test_training_counts_what_was_said_until_the_tables_own_present(home):
    """Otherwise an export of June would look, to feedback of November, as if nobody had bought since."""
    before = loaded(home)
    say(home, ("L1", "lost", "2026-06-30T00:00:00"))  # the latest touch is of June 29
    assert loaded(home) == before
    say(home, ("L1", "worked", "2026-06-29T23:59:59"))
    stages, said, digest = loaded(home)
    assert (stages, said.accepted) == ([("worked",)], 1)
    assert digest != before[2]


def test_each_new_word_is_other_data_even_if_it_adds_no_stage(home):
    say(home, ("L1", "worked", "2026-06-29T10:00"))
    first = loaded(home)
    say(home, ("L1", "worked", "2026-06-29T11:00"))
    second = loaded(home)
    assert (first[0], first[2] != second[2]) == (second[0], True)
    assert (second[1].accepted, second[1].deduplicated) == (1, 1)


def test_an_erased_lead_has_no_say_any_more(leadrank, home):
    say(home, ("L1", "worked", "2026-06-29T10:00"), ("L2", "worked", "2026-06-29T10:00"))
    asked(leadrank, "erase", "L1", "--reason", "asked", home=home)
    _, said, _ = loaded(home)
    assert (said.accepted, said.erased) == (1, 1)


def test_feedback_can_be_switched_off_and_a_night_makes_no_state(leadrank, home):
    before = loaded(home)
    assert not (home / FILE).exists()
    say(home, ("L1", "lost", "2026-06-29T10:00"))
    with (home / "params.yaml").open("a", encoding="utf-8") as file:
        file.write(MORE)
    assert loaded(home) == before
    assert score(leadrank, home)["counts"]["feedback"] is None


def test_a_state_elsewhere_is_read_and_one_that_is_not_named_stops_the_night(leadrank, home, monkeypatch):
    with (home / "params.yaml").open("a", encoding="utf-8") as file:
        file.write("serve: {state_url_env: STATE}\n")
    line = failed(leadrank, "score", *NIGHT, home=home)
    assert (line["code"], "'STATE' is not set" in line["reason"]) == (2, True)
    url = f"sqlite:///{home.parent / 'state.db'}"
    monkeypatch.setenv("STATE", url)
    say(home, ("L1", "lost", "2026-06-29T10:00"), url=url)
    assert "L1" not in ranked(score(leadrank, home))


def test_check_tells_the_counts_beside_those_of_the_tables(leadrank, home):
    say(home, ("L1", "worked", "2026-06-29T10:00"), ("gone", "worked", "2026-06-29T10:00"))
    result = asked(leadrank, "check", home=home)["counts"][-1]
    assert (result["table"], result["read"], result["accepted"], result["erased"]) == (
        "feedback",
        2,
        1,
        1,
    )
    assert "feedback" in leadrank("check", home=home)[1]


def test_training_tells_how_many_answers_it_learned_from(leadrank, home):
    assert told.answers(asked(leadrank, "check", home=home)) == []
    say(home, ("L1", "worked", "2026-06-29T10:00"), ("gone", "worked", "2026-06-29T10:00"))
    assert told.answers(asked(leadrank, "check", home=home)) == ["1 of 2 answers on the page count as stages"]


def test_feedback_makes_no_silent_crm_look_fresh(leadrank, home):
    """The outcomes of the CRM end on June 20; a limit of nine days is passed whatever is said on the page."""
    text = (home / "params.yaml").read_text(encoding="utf-8")
    (home / "params.yaml").write_text(text.replace("outcomes: 60", "outcomes: 9"), encoding="utf-8")
    score(leadrank, home, "--as-of", "2026-06-28")
    say(home, ("L1", "worked", "2026-06-29T10:00"))
    assert "'outcomes'" in failed(leadrank, "score", *NIGHT, home=home)["reason"]


def test_who_was_right_stands_in_the_report_on_the_team(leadrank, home):
    say(home, ("L1", "accept", "2026-06-28T10:00", 3, 0.3), ("L3", "return", "2026-06-28T10:00", 200, None))
    score(leadrank, home)
    result = asked(leadrank, "report", "team", home=home)["report"]["judged"]
    assert result["by"] == "rank"
    assert [(row["side"], row["from"], row["to"], row["leads"]) for row in result["rows"]] == [
        ("for", 1, 100, 1), ("against", 101, 1000, 1),
    ]  # fmt: skip
    assert json.dumps(result)


def test_the_counts_of_the_crm_are_its_own(home):
    say(home, ("L1", "worked", "2026-06-29T10:00"))
    params = parameters.load(home / "params.yaml")
    with opened(params, home, Progress()) as inputs:
        sizes = [inputs.connection.table(name).shape[0] for name in ("outcomes", ROWS)]
        assert sizes == [inputs.loaded.counts["outcomes"].accepted + 1, 1]
