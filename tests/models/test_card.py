"""The model card says what the training reported, in plain words, and nothing of a single lead."""

import re
from dataclasses import replace

import numpy as np
import pytest
from markupsafe import escape

from models.audit.audit import Audit
from models.audit.findings import Finding
from models.audit.verdicts import judged, said
from models.cards.card import LaterRows, calibration, card
from models.cards.limits import Facts
from models.cards.markdown import markdown
from models.cards.opening import data_lines
from models.cards.page import page
from models.segments.floor import FLOOR, Floor
from tests.serve.small import SPECS
from tests.serve.small import bundle as small_bundle

RANDOM = np.random.default_rng(3)
CHANCE = RANDOM.uniform(0.05, 0.6, 600)
LABEL = (RANDOM.uniform(size=600) < CHANCE).astype(float)
SOURCE = np.where(np.arange(600) < 590, "web", "fair|<b>x</b>").astype(object)
TESTED = LaterRows(LABEL, CHANCE, np.arange(600) // 2, {"source": SOURCE})
SPLIT = {
    "gap_days": {"stop": 90.0, "calibrate": 90.0, "test": 90.0},
    "asked_gap_days": 90.0,
    "slices": {
        name: {"first_as_of": f"{year}-01-01T00:00:00", "last_as_of": f"{year}-12-31T00:00:00",
               "rows": 1000, "positives": 300, "base_rate": 0.3}
        for name, year in (("train", 2023), ("test", 2025))
    },
}  # fmt: skip
TABLES = ("leads", "touches", "accounts", "outcomes", "field_history")
FACTS = Facts("leads", TABLES, is_flat=False, undecided=0, split=SPLIT, base_rate=0.3)


def figure(value, low, high):
    return {"value": value, "low": low, "high": high}


FIGURES = {
    "model": {
        "n": 600,
        "positives": 200,
        "roc_auc": figure(0.7, 0.6, 0.8),
        "capture_20": figure(0.5, 0.4, 0.6),
    },
    "scorecard": {"roc_auc": 0.6, "capture_20": 0.3},
}


MEASURED = {"n": 600, "positives": 90, "roc_auc": 0.71, "log_loss": 0.3, "calibration_error": 0.02}
TRIAL = {"precision_floor": 0.5, "horizon_days": 30.0, "least_probability": 0.34, "precision": 0.625, "n": 40,
         "calibrate_precision": 0.7, "calibrate_n": 30, "base_rate": 0.15, "why_not": None}  # fmt: skip
MISSED = {**TRIAL, "precision": 0.475, "why_not": "precision 0.47 under the floor 0.5, n = 40"}
FURTHER = {
    "horizons": {
        "30": {**MEASURED, "base_rate_log_loss": 0.4, "immature": 0, "overlap_days": 0.0},
        "120": {**MEASURED, "base_rate_log_loss": 0.4, "immature": 1200, "overlap_days": 30.0},
    },
    "stages": {"sql": {**MEASURED, "base_rate": 0.15, "immature": 0}, "mql": {"left_out": "too | few"}},
    "tags": {
        "fast_close": TRIAL,
        "going_cold": MISSED,
        "high_value": {"precision_floor": 0.4, "left_out": "the outcomes carry no amount"},
    },
    "expected_value": None,
}
NO_FURTHER = {"horizons": {}, "stages": {}, "tags": {}, "expected_value": None}


def report(spec, *findings, **known):
    figures = {"auc_alone": 0.6, "loss": 0.0, "auc_without": 0.7, "ahead_share": None}
    given = {"is_field": True, "time": "static", "is_unknown": False, **known}
    return replace(said(judged(spec, findings, figures, **given)), is_used=not findings)


@pytest.fixture(scope="module")
def bundle():
    return small_bundle()


@pytest.fixture(scope="module")
def audit():
    leak = report(SPECS[0], Finding(SPECS[0].name, "closing", "filled at the | end", "refuse"))
    return Audit((leak, report(SPECS[1])), 0.7, 0.7, 600, 200)


@pytest.fixture(scope="module")
def made(bundle, audit):
    return card(bundle, FACTS, TESTED, audit, FIGURES, further=FURTHER, min_slice_outcomes=30)


def limits(bundle, audit, *, facts=FACTS, figures=FIGURES):
    made = card(bundle, facts, TESTED, audit, figures, further=NO_FURTHER, min_slice_outcomes=30)
    return " ".join(made["limits"])


def test_the_card_names_data_features_and_digest(made, bundle):
    assert made["predicts"] == "probability that a lead reaches the stage 'won' within 90 days"
    assert made["digest"] == bundle.digest
    assert (made["data"]["rows"], made["data"]["positives"]) == (600, bundle.window.positives)
    assert made["families"] == {"behaviour": 1, "fit": 1, "recency": 1}


def test_a_card_says_what_its_rows_were_drawn_from_and_nothing_where_nothing_was_drawn(bundle, audit, made):
    assert not any("drawn" in line for line in data_lines(made))
    facts = replace(FACTS, drawn_from=31_400_000)
    drawn = card(bundle, facts, TESTED, audit, FIGURES, further=NO_FURTHER, min_slice_outcomes=30)
    line = "drawn 600 of 31,400,000 snapshots; each counts for those that were not"
    assert line in data_lines(drawn)
    before = {**made, "data": {name: value for name, value in made["data"].items() if name != "drawn_from"}}
    assert list(data_lines(before)) == list(data_lines(made))


def test_a_leak_that_was_left_out_is_on_the_card_and_a_kept_column_is_not(made):
    assert [leak["column"] for leak in made["leaks"]] == [SPECS[0].name]


def test_a_slice_with_too_few_outcomes_has_its_count_and_no_judgement(made):
    fair, web = made["slices"]
    assert (fair["value"], fair["rows"], fair["leads"], fair["is_judged"]) == ("fair|<b>x</b>", 10, 5, False)
    assert fair["roc_auc"] is None
    assert web["is_judged"]
    assert web["roc_auc"]["low"] < web["roc_auc"]["value"] < web["roc_auc"]["high"]


@pytest.mark.parametrize(("least", "is_judged"), [(20, True), (21, False)])
def test_a_slice_is_judged_from_its_floor_of_outcomes_on(bundle, audit, least, is_judged):
    label = np.repeat([1.0, 0.0], [20, 80])
    tested = LaterRows(label, np.linspace(0.1, 0.9, 100), np.arange(100), {"age": np.array(["new"] * 100)})
    made = card(bundle, FACTS, tested, audit, FIGURES, further=NO_FURTHER, min_slice_outcomes=least)
    assert [part["is_judged"] for part in made["slices"]] == [is_judged]


def test_a_slice_says_whether_its_forecast_lies_in_the_interval_of_its_rate(made):
    fair, web = made["slices"]
    web_rows = SOURCE == "web"
    assert web["forecast"] == CHANCE[web_rows].mean()
    assert (web["rows"], web["positives"]) == (590, int(LABEL[web_rows].sum()))
    for part in (fair, web):
        assert part["is_inside"] == (part["rate_low"] <= part["forecast"] <= part["rate_high"])
        assert part["rate_low"] < part["rate"] < part["rate_high"]


def test_a_forecast_far_from_the_rate_is_on_the_card_and_among_the_limits(bundle, audit):
    label = np.repeat([1.0, 0.0], [30, 70])
    tested = LaterRows(label, np.full(100, 0.6), np.arange(100), {"age": np.array(["new"] * 100)})
    made = card(bundle, FACTS, tested, audit, FIGURES, further=NO_FURTHER, min_slice_outcomes=30)
    assert "in 1 of 1 slices the mean probability lies outside what came true" in made["limits"]
    assert "| age | new | 100 | 100 | 30 | 60.0% | 30.0% (21.9% to 39.6%) | no |" in markdown(made)


def test_calibration_is_forecast_and_rate_in_ten_equal_bins():
    label, chance = np.tile([0.0, 1.0], 50), np.arange(100) / 100
    bins = calibration(label, chance)
    assert [b["rows"] for b in bins] == [10] * 10
    assert (bins[0]["forecast"], bins[0]["rate"]) == (pytest.approx(0.045), 0.5)


def test_a_sound_training_has_only_the_limits_of_every_model(bundle, audit):
    made = card(bundle, FACTS, TESTED, audit, FIGURES, further=NO_FURTHER, min_slice_outcomes=1)
    assert len(made["limits"]) == 2


def with_slice(name, **known):
    slices = {**SPLIT["slices"], name: {**SPLIT["slices"][name], **known}}
    return replace(FACTS, split={**SPLIT, "slices": slices})


def test_limits_follow_from_facts(bundle, audit):
    assert "base rate moved from 30.0% in the training slice to 40.0%" in limits(
        bundle, audit, facts=with_slice("test", positives=400, base_rate=0.4)
    )
    assert "base rate" not in limits(bundle, audit, facts=with_slice("test", positives=370, base_rate=0.37))
    few = with_slice("test", rows=10, positives=4, base_rate=0.4)
    assert "base rate" not in limits(bundle, audit, facts=few)
    assert "the history spans 364 days" in limits(
        bundle, audit, facts=with_slice("test", last_as_of="2023-12-31T00:00:00")
    )
    assert "history spans" not in limits(
        bundle, audit, facts=with_slice("test", last_as_of="2024-01-01T00:00:00")
    )
    assert "no touches" in limits(bundle, audit, facts=replace(FACTS, tables=("leads",)))
    assert "no dates" in limits(bundle, audit, facts=replace(FACTS, is_flat=True))
    assert "7 rows are left out" in limits(bundle, audit, facts=replace(FACTS, undecided=7))
    short = {**SPLIT, "gap_days": {**SPLIT["gap_days"], "test": 30.0}}
    assert "30 days instead of 90" in limits(bundle, audit, facts=replace(FACTS, split=short))


def test_limits_follow_from_figures(bundle, audit):
    def of(**known):
        return limits(bundle, audit, figures={**FIGURES, "model": {**FIGURES["model"], **known}})

    assert "no signal" in of(roc_auc=figure(0.6, 0.5, 0.7))
    assert "few outcomes: the figures rest on 99 rows" in of(positives=99)
    assert "few outcomes:" not in of(positives=100)
    assert "the scorecard finds as much" in of(capture_20=figure(0.3, 0.2, 0.4))


def test_limits_follow_from_the_audit(bundle, audit):
    unknown = report(SPECS[2], time=None, is_unknown=True)
    allowed = report(SPECS[1], allowed="known at the trade fair")
    found = limits(bundle, replace(audit, columns=(unknown, allowed)))
    assert "since when the values of 'days_since_last_touch' stand" in found
    assert "audit.allow says so: 'source'" in found


@pytest.mark.parametrize(("outcomes", "is_said"), [(4, True), (5, False)])
def test_a_floor_is_a_limit_once_a_segment_is_below_it(bundle, audit, outcomes, is_said):
    floor = Floor("source", 5, {"web": 90, "fair": outcomes}, 0)
    found = limits(replace(bundle, extras={FLOOR: floor.as_json()}), audit)
    assert ("leads of 1 of 2 values of 'source'" in found) == is_said
    assert ("no probability is published" in found) == is_said


def test_each_horizon_stage_and_tag_is_a_row_with_its_figures_or_its_reason(made):
    text = markdown(made)
    assert "| 30 | 600 | 90 | 0.710 | 0.300 | 0.020 |  |" in text
    kind = "1,200 rows are not mature and left out; a little kind: its window is longer than the gap"
    assert f"| 120 | 600 | 90 | 0.710 | 0.300 | 0.020 | {kind} |" in text
    assert "| sql | 600 | 90 | 0.710 | 0.300 | 0.020 |  |" in text
    assert "| mql | - | - | - | - | - | left out: too \\| few |" in text
    assert "| fast_close | 30 | 0.5 | 0.625 | 40 | 0.150 | from 34.0% |" in text
    assert f"| going_cold | 30 | 0.5 | 0.475 | 40 | 0.150 | no: {MISSED['why_not']} |" in text
    assert "| high_value | - | 0.4 | - | - | - | no: the outcomes carry no amount |" in text


def test_the_page_has_the_rows_of_the_markdown(made):
    from models.cards.cells import tables

    text = page(made)
    for table in tables(made):
        assert f"<h2>{table.title}</h2>" in text
        for row in table.rows:
            assert "".join(f"<td>{escape(cell)}</td>" for cell in row) in text


def test_the_markdown_has_every_section_and_whole_tables(made):
    text = markdown(made)
    titles = re.findall(r"^## (.*)$", text, re.MULTILINE)
    assert titles == [
        "Data", "What it does not know", "On later leads", "Slices", "Horizons", "Stages", "Tags",
        "Calibration", "Leaks refused",
    ]  # fmt: skip
    for block in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}) == 1
    assert "fair\\|&lt;b>x" in text
    assert "0.700 (0.600 to 0.800)" in text


def test_the_page_is_escaped_and_asks_no_address(made):
    text = page(made)
    assert "<b>x</b>" not in text
    assert "fair|&lt;b&gt;x&lt;/b&gt;" in text
    assert all(sentence.replace("'", "&#39;") in text for sentence in made["limits"])
    assert "<script" not in text
    assert "http" not in text


def test_a_card_without_leaks_slices_and_further_targets_is_whole(bundle, audit):
    bare, clean = replace(TESTED, segments={}), replace(audit, columns=())
    made = card(bundle, FACTS, bare, clean, FIGURES, further=NO_FURTHER, min_slice_outcomes=30)
    assert not re.findall(r"^## (?:Horizons|Stages|Tags)$", markdown(made), re.MULTILINE)
    assert "none" in markdown(made)
    assert "<p>none</p>" in page(made)


def test_the_card_names_the_features_that_are_held_to_a_direction(made, bundle, audit):
    assert made["monotone"] == {}
    assert "Held to a direction" not in markdown(made) + page(made)
    held = replace(bundle, extras={**bundle.extras, "monotone": {"rising": ["calls"], "falling": []}})
    told = card(held, FACTS, TESTED, audit, FIGURES, further=NO_FURTHER, min_slice_outcomes=30)
    assert "| the chance never falls | calls |" in markdown(told)
    assert "the chance never falls" in page(told)
    assert "the chance never rises" not in markdown(told) + page(told)
