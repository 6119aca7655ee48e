"""A sentence of ours with values in it, as English text that can still be said in another language.

Evidence, limits and remarks are data: in JSON, on the terminal and in errors they are English text. A phrase
is that text, and remembers what it was made of, so that a page says it in its reader's language.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
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
        names = [name for _, name, _, _ in Formatter().parse(template) if name]
        pattern = "".join(
            re.escape(plain) + (f"(?P<{name}>.*)" if name else "")
            for plain, name, _, _ in Formatter().parse(template)
        )
        if found := re.fullmatch(pattern, text, re.DOTALL):
            return Phrase(template, **{name: found[name] for name in names})
    return text


class _Spoken(Formatter):
    """Formats values as a language writes them."""

    def __init__(self, words: Language) -> None:
        self.words = words

    def format_field(self, value: Any, format_spec: str) -> str:
        if isinstance(value, str):
            return spoken(value, self.words)
        return self.words.number(format(value, format_spec))
