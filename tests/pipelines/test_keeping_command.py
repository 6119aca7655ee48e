"""An earlier ranking comes back by hand, and old ones go."""

from __future__ import annotations

from tests.pipelines.ends import asked, failed


def test_an_earlier_ranking_comes_back_and_its_successor_is_marked(crm, leadrank):
    newest = asked(leadrank, "current", home=crm)["run_id"]
    older = asked(leadrank, "score", "--as-of", "2026-06-29", home=crm)["run_id"]
    assert failed(leadrank, "rollback", "--ranking", home=crm)["code"] == 2
    assert failed(leadrank, "rollback", "--ranking", "none", "--reason", "why", home=crm)["code"] == 2
    told = asked(leadrank, "rollback", "--ranking", "--reason", "a wrong export", home=crm)
    assert (told["run_id"], told["instead_of"]) == (older, newest)
    assert asked(leadrank, "current", home=crm)["run_id"] == older
    assert not asked(leadrank, "score", "--as-of", "2026-06-30", home=crm)["is_new"]
    listed = asked(leadrank, "runs", home=crm)
    assert listed["current"] == older
    assert {run["run_id"]: run["withdrawn"] for run in listed["runs"]} == {
        newest: "a wrong export",
        older: None,
    }
    assert asked(leadrank, "gc", "--keep", "1", "--dry-run", home=crm)["removed"] == []
    assert failed(leadrank, "gc", home=crm)["code"] == 2
    asked(leadrank, "rollback", "--ranking", newest, "--reason", "it was right", home=crm)
    assert asked(leadrank, "gc", "--keep", "1", home=crm)["removed"] == [older]
    assert [run["run_id"] for run in asked(leadrank, "runs", home=crm)["runs"]] == [newest]


def test_a_damaged_ranking_does_not_come_back(crm, leadrank):
    older = asked(leadrank, "score", "--as-of", "2026-06-29", home=crm)
    (crm / "runs" / older["run_id"] / "ranking.csv").write_text("rank")
    line = failed(leadrank, "rollback", "--ranking", "--reason", "why", home=crm)
    assert (line["code"], "'ranking.csv'" in line["reason"]) == (7, True)
