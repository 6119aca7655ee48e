"""Reasons: one per stem, in the words of the feature that pulls hardest, never from a missing value."""

from time import perf_counter

import numpy as np
import pyarrow as pa
import pytest

from features.catalogue import FeatureSpec
from models.reasons import SCHEMA, family_totals, reasons


def visits(days: int) -> FeatureSpec:
    says = "{value:.0f} visits in the last {days} days"
    return FeatureSpec(f"visits_{days}d", "visits", "behaviour", "number", says, days)


SPECS = [
    visits(7),
    visits(30),
    FeatureSpec("source", "source", "fit", "category", "source: {value}"),
    FeatureSpec("silence", "silence", "recency", "number", "silent for {value:.0f} days"),
    FeatureSpec("budget", "budget", "fit", "number", "budget: {value:.1f}"),
]
# One lead a row: visits_7d, visits_30d, source, silence, budget.
LEADS = pa.table(
    {
        "visits_7d": [0.0, 2.0, 0.0],
        "visits_30d": [9.0, None, 0.0],
        "source": ["referral", "ads", None],
        "silence": [3.0, 40.0, 20.0],
        "budget": [None, 2.5, None],
    }
)
VALUES = np.array(
    [
        [-0.2, +0.5, +0.4, -0.1, +9.0],
        [+0.3, -0.9, -0.2, -0.6, +0.3],
        [+0.0, 0.009, 5.0, -0.01, -9.0],
    ]
)
MARGIN = np.array([0.0, -1.0, -2.0])


def chance(margin):
    return 1 / (1 + np.exp(-margin))


def said(**more) -> pa.Table:
    return reasons(VALUES, LEADS, SPECS, margin=MARGIN, calibrate=chance, **more)


def test_reasons_read_like_this():
    told = [tuple(r[c] for c in ("row", "rank_in_row", "direction", "sentence")) for r in said().to_pylist()]
    assert told == [
        (0, 1, "for", "source: referral"),
        (0, 2, "for", "9 visits in the last 30 days"),
        (0, 3, "against", "silent for 3 days"),
        (1, 1, "for", "2 visits in the last 7 days"),
        (1, 2, "for", "budget: 2.5"),
        (1, 3, "against", "silent for 40 days"),
        (1, 4, "against", "source: ads"),
        (2, 1, "against", "silent for 20 days"),  # -0.01 is just enough; +0.009 is not
    ]


def test_a_stem_speaks_once_with_its_sum_and_its_strongest_voice():
    [visits_of_first] = [r for r in said().to_pylist() if r["row"] == 0 and r["stem"] == "visits"]
    assert visits_of_first["feature"] == "visits_30d"
    assert visits_of_first["value"] == "9"
    assert visits_of_first["contribution"] == pytest.approx(0.3)


def test_the_voice_pulls_in_the_direction_of_the_sum():
    specs, values = [visits(7), visits(30), visits(90)], np.array([[-0.4, 0.3, 0.35]])
    table = pa.table({"visits_7d": [0], "visits_30d": [5], "visits_90d": [8]})
    [only] = reasons(values, table, specs, margin=np.zeros(1), calibrate=chance).to_pylist()
    assert (only["direction"], only["feature"]) == ("for", "visits_90d")
    [only] = reasons(-values, table, specs, margin=np.zeros(1), calibrate=chance).to_pylist()
    assert (only["direction"], only["feature"]) == ("against", "visits_90d")


def test_a_missing_value_neither_speaks_nor_counts():
    rows = said().to_pylist()
    assert not [r for r in rows if r["row"] in {0, 2} and r["feature"] == "budget"]
    [visits_of_second] = [r for r in rows if r["row"] == 1 and r["stem"] == "visits"]
    assert visits_of_second["contribution"] == pytest.approx(0.3)  # not 0.3 - 0.9


def test_points_are_what_the_probability_would_lose():
    for reason in said().to_pylist():
        margin = MARGIN[reason["row"]]
        expected = 100 * (chance(margin) - chance(margin - reason["contribution"]))
        assert reason["points"] == pytest.approx(expected)
        assert (reason["points"] > 0) == (reason["direction"] == "for")


def test_there_are_at_most_as_many_as_asked_for():
    rng = np.random.default_rng(0)
    specs = [FeatureSpec(f"f{i}", f"f{i}", "fit", "number", f"f{i}" + " {value:.2f}") for i in range(12)]
    values = rng.normal(size=(50, 12))
    table = pa.table({spec.name: rng.random(50) for spec in specs})
    found = reasons(values, table, specs, margin=np.zeros(50), calibrate=chance).to_pylist()
    for row in range(50):  # the oracle: sort each row by hand
        order = [i for i in np.argsort(-values[row]) if values[row, i] >= 0.01][:3]
        order += [i for i in np.argsort(values[row]) if values[row, i] <= -0.01][:2]
        assert [r["feature"] for r in found if r["row"] == row] == [f"f{i}" for i in order]
    assert not said(most_for=0, most_against=0).num_rows


def test_families_add_up_to_all_contributions():
    totals = family_totals(VALUES, SPECS)
    assert list(totals) == ["behaviour", "fit", "recency"]
    np.testing.assert_allclose(totals["fit"], VALUES[:, 2] + VALUES[:, 4])
    np.testing.assert_allclose(sum(totals.values()), VALUES.sum(axis=1))


def test_no_leads_give_no_reasons_in_the_same_columns():
    none = reasons(VALUES[:0], LEADS.slice(0, 0), SPECS, margin=MARGIN[:0], calibrate=chance)
    assert none.num_rows == 0
    assert none.schema == SCHEMA == said().schema


def test_ten_thousand_leads_take_seconds_not_minutes():
    rng = np.random.default_rng(1)
    specs = [visits(days) for days in range(1, 151)]
    specs = [
        FeatureSpec(s.name, f"stem{i // 3}", "behaviour", "number", s.says, s.days)
        for i, s in enumerate(specs)
    ]
    table = pa.table({spec.name: rng.integers(0, 9, 10_000).astype(float) for spec in specs})
    values = rng.normal(size=(10_000, 150))
    start = perf_counter()
    found = reasons(values, table, specs, margin=np.zeros(10_000), calibrate=chance)
    assert found.num_rows == 50_000
    assert perf_counter() - start < 10  # about 1 s on a quiet machine
