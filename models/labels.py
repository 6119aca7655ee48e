"""Labels of pages, reports and the terminal in the reader's language.

One catalogue, ``models/locales/<code>/LC_MESSAGES/pages.po``, so that a word is translated once wherever it
stands. Sentences of features have catalogues of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from features.catalogue import Language, language

NAMES: Mapping[str, str] = {
    "base": "typical lead",
    "total": "this lead",
    "fit": "fit",
    "interest": "interest",
    "behaviour": "behaviour",
    "recency": "timing",
    "stage": "stage",
    "source": "source",
    "account": "account",
    "follow_up": "follow-up",
    "generic": "other actions",
    "new_facts": "new facts",
    "time_passing": "time passing",
    "model": "model",
    "calibration": "calibration",
    "call_now": "call now",
    "fast_track": "fast-track",
    "nurture": "nurture",
    "hold": "hold",
    "fast_close": "fast close",
    "high_value": "high value",
    "likely_sql": "likely SQL",
    "likely_opportunity": "likely opportunity",
    "will_be_returned": "will be returned",
    "going_cold": "going cold",
    "lead": "new lead",
    "mql": "MQL",
    "sql": "SQL",
    "opportunity": "opportunity",
    "won": "won",
    "lost": "lost",
    "disqualified": "disqualified",
    "reopened": "reopened",
    "recycled": "back in nurture",
    "returned_at_once": "returned at once",
    "returned_after_follow_up": "returned after follow-up",
    "accept": "accepted",
    "return": "handed back",
    "worked": "worked",
    "not_a_fit": "not a fit",
    "up": "risen",
    "down": "fallen",
    "new": "new",
}
"""Words for codes of ours; a team's own stages, routes and families are shown with spaces for underscores."""
_LOCALES = Path(__file__).parent / "locales"


def labels(code: str) -> Language:
    """The texts of pages in a language; read once.

    Raises
    ------
    ParameterError
        There is no such language.
    """
    return language(code, _LOCALES, "pages")


def named(code: str, words: Language) -> str:
    """A family, route or part of a change in words."""
    return words.text(NAMES[code]) if code in NAMES else code.replace("_", " ")


def marked(text: str) -> str:
    """The text itself: a constant in this is one that the catalogues have to translate.

    >>> marked("deals per list")
    'deals per list'
    """
    return text
