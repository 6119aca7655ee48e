"""Every label of a page, a report and the terminal is in each language, with numbers as it writes them."""

from __future__ import annotations

import copy
import datetime as dt
import pickle
import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from string import Formatter

import pytest
from babel.dates import format_date, format_skeleton
from babel.messages.extract import extract
from babel.messages.plurals import get_plural
from babel.messages.pofile import read_po
from babel.numbers import format_decimal, format_percent
from jinja2.ext import babel_extract

from features.languages import PLURAL_FORMS
from models.labels import NAMES, labels, named
from models.phrases import Phrase, recognised, retold, spoken

ROOT = Path(__file__).resolve().parents[2]
CODES = tuple(PLURAL_FORMS)
SAYS = {"_": None, "text": None, "marked": None, "Phrase": (1,), "counted": (1, 2)}
"""What puts a text before a reader, and which of its arguments are texts."""
READERS = {".py": "python", ".html": babel_extract}
SAME = {"; ", ", ", "MQL", "SQL", "ROC-AUC", "{value} ({low} to {high})", "ROC-AUC (95 %)"}
"""What another language may write as English does."""


def said_in(path: Path) -> Iterator[str | tuple[str, str]]:
    """Every text of a file that a catalogue has to translate."""
    found = extract(READERS[path.suffix], BytesIO(path.read_bytes()), SAYS)
    yield from (message for _, message, _, _ in found)


def said() -> set[str | tuple[str, str]]:
    """Every text that pages, reports and the terminal put before a reader."""
    rooms = [path for room in ("models", "serve", "pipelines") for path in (ROOT / room).rglob("*")]
    return {text for path in rooms if path.suffix in READERS for text in said_in(path)} | set(NAMES.values())


def catalogue(code: str) -> dict[str | tuple[str, str], tuple[str, ...]]:
    """The translations of a language by what they translate."""
    with (ROOT / f"models/locales/{code}/LC_MESSAGES/pages.po").open("rb") as file:
        read = read_po(file, locale=code)
    return {m.id: m.string if isinstance(m.string, tuple) else (m.string,) for m in read if m.id}


def placeholders(text: str) -> list[tuple[str | None, str | None]]:
    return sorted((name, look) for _, name, look, _ in Formatter().parse(text) if name is not None)


def test_the_search_for_texts_finds_each_kind(tmp_path):
    file = tmp_path / "said.py"
    file.write_text('words.text("a" "b"); marked("c"); Phrase("d {n}", n=1); w.counted("{n} e", "{n} f", 2)')
    assert set(said_in(file)) == {"ab", "c", "d {n}", ("{n} e", "{n} f")}
    page = tmp_path / "page.html"
    page.write_text('{{ _("g " "h") }}{{ counted("{n} i", "{n} j", rows) }}')
    assert set(said_in(page)) == {"g h", ("{n} i", "{n} j")}


@pytest.mark.parametrize("code", CODES)
def test_a_catalogue_has_every_text_of_the_code_and_no_other(code):
    assert set(catalogue(code)) == said()


@pytest.mark.parametrize("code", CODES)
def test_no_translation_is_empty_or_has_other_placeholders(code):
    for english, forms in catalogue(code).items():
        source = english if isinstance(english, str) else english[1]
        assert len(forms) == (1 if isinstance(english, str) else PLURAL_FORMS[code]), english
        for form in forms:
            assert form.strip(), english
            assert placeholders(form) == placeholders(source), english
            assert form != source or english in SAME, english


@pytest.mark.parametrize("code", CODES)
def test_markup_of_a_translation_is_that_of_the_text(code):
    for english, forms in catalogue(code).items():
        source = english if isinstance(english, str) else english[1]
        for form in forms:
            assert sorted(re.findall(r"</?\w+>", form)) == sorted(re.findall(r"</?\w+>", source))


@pytest.mark.parametrize(
    ("number", "expected"), [(1, "1 лид"), (2, "2 лида"), (5, "5 лидов"), (21, "21 лид")]
)
def test_russian_counts_with_three_forms(number, expected):
    assert labels("ru").counted("{n} lead", "{n} leads", number) == expected


@pytest.mark.parametrize("code", CODES)
def test_plural_forms_are_those_of_cldr(code):
    assert PLURAL_FORMS[code] == get_plural(code).num_plurals
    rule = get_plural(code).plural_expr
    with (ROOT / f"models/locales/{code}/LC_MESSAGES/pages.po").open("rb") as file:
        assert read_po(file, locale=code).plural_expr == rule


@pytest.mark.parametrize("code", ["en", *CODES])
def test_numbers_shares_and_days_are_written_as_babel_writes_them(code):
    words = labels(code)
    assert words.number(f"{1234567.25:,.2f}") == format_decimal(1234567.25, "#,##0.00", locale=code)
    shares = format_percent(0.125, format="#,##0.0%" if code != "ru" else "#,##0.0\xa0%", locale=code)
    assert words.number(f"{0.125:.1%}") == shares
    day = words.date("2026-06-30T22:00:00+00:00")
    assert day == format_date(dt.date(2026, 6, 30), "medium", locale=code)


def test_codes_are_words_and_a_team_s_own_code_loses_its_underscores():
    assert named("fit", labels("zh")) == "匹配度"
    assert named("our_own_route", labels("ru")) == "our own route"


def test_a_phrase_is_english_text_and_is_said_in_each_language():
    whole = Phrase.joined([Phrase("nothing found"), Phrase("declared {time}", time="static"), "as it is"])
    assert whole == "nothing found; declared static; as it is"
    assert spoken(whole, labels("en")) == whole
    assert spoken(whole, labels("ru")) == "ничего не найдено; объявлен как static; as it is"
    assert spoken("plain {braces}", labels("ru")) == "plain {braces}"


def test_a_phrase_writes_its_numbers_as_the_language_does():
    phrase = Phrase("filled in {past:.1%} of past rows, {won:.1%} of the won ones, {now:.1%} tonight",
                    past=0.5, won=0.25, now=0)  # fmt: skip
    assert "50,0\xa0%" in spoken(phrase, labels("ru"))


def test_braces_in_a_value_are_shown_as_they_are():
    phrase = Phrase("slice '{name}': no such field", name="{0} {x.__class__}")
    assert phrase == "slice '{0} {x.__class__}': no such field"
    assert spoken(Phrase.joined([phrase]), labels("ru")) == "срез «{0} {x.__class__}»: такого поля нет"


@pytest.mark.parametrize("again", [copy.deepcopy, lambda phrase: pickle.loads(pickle.dumps(phrase))])  # noqa: S301
def test_a_phrase_survives_a_copy_and_another_process(again):
    phrase = Phrase("slice '{name}': no such field", name="{a}")
    assert again(phrase) == phrase
    assert spoken(again(phrase), labels("ru")) == "срез «{a}»: такого поля нет"


def test_a_kept_sentence_is_recognised_by_its_template_and_another_is_left_alone():
    template = "too few outcomes in {column}"
    assert spoken(recognised("too few outcomes in a (b", template), labels("zh")) == "a (b 中的结果太少"
    assert recognised("too few outcomes", template) == "too few outcomes"
    assert not isinstance(recognised("too few outcomes", template), Phrase)


@pytest.mark.parametrize("code", CODES)
def test_a_text_that_was_kept_in_english_is_said_as_its_phrase_would_be(code):
    ends = (
        Phrase("{share:.1%} of the {end}", share=share, end=end)
        for share, end in ((0.97, "won"), (0, "lost"))
    )
    written = "filled in {shares} and {open:.1%} of the open leads of the same age, so it is written when "
    told = [
        Phrase(
            written + "a lead is {end}", shares=Phrase.joined(ends, by=Phrase(", ")), open=12.5, end="won"
        ),
        Phrase("{rows:,} rows are left out, for their outcome is not known yet", rows=19_255),
        Phrase("used because audit.allow says so: {columns}", columns="size, plan"),
    ]
    phrase = Phrase.joined(told)
    assert retold(str(phrase), labels(code)) == spoken(phrase, labels(code)) != str(phrase)


@pytest.mark.parametrize("text", ["", "5 of 6 things", "a {b} of nobody", "x" * 5000, "; "])
def test_what_nobody_translated_stays(text):
    assert retold(text, labels("ru")) == text


@pytest.mark.parametrize("code", CODES)
def test_a_month_is_written_as_its_language_writes_it(code):
    assert labels(code).month("2026-06") == format_skeleton("yMMM", dt.date(2026, 6, 30), locale=code)
