"""The words of one sentence: for many, for one and for none, and the patterns that many features share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Sentence:
    """A sentence that is said in other words for 1 and for 0.

    Attributes
    ----------
    many
        With ``{value}`` and, if used, ``{days}``, ``{window}``, ``{each}`` and ``{label}``.
    one, none
        The same for the number 1 and for 0; None says it as for others. A flag has ``many`` for yes and
        ``none`` for no, both without ``{value}``.
    translations
        The sentence in ``zh`` and ``ru``: its plural forms (zh 1, ru 3) if there is ``one``, else one text;
        then that for 0 if there is ``none``. Built-in sentences have theirs in ``features/locales``.
    """

    many: str
    one: str | None = None
    none: str | None = None
    translations: Mapping[str, Sequence[str]] = field(default_factory=dict, hash=False)


def counted(one: str, many: str, tail: str = " {window}") -> Sentence:
    """How many there were, by default in the window.

    >>> counted("call", "calls").none
    'no call {window}'
    """
    return Sentence("{value} " + many + tail, one="{value} " + one + tail, none="no " + one + tail)


def times(did: str, never: str, tail: str = "") -> Sentence:
    """How often something was done.

    >>> times("opened again", never="never opened again").one
    'opened again once'
    """
    return Sentence(did + " {value} times" + tail, one=did + " once" + tail, none=never + tail)


def weighed(what: str) -> Sentence:
    """What tag weights add up to, in points.

    >>> weighed("all activity weighs").one
    'all activity weighs {value} point today, older touches less'
    """
    point, points = what + " {value} point", what + " {value} points"
    tail = " today, older touches less"
    return Sentence(points + tail, one=point + tail)


def ago(what: str) -> Sentence:
    """How long ago something happened, in days.

    >>> ago("last call").many
    'last call {value:.0f} days ago'
    """
    return Sentence(
        what + " {value:.0f} days ago", one=what + " {value:.0f} day ago", none=what + " less than a day ago"
    )
