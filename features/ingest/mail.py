"""What an e-mail address says of its lead: its class, and whether its domain is the company's."""

# ruff: noqa: S608  # texts go through quoted(), columns are our own

from __future__ import annotations

from collections.abc import Collection, Iterable

from features.ingest.folding import folded_sql
from features.ingest.mail_domains import DISPOSABLE, FREE, RESERVED, ROLES
from features.ingest.sql import quoted

_ATOM = r"[^\s@.,:;<>()\[\]\\\"\x{00}-\x{1f}]+"
_LABEL = r"[\p{L}\p{N}]([\p{L}\p{N}-]*[\p{L}\p{N}])?"
_ADDRESS = rf"{_ATOM}(\.{_ATOM})*@({_LABEL}\.)+(\p{{L}}\p{{L}}+|xn--[a-zA-Z0-9-]+)"
_MOST_CHARACTERS = 254  # RFC 5321, section 4.5.3.1.3, less the two brackets
_NOWHERE = ("test", "example", "invalid", "localhost", "local")  # RFC 2606, and what is typed like it
_NAME = r"([^.]+)\.(?:(?:co|com|net|org|gov|edu|ac|or|ne)\.)?[^.]+$"
_HOST = r"^(?:[a-z]+://)?(?:www\d?\.)?([^/?#:\s]+)"
_SHORTEST_NAME, _SHORTEST_WORD = 3, 4
_COMMON_WORDS = (
    "gmbh", "corp", "corporation", "company", "limited", "incorporated", "group", "gruppe", "groupe", "grupo",
    "holding", "holdings", "international", "global", "solutions", "services", "systems", "technologies",
    "technology", "software", "consulting", "partners",
)  # fmt: skip


def class_rows() -> str:
    """SQL of ``row_number``, ``domain`` and ``email_class`` of each lead with an address.

    Classes, worst first: ``invalid`` (nobody can write to it), ``disposable``, ``free`` (a free-mail
    provider), ``role`` (a desk, such as info@) or ``business``.
    """
    parts = (
        "SELECT row_number, split_part(lower(email), '@', 2) AS domain, "
        "split_part(split_part(lower(email), '@', 1), '+', 1) AS box, "
        f"length(email) <= {_MOST_CHARACTERS} AND regexp_full_match(email, {quoted(_ADDRESS)}) AS is_address "
        "FROM leads WHERE email IS NOT NULL"
    )
    return (
        f"WITH parts AS MATERIALIZED ({parts}) SELECT row_number, domain, "
        f"CASE WHEN NOT is_address OR domain IN ({_texts(RESERVED)})"
        f" OR regexp_extract(domain, '[^.]+$') IN ({_texts(_NOWHERE)}) THEN 'invalid'"
        f" WHEN domain IN ({_texts(DISPOSABLE)}) THEN 'disposable'"
        f" WHEN domain IN ({_texts(FREE)}) THEN 'free'"
        f" WHEN box IN ({_texts(ROLES)}) THEN 'role' ELSE 'business' END AS email_class FROM parts"
    )


def match_rows(rows: str) -> str:
    """SQL of ``row_number`` and ``company_matches_email``: 1 where a domain is the company's, else 0.

    It is the company's if the website has the same name below its public ending, if the company's words
    without spaces contain that name, if one of them is part of it, or if it is their initials. Only Latin
    letters and digits of a company are compared; null where nothing can be.

    Parameters
    ----------
    rows
        SQL of ``row_number``, ``domain``, ``company`` and ``website``; the last two may be null.
    """
    words = f"string_split_regex(trim({_umlauts(folded_sql('company'))}), '[^a-z0-9]+')"
    site = _plain(_name(f"regexp_extract(lower(website), {quoted(_HOST)}, 1)"))
    telling = f"length(word) >= {_SHORTEST_WORD} AND word NOT IN ({_texts(_COMMON_WORDS)})"
    is_by_company = (
        f"(length(name) >= {_SHORTEST_NAME} AND (contains(squeezed, name) OR starts_with(initials, name)))"
        " OR len(list_filter(telling, lambda word: contains(name, word))) > 0"
    )
    # Materialised: else the engine would write each part out, and compute it, wherever it is read.
    return (
        f"WITH parts AS MATERIALIZED (SELECT row_number, {_plain(_name('domain'))} AS name, {site} AS site, "
        f"{words} AS words FROM ({rows})), "
        "compared AS MATERIALIZED (SELECT row_number, name, site, array_to_string(words, '') AS squeezed, "
        "array_to_string(list_transform(words, lambda word: left(word, 1)), '') AS initials, "
        f"list_filter(words, lambda word: {telling}) AS telling FROM parts) "
        "SELECT row_number, CASE WHEN name = site THEN 1.0::DOUBLE "
        f"WHEN length(squeezed) > 1 THEN CAST({is_by_company} AS DOUBLE) "
        "WHEN site <> '' THEN 0.0::DOUBLE END AS company_matches_email FROM compared"
    )


def _name(host: str) -> str:
    """The label that a host is known by: ``acme`` of mail.acme.co.uk."""
    return f"regexp_extract({host}, {quoted(_NAME)}, 1)"


def _plain(name: str) -> str:
    return _umlauts(f"replace({folded_sql(name)}, '-', '')")


def _umlauts(text: str) -> str:
    """Müller is also written Mueller: the e is dropped on both sides."""
    return rf"regexp_replace({text}, '([aou])e', '\1', 'g')"


def _texts(texts: Collection[str] | Iterable[str]) -> str:
    return ", ".join(quoted(text) for text in sorted(texts))
