"""A sentence of ours with values in it, as English text that can still be said in another language.

Evidence, limits and remarks are data: in JSON, on the terminal and in errors they are English text. A phrase
is that text, and remembers what it was made of, so that a page says it in its reader's language.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from string import Formatter
from typing import Any, Self

from features.catalogue import ENGLISH, Language


class Phrase(str):
    """An English sentence made from a template.

    Parameters
    ----------
    template
        What the catalogues translate: ``{rows:,} rows are left out``. It has no second form for one.
    values
        By name: numbers, texts and phrases. Numbers are written as the reader's language writes them; texts
        are data and stay as they are.

    Examples
    --------
    >>> Phrase("{share:.1%} of {rows:,} rows", share=0.125, rows=1200)
    '12.5% of 1,200 rows'
    """

    __slots__ = ("template", "values")
    template: str
    values: dict[str, Any]

    def __new__(cls, template: str, /, **values: Any) -> Self:  # noqa: D102  # the class says it
        self = super().__new__(cls, _Spoken(ENGLISH).vformat(template, (), values))
        self.template, self.values = template, values
        return self

    def __getnewargs_ex__(self) -> tuple[tuple[str], dict[str, Any]]:
        return (self.template,), self.values

    @classmethod
    def joined(cls, parts: Iterable[str], by: str | None = None) -> Phrase:
        """Some phrases or texts, one behind the other, with a semicolon or ``by`` between them.

        >>> Phrase.joined(["one", Phrase("{n} more", n=2)])
        'one; 2 more'
        """
        values = {f"part{place}": part for place, part in enumerate(parts)}
        between = Phrase("; ") if by is None else by
        return cls("{between}".join(f"{{{name}}}" for name in values), **values, between=between)


def spoken(text: str, words: Language) -> str:
    """A phrase in a language; any other text as it is."""
    if not isinstance(text, Phrase):
        return text
    return _Spoken(words).vformat(words.text(text.template), (), text.values)


def recognised(text: str, *templates: str) -> str:
    """A text that was kept as English, as the phrase that it was made from; itself if it is none of these.

    >>> recognised("too few outcomes in source", "too few outcomes in {column}").values
    {'column': 'source'}
    """
    for template in templates:
        if found := _pattern(template, number=".*", part=".*").fullmatch(text):
            return Phrase(template, **found.groupdict())
    return text


def retold(text: str, words: Language) -> str:
    """English text of ours that was kept without its template, in a language; itself if nobody translated it.

    Parts with semicolons between them are said one by one. Numbers are written as the language writes them,
    other values stay as they are.
    """
    whole = _retold(text, words)
    if whole != text or "; " not in text:
        return whole
    return words.text("; ").join(_retold(part, words) for part in text.split("; "))


def _retold(text: str, words: Language) -> str:
    for template, pattern in _patterns(words):
        if found := pattern.fullmatch(text):
            values = {name: _value(value, words) for name, value in found.groupdict().items()}
            return _Spoken(words).vformat(words.text(template), (), values)
    return text


def _value(text: str, words: Language) -> str:
    """A number as the language writes it; phrases in a phrase; any other value as it is."""
    if re.fullmatch(_NUMBER, text):
        return words.number(text)
    said = [_retold(part, words) if " " in part else part for part in text.split(", ")]
    return text if ", ".join(said) == text else words.text(", ").join(said)


_NUMBER, _PART = r"[-+]?[\d,]*\.?\d+%?", r"(?:(?!; ).)*"
"""A value with a format is a number; another is a text without the semicolon that parts phrases."""
_LEAST_LETTERS = 4
"""A template with fewer of its own would be found in anything."""


@lru_cache
def _patterns(words: Language) -> Sequence[tuple[str, re.Pattern[str]]]:
    """The texts of a catalogue, those with most letters of their own first: they leave least to values."""
    letters = {text: len(re.sub(r"\{.*?\}|\W", "", text)) for text in words.known}
    found = [text for text, own in letters.items() if own >= _LEAST_LETTERS and _is_template(text)]
    every = sorted(found, key=lambda text: -letters[text])
    return [(text, _pattern(text, number=_NUMBER, part=_PART)) for text in every]


def _is_template(text: str) -> bool:
    """Whether each value has a name, and stands in it once."""
    names = re.findall(r"\{(\w*)", text)
    return "" not in names and len({*names}) == len(names)


def _pattern(template: str, *, number: str, part: str) -> re.Pattern[str]:
    """What finds a template's values: those with a format as ``number``, the others as ``part``."""
    parts = [
        re.escape(plain) + (f"(?P<{name}>{number if look else part})" if name else "")
        for plain, name, look, _ in Formatter().parse(template)
    ]
    return re.compile("".join(parts), re.DOTALL)


class _Spoken(Formatter):
    """Formats values as a language writes them."""

    def __init__(self, words: Language) -> None:
        self.words = words

    def format_field(self, value: Any, format_spec: str) -> str:
        if isinstance(value, str):
            return spoken(value, self.words)
        return self.words.number(format(value, format_spec))
