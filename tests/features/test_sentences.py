"""What a sales manager reads: every sentence whole, in three languages, whatever the value holds."""

from __future__ import annotations

import re
from dataclasses import replace
from string import Formatter

import pytest
from babel.core import Locale
from babel.messages.plurals import get_plural
from babel.numbers import format_decimal, format_percent
from hypothesis import assume, given
from hypothesis import strategies as st

from features import looks, sentences
from features.catalogue import FeatureSpec
from features.errors import ParameterError
from features.families import full_catalogue
from features.fit import own_fields
from features.generic import generic_features
from features.languages import PLURAL_FORMS, language
from features.looks import LOOKS, MOST_CHARACTERS, shown, text
from features.sentences import NOT_KNOWN, POINTS_LEFT, around, is_translated
from features.tables import Field
from features.vocabulary import Vocabulary
from features.wording import Sentence
from features.words import OCTANT, WORDS

OTHERS = tuple(PLURAL_FORMS)
EACH = {"kind": "email_open", "place": "pricing", "stage": "mql", "peers": "first.place", "words": "campaign"}
BUILT_IN = [
    replace(f, each=EACH[f.per]) if f.per and not (f.is_top or f.each) else f
    for f in (*full_catalogue(), *generic_features({}, {"campaign": ["spring"]}))
]
OWN = own_fields({"leads": {kind: Field(kind) for kind in ("number", "category", "flag", "timestamp")}})
ids = {"ids": lambda f: f.name}


def said(values, says: str, code: str = "en", **words) -> list[str]:
    """The sentences of some values."""
    spec = FeatureSpec("seen_30d", "seen", "behaviour", "number", says, 30, **words)
    return [spec.sentence(value, code) for value in values]


def named(template: str) -> set[tuple[str, str]]:
    """Placeholders of a template with their looks."""
    return {(name, look) for _, name, look, _ in Formatter().parse(template) if name is not None}


# ── every built-in sentence ──────────────────────────────────────────────────────────────────────


def plurals() -> set[tuple[str, str]]:
    """Every pair of (one, many) that a translator sees."""
    of_features = {(f.one, f.says) for f in (*BUILT_IN, *OWN) if f.one is not None}
    return of_features | set(looks.PLURALS) | set(sentences.WINDOWS)


def texts() -> set[str]:
    """Every other sentence or part of one."""
    plain = {f.says for f in (*BUILT_IN, *OWN) if f.one is None}
    nones = {f.none for f in (*BUILT_IN, *OWN) if f.none is not None}
    return plain | nones | {*looks.TEXTS, *sentences.WINDOW_TEXTS, *sentences.PHRASES}


@pytest.mark.parametrize("code", OTHERS)
@pytest.mark.parametrize("english", sorted(texts()))
def test_every_text_is_translated_with_the_same_placeholders(english, code):
    translated = language(code).texts.gettext(english)
    assert named(translated) == named(english)
    if code == "zh" or not english.startswith("{label}: {value"):  # Russian has the same colon
        assert translated != english


@pytest.mark.parametrize("code", OTHERS)
@pytest.mark.parametrize(("one", "many"), sorted(plurals()))
def test_every_plural_is_translated_with_the_same_placeholders(one, many, code):
    for number in (1, 2, 5):
        translated = language(code).texts.ngettext(one, many, number)
        assert named(translated) == named(many)
        assert translated not in (one, many)


@pytest.mark.parametrize("code", OTHERS)
@pytest.mark.parametrize("kind", [*WORDS, "octant"])
def test_every_word_is_translated(kind, code):
    words = WORDS[kind].values() if kind in WORDS else [word for pair in OCTANT.values() for word in pair]
    for word in words:
        translated = language(code).texts.pgettext(kind, word)
        assert translated != word or word == "IT", word


@pytest.mark.parametrize("feature", BUILT_IN, **ids)
@pytest.mark.parametrize("code", ["en", *OTHERS])
def test_no_sentence_shows_a_column_name_or_a_template(feature, code):
    for value in ("c_level",) if feature.kind == "category" else (0.0, 0.25, 1.0, 2.0, 1234.5, None):
        words = feature.sentence(value, code)
        assert not re.search(r"[_{}\[\]]|None|nan", words), words
        assert words == " ".join(words.split(" "))
        assert "_" not in feature.name or feature.name not in words


@pytest.mark.parametrize("feature", [f for f in BUILT_IN if f.kind == "number"], **ids)
def test_a_number_never_stands_without_what_it_counts(feature):
    """Behind each number stands a word or a percent sign; a clock has UTC, a weekday and a flag no number."""
    if feature.label is not None and feature.each is None and "{value}" in feature.says[-9:]:
        return  # the user's own number column: its label says the unit
    for value in (0.25, 1.0, 2.0, 7.0):
        words = feature.sentence(value)
        for number in re.finditer(r"\d[\d.,:]*", words):
            assert re.match(r"%| \w", words[number.end() :]), words


def test_before_and_after_the_creation_are_not_confused():
    by_name = {f.name: f for f in BUILT_IN}
    assert by_name["interest_days"].sentence(5.0) == "first touch 5 days before becoming a lead"
    assert by_name["interest_days"].sentence(-1.0) == "first touch 1 day after becoming a lead"
    assert by_name["days_to_first_stage"].sentence(5.0) == "first stage reached 5 days after becoming a lead"


def test_two_features_never_say_the_same():
    numbers = [f for f in BUILT_IN if f.kind == "number" and f.name != f"{f.stem}_ever"]
    for code in ("en", *OTHERS):
        words = [f.sentence(3.0, code) for f in numbers]
        assert len(words) == len(set(words))


def test_every_meaning_of_a_kind_has_a_word():
    meanings = {w.means for w in Vocabulary().knowing(kinds=MEANT, places=[]).kinds.values()}
    assert meanings <= set(WORDS["kind"])
    assert len(meanings) == 13


MEANT = (
    "email", "email_open", "email_click", "reply", "call", "meeting", "visit", "download", "form", "event",
    "social", "unsubscribe", "fax",
)  # fmt: skip


# ── plural forms ─────────────────────────────────────────────────────────────────────────────────

RUSSIAN = """
    0   ни одного касания за последние 30 дней
    1   1 касание за последние 30 дней
    2   2 касания за последние 30 дней
    5   5 касаний за последние 30 дней
    11  11 касаний за последние 30 дней
    21  21 касание за последние 30 дней
    22  22 касания за последние 30 дней
    101 101 касание за последние 30 дней
    111 111 касаний за последние 30 дней
"""


@pytest.mark.parametrize("line", RUSSIAN.strip().splitlines())
def test_russian_has_three_forms(line):
    number, expected = line.split(maxsplit=1)
    [touches] = [f for f in BUILT_IN if f.name == "touches_30d"]
    assert touches.sentence(float(number), "ru") == expected


def test_chinese_has_one_form_and_english_two():
    [touches] = [f for f in BUILT_IN if f.name == "touches_30d"]
    assert [touches.sentence(n, "zh") for n in (0, 1, 2)] == [
        "最近30天没有互动", "最近30天有1次互动", "最近30天有2次互动",
    ]  # fmt: skip
    assert [touches.sentence(n) for n in (0, 1, 2)] == [
        "no touch in the last 30 days", "1 touch in the last 30 days", "2 touches in the last 30 days",
    ]  # fmt: skip


@pytest.mark.parametrize("code", OTHERS)
def test_the_number_of_forms_is_that_of_cldr(code):
    assert PLURAL_FORMS[code] == get_plural(code).num_plurals


WINDOWS = {1: "последние 24 часа", 3: "последние 3 дня", 7: "последние 7 дней", 31: "последний 31 день"}


@pytest.mark.parametrize("days", WINDOWS)
def test_the_window_is_said_in_its_own_form(days):
    spec = FeatureSpec("seen", "seen", "behaviour", "number", "{value} {window}", days)
    assert spec.sentence(2.0, "ru") == f"2 за {WINDOWS[days]}"


def test_none_is_said_only_where_nothing_was():
    words = {"none": "nothing"}
    assert said([0.0, 0.004, -0.0], "{value:.0%}", **words) == ["nothing", "0%", "nothing"]
    assert said([0.0, 0.4, 0.6], "{value:.0f} days", **words) == ["nothing", "nothing", "1 days"]
    assert said([0.0, 0.4], "{value}", **words) == ["nothing", "0.4"]


# ── looks ────────────────────────────────────────────────────────────────────────────────────────

DRAWN = """
    look          | value  | en                            | zh       | ru
    duration      | 0      | 0 seconds                     | 0秒       | 0 секунд
    duration      | 1      | 1 second                      | 1秒       | 1 секунда
    duration      | 59.4   | 59 seconds                    | 59秒      | 59 секунд
    duration      | 60     | 1 minute                      | 1分钟      | 1 минута
    duration      | 250    | 4 minutes                     | 4分钟      | 4 минуты
    duration      | 3600   | 1 hour                        | 1小时      | 1 час
    duration      | 9000   | 2.5 hours                     | 2.5小时    | 2,5 часа
    duration      | 86400  | 1 day                         | 1天       | 1 день
    days          | 0.25   | 6 hours                       | 6小时      | 6 часов
    days          | 2.5    | 2.5 days                      | 2.5天     | 2,5 дня
    days          | 21     | 21 days                       | 21天      | 21 день
    ago           | 0.4    | less than a day ago           | 不到1天前  | менее суток назад
    ago           | -0.4   | in less than a day            | 1天之内    | менее чем через сутки
    ago           | 1      | 1 day ago                     | 1天前      | 1 день назад
    ago           | -2     | in 2 days                     | 2天后      | через 2 дня
    from_creation | 5      | 5 days before becoming a lead | 成为线索前5天  | за 5 дней до появления лида
    from_creation | -1     | 1 day after becoming a lead | 成为线索后1天 | через 1 день после появления лида
    from_creation |0|within a day of becoming a lead|成为线索前后1天内|в пределах суток от появления лида
    weekday       | 0      | Monday                        | 星期一      | понедельник
    weekday       | 6      | Sunday                        | 星期日      | воскресенье
    hour          | 9.25   | 9:15                          | 9:15     | 9:15
    yes           | 1      | yes                           | 是        | да
    yes           | 0      | no                            | 否        | нет
    .0%           | 0.125  | 12%                           | 12%      | 12 %
    .1%           | 0.1234 | 12.3%                         | 12.3%    | 12,3 %
    .1f           | 2.5    | 2.5                           | 2.5      | 2,5
    .0f           | 12345  | 12,345                        | 12,345   | 12 345
                  | 1e6    | 1,000,000                     | 1,000,000 | 1 000 000
                  | 2.345  | 2.35                          | 2.35     | 2,35
                  | 0.0123 | 0.0123                        | 0.0123   | 0,0123
                  | 99.96  | 100                           | 100      | 100
"""


@pytest.mark.parametrize("line", DRAWN.strip().splitlines()[1:])
def test_a_value_looks_like_this(line):
    look, value, *expected = (cell.strip() for cell in line.split("|"))
    found = [shown(float(value), look, language(code)).replace("\xa0", " ") for code in ("en", "zh", "ru")]
    assert found == expected


WORDED = """
    look       | value       | en                                   | ru
    email      | free        | free e-mail service                  | бесплатная почтовая служба
    phone      | possible    | plausible, not confirmed             | похож на настоящий, не подтверждён
    seniority  | c_level     | top management                       | высшее руководство
    department | hr          | human resources                      | кадры
    stage      | mql         | marketing-qualified                  | квалифицирован маркетингом
    stage      | Handed_Over | Handed Over                          | Handed Over
    kind       | email_open  | e-mail opened                        | открытие письма
    kind       | EmailOpen   | e-mail opened                        | открытие письма
    kind       | expo_scan   | expo scan                            | expo scan
    place      | pricing     | pricing page                         | страница цен
    aim        | evaluation  | weighing the options                 | выбор между вариантами
    column     | first.place | first place visited                  | первое посещённое место
    column     | first.topic | first topic                          | first topic
    octant     | RfM         | recent, rare, long                   | недавние, редкие, продолжительные
    octant     | rFm         | not recent, frequent, short          | давние, частые, короткие
"""


@pytest.mark.parametrize("line", WORDED.strip().splitlines()[1:])
def test_a_code_of_ours_has_words_and_one_of_the_user_stays(line):
    look, value, *expected = (cell.strip() for cell in line.split("|"))
    assert [shown(value, look, language(code)) for code in ("en", "ru")] == expected


@given(st.floats(-1e12, 1e12), st.sampled_from([0, 1, 2]), st.sampled_from(["en", *OTHERS]))
def test_numbers_are_written_as_babel_writes_them(value, digits, code):
    assume(not is_tie(value, digits))
    pattern = "#,##0" + ("." + "0" * digits if digits else "")
    assert shown(value, f".{digits}f", language(code)) == format_decimal(value, pattern, locale=code)


def is_tie(value: float, digits: int) -> bool:
    """Whether a value lies so near the middle, or zero, that two libraries may round it apart."""
    scaled = abs(value) * 10**digits
    return abs(scaled - int(scaled) - 0.5) < 1e-3 or scaled < 0.5


@given(st.integers(0, 10_000), st.sampled_from(["en", *OTHERS]))
def test_shares_are_written_as_babel_writes_them(percents, code):
    pattern = Locale.parse(code).percent_formats[None].pattern
    assert shown(percents / 100, ".0%", language(code)) == format_percent(
        percents / 100, pattern, locale=code
    )


# ── values are data ──────────────────────────────────────────────────────────────────────────────

HOSTILE = {
    "a template": ("{value.__class__}", "{value. class }"),
    "a format": ("%s {0} {each}", "%s {0} {each}"),
    "markup": ("<script>alert(1)</script>", "<script>alert(1)</script>"),
    "a new line": ("a\nb\r\n\tc\u2028d", "a b c d"),
    "signs that are not seen": ("a\x00\x1b[31m\u202eb\ufeff", "a[31mb"),
    "spaces around": ("  a \u00a0 b ", "a b"),
    "too much": ("x" * 200, "x" * 79 + "…"),
}


@pytest.mark.parametrize(("value", "expected"), HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("code", ["en", *OTHERS])
def test_a_hostile_value_is_inert_text(value, expected, code):
    template = FeatureSpec("t", "t", "fit", "category", "{label} {each}: {value}", each=value, label=value)
    assert template.sentence(value, code) == f"{expected} {expected}: {expected}"
    for look in LOOKS:
        assert shown(value, look, language(code)) in (expected, " ".join(expected.replace(".", " ").split()))


@given(st.text())
def test_a_text_is_one_short_line_without_signs_that_are_not_seen(value):
    line = text(value)
    assert len(line) <= MOST_CHARACTERS
    assert line == line.strip()
    assert line.isprintable()
    assert "_" not in line


def test_a_text_where_a_number_was_meant_is_shown():
    assert said(["many"], "{value:.0f} visits") == ["many visits"]
    assert said([float("nan"), float("inf")], "{value:.0f} visits") == ["nan visits", "inf visits"]


# ── languages ────────────────────────────────────────────────────────────────────────────────────


def test_what_nobody_translated_stays_english():
    assert said([3.0], "{value} faxes {window}", "ru") == ["3 faxes за последние 30 дней"]


def test_a_catalogue_is_read_once():
    assert language("ru") is language("ru")


def test_an_unknown_language_is_refused_with_those_that_there_are():
    with pytest.raises(ParameterError, match="'fr' is no language") as found:
        language("fr")
    assert "en, zh, ru" in found.value.hint


def test_a_sentence_of_the_user_is_translated_if_he_translated_it():
    plain = Sentence("{value} faxes")
    spec = FeatureSpec("faxes", "faxes", "ours", "number", plain.many)
    assert [is_translated(spec, code) for code in ("en", "zh", "ru")] == [True, False, False]
    russian = replace(spec, translations={"ru": ("{value} факс",)})
    assert [is_translated(russian, code) for code in ("en", "zh", "ru")] == [True, False, True]
    assert russian.sentence(3.0, "ru") == "3 факс"


def test_around_a_sentence_stands_what_a_scorecard_says():
    assert around(NOT_KNOWN, "ru", sentence="{value}") == "нет данных: {value}"
    assert (
        around(POINTS_LEFT, "en", sentence="2 calls", left="5", full="10") == "2 calls (5 of 10 points left)"
    )
