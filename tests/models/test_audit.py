"""One verdict a column, one sentence of evidence, and what a reason in ``audit.allow`` changes."""

import json

import numpy as np
import pyarrow as pa
import pytest
from sklearn.metrics import roc_auc_score

from features.catalogue import FeatureSpec
from models.audit.alone import earlier_rows, forward_auc
from models.audit.audit import Audit, Changes, Material, audit
from models.audit.leads import Leads
from models.audit.worth import Worth
from models.coded import coded

ROWS = 1200


def spec(name: str, kind: str = "number", family: str = "fit") -> FeatureSpec:
    return FeatureSpec(name, name, family, kind, name + ": {value}")


def drawn() -> pa.Table:
    """1,200 leads in order: ``copy`` tells the label, ``visits`` and ``calls`` go with it."""
    rng = np.random.default_rng(8)
    won = rng.random(ROWS) < 0.3
    return pa.table(
        {
            "copy": (won ^ (rng.random(ROWS) < 0.03)).astype(float),
            "visits": rng.normal(size=ROWS) + 1.2 * won,
            "calls": rng.normal(size=ROWS) + 0.6 * won,
            "noise": rng.normal(size=ROWS),
            "order": np.arange(float(ROWS)),
            "lead_id": [f"L{row}" for row in range(ROWS)],
            "label": won.astype(float),
        }
    )


SPECS = [spec("copy"), spec("visits"), spec("noise"), spec("calls", family="behaviour")]
TIMES = {"copy": "static", "visits": None, "noise": "static"}


def looked(**changed: object) -> Audit:
    given = {"rows": drawn(), "specs": SPECS, "times": TIMES, **changed}
    options = {name: given.pop(name) for name in ("allow", "is_strict") if name in given}
    return audit(Material(**given), **options)


def by_name(found: Audit) -> dict:
    return {report.column: report for report in found.columns}


def test_each_column_has_one_verdict_and_one_sentence_without_values():
    found = by_name(looked())
    assert {name: report.verdict for name, report in found.items()} == {
        "copy": "refuse", "visits": "keep", "noise": "keep", "calls": "keep",
    }  # fmt: skip
    assert all(report.evidence and "\n" not in report.evidence for report in found.values())
    assert "ROC-AUC of 0.9" in found["copy"].evidence
    assert found["noise"].evidence.startswith("nothing found; declared static")
    assert found["calls"].moment == "cut at the moment"


def test_a_field_that_nobody_declared_asks_for_it_and_says_what_the_model_loses():
    report = by_name(looked())["visits"]
    assert report.attention == ("moment unknown",)
    assert report.evidence.startswith("moment unknown: declare it (time: static, tracked or current); ")
    assert report.figures["loss"] > 0.05
    assert f"the model loses {report.figures['loss']:.3f} of its ROC-AUC without it" in report.evidence
    assert report.is_used
    assert report.is_missed


def test_a_field_of_which_only_today_is_known_asks_too_and_is_not_used():
    report = by_name(looked(beside=frozenset({"visits"}), times={**TIMES, "visits": "current"}))["visits"]
    assert report.evidence.startswith("moment unknown: declare it")
    assert "only today's value is known" in report.evidence
    assert (report.verdict, report.is_used) == ("keep", False)
    assert report.figures["loss"] > 0.05  # what a model with it would have more


def test_the_loss_is_that_of_a_model_without_the_refused_columns():
    found = looked()
    figures = by_name(found)["visits"].figures
    assert found.auc_used < 0.9  # the copy is not in it
    assert figures["auc_without"] == pytest.approx(found.auc_used - figures["loss"])
    assert by_name(found)["copy"].figures["loss"] > 0.1


def test_strict_leaves_out_what_nobody_declared_and_nothing_else():
    assert looked().left_out == {"copy"}
    assert looked(is_strict=True).left_out == {"copy", "visits"}


def test_an_allowed_column_is_used_and_its_reason_is_told_beside_what_was_found():
    found = looked(allow={"copy": "entered by the web form"})
    report = by_name(found)["copy"]
    assert (report.verdict, report.is_used, report.allowed) == ("keep", True, "entered by the web form")
    assert "allowed" in report.attention
    assert report.evidence.startswith("allowed in params.yaml: entered by the web form (found: ")
    assert found.findings("refuse", "quarantine") == []


def test_the_model_with_declared_moments_alone_is_measured_too():
    found = looked()
    assert 0.5 < found.auc_declared < found.auc_used


@pytest.mark.parametrize(
    ("share", "verdict", "attention"),
    [(0.49, "keep", ()), (0.5, "keep", ("suspect",)), (0.9, "refuse", ())],
)
def test_a_tracked_field_that_changes_after_the_closing_is_not_used(share, verdict, attention):
    changes = {"noise": Changes(200, share, 12.0)}
    report = by_name(looked(times={**TIMES, "noise": "tracked"}, changes=changes))["noise"]
    assert (report.verdict, report.attention) == (verdict, attention)
    assert "200 changes" in report.moment
    assert "12 days after" in report.moment


def test_what_todays_value_knows_more_than_that_of_the_moment_is_told():
    rows = drawn()
    leads = Leads(
        table=rows.select(["lead_id"]).append_column("noise", rows.column("copy")),
        won=rows.column("label").to_numpy() > 0,
        lost=rows.column("label").to_numpy() == 0,
        created=np.arange(float(ROWS)),
        closed=np.full(ROWS, np.nan),
    )
    report = by_name(looked(times={**TIMES, "noise": "tracked"}, leads=leads))["noise"]
    assert report.verdict == "keep"  # it is read as of the moment, and then it knows nothing
    assert report.figures["today_gain"] > 0.3


def test_the_audit_is_plain_data():
    told = json.loads(json.dumps(looked().as_json()))
    assert set(told) == {"rows", "positives", "auc_used", "auc_declared", "verdicts", "columns"}
    assert told["verdicts"] == {"refuse": 1, "quarantine": 0, "keep": 3}
    first = told["columns"][0]
    assert first["column"] == "copy"
    assert {
        "is_field",
        "verdict",
        "evidence",
        "moment",
        "time",
        "attention",
        "is_used",
        "allowed",
        "findings",
    } <= set(first)
    assert {
        "auc_alone", "auc_without", "loss", "fill_past", "fill_won", "fill_tonight", "null_association",
        "auc_alone_today", "today_gain", "ahead_share",
    } == set(first["figures"])  # fmt: skip


def test_one_label_alone_gives_verdicts_without_figures_of_a_model():
    rows = drawn()
    rows = rows.set_column(rows.column_names.index("label"), "label", pa.array(np.ones(ROWS)))
    found = looked(rows=rows)
    assert found.auc_used is None
    assert {report.verdict for report in found.columns} == {"keep"}


# ── alone, forward in time ───────────────────────────────────────────────────────────────────────


def test_a_column_is_learned_on_earlier_rows_and_judged_on_later_ones():
    rows = drawn()
    won, earlier = rows.column("label").to_numpy() > 0, earlier_rows(rows)
    assert earlier.tolist() == [True] * 780 + [False] * 420
    visits = coded(rows.column("visits"), "number")
    expected = roc_auc_score(won[~earlier], rows.column("visits").to_numpy()[~earlier])
    assert forward_auc(visits, "number", won, earlier) == pytest.approx(expected)
    turned = np.where(earlier, won, ~won).astype(float)  # what was true is no longer
    assert forward_auc(coded(pa.chunked_array([turned]), "number"), "number", won, earlier) == 0.0


def test_a_number_whose_middle_wins_is_seen():
    value = np.tile(np.arange(100.0), 20)
    won = (value > 30) & (value < 60)
    earlier = np.arange(2000) < 1000
    assert forward_auc(coded(pa.chunked_array([value]), "number"), "number", won, earlier) > 0.9


def test_rows_of_one_moment_stay_on_one_side():
    moments = np.repeat(np.array(["2026-01-01", "2026-01-02"], "datetime64[us]"), [50, 50])
    assert earlier_rows(pa.table({"as_of": moments})).sum() == 50


# ── what the model loses ─────────────────────────────────────────────────────────────────────────


def test_no_lead_is_on_both_sides_of_a_measurement():
    rows = drawn()
    lead = pa.array([f"L{row % 900}" for row in range(ROWS)])  # the last 300 rows are of the first leads
    rows = rows.set_column(rows.column_names.index("lead_id"), "lead_id", lead)
    worth = Worth.of(rows, SPECS, rows.column("label").to_numpy() > 0)
    assert (len(worth.earlier), len(worth.later)) == (780, 120)


def test_too_few_outcomes_measure_nothing():
    rows = drawn().slice(0, 100)
    assert Worth.of(rows, SPECS, rows.column("label").to_numpy() > 0) is None


def test_the_auc_of_a_set_of_columns_is_that_of_its_own_model():
    rows = drawn()
    worth = Worth.of(rows, SPECS, rows.column("label").to_numpy() > 0)
    found = worth.aucs({"both": ["visits", "calls"], "none": []})
    assert found["none"] == 0.5
    assert found["both"] > 0.75
    assert max(worth.gains(["visits", "noise"]), key=worth.gains(["visits", "noise"]).get) == "visits"
