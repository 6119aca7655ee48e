"""What stands in for a protected field is named, and nothing else is."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from sklearn.metrics import roc_auc_score

from features.catalogue import FeatureSpec
from models.views.proxies import FEWEST_LEADS, halved, proxies

RANDOM = np.random.default_rng(5)
LEADS = 2000
GENDER = RANDOM.choice(["f", "m"], LEADS)
SPECS = [
    FeatureSpec("title", "title", "fit", "category", ""),
    FeatureSpec("height", "height", "fit", "number", ""),
    FeatureSpec("noise", "noise", "fit", "number", ""),
]
SHARES = {"title": 0.2, "height": 0.1, "noise": 0.7}


def rows(**columns):
    """One row per lead; titles tell nine of ten, heights overlap."""
    given = {
        "lead_id": [f"L{number}" for number in range(LEADS)],
        "title": np.where(RANDOM.random(LEADS) < 0.9, GENDER, "dr"),
        "height": RANDOM.normal(170 + 8 * (GENDER == "m"), 8),
        "noise": RANDOM.normal(size=LEADS),
        **columns,
    }
    return pa.table(given)


def found(table, field, name="gender"):
    (told,) = proxies(table, SPECS, {name: pa.chunked_array([field])}, SHARES)
    return told


def test_features_that_tell_the_field_are_named_the_most_telling_first_and_noise_is_not():
    told = found(rows(), pa.array(GENDER))
    assert [row["feature"] for row in told["features"]] == ["title", "height"]
    assert [row["share"] for row in told["features"]] == [0.2, 0.1]
    assert told["features"][0]["roc_auc"] > 0.9
    assert told["together"] > 0.9
    assert (told["field"], told["leads"]) == ("gender", LEADS)


def test_the_figure_is_scikit_learns_on_the_leads_that_the_rates_were_not_learned_on():
    table = rows(title=np.where(RANDOM.random(LEADS) < 0.8, GENDER, "dr"))
    title, half = np.array(table["title"]), halved(LEADS)
    is_f = GENDER == "f"
    rate = {word: is_f[half & (title == word)].mean() for word in ("f", "m", "dr")}
    expected = roc_auc_score(is_f[~half], [rate[word] for word in title[~half]])
    (first, *_) = found(table, pa.array(GENDER))["features"]
    assert first["roc_auc"] == pytest.approx(expected)


def test_the_upper_half_of_a_number_is_told_from_its_lower():
    age = np.array(rows()["height"]) + RANDOM.normal(0, 4, LEADS)
    told = found(rows(height=np.array(rows()["height"])), pa.array(age), name="age")
    names = [row["feature"] for row in told["features"]]
    assert "noise" not in names
    assert told["leads"] == LEADS
    table = rows(height=age + RANDOM.normal(0, 4, LEADS))
    assert found(table, pa.array(age), name="age")["features"][0]["feature"] == "height"


@pytest.mark.parametrize(("count", "is_told"), [(FEWEST_LEADS, True), (FEWEST_LEADS - 1, False)])
def test_a_value_of_few_leads_is_not_looked_at(count, is_told):
    is_rare = np.arange(LEADS) % (LEADS // count) == 0
    is_rare[np.flatnonzero(is_rare)[count:]] = False
    table = rows(title=np.where(is_rare, "x", "y"), height=RANDOM.normal(size=LEADS))
    told = found(table, pa.array(np.where(is_rare, "rare", "usual")))
    assert [row["feature"] for row in told["features"]] == (["title"] if is_told else [])
    assert (told["together"] is None) or is_told


def test_leads_without_a_value_of_the_field_are_left_out():
    half_known = pa.array(GENDER, mask=np.arange(LEADS) % 4 < 2)
    told = found(rows(), half_known)
    assert told["leads"] == LEADS // 2
    assert told["features"]


def test_chance_is_not_named_however_many_features_are_looked_at():
    many = [FeatureSpec(f"n{place}", f"n{place}", "fit", "number", "") for place in range(200)]
    table = pa.table(
        {"lead_id": [str(n) for n in range(200)], **{s.name: RANDOM.normal(size=200) for s in many}}
    )
    field = pa.chunked_array([RANDOM.choice(["f", "m"], 200)])
    (told,) = proxies(table, many, {"gender": field}, {s.name: 0.0 for s in many})
    assert told["features"] == []


def test_a_field_that_no_lead_has_is_told_without_figures():
    told = found(rows(), pa.array([None] * LEADS, pa.string()))
    assert (told["leads"], told["features"], told["together"]) == (0, [], None)
