"""The audit: what it excludes, what it only reports, and that honest strong columns pass."""

import numpy as np
import pyarrow as pa
import pytest
from scipy.spatial import distance
from scipy.stats import contingency, spearmanr
from sklearn.metrics import roc_auc_score

from features.catalogue import FeatureSpec
from models.audit.association import auc, cramers_v, divergence, rank_correlation
from models.audit.findings import LEFT_OUT
from models.audit.leakage import audit


def number(name: str, family: str = "fit") -> FeatureSpec:
    return FeatureSpec(name, name, family, "number", name + ": {value}")


def category(name: str) -> FeatureSpec:
    return FeatureSpec(name, name, "fit", "category", name + ": {value}")


def found(table: pa.Table, *specs: FeatureSpec, tonight: pa.Table | None = None) -> set[tuple[str, str, str]]:
    return {(f.column, f.detector, f.severity) for f in audit(table, specs, tonight=tonight)}


class History:
    """1,500 past leads with 8 snapshots each, and 1,200 leads open tonight.

    One in four past leads is won in the end; a snapshot has label 1 only if that is within its horizon,
    which is so for the last two: about 6 % of the rows.
    """

    def __init__(self) -> None:
        self.rng = np.random.default_rng(7)
        lead = np.repeat(np.arange(1500), 8)
        self.ever_won = lead % 4 == 0
        self.label = self.ever_won & (np.tile(np.arange(8), 1500) >= 6)
        self.lead_id = [f"L{number}" for number in lead]
        self.open = 1200

    def tables(self, past: pa.Array, tonight: pa.Array) -> tuple[pa.Table, pa.Table]:
        rows = {"field": past, "lead_id": self.lead_id, "label": self.label.astype(int)}
        return pa.table(rows), pa.table({"field": tonight})


@pytest.fixture(scope="module")
def history() -> History:
    return History()


def nulls_where(values: np.ndarray, hidden: np.ndarray) -> pa.Array:
    return pa.array(values, mask=hidden)


def test_a_field_that_is_filled_only_after_a_win_is_excluded(history):
    values = history.rng.normal(size=len(history.label))
    past, tonight = history.tables(
        nulls_where(values, ~history.ever_won), pa.array([None] * history.open, pa.float64())
    )
    assert ("field", "fill", "refuse") in found(past, number("field"), tonight=tonight)


def test_it_is_excluded_although_some_open_leads_have_it_too(history):
    rng = history.rng
    has = np.where(history.ever_won, 0.9, 0.02)
    past, tonight = history.tables(
        nulls_where(rng.normal(size=len(has)), rng.random(len(has)) > has),
        nulls_where(rng.normal(size=history.open), rng.random(history.open) > 0.02),
    )
    assert ("field", "fill", "refuse") in found(past, number("field"), tonight=tonight)


def test_a_flag_that_is_set_after_a_win_is_excluded_though_it_is_never_null(history):
    past, tonight = history.tables(pa.array(history.ever_won.astype(float)), pa.array(np.zeros(history.open)))
    assert ("field", "fill", "refuse") in found(past, number("field"), tonight=tonight)


def test_a_reason_written_for_won_and_lost_alike_is_excluded(history):
    is_closed = np.tile(np.arange(8), 1500) >= 0
    words = np.where(history.rng.random(len(is_closed)) < 0.5, "price", "timing")
    past, tonight = history.tables(pa.array(words), pa.array([None] * history.open, pa.string()))
    assert ("field", "fill", "refuse") in found(past, category("field"), tonight=tonight)


def test_a_reason_written_only_for_lost_leads_is_excluded(history):
    past, tonight = history.tables(
        nulls_where(np.ones(len(history.label)), history.ever_won),
        pa.array([None] * history.open, pa.float64()),
    )
    assert ("field", "fill", "refuse") in found(past, number("field"), tonight=tonight)


def test_a_feature_of_touches_that_is_null_tonight_is_only_a_suspect(history):
    past, tonight = history.tables(
        pa.array(history.rng.normal(size=len(history.label))), pa.array([None] * history.open, pa.float64())
    )
    assert found(past, number("field", "recency"), tonight=tonight) == {("field", "fill", "suspect")}


def test_a_strong_field_that_open_leads_have_as_often_is_not_touched(history):
    rng = history.rng
    has = np.where(history.ever_won, 0.6, 0.1)
    past, tonight = history.tables(
        nulls_where(rng.normal(size=len(has)), rng.random(len(has)) > has),
        nulls_where(rng.normal(size=history.open), rng.random(history.open) > 0.2),
    )
    assert found(past, number("field"), tonight=tonight) == set()


def test_a_count_of_touches_is_never_excluded_for_being_rarer_tonight(history):
    past, tonight = history.tables(
        pa.array(history.rng.poisson(1, len(history.label)).astype(float)), pa.array(np.zeros(history.open))
    )
    assert found(past, number("field", "behaviour"), tonight=tonight) == set()
    assert ("field", "fill", "refuse") in found(past, number("field", "fit"), tonight=tonight)


LABEL = np.array([1] * 100 + [0] * 300)


def scored(share: float) -> pa.Table:
    """400 leads whose ``field`` ranks a won one above a lost one with the given chance."""
    above = np.arange(300) < share * 300
    return pa.table(
        {"field": np.concatenate([np.full(100, 0.0), np.where(above, -1.0, 1.0)]), "label": LABEL}
    )


@pytest.mark.parametrize(
    ("share", "expected"),
    [(0.96, {"refuse"}), (0.95, {"quarantine"}), (0.86, {"quarantine"}), (0.85, set())],
)
def test_a_number_is_judged_by_how_well_it_ranks_alone(share, expected):
    assert {f.severity for f in audit(scored(share), [number("field")]) if f.detector == "auc"} == expected


def test_an_identifier_is_excluded_and_an_amount_is_not():
    rng = np.random.default_rng(0)
    table = pa.table(
        {
            "email": [f"lead{i}@example.com" for i in range(400)],
            "serial": np.arange(400.0) + 5000,
            "revenue": rng.lognormal(10, 1, 400),
            "city": rng.choice(["Graz", "Linz", "Wels"], 400),
            "label": rng.permutation(LABEL),
        }
    )
    specs = [category("email"), number("serial"), number("revenue"), category("city")]
    assert found(table, *specs) == {("email", "identity", "refuse"), ("serial", "identity", "refuse")}


def test_a_value_that_nearly_always_wins_is_excluded_if_it_explains_a_tenth_of_the_wins():
    won = ["will revert"] * 400 + ["other"] * 1600
    lost = ["other"] * 4000
    table = pa.table({"tags": won + lost, "label": [1] * 2000 + [0] * 4000})
    assert ("tags", "rule", "refuse") in found(table, category("tags"))
    rare = pa.table({"tags": ["referral"] * 190 + ["other"] * 5810, "label": [1] * 2000 + [0] * 4000})
    assert found(rare, category("tags")) == {("tags", "rule", "suspect")}


def test_a_value_that_never_wins_is_a_suspect():
    table = pa.table({"quality": ["worst"] * 500 + ["fair"] * 1500, "label": [0] * 500 + [1, 0, 0] * 500})
    assert found(table, category("quality")) == {("quality", "rule", "suspect")}


def test_evidence_holds_figures_and_no_values():
    table = pa.table({"tags": ["secret"] * 500 + ["other"] * 1500, "label": [1] * 500 + [0] * 1500})
    findings = audit(table, [category("tags")])
    assert findings
    assert not [f for f in findings if "secret" in f.evidence or "other" in f.evidence]


def test_one_label_alone_gives_no_findings():
    table = pa.table({"field": np.arange(100.0), "label": np.ones(100)})
    assert audit(table, [number("field")]) == []


def test_statistics_equal_those_of_scikit_learn_and_scipy():
    rng = np.random.default_rng(3)
    codes, label = rng.integers(0, 12, 2000), rng.random(2000) < 0.2
    assert auc(codes, label) == pytest.approx(roc_auc_score(label, codes))
    codes = np.where(label, codes, codes // 2)
    table = np.array([np.bincount(codes[part], minlength=12) for part in (label, ~label)])
    assert cramers_v(codes, label) == pytest.approx(contingency.association(table, "cramer"), abs=0.01)


def test_a_feature_that_is_cut_at_the_moment_is_never_refused_for_its_strength():
    spec = number("field", "behaviour")
    for share, severity in ((0.96, "quarantine"), (0.86, "suspect")):
        assert [f.severity for f in audit(scored(share), [spec]) if f.detector == "auc"] == [severity]


def worked(nulls: float, label=None) -> pa.Table:
    """2,000 leads; the field is filled in for all won ones, for some lost ones, and ranks those it has."""
    rng = np.random.default_rng(5)
    label = rng.permutation(np.arange(2000) % 4 == 0) if label is None else label
    word = np.where(
        label, rng.choice(["hot", "warm"], 2000, p=[0.3, 0.7]), rng.choice(["hot", "warm", "cold"], 2000)
    )
    empty = (rng.random(2000) < nulls) & ~label
    return pa.table({"field": pa.array(word, mask=empty), "label": label.astype(int)})


def test_a_field_that_is_filled_in_at_work_is_quarantined_unless_its_moment_is_declared():
    table, spec = worked(0.3), category("field")
    asked = audit(table, [spec], undeclared=["field"])
    assert [(f.detector, f.severity) for f in asked if f.severity == "quarantine"] == [
        ("worked", "quarantine")
    ]
    assert not [f for f in audit(table, [spec]) if f.severity in LEFT_OUT]
    full = audit(worked(0.0), [spec], undeclared=["field"])
    assert not [f for f in full if f.detector == "worked"]


def test_a_field_of_other_values_tonight_is_a_suspect():
    past = pa.table({"season": ["spring", "summer"] * 100, "label": [0, 1, 1, 0] * 50})
    tonight = pa.table({"season": ["winter"] * 60})
    assert ("season", "drift", "suspect") in found(past, category("season"), tonight=tonight)
    as_ever = pa.table({"season": ["spring"] * 30 + ["summer"] * 30})
    assert found(past, category("season"), tonight=as_ever) == set()


def test_a_field_that_says_nothing_is_noted_and_nothing_more():
    label = [0, 1] * 1000
    rare = [None] * 1999 + ["x"]
    table = pa.table({"rare": rare, "constant": [3.0] * 2000, "label": label})
    assert found(table, category("rare"), number("constant")) == {
        ("rare", "uninformative", "note"),
        ("constant", "uninformative", "note"),
    }


def test_divergence_and_rank_correlation_equal_those_of_scipy():
    rng = np.random.default_rng(4)
    one, other = rng.integers(0, 9, 500), rng.integers(3, 14, 700)
    shares = [np.bincount(codes, minlength=14) / len(codes) for codes in (one, other)]
    assert divergence(one, other) == pytest.approx(distance.jensenshannon(*shares, base=2) ** 2)
    x, y = rng.integers(0, 20, 300).astype(float), rng.normal(size=300)
    assert rank_correlation(x, y + x) == pytest.approx(spearmanr(x, y + x).statistic)


def flat(frame, outcome: str) -> tuple[pa.Table, list[FeatureSpec]]:
    table = pa.Table.from_pandas(frame.rename(columns={outcome: "label"}), preserve_index=False)
    names = [name for name in table.column_names if name != "label"]
    is_text = [pa.types.is_string(t) or pa.types.is_large_string(t) for t in table.schema.types]
    kinds = dict(zip(table.column_names, is_text, strict=True))
    return table, [category(name) if kinds[name] else number(name) for name in names]


@pytest.mark.real
@pytest.mark.parametrize(
    ("name", "left_out", "suspected"),
    [
        ("x_education", {"Tags"}, {"Lead Quality"}),
        ("bank", {"duration"}, set()),
        ("ibm", set(), set()),
        ("caravan", set(), set()),
        ("maven", {"close_value"}, set()),
    ],
)
def test_real_leaks_are_named_and_honest_columns_are_not(shared, name, left_out, suspected):
    import datasets

    split = datasets.load(name, keep_leaks=True, root=shared / "data")
    findings = audit(*flat(split.train, split.outcome))
    assert {f.column for f in findings if f.severity in LEFT_OUT} == left_out
    assert {f.column for f in findings if f.severity == "suspect"} == suspected
