"""The rules of the catalogue: what a feature must bring, and what it gets for nothing."""

from __future__ import annotations

import re
import sys

import ibis
import pytest

from features.build import available, feature_table
from features.catalogue import Catalogue, Feature
from features.errors import FeatureError
from features.families import Most, by_name, candidates, full_catalogue
from features.fit import own_fields
from features.tables import Field
from tests.features.drawn import drawn, install

VALUES = {"kind": ["email_open", "web_visit"]}
SNAPSHOTS = drawn("""
    snapshot_id | lead_id | as_of
    ------------+---------+-----------------
    0           | a       | 2026-03-31 00:00
""")
TOUCHES = """
    lead_id | kind       | occurred_at
    --------+------------+-----------------
    a       | email_open | 2026-03-30 09:00
    a       | web_visit  | 2026-03-29 09:00
    a       | email_open | 2026-03-28 09:00
"""
LEADS = """
    lead_id | created_at
    --------+-----------------
    a       | 2026-01-01 00:00
"""
OUTCOMES = """
    lead_id | stage | occurred_at
    --------+-------+-----------------
    a       | mql   | 2026-02-01 00:00
"""


@pytest.fixture(scope="module")
def tables():
    return install(
        ibis.duckdb.connect(),
        snapshots=SNAPSHOTS,
        leads=drawn(LEADS),
        touches=drawn(TOUCHES),
        outcomes=drawn(OUTCOMES),
    )


@pytest.fixture
def ours():
    """A catalogue of the test's own."""
    return Catalogue()


def test_a_feature_is_named_like_its_function_and_its_windows(ours):
    @ours.feature(on="touches", days=(7, 30), says="{value} in {days}")
    def opens(touch):
        """Opens."""
        return touch.count()

    @ours.feature(on="touches", days=90, says="{value} in {days}")
    def clicks(touch):
        """Clicks."""
        return touch.count()

    @ours.feature(on="touches", days=(7, None), says="{value}")
    def calls(touch):
        """Calls."""
        return touch.count()

    names = [(f.name, f.stem, f.days) for f in ours]
    assert names == [
        ("opens_7d", "opens", 7),
        ("opens_30d", "opens", 30),
        ("clicks_90d", "clicks", 90),
        ("calls_7d", "calls", 7),
        ("calls", "calls", None),
    ]
    assert {f.family for f in ours} == {"test_catalogue"}  # the file that it lives in


def test_a_name_is_given_once(ours):
    def opens(touch):
        """Opens."""
        return touch.count()

    ours.feature(on="touches", days=(7, 30), says="{value}")(opens)
    with pytest.raises(FeatureError, match="'opens_30d' is already defined — pick another name"):
        ours.feature(on="touches", days=30, says="{value}")(opens)


def test_a_feature_without_a_docstring_is_refused(ours):
    with pytest.raises(FeatureError, match="'opens' has no docstring — say what it measures"):

        @ours.feature(on="touches", says="{value}")
        def opens(touch):
            return touch.count()

    assert len(ours) == 0


def test_a_feature_per_kind_gets_a_copy_for_each_value_with_a_stem_of_its_own(ours):
    @ours.feature(on="touches", per="kind", days=(7, 30), says="{each}: {value}")
    def seen(touch):
        """Touches of a kind."""
        return touch.count()

    copies = ours.expand(VALUES)
    assert [(f.name, f.stem, f.each, f.days) for f in copies] == [
        ("seen[email_open]_7d", "seen[email_open]", "email_open", 7),
        ("seen[web_visit]_7d", "seen[web_visit]", "web_visit", 7),
        ("seen[email_open]_30d", "seen[email_open]", "email_open", 30),
        ("seen[web_visit]_30d", "seen[web_visit]", "web_visit", 30),
    ]
    assert ours.expand({}) == ()


def test_a_sentence_fills_in_value_window_and_kind(ours):
    @ours.feature(on="touches", per="kind", days=30, says="{each}: {value:.0f} in {days} days")
    def seen(touch):
        """Touches of a kind."""
        return touch.count()

    assert ours.expand(VALUES)[0].sentence(3.0) == "email open: 3 in 30 days"


FIELDS = {
    "leads": {
        "industry": Field("category"),
        "employees": Field("number"),
        "is_vip": Field("flag", label="a {very} important person"),
        "asked_at": Field("timestamp"),
        "gone": Field("category", time="current"),
    },
    "accounts": {"industry": Field("category")},
}
EVERY = (*own_fields(FIELDS), *full_catalogue().expand(VALUES))


@pytest.mark.parametrize("feature", EVERY, ids=lambda f: f.name)
def test_every_feature_says_a_whole_sentence_and_what_null_means(feature):
    said = feature.sentence("metal" if feature.kind == "category" else 3.0)
    assert said.strip()
    assert not re.search(r"\bNone\b|\bnan\b|\{(?!very)", said), said
    assert said not in {f.sentence(3.0) for f in EVERY if f is not feature and f.kind == "number"}
    assert feature.empty is not None or "null" in feature.doc
    assert feature.empty is None or "0" in feature.doc


def test_the_family_of_a_feature_is_its_file():
    families = {f.family for f in EVERY}
    assert families == {"fit", "behaviour", "recency", "stage", "source", "account", "follow_up", "interest"}
    where = {f.name: f.family for f in EVERY}
    assert where["touches_30d"] == "behaviour"
    assert where["days_in_stage"] == where["buying_stage_30d"] == "stage"
    assert where["industry"] == where["account.industry"] == where["negative_fit"] == "fit"


def test_a_model_keeps_the_words_and_not_the_function():
    feature = EVERY[-1]
    assert not isinstance(feature.spec, Feature)
    assert (feature.spec.name, feature.spec.says) == (feature.name, feature.says)


def one(ours):
    """The feature table of the features of one catalogue."""

    def build(tables):
        return feature_table(tables["snapshots"], tables, ours, {}).to_pyarrow().to_pydict()

    return build


def test_many_values_per_lead_are_refused_with_the_way_out(ours, tables):
    @ours.feature(on="touches", says="{value}")
    def web_share(touch):
        """Not an aggregate."""
        return touch.kind

    with pytest.raises(
        FeatureError, match=r"'web_share' returned many values per lead — end it with an aggregate"
    ):
        one(ours)(tables)


READERS = {"dot": lambda touch: touch.fax_number.max(), "brackets": lambda touch: touch["fax_number"].max()}


@pytest.mark.parametrize("reads", READERS.values(), ids=READERS)
def test_a_column_that_does_not_exist_is_named_with_those_that_do(ours, tables, reads):
    @ours.feature(on="touches", says="{value}")
    def fax(touch):
        """Reads what is not there."""
        return reads(touch)

    with pytest.raises(
        FeatureError, match=r"reads a column that 'touches' does not have \('fax_number'\)"
    ) as found:
        one(ours)(tables)
    assert "'kind'" in found.value.hint
    assert "'gap_days'" in found.value.hint
    assert not re.search("_us'|row_number|snapshot_id|as_of", found.value.hint)  # the engine's own
    with pytest.raises(FeatureError, match="fax_number"):  # a slip, not an optional column
        available(ours, tables, {})


def test_a_feature_that_reads_an_absent_optional_column_is_left_out(tables):
    kept, left_out = available(full_catalogue().expand(VALUES), tables, {})
    # The drawn touches have neither direction nor duration nor place, the leads neither account nor e-mail.
    assert {"inbound_share_30d", "duration_seconds_30d", "attempts_7d", "answers_90d"} <= set(left_out)
    assert {"active_colleagues_30d", "colleagues", "account_wins", "top_place_90d"} <= set(left_out)
    assert {"email_class", "owner_open_leads", "anonymous_touches", "roles_covered_90d"} <= set(left_out)
    assert "touches_30d" in {f.name for f in kept}


def test_an_optional_column_may_be_read_in_brackets(ours, tables):
    @ours.feature(on="touches", says="{value}")
    def places(touch):
        """Reads what this table does not have."""
        return touch["place"].nunique()

    assert available(ours, tables, {}) == ((), ("places",))


def test_without_a_table_its_features_are_left_out(tables):
    flat = {"leads": tables["leads"]}
    kept = candidates(flat, {}).features
    assert {f.on for f in kept} == {"leads"}


def test_kinds_are_the_most_common_and_ties_go_by_name(tables):
    offer = candidates(tables, {}, most=Most(kinds=1))
    kept, values = offer.features, offer.values
    assert values == {"kind": ["email_open"], "stage": ["mql"], "peers": [], "words": []}
    assert "kind_touches[email_open]_7d" in {f.name for f in kept}
    assert "kind_touches[web_visit]_7d" not in {f.name for f in kept}


MODULE = '''
"""Ours."""
from features.catalogue import feature

@feature(on="touches", days=30, empty=0, says="{value:.0f} mornings in {days} days")
def mornings(touch):
    """Touches before noon, in touches; 0 if none."""
    return touch.count(where=touch.occurred_at.hour() < 12)
'''


@pytest.fixture
def own_module(tmp_path, monkeypatch):
    """A user's module on the path; what it adds to the catalogue is taken back."""
    from features.catalogue import catalogue

    before = dict(catalogue._features)
    (tmp_path / "our_touches.py").write_text(MODULE)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield "our_touches"
    catalogue._features.clear()
    catalogue._features.update(before)
    sys.modules.pop("our_touches", None)


BROKEN = {
    "no such name": ("from features.catalogue import features", "ImportError"),
    "a slip of numbers": ("WEEKS = 1 / 0", "ZeroDivisionError"),
    "no such key": ("{}['days']", "KeyError"),
    "no such module": ("import no_such_module", "no module 'no_such_module'"),
}


@pytest.mark.parametrize(("line", "what"), BROKEN.values(), ids=BROKEN)
def test_a_module_that_fails_is_named_with_the_next_step(tmp_path, monkeypatch, line, what):
    (tmp_path / "broken_features.py").write_text(line)
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(FeatureError, match=rf"module 'broken_features' cannot be imported \({what}") as found:
        full_catalogue(["broken_features"])
    assert found.value.hint


def test_a_module_of_the_user_adds_features_under_its_own_family(own_module, tables):
    kept = candidates(tables, {}, modules=[own_module]).features
    assert {f.name: f.family for f in kept}["mornings_30d"] == "our_touches"
    chosen = by_name(["mornings_30d"], VALUES, {}, modules=[own_module])
    got = feature_table(tables["snapshots"], tables, chosen, {}).to_pyarrow().to_pydict()
    assert got["mornings_30d"] == [3.0]


def test_a_module_that_is_not_there_is_named():
    with pytest.raises(FeatureError, match="'no_such_module' cannot be imported"):
        full_catalogue(["no_such_module"])


def test_a_model_gets_its_features_in_its_own_order():
    names = ["touches_30d", "industry", "days_since[web_visit]"]
    assert [f.name for f in by_name(names, VALUES, FIELDS)] == names


def test_a_feature_that_a_model_needs_and_nobody_has_is_named():
    with pytest.raises(FeatureError, match="the model uses 'fax_machines', which neither") as found:
        by_name(["touches_30d", "fax_machines"], VALUES, FIELDS)
    assert "train again" in found.value.hint


def test_a_field_may_not_take_a_built_in_name():
    with pytest.raises(FeatureError, match="'touches_30d' has the name of a built-in feature"):
        by_name([], VALUES, {"leads": {"touches_30d": Field("number")}})


def test_a_copy_per_value_of_an_unknown_column_is_refused(monkeypatch, ours, tables):
    @ours.feature(on="touches", per="colour", empty=0, says="{each}: {value}")
    def coloured(touch):
        """Touches of one colour; 0 if none."""
        return touch.count()

    monkeypatch.setattr("features.families.full_catalogue", lambda _modules: ours)
    with pytest.raises(FeatureError, match="'coloured' is made per 'colour'"):
        candidates(tables, {})


def test_functions_of_one_factory_are_told_apart(ours, tables):
    def over(least):
        def visits(touch):
            """Touches older than some days; 0 if none."""
            return touch.count(where=touch.age_days > least)

        return visits

    for least in (1, 2):
        function = over(least)
        function.__name__ = f"visits_{least}"
        ours.feature(on="touches", per="kind", empty=0, says="{each}: {value}")(function)
    got = feature_table(tables["snapshots"], tables, ours.expand(VALUES), {}).to_pyarrow().to_pydict()
    assert (got["visits_1[email_open]"], got["visits_2[email_open]"]) == ([1], [1])
    assert (got["visits_1[web_visit]"], got["visits_2[web_visit]"]) == ([1], [0])


def test_rows_that_do_not_exist_are_refused_with_those_that_do(ours):
    with pytest.raises(FeatureError, match="'fax' is on 'touchs'") as found:

        @ours.feature(on="touchs", says="{value}")
        def fax(touch):
            """Faxes; null if none."""
            return touch.count()

    assert "account_touches" in found.value.hint


@pytest.mark.parametrize("says", ["{value} at {eech}", "{value.__class__}", "{}", "{value"])
def test_a_sentence_with_an_unknown_placeholder_is_refused(ours, says):
    with pytest.raises(FeatureError, match="sentence of feature 'fax' has an unknown placeholder"):

        @ours.feature(on="touches", says=says)
        def fax(touch):
            """Faxes; null if none."""
            return touch.count()


def test_a_module_that_fails_on_import_is_named(tmp_path, monkeypatch):
    (tmp_path / "slipped_features.py").write_text("len()\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(FeatureError, match=r"'slipped_features' cannot be imported \(TypeError\)"):
        full_catalogue(["slipped_features"])
