"""From a job title to seniority and department: SQL that looks for words; the first line found decides."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import groupby
from operator import itemgetter

from features.ingest.folding import folded
from features.ingest.sql import quoted
from features.ingest.title_words import DEPARTMENT, SENIORITY, Lines

OTHER = "other"
_HAN = re.compile(r"[\u4e00-\u9fff]")
_LETTERS = r"\p{L}*"


def seniority_sql(words: str) -> str:
    """SQL of the seniority: a class of ``title_words.SENIORITY``, ``other``, or null without a title.

    Parameters
    ----------
    words
        SQL of the title as `words_sql` gives it.
    """
    return _class_sql(words, SENIORITY)


def department_sql(words: str) -> str:
    """SQL of the department: a class of ``title_words.DEPARTMENT``, ``other``, or null without a title."""
    return _class_sql(words, DEPARTMENT)


def seniority_of_few_sql(words: str) -> str:
    """SQL of the same as `seniority_sql`, for few titles: it looks for each word, no pattern is compiled."""
    return _class_of_few_sql(words, SENIORITY)


def department_of_few_sql(words: str) -> str:
    """SQL of the same as `department_sql`, for a few titles."""
    return _class_of_few_sql(words, DEPARTMENT)


def parts_of(words: str) -> list[str]:
    """What a title has to contain for one of the words, where each of its own words has a space around it.

    >>> parts_of("vp, vertrieb*, *leiter, 经理")
    [' vp ', ' vertrieb', 'leiter ', '经理']
    """
    return [_part(folded(word.strip())) for word in words.split(",")]


def _part(word: str) -> str:
    if _HAN.search(word):
        return word.strip("*")
    start, end = ("" if word.startswith("*") else " "), ("" if word.endswith("*") else " ")
    return start + word.strip("*").replace("* ", f"{_LETTERS} ") + end


def _class_sql(words: str, lines: Lines) -> str:
    """Neighbouring lines of one class are one pattern; letters, spaces and open ends need no escape."""
    cases = "".join(
        f" WHEN regexp_matches({words}, {quoted('|'.join(_parts(group)))}) THEN {quoted(name)}"
        for name, group in groupby(lines, key=itemgetter(0))
    )
    return f"CASE WHEN {words} IS NULL THEN NULL{cases} ELSE {quoted(OTHER)} END"


def _class_of_few_sql(words: str, lines: Lines) -> str:
    """The class of the first part that is found.

    A part with an open middle is a pattern, compiled only for a title that holds both its ends.
    """
    looked_for = ", ".join(_looked_for(name, part) for name, own in lines for part in parts_of(own))
    found = (
        f"list_filter([{looked_for}], lambda part: CASE WHEN NOT contains({words}, part.start) THEN false "
        "WHEN part.finish IS NULL THEN true "
        f"WHEN contains({words}, part.finish) THEN regexp_matches({words}, part.pattern) ELSE false END)"
    )
    return f"CASE WHEN {words} IS NOT NULL THEN coalesce({found}[1].name, {quoted(OTHER)}) END"


def _looked_for(name: str, part: str) -> str:
    start, *finish = part.split(_LETTERS)
    last = quoted(finish[-1]) if finish else "NULL"
    return f"{{name: {quoted(name)}, start: {quoted(start)}, finish: {last}, pattern: {quoted(part)}}}"


def _parts(lines: Iterable[tuple[str, str]]) -> list[str]:
    return [part for _, words in lines for part in parts_of(words)]
