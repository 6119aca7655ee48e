"""From a feature's words and a value to the sentence that a sales manager reads, in his language.

A sentence has up to three forms: for many, for one and for none. What stands in braces is filled in; nothing
else is: a value with braces stays a value.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial
from string import Formatter
from typing import Protocol

from features.languages import PLURAL_FORMS, Language, language
from features.looks import is_number, shown, text
from features.wording import Sentence

PLACEHOLDERS = ("value", "days", "window", "each", "label")
WINDOWS: Sequence[tuple[str, str]] = (("in the last {days} day", "in the last {days} days"),)
WINDOW_TEXTS = ("in the last 24 hours", "so far")
"""What ``{window}`` becomes."""

_DAY = 1
MOST_REMEMBERED = 10_000
"""Sentences that a speaker keeps: what many leads share is put into words once."""


NOT_KNOWN, POINTS_LEFT = "not known: {sentence}", "{sentence} ({left} of {full} points left)"
PHRASES: Sequence[str] = (NOT_KNOWN, POINTS_LEFT)
"""What a scorecard says around a sentence."""


class Words(Protocol):
    """What a sentence is made of; see `features.catalogue.FeatureSpec`."""

    @property
    def says(self) -> str: ...  # noqa: D102
    @property
    def one(self) -> str | None: ...  # noqa: D102
    @property
    def none(self) -> str | None: ...  # noqa: D102
    @property
    def days(self) -> int | None: ...  # noqa: D102
    @property
    def each(self) -> str | None: ...  # noqa: D102
    @property
    def label(self) -> str | None: ...  # noqa: D102
    @property
    def translations(self) -> Mapping[str, Sequence[str]]: ...  # noqa: D102


def speaker(words: Words, code: str) -> Callable[[object], str]:
    """What says the sentence of a value in one language, prepared for many values.

    Parameters
    ----------
    words
        The words of a feature.
    code
        Language: ``en``, ``zh`` or ``ru``.

    Returns
    -------
    Callable
        From a value (a number, a text, or None for "any") to one line of text, not escaped.

    Raises
    ------
    ParameterError
        There is no such language.
    """
    return _Speaker(words, _with_own(words, language(code))).say


class _Speaker:
    """The words of a feature in one language, with all filled in but the value."""

    def __init__(self, words: Words, spoken: Language) -> None:
        self._words, self._spoken = words, spoken
        self._is_whole = any(name == "value" and look == ".0f" for _, name, look in pieces(words.says))
        self._fixed = {
            "days": shown(words.days, "", spoken),
            "window": _window(words.days, spoken),
            "label": "" if words.label is None else text(spoken.text(words.label, context="column")),
        }
        self._parts = lru_cache(self._prepared)
        self._said = lru_cache(MOST_REMEMBERED)(self._sentence)

    def say(self, value: object) -> str:
        if not is_number(value):
            return self._said(value)
        number = float(value)
        return self._said(float(round(number)) if self._is_whole else number)  # many leads share a number

    def _sentence(self, value: object) -> str:
        parts = self._parts(self._form(value))
        return "".join(
            [part if isinstance(part, str) else part(value, language=self._spoken) for part in parts]
        )

    def _form(self, value: object) -> str:
        if not is_number(value):
            return _many(self._words, 2, self._spoken)
        if value == 0 and self._words.none is not None:
            return self._spoken.text(self._words.none)
        return _many(self._words, value, self._spoken)

    def _prepared(self, template: str) -> list[str | Callable[..., str]]:
        """The pieces of a template: texts, and what shows the value."""
        return [
            partial(shown, look=look) if name == "value" else literal or self._filled(str(name), look)
            for literal, name, look in pieces(template)
        ]

    def _filled(self, name: str, look: str) -> str:
        if name == "each":
            each = self._words.each
            is_column = not look and each is not None and each.startswith(("first.", "account."))
            return shown(each, "column" if is_column else look, self._spoken)
        return self._fixed.get(name, "{" + name + "}")


def _many(words: Words, number: float, spoken: Language) -> str:
    if words.one is None:
        return spoken.text(words.says)
    return spoken.plural(words.one, words.says, number)


def around(phrase: str, code: str, **parts: str) -> str:
    """One of `PHRASES` in a language, around a sentence that is said already.

    >>> around(NOT_KNOWN, "en", sentence="last call … days ago")
    'not known: last call … days ago'
    """
    spoken = language(code)
    return "".join(
        literal if name is None else parts[name] for literal, name, _ in pieces(spoken.text(phrase))
    )


@lru_cache(maxsize=4096)
def pieces(template: str) -> tuple[tuple[str, str | None, str], ...]:
    """A template as texts (text, None, "") and placeholders ("", name, look).

    >>> pieces("{value:.0f} calls")
    (('', 'value', '.0f'), (' calls', None, ''))
    """
    found: list[tuple[str, str | None, str]] = []
    for literal, name, look, _ in Formatter().parse(template):
        if literal:
            found.append((literal, None, ""))
        if name is not None:
            found.append(("", name, look or ""))
    return tuple(found)


def forms_wanted(said: Sentence, code: str) -> int:
    """How many texts a translation has: the plural forms if 1 is said in other words, and one for 0."""
    plural = 1 if said.one is None else PLURAL_FORMS.get(code, 0)
    return plural + (said.none is not None) if code in PLURAL_FORMS else 0


def is_translated(words: Words, code: str) -> bool:
    """Whether a language has words of its own for the sentence; English always has."""
    return code in ("en", *words.translations) or _many(words, 2, language(code)) != words.says


def _window(days: int | None, spoken: Language) -> str:
    if days is None:
        return spoken.text(WINDOW_TEXTS[1])
    if days == _DAY:
        return spoken.text(WINDOW_TEXTS[0])
    return spoken.plural(*WINDOWS[0], days).replace("{days}", str(days))


def _with_own(words: Words, spoken: Language) -> Language:
    """The language with the feature's own translations."""
    forms = tuple(words.translations.get(spoken.code, ()))
    if not forms:
        return spoken
    return _speaking(spoken.code, words.says, words.one, words.none, forms)


@lru_cache(maxsize=1024)
def _speaking(code: str, says: str, one: str | None, none: str | None, forms: tuple[str, ...]) -> Language:
    plural = forms if none is None else forms[:-1]
    said: dict[tuple[str, str] | str, Sequence[str]] = {says if one is None else (one, says): plural}
    if none is not None:
        said[none] = forms[-1:]
    return language(code).speaking(said)
