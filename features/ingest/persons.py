"""What a lead's e-mail address, phone, title and company say, as columns of its row; the texts themselves go.

Personal data goes no further than the load: each text is turned into a few classes once, and dropped unless
it is declared as a field or published.
"""

# ruff: noqa: S608  # texts go through quoted(), names through named()

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import duckdb

from features.ingest import mail, titles
from features.ingest.folding import words_sql
from features.ingest.phones import judge_phones
from features.ingest.sql import named
from features.tables import PERSONAL, Source

_OWN_MEANING = ("email", "phone")
"""Declared as a field, such a column holds words of the team's own: nothing is made of it."""

_NO_COMPANY = ("none", "na", "n/a", "n.a.", "no company", "unknown", "private", "privat", "private person")


def add_person_columns(
    connection: duckdb.DuckDBPyConnection,
    source: Source,
    have: Collection[str],
    *,
    keep: Collection[str] = (),
) -> tuple[str, ...]:
    """Add the columns of ``DERIVED`` to ``leads`` that its personal columns can give, and drop these.

    Parameters
    ----------
    source
        The declaration of ``leads``.
    have
        Content columns of ``leads``.
    keep
        Personal columns that stay because they are published.

    Returns
    -------
    tuple
        Content columns of the new ``leads``.
    """
    personal = [name for name in PERSONAL["leads"] if name in have]
    if not personal:
        return tuple(have)
    read = [name for name in personal if not _is_own(name, source)]
    dropped = [name for name in personal if name not in source.fields and name not in keep]
    added = {name: sql for name, sql in _columns(read).items() if name not in have}
    joins = _prepare(connection, read, has_country="country" in have)
    _rebuild(connection, added, dropped, joins)
    return (*(name for name in have if name not in dropped), *added)


def persons_query(names: Collection[str], read: Collection[str], empty: Collection[str]) -> str:
    """The end of a query of ``leads`` with what `add_person_columns` makes of its personal columns.

    Parameters
    ----------
    names
        Columns that come out, in this order.
    read
        Derived ones among them; ``phone_class`` stands in ``leads`` already
        (`features.ingest.phones.phone_class`).
    empty
        Derived ones that nobody reads: null.

    Returns
    -------
    str
        SQL that follows ``WITH leads AS (…)``.
    """
    texts = {text for name in read if name != "phone_class" for text in MADE_OF[name]}
    made = {name: sql for name, sql in _columns(texts).items() if name in read}
    cells = ("NULL" if name in empty else made.get(name, f"leads.{named(name)}") for name in names)
    steps = "".join(f", {name} AS MATERIALIZED ({sql})" for name, sql in _steps(texts, read).items())
    return f"{steps} SELECT {', '.join(cells)} FROM leads{_joins(texts)}"


MADE_OF: Mapping[str, tuple[str, ...]] = {
    "email_class": ("email",),
    "phone_class": ("phone",),
    "title_seniority": ("title",),
    "title_department": ("title",),
    "has_company": ("company",),
    "company_matches_email": ("email", "company", "website"),
}
"""Personal columns that each derived one is made of."""


_OF_TITLES = {"title_seniority": titles.seniority_sql, "title_department": titles.department_sql}
_OF_FEW_TITLES = {
    "title_seniority": titles.seniority_of_few_sql,
    "title_department": titles.department_of_few_sql,
}


def _is_own(name: str, source: Source) -> bool:
    """Whether a column holds what the team means by its name, not what the contract means."""
    field = source.fields.get(name)
    return field is not None and (name in _OWN_MEANING or field.kind != "category")


def _columns(read: Collection[str]) -> dict[str, str]:
    """SQL of each derived column."""
    columns = {}
    if "email" in read:
        columns["email_class"] = "_mail.email_class"
    if "phone" in read:
        columns["phone_class"] = "_phone_class.phone_class"
    if "title" in read:
        columns |= {name: f"_titles.{name}" for name in ("title_seniority", "title_department")}
    if "company" in read:
        columns["has_company"] = _has_company()
    if "email" in read and not {"company", "website"}.isdisjoint(read):
        columns["company_matches_email"] = "_fits.company_matches_email"
    return columns


def _has_company() -> str:
    none = ", ".join(f"'{word}'" for word in _NO_COMPANY)
    is_named = f"regexp_matches(company, '[\\p{{L}}\\p{{N}}]') AND lower(company) NOT IN ({none})"
    return f"CAST(company IS NOT NULL AND {is_named} AS DOUBLE)"


def _prepare(connection: duckdb.DuckDBPyConnection, read: Collection[str], *, has_country: bool) -> str:
    """Tables of what the texts say, and the SQL that joins them to ``leads``."""
    for name, query in _steps(read).items():
        _make(connection, name, query)
    if "phone" in read:
        judge_phones(connection, has_country=has_country)
    return _joins(read)


def _steps(read: Collection[str], made: Collection[str] = ()) -> dict[str, str]:
    """The queries of what the texts say by name, in their order; all but the phones.

    Of a title's classes only those of ``made``, if any are named: each looks for hundreds of words, and then
    the leads are few.
    """
    steps = {}
    if "title" in read:
        steps["_title_words"] = (
            f"SELECT title AS of_title, {words_sql('title')} AS words "
            "FROM (SELECT DISTINCT title FROM leads WHERE title IS NOT NULL)"
        )
        every = _OF_FEW_TITLES if made else _OF_TITLES
        classes = [f"{sql('words')} AS {name}" for name, sql in every.items() if not made or name in made]
        steps["_titles"] = f"SELECT of_title, {', '.join(classes)} FROM _title_words"
    if "email" in read:
        steps["_mail"] = mail.class_rows()
        if not {"company", "website"}.isdisjoint(read):
            steps["_fits"] = mail.match_rows(_own_domains(read))
    return steps


def _joins(read: Collection[str]) -> str:
    joins = ""
    if "title" in read:
        joins += " LEFT JOIN _titles ON leads.title = of_title"
    if "phone" in read:
        joins += " LEFT JOIN _phone_class ON leads.row_number = _phone_class.row_number"
    if "email" in read:
        joins += " LEFT JOIN _mail ON leads.row_number = _mail.row_number"
        if not {"company", "website"}.isdisjoint(read):
            joins += " LEFT JOIN _fits ON leads.row_number = _fits.row_number"
    return joins


def _own_domains(read: Collection[str]) -> str:
    """SQL of the domains that may be a company's own, with the lead's company and website."""
    sides = [name if name in read else f"CAST(NULL AS VARCHAR) AS {name}" for name in ("company", "website")]
    return (
        f"SELECT _mail.row_number, domain, {', '.join(sides)} FROM _mail "
        "JOIN leads ON leads.row_number = _mail.row_number WHERE email_class IN ('business', 'role')"
    )


def _make(connection: duckdb.DuckDBPyConnection, name: str, query: str) -> None:
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {query}")


def _rebuild(
    connection: duckdb.DuckDBPyConnection, added: dict[str, str], dropped: Sequence[str], joins: str
) -> None:
    """One pass over the leads; their order stays."""
    kept = f"leads.* EXCLUDE ({', '.join(map(named, dropped))})" if dropped else "leads.*"
    connection.execute(
        f"CREATE OR REPLACE TABLE _persons AS SELECT {kept}{_listed(added)} FROM leads{joins} "
        "ORDER BY leads.row_number"
    )
    for scratch in ("leads", "_titles", "_title_words", "_phone_class", "_mail", "_fits"):
        connection.execute(f"DROP TABLE IF EXISTS {scratch}")
    connection.execute("ALTER TABLE _persons RENAME TO leads")


def _listed(columns: dict[str, str]) -> str:
    return "".join(f", {sql} AS {named(name)}" for name, sql in columns.items())
