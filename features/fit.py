"""Who the lead is: the user's own fields, as they were known at the moment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import ibis.expr.types as ir

from features.catalogue import Compute, Feature
from features.tables import Field


def own_fields(fields: Mapping[str, Mapping[str, Field]]) -> tuple[Feature, ...]:
    """One fit feature per usable field of ``leads`` and ``accounts``.

    Parameters
    ----------
    fields
        Declared fields by table and name. Fields of time class ``current`` are left out: nothing is known
        of their past.
    """
    return tuple(_field_features(fields))


def field_column(table: str, name: str) -> str:
    """Feature name of a field: its own name, with ``account.`` before an account's.

    >>> field_column("leads", "industry"), field_column("accounts", "industry")
    ('industry', 'account.industry')
    """
    return name if table == "leads" else f"account.{name}"


def _field_features(fields: Mapping[str, Mapping[str, Field]]) -> Iterator[Feature]:
    for table in ("leads", "accounts"):
        for name, field in fields.get(table, {}).items():
            if field.time != "current":
                yield _field_feature(field_column(table, name), field)


def _field_feature(column: str, field: Field) -> Feature:
    words = field.label or column.replace("_", " ").replace(".", " ")
    return Feature(
        name=column,
        stem=column,
        family="fit",
        kind="category" if field.kind == "category" else "number",
        says=_sentence(words.replace("{", "{{").replace("}", "}}"), field),
        doc=f"The field '{column}' as of the moment; null if it was empty.",
        on="leads",
        compute=_reader(column),
    )


def _sentence(words: str, field: Field) -> str:
    match field.kind:
        case "number":
            return words + ": {value:,.12g}"
        case "timestamp":
            return words + ": {value:.0f} days ago"
        case _:
            return words + ": {value}"


def _reader(column: str) -> Compute:
    def read(lead: ir.Table) -> ir.Column:
        return lead[column]

    return read
