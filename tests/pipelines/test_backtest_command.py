"""``leadrank backtest``, once on a small demo: what it prints, keeps and refuses."""

from __future__ import annotations

import json
from dataclasses import replace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from features.errors import ParameterError
from features.tables import Field
from pipelines import params as parameters
from pipelines.backtest_section import Backtest
from pipelines.demo import command
from pipelines.progress import Progress
from pipelines.replaying import check_order_field, todays_order

# mlflow and its dependencies warn about themselves while they are imported.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")


@pytest.fixture
def small(tmp_path):
    """A demo CRM of 600 leads, with small trainings at two origins."""
    home = tmp_path / "crm"
    command.run(home, leads=600, seed=7, data_only=True, progress=Progress(is_quiet=True))
    keep_tables(home, "leads", "outcomes")
    change(home, train={"every_days": 28, "bags": 1, "max_trees": 30}, features={"kinds_max": 3})
    change(
        home,
        backtest={"origins": 2, "every_days": 56, "lists_every_days": 28, "ages_days": [0, 56, 900],
                  "slices": ["source", "territory", "shoe_size"], "min_slice_outcomes": 10, "resamples": 100,
                  "order_field": "employees"},
    )  # fmt: skip
    return home


def keep_tables(home, *names):
    """Fewer tables give fewer features, and a faster test."""
    params = yaml.safe_load((home / "params.yaml").read_text(encoding="utf-8"))
    params["tables"] = {name: params["tables"][name] for name in names}
    del params["tables"]["leads"]["fields"]["timeline"]  # its past is in field_history
    (home / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")


def change(home, **sections):
    """Set keys of sections of a folder's parameters."""
    params = yaml.safe_load((home / "params.yaml").read_text(encoding="utf-8"))
    for name, keys in sections.items():
        params[name] = {**params.get(name, {}), **keys}
    (home / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")


def test_a_backtest_prints_one_object_and_leaves_a_run_and_a_report(small, leadrank):
    code, out, err = leadrank("backtest", "--report", "b.html", "--json", home=small)
    from mlflow import MlflowClient  # the command sets its log level first

    assert (code, err) == (0, "")
    told = json.loads(out)
    assert [origin["reason"] for origin in told["origins"]] == [None] * 2
    learned = [origin["learned_rows"] for origin in told["origins"]]
    assert learned == sorted(learned)
    assert (told["lists"], told["calls_per_list"]) == (4, 500)
    assert {row["contender"] for row in told["contenders"]} == {
        "model", "scorecard", "newest_first", "todays_order", "random",
    }  # fmt: skip
    assert all(row["low"] <= row["value"] <= row["high"] for row in told["contenders"])
    assert [(row["age_days"], row["origins"]) for row in told["ages"]] == [(0, 2), (56, 1)]
    assert {row["slice"] for row in told["slices"]} == {"source", "territory", "age of the lead"}
    by_source = [row["rows"] for row in told["slices"] if row["slice"] == "source"]
    assert sum(by_source) == told["rows"]
    assert any("shoe_size" in line for line in told["left_out"])
    assert any("900 days" in line for line in told["left_out"])
    page = (small / "b.html").read_text(encoding="utf-8")
    assert "the first 20 % of a list hold" in page
    run = MlflowClient(f"sqlite:///{small / 'mlflow.db'}").get_run(told["run_id"])
    assert run.data.metrics["model.capture_20"] == pytest.approx(
        next(
            r["value"] for r in told["contenders"] if (r["contender"], r["figure"]) == ("model", "capture_20")
        )
    )
    assert run.data.params["backtest.origins"] == "2"
    [kept] = small.glob("mlartifacts/*/artifacts")
    assert (kept / "report" / "backtest.html").read_text(encoding="utf-8") == page
    assert pq.read_table(kept / "tables" / "curves.parquet").num_rows == 5 * 51
    assert {path.name for path in (kept / "pictures").iterdir()} >= {"capture.png", "deals.png", "ages.png"}


@pytest.mark.parametrize(
    ("field", "declared"),
    [
        ("height", None),
        ("source", {"kind": "category", "time": "static"}),
        ("rank", {"kind": "number", "time": "current"}),
    ],
)
def test_an_order_field_that_is_no_number_of_the_past_is_refused(field, declared):
    params = parameters.parse("tables: {leads: {path: leads.csv}, outcomes: {path: outcomes.csv}}")
    leads = params.tables["leads"]
    fields = {**leads.fields, **({field: Field(**declared)} if declared else {})}
    tables = {**params.tables, "leads": replace(leads, fields=fields)}
    given = params.backtest.model_copy(update={"order_field": field})
    with pytest.raises(ParameterError, match=f"'{field}', which is no number"):
        check_order_field(params.model_copy(update={"tables": tables, "backtest": given}))


def test_a_team_that_calls_the_lowest_first_has_its_order_turned_round():
    given = Backtest(order_field="rank", order_first="lowest")
    params = parameters.Params.model_construct(backtest=given)
    assert todays_order(params, pa.table({"rank": [1, 3, 2]})).tolist() == [-1, -3, -2]


def test_a_table_without_dates_has_no_past_to_replay(flat, leadrank):
    code, _, err = leadrank("backtest", "--json", home=flat)
    line = json.loads(err.splitlines()[-1])
    assert (code, line["reason"]) == (2, "one table without dates has no past to replay")
    assert "created_at" in line["hint"]
