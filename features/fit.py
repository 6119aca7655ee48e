"""Who the lead is: the user's own fields at the moment, and what ingest made of personal data.

E-mail address, phone, title and company themselves are no features: the load keeps classes of them (see
``features.ingest.persons``) and drops the texts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import ibis
import ibis.expr.types as ir

from features.catalogue import Compute, Feature, feature
from features.tables import Field
from features.wording import Sentence, counted

_BAD_SIGNS: Mapping[str, tuple[str | float, ...]] = {
    "email_class": ("invalid", "disposable", "free"),
    "phone_class": ("invalid",),
    "has_company": (0.0,),
    "title_seniority": ("student", "job_seeker"),
    "is_competitor": (1.0,),
}
_SENTENCES: Mapping[str, str] = {"flag": "{label}: {value:yes}", "timestamp": "{label}: {value:ago}"}
"""How a field is said that is more than its value."""


@feature(on="leads", says="e-mail address: {value:email}", kind="category")
def email_class(lead: ir.Table) -> ir.Column:
    """``business``, ``role`` (such as info@), ``free``, ``disposable`` or ``invalid``; null without one."""
    return lead.email_class


@feature(on="leads", says="phone number: {value:phone}", kind="category")
def phone_class(lead: ir.Table) -> ir.Column:
    """``valid``, ``possible`` (only the length is right) or ``invalid``; null without a number."""
    return lead.phone_class


@feature(on="leads", says="seniority by job title: {value:seniority}", kind="category")
def title_seniority(lead: ir.Table) -> ir.Column:
    """Seniority that the title tells, ``owner`` to ``student``; ``other`` if none, null without a title."""
    return lead.title_seniority


@feature(on="leads", says="department by job title: {value:department}", kind="category")
def title_department(lead: ir.Table) -> ir.Column:
    """Department that the job title tells; ``other`` if none, null without a title."""
    return lead.title_department


@feature(on="leads", says=Sentence("names a company", none="names no company"))
def has_company(lead: ir.Table) -> ir.Column:
    """1 if the lead names a company, 0 if not; never null."""
    return lead.has_company


@feature(
    on="leads",
    says=Sentence(
        "the e-mail address belongs to the company", none="the e-mail address does not belong to the company"
    ),
)
def company_matches_email(lead: ir.Table) -> ir.Column:
    """1 if the address's domain fits company or website, else 0; null where they cannot be compared."""
    return lead.company_matches_email


@feature(
    on="leads",
    says=Sentence(
        "{value} of these are known: budget, authority, need, timeline",
        one="{value} of these is known: budget, authority, need, timeline",
        none="none of these is known: budget, authority, need, timeline",
    ),
)
def bant_known(lead: ir.Table) -> ir.Column:
    """How many fields named budget, authority, need, timeline have a value, 0 to 4; never null."""
    return lead.bant_known


@feature(on="leads", says=counted("sign", "signs", " of a poor fit"))
def negative_fit(lead: ir.Table) -> ir.Column:
    """Signs against the lead, 0 to 5; what is unknown is no sign, so never null.

    They are: a free, disposable or invalid address; an invalid phone number; no company; the title of a
    student or job seeker; a field ``is_competitor`` (kind flag) that says yes.
    """
    known = [name for name in _BAD_SIGNS if name in lead.columns and _is_comparable(lead, name)]
    if not known:
        return lead.email_class  # says that it is not there
    signs = (lead[name].isin(_BAD_SIGNS[name]).fill_null(False) for name in known)  # noqa: FBT003  # no sign
    return sum((sign.ifelse(1.0, 0.0) for sign in signs), ibis.literal(0.0))


def _is_comparable(lead: ir.Table, name: str) -> bool:
    is_text: bool = lead[name].type().is_string()
    return isinstance(_BAD_SIGNS[name][0], str) == is_text


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
    return Feature(
        name=column,
        stem=column,
        family="fit",
        kind="category" if field.kind == "category" else "number",
        says=_SENTENCES.get(field.kind, "{label}: {value}"),
        doc=f"The field '{column}' as of the moment; null if it was empty.",
        label=field.label or column.replace("_", " ").replace(".", " "),
        on="leads",
        compute=_reader(column),
    )


def _reader(column: str) -> Compute:
    def read(lead: ir.Table) -> ir.Column:
        return lead[column]

    return read
