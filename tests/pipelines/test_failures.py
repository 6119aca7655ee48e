"""How each failure of a command ends: its exit code, its JSON line, and the last ranking still in force."""

from __future__ import annotations

import json

import pytest

from tests.pipelines.ends import asked, failed, failed_anyhow, run_id_of

# mlflow and its dependencies warn about themselves while they are imported.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")

CANARY = "Zebediah Quux"


def test_a_missing_column_stops_the_night_and_the_last_ranking_stays(crm, demo, leadrank):
    path = crm / "data" / "outcomes.csv"
    path.write_text(path.read_text(encoding="utf-8").replace('"stage"', '"phase"', 1), encoding="utf-8")
    line = failed(leadrank, "score", "--as-of", "2026-07-01", home=crm)
    assert line["code"] == 3
    assert (line["file"], line["column"]) == ("data/outcomes.csv", "stage")
    assert line["current_run_id"] == run_id_of(demo)


def test_a_wrong_encoding_is_an_input_error_that_shows_no_cell(crm, demo, leadrank):
    path = crm / "data" / "leads.csv"
    header, *text = path.read_text(encoding="utf-8").splitlines(keepends=True)
    text = [header, *(row.replace(row.split(",")[2], f'"{CANARY} Müller"') for row in text)]
    path.write_text("".join(text), encoding="latin-1", errors="replace")
    line = failed(leadrank, "score", "--as-of", "2026-07-01", home=crm)
    assert (line["code"], line["file"]) == (3, "data/leads.csv")
    assert "utf-8" in line["reason"]
    assert line["current_run_id"] == run_id_of(demo)
    assert CANARY not in json.dumps(line)


def test_more_quarantined_rows_than_allowed_close_the_gate_without_showing_a_person(crm, demo, leadrank):
    path = crm / "data" / "leads.csv"
    header, *rows = path.read_text(encoding="utf-8").splitlines(keepends=True)
    broken = [f'"","{CANARY}"\n' for _ in range(len(rows) // 10)]
    path.write_text(header + "".join(rows + broken), encoding="utf-8")
    line = failed(leadrank, "score", "--as-of", "2026-07-01", home=crm)
    assert line["code"] == 4
    assert "'leads' are quarantined, more than 5%" in line["reason"]
    assert line["current_run_id"] == run_id_of(demo)
    assert CANARY not in json.dumps(line)
    code, out, err = leadrank("score", "--as-of", "2026-07-01", home=crm)
    assert (code, json.loads(err.splitlines()[-1])["code"]) == (4, 4)
    assert CANARY not in out + err


def test_a_broken_row_below_the_gate_is_named_by_line_and_not_shown(crm, leadrank):
    path = crm / "data" / "leads.csv"
    text = path.read_text(encoding="utf-8")
    path.write_text(f'{text}"{CANARY}","{CANARY}"\n"X1","{CANARY}"' + "," * 18 + "\n", encoding="utf-8")
    last = text.count("\n") + 2
    checked = asked(leadrank, "check", home=crm)
    assert CANARY not in json.dumps(checked)
    assert any(
        reason["first_line"] <= last and reason["table"] == "leads" for reason in checked["quarantine"]
    )
    code, out, err = leadrank("check", home=crm)
    assert code == 0
    assert CANARY not in out + err


def test_without_positives_no_model_is_made(flat, leadrank):
    path = flat / "leads.csv"
    path.write_text(path.read_text().replace(",yes\n", ",no\n"))
    line = failed(leadrank, "train", home=flat)
    assert line["code"] == 8
    assert not (flat / "mlflow.db").exists() or asked(leadrank, "models", home=flat)["versions"] == []


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("  horizon_days: 90", "  horizon_day: 90", "'train.horizon_day' — did you mean 'horizon_days'"),
        ("  horizon_days: 90", "  horizon_days: soon", "must be a whole number"),
        ("  path: data/leads.csv", "  path: data/lead.csv", ""),
    ],
)  # fmt: skip
def test_a_wrong_parameter_is_named(crm, leadrank, old, new, reason):
    path = crm / "params.yaml"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    line = failed(leadrank, "score", "--as-of", "2026-07-01", home=crm)
    assert line["code"] == (2 if reason else 3)
    assert reason in line["reason"]
    assert line["file"] == ("params.yaml" if reason else "data/lead.csv")


def test_without_parameters_every_command_says_how_to_get_some(tmp_path, leadrank):
    for words in (
        ("check",),
        ("train",),
        ("score",),
        ("current",),
        ("runs",),
        ("models",),
        ("explain", "L1"),
    ):
        line = failed(leadrank, *words, home=tmp_path)
        assert (line["code"], line["current_run_id"]) == (2, None)
        assert "no params.yaml here" in line["reason"]
        assert "leadrank init" in line["hint"]


@pytest.mark.parametrize(
    ("words", "code", "reason"),
    [
        (("score", "--as-of", "yesterday"), 2, "--as-of is not a moment"),
        (("score", "--as-of", "2026-02-30"), 2, "--as-of is not a moment"),
        (("current", "--top", "-1"), 2, "--top"),
        (("current", "--topp", "1"), 2, "--topp"),
        (("scor",), 2, "scor"),
        (("explain",), 2, "lead_id"),
        (("explain", "nobody"), 3, "not in the ranking in force"),
        (("predict", "--rows", "absent.csv", "--out", "out.csv"), 3, "absent.csv"),
        (("demo", "."), 2, None),
        (("init", "data/leads.csv", "--yes"), 2, "there is a params.yaml already"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_wrong_command_line_ends_with_one_json_line(demo, leadrank, words, code, reason):
    if words[0] == "demo":
        words = (*words, "--leads", "1")
    line = failed_anyhow(leadrank, *words, home=demo.home)
    assert line["code"] == code
    assert reason is None or reason in line["reason"]


def test_a_command_before_the_first_ranking_or_model_says_what_comes_first(flat, leadrank):
    for words in (
        ("current",),
        ("explain", "x"),
        ("score",),
        ("predict", "--rows", "leads.csv", "--out", "o.csv"),
    ):
        line = failed(leadrank, *words, home=flat)
        assert line["code"] == 8
        assert "leadrank train" in line["hint"]


def test_our_own_bug_is_told_by_its_place_and_not_by_its_words(demo, leadrank, monkeypatch):
    from pipelines import show

    def broken(*_, **__):
        raise ValueError(CANARY)

    monkeypatch.setattr(show, "current", broken)
    code, out, err = leadrank("current", home=demo.home)
    line = json.loads(err.splitlines()[-1])
    assert (code, line["code"], out) == (70, 70, "")
    assert "unexpected ValueError at " in line["reason"]
    assert line["current_run_id"] == run_id_of(demo)
    assert CANARY not in err


def test_without_a_command_the_help_is_shown(leadrank, tmp_path):
    code, out, err = leadrank(home=tmp_path)
    assert "score" in out
    assert (code, err) == (0, "")


def test_a_ctrl_c_ends_with_130(demo, leadrank, monkeypatch):
    from pipelines import show

    def stopped(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(show, "current", stopped)
    assert leadrank("current", home=demo.home)[0] == 130
