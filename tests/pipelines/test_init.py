"""From the user's files to a params.yaml that loads and says what a person would have written."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from features.errors import InputError, ParameterError
from features.tables import Source
from pipelines import init, init_questions, params
from pipelines.params_text import quoted, scalar

FLAT = "id,plan,won,Last Call\n" + "".join(f"{n},{'ab'[n % 2]},{n % 3 % 2},x{n % 4}\n" for n in range(60))


def run(folder: Path, *names: str, outcome: str | None = None, overwrite: bool = False) -> params.Params:
    files = [folder / name for name in names]
    return params.load(init.run(files, folder=folder, outcome=outcome, yes=True, overwrite=overwrite).path)


def kinds(source: Source) -> Mapping[str, tuple[str, str]]:
    return {name: (field.kind, field.time) for name, field in source.fields.items()}


def test_one_flat_file_gives_parameters_that_load(tmp_path: Path):
    (tmp_path / "export.csv").write_text(FLAT)
    leads = run(tmp_path, "export.csv", outcome="won").tables["leads"]
    assert (leads.path, leads.outcome_column, leads.won_values) == ("export.csv", "won", ("1",))
    assert leads.mapping == {"lead_id": "id"}
    assert kinds(leads) == {"plan": ("category", None), "Last Call": ("category", "current")}


def test_canonical_tables_need_no_mapping(tmp_path: Path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "leads.csv").write_text(
        "lead_id;created_at;Size\n1;31.01.2026;1,5\n2;01.02.2026;2,5\n"
    )
    (tmp_path / "data" / "touches.csv").write_text("lead_id,occurred_at,kind\n1,2026-02-01 10:00:00,call\n")
    (tmp_path / "data" / "outcomes.csv").write_text("lead_id,stage,occurred_at,amount\n1,won,2026-02-01,5\n")
    tables = run(tmp_path, "data/leads.csv", "data/touches.csv", "data/outcomes.csv").tables
    assert list(tables) == ["leads", "touches", "outcomes"]
    leads = tables["leads"]
    assert (leads.path, leads.separator, leads.decimal) == ("data/leads.csv", ";", ",")
    assert leads.timestamp_format == "%d.%m.%Y"
    assert kinds(leads) == {"Size": ("number", None)}
    assert all(table.mapping == {} for table in tables.values())


NAMES = [
    "a: b",
    "#c",
    "größe",
    "no",
    "x'y",
    'say ""so""',
    "- d",
    "{e}",
    "null",
    "f\u00a0g",
    "h&i",
    "*j",
    "k%l",
    "emoji 😀",
]


def test_any_column_name_survives_the_way_through_yaml(tmp_path: Path):
    header = ",".join(["won", *(f'"{name}"' for name in NAMES)])
    rows = "".join(f"{n % 2}," + ",".join([str(n % 3)] * len(NAMES)) + "\n" for n in range(30))
    (tmp_path / "leads.csv").write_text(header + "\n" + rows, encoding="utf-8")
    fields = run(tmp_path, "leads.csv", outcome="won").tables["leads"].fields
    assert set(fields) == {name.replace('""', '"') for name in NAMES}


@pytest.mark.parametrize(
    "text", [*NAMES, "", "1", "tab\there", "line\nbreak", "\u2028", "\x7f", "~", "1:30", "%d.%m.%Y"]
)
def test_a_scalar_reads_back_as_the_same_text_in_every_yaml(text: str):
    assert yaml.safe_load(quoted(text)) == text
    assert yaml.safe_load(f"[{scalar(text)}]") == [text]


def test_the_defaults_of_the_text_are_the_defaults_of_the_parameters(tmp_path: Path):
    (tmp_path / "leads.csv").write_text(FLAT)
    written = run(tmp_path, "leads.csv", outcome="won")
    assert written == params.Params(tables=written.tables)


def test_the_text_explains_every_key(tmp_path: Path):
    (tmp_path / "leads.csv").write_text(FLAT)
    text = init.run([tmp_path / "leads.csv"], folder=tmp_path, outcome="won", yes=True).path.read_text()
    for section in (
        params.Train,
        params.Audit,
        params.Score,
        params.Scorecard,
        params.Features,
        params.Check,
    ):
        for key in section.model_fields:
            line = next(line for line in text.splitlines() if line.startswith(f"  {key}:"))
            assert "#" in line, key
    assert "CHECK" in next(line for line in text.splitlines() if "Last Call" in line)


def test_a_file_elsewhere_is_declared_by_its_whole_path(tmp_path: Path):
    (tmp_path / "leads.csv").write_text(FLAT)
    result = init.run([tmp_path / "leads.csv"], folder=tmp_path / "work", outcome="won", yes=True)
    assert params.load(result.path).tables["leads"].path == (tmp_path / "leads.csv").as_posix()


def test_a_params_yaml_is_replaced_only_when_asked(tmp_path: Path):
    (tmp_path / "leads.csv").write_text(FLAT)
    (tmp_path / "params.yaml").write_text("mine")
    with pytest.raises(ParameterError, match="already"):
        run(tmp_path, "leads.csv", outcome="won")
    assert (tmp_path / "params.yaml").read_text() == "mine"
    run(tmp_path, "leads.csv", outcome="won", overwrite=True)


@pytest.mark.parametrize("name", ["leads.xlsx", "leads"])
def test_another_format_is_refused_with_a_way_out(tmp_path: Path, name: str):
    with pytest.raises(ParameterError, match="save it as CSV"):
        run(tmp_path, name)


def test_a_missing_file_is_named(tmp_path: Path):
    with pytest.raises(InputError, match=r"no file 'leads\.csv'"):
        run(tmp_path, "leads.csv")


def test_headers_of_a_known_crm_are_recognised(tmp_path: Path):
    (tmp_path / "Lead.csv").write_text(
        "Id,CreatedDate,LeadSource,OwnerId,Country,Rating\n00Q1,2026-01-01,Web,005,DE,Hot\n00Q2,2026-01-02,Fair,005,FR,Cold\n"
    )
    (tmp_path / "outcomes.csv").write_text("lead_id,stage,occurred_at\n00Q1,won,2026-02-01\n")
    leads = run(tmp_path, "Lead.csv", "outcomes.csv").tables["leads"]
    assert leads.mapping == {
        "lead_id": "Id", "created_at": "CreatedDate", "source": "LeadSource", "owner": "OwnerId",
    }  # fmt: skip
    assert kinds(leads) == {
        "source": ("category", "static"), "country": ("category", "static"),
        "Rating": ("category", "current"),
    }  # fmt: skip


def test_answers_replace_proposals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "leads.csv").write_text(
        "key,code,born_at,when,won,plan\n"
        + "".join(f"k{n},c{n},x{n % 3},01/02/2026,{n % 2},p{n % 2}\n" for n in range(40))
    )
    answers = {"id of a lead": "code", "was created": "when", "mean won": "0", "leave out": "plan"}

    def answered(question: str, **options: object) -> object:
        return next((answer for part, answer in answers.items() if part in question), options["default"])

    monkeypatch.setattr(init_questions.typer, "prompt", answered)
    monkeypatch.setattr(init_questions.typer, "confirm", lambda *_args, **_options: False)
    result = init.run([tmp_path / "leads.csv"], folder=tmp_path, outcome="won", yes=False)
    leads = params.load(result.path).tables["leads"]
    assert leads.mapping == {"lead_id": "code", "created_at": "when"}
    assert (leads.timestamp_format, leads.won_values) == ("%m/%d/%Y", ("0",))
    assert "plan" not in leads.fields


def of_kind(source: Source, kind: str, time: str | None) -> set[str]:
    return {name for name, found in kinds(source).items() if found == (kind, time)}


@pytest.mark.real
def test_x_education(tmp_path: Path, shared: Path):
    result = init.run([shared / "data/x_education/Leads.csv"], folder=tmp_path, outcome="Converted", yes=True)
    leads = params.load(result.path).tables["leads"]
    assert (leads.mapping, leads.order_column) == ({"lead_id": "Prospect ID"}, "Lead Number")
    assert (leads.outcome_column, leads.won_values) == ("Converted", ("1",))
    assert of_kind(leads, "number", None) == {
        "TotalVisits", "Total Time Spent on Website", "Page Views Per Visit",
        "Asymmetrique Activity Score", "Asymmetrique Profile Score",
    }  # fmt: skip
    assert of_kind(leads, "category", "current") == {
        "Last Activity",
        "Tags",
        "Lead Quality",
        "Last Notable Activity",
    }
    assert of_kind(leads, "flag", None) >= {"Do Not Email", "Do Not Call", "Search"}
    assert of_kind(leads, "category", "static") == {"Lead Origin", "Lead Source", "country"}
    assert of_kind(leads, "category", None) >= {"City", "Specialization"}
    assert {"Magazine", "Lead Number", "Prospect ID", "Converted"}.isdisjoint(leads.fields)


@pytest.mark.real
def test_bank_marketing(tmp_path: Path, shared: Path):
    path = shared / "data/bank_marketing/bank-additional-full.csv"
    leads = params.load(init.run([path], folder=tmp_path, outcome="y", yes=True).path).tables["leads"]
    assert (leads.separator, leads.won_values, leads.mapping) == (";", ("yes",), {})
    assert of_kind(leads, "number", None) == {
        "age", "pdays", "previous", "emp.var.rate", "cons.price.idx", "cons.conf.idx", "euribor3m",
        "nr.employed",
    }  # fmt: skip
    assert of_kind(leads, "number", "current") == {"duration"}
    assert of_kind(leads, "category", None) == {
        "job", "marital", "education", "default", "housing", "loan", "contact", "month", "day_of_week",
        "poutcome",
    }  # fmt: skip
    assert of_kind(leads, "category", "static") == {"campaign"}  # a contract column, which is text


@pytest.mark.real
def test_a_maven_pipeline(tmp_path: Path, shared: Path):
    path = shared / "data/maven_crm/sales_pipeline.csv"
    leads = params.load(init.run([path], folder=tmp_path, outcome="deal_stage", yes=True).path).tables[
        "leads"
    ]
    assert leads.mapping == {"lead_id": "opportunity_id", "created_at": "engage_date"}
    assert (leads.won_values, set(leads.null_tokens)) == (("Won",), {"Engaging", "Prospecting"})
    assert kinds(leads) == {
        "product": ("category", None), "account": ("category", None),
        "close_date": ("timestamp", "current"), "close_value": ("number", "current"),
    }  # fmt: skip


@pytest.mark.real
def test_bpic2012(tmp_path: Path, shared: Path):
    files = [shared / "data/bpic2012/cases.csv", shared / "data/bpic2012/events.parquet"]
    tables = params.load(init.run(files, folder=tmp_path, outcome="outcome", yes=True).path).tables
    leads, touches = tables["leads"], tables["touches"]
    assert leads.mapping == {"lead_id": "case_id", "created_at": "reg_date"}
    assert (leads.won_values, leads.null_tokens) == (("accepted",), ("open",))
    assert kinds(leads) == {"amount_req": ("number", None)}  # the dates of the decisions tell the outcome
    assert touches.mapping == {"lead_id": "case_id", "occurred_at": "timestamp", "kind": "activity"}
