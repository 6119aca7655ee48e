"""All features in one place: the built-in families, the user's modules and the user's own fields."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Mapping, Sequence

import ibis.expr.types as ir

from features.build import available, common_values
from features.catalogue import Catalogue, Feature, catalogue
from features.errors import FeatureError, listed
from features.fit import own_fields
from features.tables import Field

BUILT_IN = ("behaviour", "recency", "stage", "account")


def full_catalogue(modules: Iterable[str] = ()) -> Catalogue:
    """Import the families and the given modules, and return the catalogue they fill.

    Parameters
    ----------
    modules
        Import names of the user's feature modules.

    Raises
    ------
    FeatureError
        A module cannot be found.
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
    return catalogue


def candidates(
    tables: Mapping[str, ir.Table],
    fields: Mapping[str, Mapping[str, Field]],
    *,
    modules: Iterable[str] = (),
    kinds_max: int = 20,
) -> tuple[tuple[Feature, ...], dict[str, list[str]]]:
    """Every feature that these tables can feed.

    Parameters
    ----------
    kinds_max
        The most common touch kinds that each get a copy of a ``per="kind"`` feature.

    Returns
    -------
    tuple
        The features, and the values by column that ``per`` features were copied for.
    """
    values = {"kind": common_values(tables["touches"], "kind", kinds_max)} if "touches" in tables else {}
    kept, _ = available(_every(fields, modules, values), tables, fields)
    return kept, values


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
    own, built_in = own_fields(fields), full_catalogue(modules).expand(values)
    taken = [feature.name for feature in own if feature.name in {other.name for other in built_in}]
    if taken:
        raise FeatureError(
            f"the field {listed(taken)} has the name of a built-in feature",
            hint="give it another name on our side with `mapping`",
        )
    return (*own, *built_in)
