"""The commands on a demo CRM: what they promise."""

from __future__ import annotations

import csv
import json
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from tests.pipelines.ends import KEYS, asked, contents, run_id_of

# mlflow and its dependencies warn about themselves while they are imported.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")

LEADRANK = Path(sys.executable).parent / "leadrank"


def test_the_demo_leaves_a_ranking_of_every_open_lead_in_force(demo):
    scored = demo.result["score"]
    folder = demo.home / "runs" / scored["run_id"]
    assert (demo.home / "runs" / "CURRENT").read_text().strip() == scored["run_id"]
    manifest = json.loads((folder / "manifest.json").read_text())
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert files == {"manifest.json", *manifest["files"]}
    with (folder / "ranking.csv").open(encoding="utf-8", newline="") as file:
        assert len(list(csv.DictReader(file))) == scored["counts"]["ranked"] > 100


def test_the_field_that_is_filled_in_after_the_outcome_is_left_out(demo):
    trained = demo.result["train"]
    assert "onboarding_tier" in {finding["column"] for finding in trained["excluded"]}
    assert "onboarding_tier" not in trained["features"]
    assert {"industry", "timeline", "touches_30d"} <= set(trained["features"])


def test_rows_read_are_accepted_quarantined_or_deduplicated(demo):
    for counts in demo.result["train"]["counts"]:
        assert counts["read"] == counts["accepted"] + counts["quarantined"] + counts["deduplicated"]
        assert counts["read"] == demo.result["rows"][counts["table"]]


def test_the_same_night_again_is_a_verified_no_op(demo, leadrank):
    before = contents(demo.home / "runs")
    again = asked(leadrank, "score", "--as-of", "2026-06-30", home=demo.home)
    assert (again["run_id"], again["is_new"]) == (run_id_of(demo), False)
    left = contents(demo.home / "runs")
    assert {p: c for p, c in left.items() if p.name != ".lock"} == {
        p: c for p, c in before.items() if p.name != ".lock"
    }


def test_the_order_of_a_file_s_rows_is_no_new_night_and_a_lost_pointer_is_mended(crm, demo, leadrank):
    for name in ("leads", "outcomes"):
        path = crm / "data" / f"{name}.csv"
        header, *rows = path.read_text(encoding="utf-8").splitlines(keepends=True)
        rows.reverse()
        path.write_text(header + "".join(rows), encoding="utf-8")
    (crm / "runs" / "CURRENT").unlink()  # as after a crash between the folder and the pointer
    again = asked(leadrank, "score", "--as-of", "2026-06-30T02:00+02:00", home=crm)
    assert (again["run_id"], again["is_new"]) == (run_id_of(demo), False)
    assert asked(leadrank, "current", home=crm)["run_id"] == run_id_of(demo)


def test_an_older_night_is_published_and_does_not_take_force(crm, demo, leadrank):
    older = asked(leadrank, "score", "--as-of", "2026-05-31", home=crm)
    assert older["is_new"]
    assert older["run_id"].startswith("20260531T000000Z-")
    listed = asked(leadrank, "runs", home=crm)
    assert listed["current"] == run_id_of(demo)
    assert [run["run_id"] for run in listed["runs"]] == [run_id_of(demo), older["run_id"]]
    assert listed["runs"][1]["leads"] == older["counts"]["ranked"]


def test_current_shows_the_first_leads_of_the_ranking(demo, leadrank):
    shown = asked(leadrank, "current", "--top", "3", home=demo.home)
    assert shown["run_id"] == run_id_of(demo)
    assert [lead["rank"] for lead in shown["leads"]] == [1, 2, 3]
    assert shown["leads"] == demo.result["score"]["leads"][:3]
    assert {"owner", "territory", "source"} <= set(shown["leads"][0])  # publish_columns
    assert "title" not in shown["leads"][0]


def test_explain_gives_every_published_reason_of_a_lead(demo, leadrank):
    first = demo.result["score"]["leads"][0]
    lead = asked(leadrank, "explain", first["lead_id"], home=demo.home)
    assert (lead["rank"], lead["probability"]) == (1, first["probability"])
    said = [reason["sentence"] for reason in lead["reasons"] if reason["direction"] == "for"]
    assert said == [first[f"for_{place}"] for place in (1, 2, 3) if first[f"for_{place}"]]
    families = sum(value for name, value in lead.items() if name.startswith("margin_"))
    assert families == pytest.approx(lead["margin"], abs=1e-9)


def test_models_lists_the_first_version_as_champion(demo, leadrank):
    (version,) = asked(leadrank, "models", home=demo.home)["versions"]
    assert version["aliases"] == ["champion"]
    assert version["digest"] == demo.result["train"]["digest"]


def test_a_person_reads_tables_and_no_json(demo, leadrank):
    for words in (("current",), ("runs",), ("models",)):
        code, out, _ = leadrank(*words, home=demo.home)
        assert code == 0
        assert out.strip()
        with pytest.raises(ValueError, match=r"Expecting|Extra data"):
            json.loads(out)


def test_a_flat_table_is_trained_on_and_its_rows_predicted_in_order(flat, leadrank):
    trained = asked(leadrank, "train", home=flat)
    assert trained["rows"] == 400
    assert trained["aliases"] == ["champion"]
    rows = "Channel,Visits\nfair,22\nweb,0\nfair,22\n"
    (flat / "new.csv").write_text(rows)
    told = asked(leadrank, "predict", "--rows", "new.csv", "--out", "out.csv", home=flat)
    assert (told["rows"], told["without_probability"]) == (3, 0)
    with (flat / "out.csv").open(newline="") as file:
        chances = [float(row["probability"]) for row in csv.DictReader(file)]
    assert chances[0] == chances[2] > chances[1]


def test_rows_of_unknown_leads_and_bad_moments_keep_their_places(demo, leadrank, tmp_path):
    known = demo.result["score"]["leads"][0]["lead_id"]
    rows = tmp_path / "rows.csv"
    rows.write_text(
        f"lead_id,as_of\n{known},2026-06-30\nnobody,2026-06-30\n{known},someday\n{known},2026-06-30\n"
    )
    out = tmp_path / "out.csv"
    told = asked(leadrank, "predict", "--rows", rows, "--out", out, home=demo.home)
    assert (told["rows"], told["without_probability"]) == (4, 2)
    with out.open(newline="") as file:
        answers = list(csv.DictReader(file))
    assert [row["row"] for row in answers] == ["1", "2", "3", "4"]
    assert [bool(row["probability"]) for row in answers] == [True, False, False, True]
    assert [bool(row["problem"]) for row in answers] == [False, True, True, False]
    assert float(answers[0]["probability"]) == demo.result["score"]["leads"][0]["probability"]


# The real command line.


def test_the_installed_command_ends_as_the_one_in_process_does(tmp_path):
    done = subprocess.run([LEADRANK, "score"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert set(json.loads(done.stderr)) == KEYS


HEAVY = {"mlflow", "lightgbm", "pandas", "shap", "ibis", "duckdb", "sklearn", "numpy", "pyarrow", "pydantic"}


def test_help_imports_nothing_heavy():
    code = (
        "import sys; sys.argv = ['leadrank', '--help']\n"
        "from pipelines.cli import main\n"
        "try: main()\n"
        "except SystemExit as done: assert done.code == 0\n"
        "print(' '.join(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "score" in done.stdout
    assert not HEAVY & set(done.stderr.split())


def test_help_answers_in_half_a_second():
    def seconds():
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([LEADRANK, "--help"], capture_output=True, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        # Of the processor, not of the clock: other tests may keep the machine busy.
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    seconds()  # compiles, and fills the file cache
    assert min(seconds() for _ in range(5)) < 0.5
