"""The touches as features see them: with the lead that an anonymous visitor became, and what each touch says.

An anonymous touch belongs to a lead from the moment its visitor is linked: before ``linked_at`` nobody knew.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import ibis
import ibis.expr.types as ir

from features.vocabulary import Says, Vocabulary

DERIVED = ("is_anonymous", "role")
"""Columns that only some teams' tables can give."""
UNKNOWN_WEIGHT = 0.25
_LINKS = ("visitor_id", "contact_id")


def told(tables: Mapping[str, ir.Table], vocabulary: Vocabulary) -> ir.Table:
    """Touches of leads.

    Returns
    -------
    ir.Table
        The columns of ``touches`` with, where its columns allow, ``means`` and ``says`` (see
        `features.vocabulary`; null: nothing), ``weight_here`` (before it fades: those of kind
        and place and its own, multiplied), ``is_anonymous`` (made before the visitor was known) and
        ``role`` (of the contact).
    """
    touches = _with_roles(_with_visitors(tables), tables)
    return touches.mutate(
        means=_worded(touches.kind, {name: word.means for name, word in vocabulary.kinds.items()}),
        says=_said(touches, vocabulary),
        weight_here=_weight(touches, vocabulary),
    )


def _said(touches: ir.Table, vocabulary: Vocabulary) -> ir.StringValue:
    """By kind or place: negative before direct before contextual."""
    order: tuple[Says, ...] = ("negative", "direct", "contextual")
    says = {said: _is_said(touches, vocabulary, said) for said in order}
    return ibis.cases(*((test, said) for said, test in says.items()), else_=ibis.null("string"))


def _is_said(touches: ir.Table, vocabulary: Vocabulary, said: Says) -> ir.BooleanValue:
    kinds = [name for name, word in vocabulary.kinds.items() if word.says == said]
    places = [name for name, word in vocabulary.places.items() if word.says == said]
    by_kind = touches.kind.isin(kinds)
    return by_kind | touches.place.isin(places) if "place" in touches.columns else by_kind


def _with_visitors(tables: Mapping[str, ir.Table]) -> ir.Table:
    touches = tables["touches"]
    links = [name for name in _LINKS if name in touches.columns and name in _identity_columns(tables)]
    if not links:
        return touches
    known = touches.mutate(is_anonymous=ibis.literal(False))  # noqa: FBT003  # a value of the column
    linked = _linked(touches, tables["identities"], links)
    return ibis.union(known.filter(known.lead_id.notnull()), linked)


def _identity_columns(tables: Mapping[str, ir.Table]) -> Iterable[str]:
    return tables["identities"].columns if "identities" in tables else ()


def _linked(touches: ir.Table, identities: ir.Table, links: Iterable[str]) -> ir.Table:
    """Touches without a lead, as facts of each lead that their visitor or contact became.

    Known from the first link on, whichever it is: a link that comes later takes nothing back.
    """
    free = touches.filter(touches.lead_id.isnull())
    first = (
        ibis.union(*(_pairs(free, identities, name) for name in links))
        .group_by("linked_row", "linked_lead")
        .aggregate(linked_at=lambda t: t.linked_at.min())
    )
    pairs = free.inner_join(first, free.row_number == first.linked_row)
    return pairs.mutate(
        lead_id=pairs.linked_lead,
        recorded_at=ibis.greatest(pairs.recorded_at, pairs.linked_at),
        is_anonymous=ibis.literal(True),  # noqa: FBT003  # a value of the column
    ).select(*touches.columns, "is_anonymous")


def _pairs(free: ir.Table, identities: ir.Table, by: str) -> ir.Table:
    """Each touch (``linked_row``) with each link of its visitor, or of its contact."""
    named = identities.filter(identities[by].notnull()).select(
        "linked_at", linked_id=by, linked_lead="lead_id"
    )
    pairs = free.inner_join(named, free[by] == named.linked_id)
    return pairs.select("linked_lead", "linked_at", linked_row="row_number")


def _with_roles(touches: ir.Table, tables: Mapping[str, ir.Table]) -> ir.Table:
    contacts = tables.get("contacts")
    if contacts is None or "role" not in contacts.columns or "contact_id" not in touches.columns:
        return touches
    roles = contacts.select(role_of="contact_id", role="role")
    return touches.left_join(roles, touches.contact_id == roles.role_of).drop("role_of")


def _weight(touches: ir.Table, vocabulary: Vocabulary) -> ir.FloatingValue:
    kinds = {name: word.weight for name, word in vocabulary.kinds.items()}
    weight = _or(_worded(touches.kind, kinds), UNKNOWN_WEIGHT)
    if "place" in touches.columns:
        places = {name: word.weight for name, word in vocabulary.places.items()}
        weight *= _or(_worded(touches.place, places), 1.0)
    if "weight" in touches.columns:
        weight *= touches.weight.fill_null(1.0)
    return weight


def _or(number: ir.Value, otherwise: float) -> ir.FloatingValue:
    return number.cast("float64").fill_null(otherwise)


def _worded(column: ir.StringValue, words: Mapping[str, object]) -> ir.Value:
    """What a word says of each value of a column; null for unknown ones. One test a meaning, not a value."""
    values: dict[object, list[str]] = {}
    for name, meaning in words.items():
        values.setdefault(meaning, []).append(name)
    values.pop(None, None)
    is_number = all(isinstance(value, float) for value in values)
    nothing = ibis.null("float64" if is_number and values else "string")
    branches = [(column.isin(names), ibis.literal(value)) for value, names in values.items()]
    return ibis.cases(*branches, else_=nothing) if branches else nothing
