"""A language that sentences are said in: its texts, its plural forms and how it writes numbers.

English is the text in the code. The others are gettext catalogues under ``locales``, read as they are when a
language is first asked for; a text that a catalogue lacks stays English.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property, lru_cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

from features.errors import ParameterError

if TYPE_CHECKING:
    from babel.messages import Catalog

LanguageCode: TypeAlias = Literal["en", "zh", "ru"]
PLURAL_FORMS: Mapping[str, int] = {"zh": 1, "ru": 3}
"""Forms of a sentence with a number, by language other than English; a test compares them with CLDR's."""

_LOCALES = Path(__file__).parent / "locales"
_ENGLISH_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True)
class Language:
    """Texts and numbers of one language.

    Attributes
    ----------
    code
        ``en``, ``zh`` or ``ru``.
    texts
        Its catalogue.
    decimal, group, percent
        What stands before decimals, between thousands, and behind a share.
    weekdays
        Names from Monday on.
    known
        The English texts that its catalogue has, those with a plural aside.
    """

    code: str
    texts: NullTranslations
    decimal: str = "."
    group: str = ","
    percent: str = "%"
    weekdays: Sequence[str] = _ENGLISH_WEEKDAYS
    known: Sequence[str] = ()

    def text(self, english: str, *, context: str | None = None) -> str:
        """A text; ``context`` tells apart what English says in one word."""
        if not english:  # under the empty text a catalogue has its header
            return english
        return self.texts.gettext(english) if context is None else self.texts.pgettext(context, english)

    def plural(self, one: str, many: str, number: float) -> str:
        """The form that goes with a number; of a fraction (2.5 days), the one that goes with 2."""
        return self.texts.ngettext(one, many, int(abs(number)) if float(number).is_integer() else 2)

    def number(self, text: str) -> str:
        """A number as Python writes it (``1,234.5``, ``12%``), written as this language does."""
        return text.translate(self._signs)

    def counted(self, one: str, many: str, number: int) -> str:
        """A whole number with the form that goes with it, in the place of ``{n}``.

        >>> ENGLISH.counted("{n} lead", "{n} leads", 1200)
        '1,200 leads'
        """
        return self.plural(one, many, number).replace("{n}", self.number(f"{number:,}"))

    def date(self, moment: str) -> str:
        """The day of an ISO 8601 moment.

        >>> ENGLISH.date("2026-06-30T00:00:00+00:00")
        'Jun 30, 2026'
        """
        from babel.dates import format_date

        return format_date(datetime.fromisoformat(moment).date(), "medium", locale=self.code)

    def month(self, month: str) -> str:
        """A month of a year.

        >>> ENGLISH.month("2026-06")
        'Jun 2026'
        """
        from babel.dates import format_skeleton

        return format_skeleton("yMMM", datetime.fromisoformat(f"{month}-01").date(), locale=self.code)

    @cached_property
    def _signs(self) -> dict[int, str]:
        return str.maketrans({",": self.group, ".": self.decimal, "%": self.percent})

    def speaking(self, translations: Mapping[tuple[str, str] | str, Sequence[str]]) -> Language:
        """The same with further texts: their forms by the English text, or by its (singular, plural)."""
        from babel.messages import Catalog

        own = Catalog(locale=self.code)
        for english, forms in translations.items():
            own.add(english, forms[0] if isinstance(english, str) else tuple(forms))
        texts = _compiled(own)
        texts.add_fallback(self.texts)
        return replace(self, texts=texts)


ENGLISH = Language("en", NullTranslations())


@lru_cache
def language(code: str, folder: Path = _LOCALES, domain: str = "features") -> Language:
    """The language of a code; read once.

    Parameters
    ----------
    folder
        Where the catalogues lie: ``<code>/LC_MESSAGES/<domain>.po``; by default those of sentences.

    Raises
    ------
    ParameterError
        There is no such language.
    """
    if code not in get_args(LanguageCode):
        known = ", ".join(get_args(LanguageCode))
        raise ParameterError(f"'{code}' is no language that sentences are said in", hint=f"use {known}")
    return ENGLISH if code == "en" else _translated(code, folder / code / "LC_MESSAGES" / f"{domain}.po")


def _translated(code: str, path: Path) -> Language:
    from babel import Locale
    from babel.messages.pofile import read_po
    from babel.numbers import get_decimal_symbol, get_group_symbol

    with path.open("rb") as file:
        catalogue = read_po(file, locale=code)
    locale = Locale.parse(code)
    return Language(
        code,
        _compiled(catalogue),
        decimal=get_decimal_symbol(locale),
        group=get_group_symbol(locale),
        percent=locale.percent_formats[None].suffix[0],
        weekdays=tuple(locale.days["stand-alone"]["wide"][day] for day in range(7)),
        known=tuple(message.id for message in catalogue if message.id and isinstance(message.id, str)),
    )


def _compiled(catalog: Catalog) -> GNUTranslations:
    from babel.messages.mofile import write_mo

    memory = BytesIO()
    write_mo(memory, catalog)
    memory.seek(0)
    return GNUTranslations(memory)
