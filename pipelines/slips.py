"""Names in ``params.yaml`` that nothing in the tables answers to: no error, but hardly what was meant."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from difflib import get_close_matches

from features.errors import listed
from features.families import BUILT_IN, Offer
from features.generic import FAMILY
from features.memory import current_features
from features.sentences import is_translated
from pipelines.directing import unanswered
from pipelines.inputs import Inputs
from pipelines.params import Params


def slips(params: Params, inputs: Inputs, offer: Offer) -> Iterator[str]:
    """A sentence for each such name, with the nearest one that there is.

    Parameters
    ----------
    offer
        What can be made of the tables by these parameters.
    """
    words = offer.vocabulary
    for column, given, known in (
        ("kind", params.features.kinds, words.kinds),
        ("place", params.features.places, words.places),
    ):
        missing = _missing(inputs, column, given)
        there = [name for name in known if name not in missing]
        for name in missing:
            yield f"features.{column}s names '{name}', which no touch has{_nearest(name, there)}"
    for name in unanswered(params.train.monotone, offer.features):
        yield f"train.monotone names '{name}', which is no feature of these tables"
    columns = [feature.name for feature in (*offer.features, *current_features(inputs.fields))]
    for name in params.audit.allow:
        if name not in columns:
            yield f"audit.allow names '{name}', which is no feature of these tables{_nearest(name, columns)}"
    yield from _untranslated(offer, params.score.language)


def _untranslated(offer: Offer, language: str) -> Iterator[str]:
    own = [feature for feature in offer.features if feature.family not in (*BUILT_IN, FAMILY)]
    stems = dict.fromkeys(feature.stem for feature in own if not is_translated(feature, language))
    if stems:
        yield f"score.language is '{language}', and your own {listed(list(stems))} has no such translation"


def _missing(inputs: Inputs, column: str, names: Iterable[str]) -> list[str]:
    """Those of the names that are no value of a column of touches, in their order."""
    asked = list(names)
    touches = inputs.tables.get("touches")
    if not asked or touches is None or column not in touches.columns:
        return asked
    found = touches.filter(touches[column].isin(asked)).select(column).distinct().to_pyarrow()
    return [name for name in asked if name not in found[column].to_pylist()]


def _nearest(name: str, names: Iterable[str]) -> str:
    near = get_close_matches(name, list(names), n=1)
    return f" — did you mean '{near[0]}'" if near else ""
