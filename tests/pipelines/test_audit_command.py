"""``leadrank audit`` and the audit inside ``train``, on one flat table with a leak in it."""

import json

import numpy as np
import pytest
import yaml

from pipelines.told_audit import signal

pytestmark = [
    pytest.mark.usefixtures("leaky"),
    # mlflow and its dependencies warn about themselves while they are imported.
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning"),
]


@pytest.fixture
def leaky(flat):
    """The flat table with a column that is set when a lead buys; nobody declared ``Visits``."""
    rng = np.random.default_rng(3)
    bought = rng.random(400) < 0.3
    visits = (rng.normal(5, 2, 400) + 2 * bought).round(1)
    channel, step = (
        np.where(bought ^ (rng.random(400) < 0.4), "fair", "web"),
        np.where(bought, "mail", "secret"),
    )
    rows = zip(channel, visits, np.where(bought, "yes", "no"), step, strict=True)
    lines = ["Channel,Visits,Bought,Next step", *(",".join(map(str, row)) for row in rows)]
    (flat / "leads.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    change(
        flat,
        lambda params: params["tables"]["leads"].update(
            fields={
                "Channel": {"kind": "category", "time": "static"},
                "Visits": {"kind": "number"},
                "Next step": {"kind": "category", "time": "static"},
            }
        ),
    )
    return flat


def change(home, edit):
    """Change the parameters of a folder."""
    params = yaml.safe_load((home / "params.yaml").read_text(encoding="utf-8"))
    edit(params)
    (home / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")


def columns(out):
    return {column["column"]: column for column in json.loads(out)["columns"]}


def test_the_audit_prints_one_object_with_a_verdict_for_each_column(leaky, leadrank):
    code, out, _ = leadrank("audit", "--json", home=leaky)
    assert code == 0
    found = columns(out)
    assert {name: found[name]["verdict"] for name in ("Next step", "Visits", "Channel")} == {
        "Next step": "refuse", "Visits": "keep", "Channel": "keep",
    }  # fmt: skip
    assert found["Visits"]["attention"] == ["moment unknown"]
    assert "secret" not in out


def test_the_audit_reads_as_one_line_a_column(leaky, leadrank):
    _, out, _ = leadrank("audit", home=leaky)
    lines = out.splitlines()
    assert next(line for line in lines if "'Next step'" in line).startswith("refuse ")
    assert "moment unknown: declare it" in next(line for line in lines if "'Visits'" in line)
    assert any("audit.allow" in line for line in lines)


def test_the_report_is_one_html_file(leaky, leadrank):
    code, out, _ = leadrank("audit", "--report", "audit.html", home=leaky)
    assert code == 0
    text = (leaky / "audit.html").read_text(encoding="utf-8")
    assert "Next step" in text
    assert "secret" not in text
    assert "audit.html" in out


def test_a_report_that_cannot_be_written_is_a_storage_error(leaky, leadrank):
    code, _, err = leadrank("audit", "--report", "no/such/folder/audit.html", home=leaky)
    assert code == 7
    assert "audit.html" in json.loads(err.splitlines()[-1])["reason"]


def test_training_leaves_the_leak_out_names_it_and_keeps_the_page(leaky, leadrank):
    code, out, _ = leadrank("train", "--json", home=leaky)
    told = json.loads(out)
    assert code == 0
    assert "secret" not in out
    assert {finding["column"] for finding in told["excluded"]} == {"Next step"}
    assert set(told["features"]) == {"Channel", "Visits"}
    assert not told["no_signal"]
    pages = list(leaky.glob("mlartifacts/**/audit/audit.html"))
    assert len(pages) == 1
    assert "Next step" in pages[0].read_text(encoding="utf-8")


def test_an_allowed_column_is_used_its_reason_is_kept_and_strict_leaves_the_undeclared_out(leaky, leadrank):
    from mlflow import MlflowClient

    change(leaky, lambda params: params.update(audit={"allow": {"Next step": "typed in by the visitor"}}))
    _, out, _ = leadrank("train", "--strict", "--json", home=leaky)
    told = json.loads(out)
    assert told["features"] == ["Channel", "Next step"]
    assert told["excluded"] == []
    report = {column["column"]: column for column in told["audit"]["columns"]}["Next step"]
    assert report["allowed"] == "typed in by the visitor"
    run = MlflowClient(f"sqlite:///{leaky / 'mlflow.db'}").get_run(told["run_id"])
    assert run.data.params["audit.allow.Next step"] == "typed in by the visitor"
    page = next(leaky.glob("mlartifacts/**/audit/audit.html")).read_text(encoding="utf-8")
    assert "typed in by the visitor" in page


def test_a_permission_for_a_column_that_is_not_there_is_refused(leaky, leadrank):
    change(leaky, lambda params: params.update(audit={"allow": {"Visit": "counted by the site"}}))
    code, _, err = leadrank("audit", home=leaky)
    assert code == 2
    assert "did you mean 'Visits'" in json.loads(err.splitlines()[-1])["reason"]


def test_a_strict_training_without_a_declared_field_says_what_to_do(leaky, leadrank):
    fields = {"Visits": {"kind": "number"}, "Channel": {"kind": "category"}}
    change(leaky, lambda params: params["tables"]["leads"].update(fields=fields))
    code, _, err = leadrank("train", "--strict", home=leaky)
    assert code == 2
    assert "time" in json.loads(err.splitlines()[-1])["hint"]


def test_a_field_of_which_only_today_is_known_is_listed_and_not_used(leaky, leadrank):
    fields = {"Visits": {"kind": "number", "time": "current"}, "Channel": {"kind": "category"}}
    change(leaky, lambda params: params["tables"]["leads"].update(fields=fields))
    _, out, _ = leadrank("audit", "--json", home=leaky)
    report = columns(out)["Visits"]
    assert report["evidence"].startswith("moment unknown: declare it")
    assert (report["is_used"], columns(out)["Channel"]["is_used"]) == (False, True)


def test_a_model_without_signal_says_so():
    auc = {"value": 0.52, "low": 0.48, "high": 0.56}
    told = {"no_signal": True, "metrics": {"model": {"roc_auc": auc}}}
    said = (
        "no signal: the interval of the ROC-AUC (0.480 to 0.560) contains 0.5, so this model ranks no better "
    )
    assert list(signal(told)) == [said + "than chance"]
    assert not list(signal({**told, "no_signal": False}))
