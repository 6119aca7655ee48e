"""What a lead's e-mail address, phone, title and company say, as columns of its row; the texts themselves go.

Personal data goes no further than the load: each text is turned into a few classes once, and dropped unless
it is declared as a field or published.
"""

# ruff: noqa: S608  # texts go through quoted(), names through named()

from __future__ import annotations

from collections.abc import Collection, Sequence

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
    joins = ""
    if "title" in read:
        _make(
            connection,
            "_title_words",
            f"SELECT title AS of_title, {words_sql('title')} AS words "
            "FROM (SELECT DISTINCT title FROM leads WHERE title IS NOT NULL)",
        )
        seniority, department = titles.seniority_sql("words"), titles.department_sql("words")
        classes = f"{seniority} AS title_seniority, {department} AS title_department"
        _make(connection, "_titles", f"SELECT of_title, {classes} FROM _title_words")
        joins += " LEFT JOIN _titles ON leads.title = of_title"
    if "phone" in read:
        judge_phones(connection, has_country=has_country)
        joins += " LEFT JOIN _phone_class ON leads.row_number = _phone_class.row_number"
    if "email" in read:
        _make(connection, "_mail", mail.class_rows())
        joins += " LEFT JOIN _mail ON leads.row_number = _mail.row_number"
    if "email" in read and not {"company", "website"}.isdisjoint(read):
        _make(connection, "_fits", mail.match_rows(_own_domains(read)))
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
