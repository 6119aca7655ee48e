"""What a feature of the user may say: forms for one and none, translations, and how a model keeps them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from features.catalogue import Catalogue, FeatureSpec
from features.errors import FeatureError
from features.families import full_catalogue
from features.fit import own_fields
from features.tables import Field
from features.wording import Sentence

README = Path(__file__).parents[2] / "README.md"
EVERY = (*own_fields({"leads": {"size": Field("number", label="size")}}), *full_catalogue())


@pytest.fixture
def ours():
    """A catalogue of the test's own."""
    return Catalogue()


def test_a_sentence_has_words_of_its_own_for_one_and_for_none(ours):
    calls = Sentence(
        "{value} calls {window}",
        one="{value} call {window}",
        none="no call {window}",
        translations={"ru": ("{value} звонок", "{value} звонка", "{value} звонков", "звонков нет")},
    )

    @ours.feature(on="touches", days=30, says=calls)
    def calls(touch):
        """Calls."""
        return touch.count()

    [feature] = ours
    said = [feature.sentence(number) for number in (0.0, 1.0, 2.0, None)]
    assert said == [
        "no call in the last 30 days", "1 call in the last 30 days", "2 calls in the last 30 days",
        "… calls in the last 30 days",
    ]  # fmt: skip
    own = [feature.sentence(number, "ru") for number in (0.0, 1.0, 2.0, 5.0)]
    assert own == ["звонков нет", "1 звонок", "2 звонка", "5 звонков"]
    assert feature.sentence(2.0, "zh") == "2 calls 最近30天"  # nobody translated it; the window is ours


SLIPS = {
    "a form is missing": {"ru": ("{value} звонок", "{value} звонков")},
    "a text in the place of a list": {"zh": "{value}次通话"},
    "a language that nobody speaks here": {"de": ("{value} Anrufe",)},
}


@pytest.mark.parametrize("translations", SLIPS.values(), ids=SLIPS)
def test_a_translation_that_lacks_a_form_is_refused(ours, translations):
    with pytest.raises(FeatureError, match=r"translation '..' of feature 'calls' does not have \d texts"):

        @ours.feature(on="touches", says=Sentence("{value} calls", one="1 call", translations=translations))
        def calls(touch):
            """Calls."""
            return touch.count()


@pytest.mark.parametrize("feature", EVERY, ids=lambda f: f.name)
def test_the_words_come_back_from_plain_data(feature):
    data = json.loads(json.dumps(feature.spec.as_json()))
    assert FeatureSpec.from_json(data) == feature.spec
    assert None not in (data.get("one", ""), data.get("none", ""), data.get("label", ""))


def test_words_of_an_earlier_version_still_speak():
    before = {
        "name": "opens_30d", "stem": "opens", "family": "behaviour", "kind": "number", "days": 30,
        "each": None, "says": "{value:.0f} opens in {days} days", "doc": "Opens; 0 if none.",
    }  # fmt: skip
    spec = FeatureSpec.from_json(before)
    assert (
        spec.sentence(1234.0) == spec.sentence(1234.0, "ru").replace("\xa0", ",") == "1,234 opens in 30 days"
    )
    assert spec.as_json() == before  # its fingerprint is the one that it was kept with


def test_translations_come_back_from_plain_data():
    said = {
        "one": "{value} fax",
        "none": "no fax",
        "label": "fax",
        "translations": {"zh": ("{value}份传真", "没有传真")},
    }
    spec = FeatureSpec("faxes", "faxes", "ours", "number", "{value} faxes", **said)
    assert FeatureSpec.from_json(json.loads(json.dumps(spec.as_json()))) == spec
    assert [spec.sentence(number, "zh") for number in (0, 2)] == ["没有传真", "2份传真"]


def test_the_sentence_of_the_readme_is_said_in_three_languages(ours):
    block = re.search(r"<!-- test: sentence -->\n```python\n(.*?)```", README.read_text("utf-8"), re.DOTALL)
    names: dict[str, Any] = {}
    exec(block[1], names)  # noqa: S102  # the README is ours

    def long_calls(touch: Any) -> Any:
        """Long calls; 0 if none."""
        return touch.count()

    ours.feature(on="touches", days=30, says=names["long_calls"])(long_calls)
    [feature] = ours
    assert [feature.sentence(n) for n in (0, 1)] == [
        "no long call in the last 30 days", "1 long call in the last 30 days",
    ]  # fmt: skip
    assert feature.sentence(22, "ru") == "22 долгих звонка за последние 30 дней"
    assert feature.sentence(0, "ru") == "ни одного долгого звонка за последние 30 дней"
    assert feature.sentence(5, "zh") == "最近30天有5次长通话"
