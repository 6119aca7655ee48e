"""Refuse directions of ``train.monotone`` that no feature can follow, before a table is read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches

from features.catalogue import FeatureSpec
from features.errors import ParameterError, Place
from features.families import nameable
from features.memory import known_today
from features.tables import Field
from models.fitting.monotone import Asked, ways_to_name

HINT = "name a feature, a stem or a family: `docs/features.md` lists the built-in ones"


def check(asked: Asked, fields: Mapping[str, Mapping[str, Field]], *, modules: Iterable[str]) -> None:
    """Refuse names that are no feature, stem or family, or categories only.

    Parameters
    ----------
    asked
        ``train.monotone``.
    fields
        Declared fields by table and name.
    modules
        The user's feature modules.

    Raises
    ------
    ParameterError
        The first such name, with the nearest one that there is.
    """
    if not asked:
        return
    kinds: dict[str, set[str]] = {}
    for spec in nameable(known_today(fields), modules=modules):
        for name in ways_to_name(spec):
            kinds.setdefault(name, set()).add(spec.kind)
    for name in asked:
        # What a value in brackets is about only the tables can say: `leadrank check` does.
        found = kinds.get(name, kinds.get(name.partition("[")[0]))
        if found is None:
            raise _refusal(f"names '{name}', which is no feature{_nearest(name, kinds)}", HINT)
        if found == {"category"}:
            reason = f"names '{name}', which is a category and neither rises nor falls"
            raise _refusal(reason, "take it out; only numbers have a direction")


def unanswered(asked: Asked, specs: Iterable[FeatureSpec]) -> Iterator[str]:
    """The names that none of these features goes by."""
    known = {name for spec in specs for name in ways_to_name(spec)}
    yield from (name for name in asked if name not in known)


def _refusal(reason: str, hint: str) -> ParameterError:
    return ParameterError(f"train.monotone {reason}", hint=hint, place=Place("parameters", "params.yaml"))


def _nearest(name: str, names: Iterable[str]) -> str:
    near = get_close_matches(name, list(names), n=1)
    return f" — did you mean '{near[0]}'" if near else ""
