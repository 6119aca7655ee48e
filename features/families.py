"""All features in one place: the built-in families, the user's modules and the user's own fields."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import ibis.expr.types as ir

from features.build import available, common_values
from features.catalogue import Catalogue, Feature, catalogue
from features.compared import compared
from features.errors import FeatureError, listed
from features.fit import own_fields
from features.generic import category_columns, generic_features
from features.tables import Field
from features.vocabulary import Vocabulary

BUILT_IN = (
    "fit", "behaviour", "recency", "stage", "source", "account", "follow_up", "interest",
)  # fmt: skip
_SLIPS = (
    ImportError, SyntaxError, NameError, AttributeError, TypeError, ValueError, LookupError, ArithmeticError,
)  # fmt: skip
"""What a slip in a user's module raises: his to mend, not our bug."""
MOST_WORDS = 5_000  # kinds, and places, whose names are read


def full_catalogue(modules: Iterable[str] = ()) -> Catalogue:
    """Import the families and the given modules, and return the catalogue they fill.

    Parameters
    ----------
    modules
        Import names of the user's feature modules.

    Raises
    ------
    FeatureError
        A module cannot be found, or fails while it is imported.
    """
    for family in BUILT_IN:
        importlib.import_module(f"features.{family}")
    for module in modules:
        try:
            importlib.import_module(module)
        except ModuleNotFoundError as error:
            raise FeatureError(
                f"the feature module '{module}' cannot be imported (no module '{error.name}')",
                hint="put its file beside params.yaml, or correct features.modules",
            ) from None
        except _SLIPS as error:
            raise FeatureError(
                f"the feature module '{module}' cannot be imported ({type(error).__name__})",
                hint=f"see the whole error with: python -c 'import {module}'",
            ) from None
    return catalogue


@dataclass(frozen=True)
class Offer:
    """Every feature that some tables can feed, and what they were made with.

    Attributes
    ----------
    features
        The features.
    values
        The values by column that ``per`` features were copied for: kept with the model.
    vocabulary
        What the team's kinds and places mean: kept with the model.
    """

    features: tuple[Feature, ...]
    values: Mapping[str, Sequence[str]]
    vocabulary: Vocabulary


@dataclass(frozen=True)
class Most:
    """How many of the most common values get features of their own, by what they are values of."""

    kinds: int = 20
    places: int = 10
    generic: int = 10


def candidates(
    tables: Mapping[str, ir.Table],
    fields: Mapping[str, Mapping[str, Field]],
    *,
    modules: Iterable[str] = (),
    most: Most | None = None,
    vocabulary: Vocabulary | None = None,
) -> Offer:
    """Every feature that these tables can feed.

    Parameters
    ----------
    most
        Limits for values that get features of their own.
    vocabulary
        What the team said of its words; the rest is read from the names that the tables hold.
    """
    most = most or Most()
    values = _common(tables, fields, most)
    words = (vocabulary or Vocabulary()).knowing(
        kinds=_all_values(tables, "kind"), places=_all_values(tables, "place")
    )
    kept, _ = available(_every(fields, modules, values), tables, fields, words)
    return Offer(kept, values, words)


def _common(
    tables: Mapping[str, ir.Table], fields: Mapping[str, Mapping[str, Field]], most: Most
) -> dict[str, list[str]]:
    """The common values of every column that ``per`` features are copied for."""
    limits = dict.fromkeys(category_columns(fields.get("touches", {})), most.generic)
    limits |= {"kind": most.kinds, "place": most.places}
    touches = tables.get("touches")
    has = set() if touches is None else set(touches.columns)
    values = {name: common_values(touches, name, limit) for name, limit in limits.items() if name in has}
    if "outcomes" in tables:
        values["stage"] = common_values(tables["outcomes"], "stage", most.kinds)
        values |= compared(tables, fields)
    return values


def _all_values(tables: Mapping[str, ir.Table], column: str) -> list[str]:
    if "touches" not in tables or column not in tables["touches"].columns:
        return []
    return common_values(tables["touches"], column, MOST_WORDS)


def nameable(
    fields: Mapping[str, Mapping[str, Field]], *, modules: Iterable[str] = ()
) -> tuple[Feature, ...]:
    """Every feature that can be named before the tables are read.

    A ``per`` feature stands there once, without the value that each of its copies is about.
    """
    generic = generic_features(fields.get("touches", {}), {})
    return (*own_fields(fields), *full_catalogue(modules), *generic)


def by_name(
    names: Iterable[str],
    values: Mapping[str, Sequence[str]],
    fields: Mapping[str, Mapping[str, Field]],
    *,
    modules: Iterable[str] = (),
) -> tuple[Feature, ...]:
    """The features that a model asks for, in its order.

    Parameters
    ----------
    names
        Feature names.
    values
        Values by column that ``per`` features were copied for in training.

    Raises
    ------
    FeatureError
        The catalogue and the declared fields have no such feature.
    """
    known = {feature.name: feature for feature in _every(fields, modules, values)}
    missing = [name for name in names if name not in known]
    if missing:
        raise FeatureError(
            f"the model uses {listed(missing)}, which neither the catalogue nor the declared fields have",
            hint="declare the field or list its module under features.modules again, or train again",
        )
    return tuple(known[name] for name in names)


def _every(
    fields: Mapping[str, Mapping[str, Field]], modules: Iterable[str], values: Mapping[str, Sequence[str]]
) -> tuple[Feature, ...]:
    _check_per(full_catalogue(modules), fields)
    built_in = full_catalogue(modules).expand(values)
    generic = generic_features(fields.get("touches", {}), values)
    own = own_fields(fields)
    taken = [feature.name for feature in own if feature.name in {other.name for other in built_in}]
    if taken:
        raise FeatureError(
            f"the field {listed(taken)} has the name of a built-in feature",
            hint="give it another name on our side with `mapping`",
        )
    return (*own, *built_in, *generic)


def _check_per(features: Iterable[Feature], fields: Mapping[str, Mapping[str, Field]]) -> None:
    """Refuse a copy per value of a column whose values nobody looks up: it would have no copies."""
    known = ("kind", "place", "stage", "peers", "words", *category_columns(fields.get("touches", {})))
    for feature in features:
        if feature.per is not None and not feature.is_top and feature.per not in known:
            raise FeatureError(
                f"feature '{feature.stem}' is made per '{feature.per}', whose values are not looked up",
                hint=f"use per= with {listed(known, most=9)}, or declare it as a category of touches",
            )
