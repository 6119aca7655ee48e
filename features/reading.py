"""Which features are made from a field of the lead: itself, its transformations, and rates of its values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import ibis.expr.operations as ops
import ibis.expr.types as ir

from features.catalogue import Feature
from features.fields import BANT
from features.pasts import PER_COLUMN, World, without_rows
from features.tables import Field
from features.vocabulary import Vocabulary


def made_from(
    field: str,
    features: Iterable[Feature],
    tables: Mapping[str, ir.Table],
    fields: Mapping[str, Mapping[str, Field]],
    vocabulary: Vocabulary | None = None,
) -> frozenset[str]:
    """Names of the features that a field of ``leads`` goes into.

    Parameters
    ----------
    features
        Features that these tables can feed.
    tables, fields, vocabulary
        As for `features.build.feature_table`.
    """
    rows = without_rows("leads", World(tables, fields, vocabulary or Vocabulary()))
    return frozenset(
        feature.name
        for feature in features
        if (feature.per in PER_COLUMN and feature.each == field)
        or (feature.name == "bant_known" and field in BANT)
        or (feature.on == "leads" and rows is not None and field in _columns(feature, rows))
    )


def _columns(feature: Feature, rows: ir.Table) -> set[str]:
    value = feature.compute(rows).op()
    return {column.name for column in value.find(ops.Field, filter=ops.Value)}
