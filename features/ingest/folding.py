"""Text made comparable: lower case without accents, words apart; the same in Python and in SQL."""

from __future__ import annotations

import unicodedata

from features.ingest.sql import quoted

_NO_WORD = r"[^\p{L}\p{N}]+"


def folded(text: str) -> str:
    """Lower case without accents.

    >>> folded("Geschäftsführer Groß"), folded("Élève")
    ('geschaftsfuhrer gross', 'eleve')
    """
    bare = (mark for mark in unicodedata.normalize("NFD", text.lower()) if not unicodedata.combining(mark))
    return "".join(bare).replace("ß", "ss")


def folded_sql(text: str) -> str:
    """SQL of the same."""
    return f"replace(strip_accents(lower({text})), 'ß', 'ss')"


def words_sql(text: str) -> str:
    """SQL of the folded words, one space before and after each; a run of Chinese characters is one word."""
    apart = rf"regexp_replace({folded_sql(text)}, '(\p{{Han}}+)', ' \1 ', 'g')"
    return f"' ' || trim(regexp_replace({apart}, {quoted(_NO_WORD)}, ' ', 'g')) || ' '"
