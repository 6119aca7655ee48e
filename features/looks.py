"""How a value looks in a sentence: numbers, durations, weekdays, words for codes; all else as plain text.

A look is what stands behind the colon of a placeholder: ``{value:duration}``. One that is not named here is a
Python format, such as ``.0f`` or ``.0%``. Values are the user's data: they are shown, never interpreted.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from numbers import Real
from typing import TypeGuard

from features.languages import Language
from features.vocabulary import plain_name
from features.words import OCTANT, WORDS

MOST_CHARACTERS = 80
DECIMALS_BELOW = 10
"""Durations of fewer hours or days than this, and numbers of fewer tens, have decimals."""

_UNITS: Sequence[tuple[str, str, int, int]] = (
    ("{n} day", "{n} days", 86_400, 1),
    ("{n} hour", "{n} hours", 3_600, 1),
    ("{n} minute", "{n} minutes", 60, 0),
    ("{n} second", "{n} seconds", 1, 0),
)
"""Words, seconds and decimals of each unit."""
_AGO = (
    ("{n} day ago", "{n} days ago"),
    ("in {n} day", "in {n} days"),
    ("less than a day ago", "in less than a day"),
)
_FROM_CREATION = (
    ("{n} day before becoming a lead", "{n} days before becoming a lead"),
    ("{n} day after becoming a lead", "{n} days after becoming a lead"),
    ("within a day of becoming a lead",),
)
PLURALS: Sequence[tuple[str, str]] = (
    *((one, many) for one, many, *_ in _UNITS),
    *_AGO[:2],
    *_FROM_CREATION[:2],
)
TEXTS: Sequence[str] = (*_AGO[2], *_FROM_CREATION[2])
"""What looks say of themselves, for the translators."""


def shown(value: object, look: str, language: Language) -> str:
    """A value as a sentence shows it.

    Parameters
    ----------
    look
        A name of `LOOKS`, a Python format, or empty.

    Examples
    --------
    >>> from features.languages import language
    >>> shown(250.0, "duration", language("en")), shown("trade_show", "", language("en"))
    ('4 minutes', 'trade show')
    """
    if value is None:
        return "…"
    if is_number(value):
        return _number(float(value), look, language)
    return _WORDED.get(look, _plain)(str(value), language)


def is_number(value: object) -> TypeGuard[float]:
    """Whether a value is a finite number; a truth counts as 1 or 0."""
    if isinstance(value, float):  # most are, and a check against Real is slow
        return math.isfinite(value)
    return isinstance(value, Real) and math.isfinite(value)


def text(value: str) -> str:
    r"""A value of the user as inert text: one line of at most 80 characters, with spaces for ``_``.

    >>> text("Trade_show\n{value.__class__}")
    'Trade show {value. class }'
    """
    seen = "".join(_harmless(sign) for sign in value.replace("_", " "))
    line = " ".join(seen.split())
    return line if len(line) <= MOST_CHARACTERS else line[: MOST_CHARACTERS - 1].rstrip() + "…"


def _harmless(sign: str) -> str:
    """A sign itself, a space for one that breaks lines, nothing for one that is not seen."""
    if sign.isspace():
        return " "
    return "" if unicodedata.category(sign).startswith("C") else sign


def _number(value: float, look: str, language: Language) -> str:
    if look in NUMBERS:
        return NUMBERS[look](value, language)
    if look in _WORDED:
        return _WORDED[look](f"{value:g}", language)
    if look == "":
        return _short(value, language)
    try:
        return language.number(format(value, _grouped(look)))
    except ValueError:  # a format for texts
        return _short(value, language)


def _grouped(look: str) -> str:
    """A plain format with decimals gets thousands separators."""
    return "," + look if look[:1] == "." and look[-1:] in "f%" else look


def _short(value: float, language: Language) -> str:
    """Whole from 100 on, else three digits; without an exponent."""
    if value.is_integer() or abs(value) >= DECIMALS_BELOW**2:
        return language.number(f"{value:,.0f}")
    digits = 2 - math.floor(math.log10(abs(value)))
    return language.number(f"{value:.{min(digits, 6)}f}".rstrip("0").rstrip("."))


def _duration(seconds: float, language: Language) -> str:
    for one, many, size, decimals in _UNITS:
        if round(abs(seconds) / size, 2) >= 1:
            return _counted(one, many, _rounded(seconds / size, decimals), language)
    one, many, *_ = _UNITS[-1]
    return _counted(one, many, float(round(seconds)), language)


def _days(days: float, language: Language) -> str:
    return _duration(days * _UNITS[0][2], language)


def _rounded(number: float, decimals: int) -> float:
    return round(number, decimals if abs(number) < DECIMALS_BELOW else 0)


def _counted(one: str, many: str, number: float, language: Language) -> str:
    return language.plural(one, many, number).replace("{n}", _short(number, language))


def _around(
    days: float,
    language: Language,
    *,
    before: tuple[str, str],
    after: tuple[str, str],
    between: Sequence[str],
) -> str:
    whole = float(round(days))
    if whole == 0:
        return language.text(between[0] if days >= 0 else between[-1])
    return _counted(*(before if whole > 0 else after), abs(whole), language)


def _weekday(day: float, language: Language) -> str:
    return language.weekdays[round(day) % 7]


def _clock(hour: float, _: Language) -> str:
    minutes = round(hour * 60)
    return f"{minutes // 60}:{minutes % 60:02d}"


def _plain(value: str, _: Language) -> str:
    return text(value)


def _word(value: str, language: Language, *, kind: str) -> str:
    """The word for a code; as it is if it is none of ours."""
    words = WORDS[kind]
    word = words.get(value) or words.get(plain_name(value))
    return text(value) if word is None else language.text(word, context=kind)


def _column(value: str, language: Language) -> str:
    return (
        _word(value, language, kind="column") if value in WORDS["column"] else text(value.replace(".", " "))
    )


def _octant(value: str, language: Language) -> str:
    if value.upper() != "".join(OCTANT):
        return text(value)
    words = [
        high if letter in OCTANT else low for letter, (high, low) in zip(value, OCTANT.values(), strict=True)
    ]
    return ", ".join(language.text(word, context="octant") for word in words)


NUMBERS: Mapping[str, Callable[[float, Language], str]] = {
    "duration": _duration,
    "days": _days,
    "ago": partial(_around, before=_AGO[0], after=_AGO[1], between=_AGO[2]),
    "from_creation": partial(
        _around, before=_FROM_CREATION[0], after=_FROM_CREATION[1], between=_FROM_CREATION[2]
    ),
    "after_creation": partial(
        _around, before=_FROM_CREATION[1], after=_FROM_CREATION[0], between=_FROM_CREATION[2]
    ),
    "weekday": _weekday,
    "hour": _clock,
}
"""Looks of numbers: ``duration`` of seconds; ``days``, ``ago``, ``from_`` and ``after_creation`` of days."""
_WORDED: Mapping[str, Callable[[str, Language], str]] = {
    **{kind: partial(_word, kind=kind) for kind in WORDS},
    "column": _column,
    "octant": _octant,
}
LOOKS = (*NUMBERS, *_WORDED)
