"""What a team's own words mean: which touches say intent, which speak against it, and what each weighs.

A kind of touch has a meaning (``email_open``, ``call`` …), and a meaning or a place says something:
``direct`` (intent), ``contextual`` (engagement), ``negative`` or ``nothing``. ``params.yaml`` decides; where
it is silent the names are read. The words that a model was trained with are kept with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, ClassVar, Literal, TypeAlias

Says: TypeAlias = Literal["direct", "contextual", "negative", "nothing"]
Meaning: TypeAlias = Literal[
    "email_sent", "email_open", "email_click", "reply", "call", "meeting", "visit", "download", "form",
    "event", "social", "unsubscribe", "other",
]  # fmt: skip

# Where names are read: the first pattern that is found decides. In order, since "email reply" is a reply.
_MEANINGS: tuple[tuple[str, Meaning], ...] = (
    (r"unsubscri|opt.?out|spam|complain|bounce", "unsubscribe"),
    (r"repl(y|ied)|respon[ds]|answer(ed)?_?mail|inbound.?e?.?mail", "reply"),
    (r"e?mail.*click|click.*e?mail|link.?click", "email_click"),
    (r"e?mail.*(open|read)|open.*e?mail|newsletter.*open", "email_open"),
    (r"e?mail|newsletter|mailing", "email_sent"),
    (r"call|phone|dial|voicemail", "call"),
    (r"meeting|appointment|visit.?on.?site|demo.*(held|done|attend)", "meeting"),
    (r"download|white.?paper|e.?book|case.?study|brochure", "download"),
    (r"form|demo|trial|quote|request|contact.?us|sign.?up|register|chat|offer|proposal|basket|cart", "form"),
    (r"webinar|event|conference|fair|seminar|workshop|booth", "event"),
    (r"social|linkedin|facebook|twitter|instagram|follow|like|share", "social"),
    (r"visit|view|page|web|site|blog|video|watch|search|click", "visit"),
)
_MEANING_SAYS: Mapping[Meaning, Says] = {
    "email_sent": "contextual", "email_open": "contextual", "email_click": "contextual", "reply": "direct",
    "call": "contextual", "meeting": "direct", "visit": "contextual", "download": "contextual",
    "form": "direct", "event": "contextual", "social": "contextual", "unsubscribe": "negative",
}  # fmt: skip
_DIRECT = r"pric|demo|trial|quote|offer|checkout|basket|cart|contact|plans?\b"
_NEGATIVE = r"career|job|vacanc|unsubscri|opt.?out|imprint|investor"
_WEIGHTS: Mapping[Says | None, float] = {
    "direct": 1.0,
    "contextual": 0.5,
    "negative": -1.0,
    "nothing": 0.25,
    None: 0.25,
}


@dataclass(frozen=True)
class Word:
    """What one kind of touch, or one place, means; what is None is read from its name.

    Attributes
    ----------
    means
        Kinds only: what happened.
    says
        ``direct`` (intent), ``contextual`` (engagement), ``negative``, or ``nothing`` for a name that would
        be read as one of them.
    weight
        What one such touch adds to the tag weights before it fades: any finite number; 0 adds nothing, below
        0 it takes away.
    """

    __pydantic_config__: ClassVar[dict[str, object]] = {"extra": "forbid", "allow_inf_nan": False}

    means: Meaning | None = None
    says: Says | None = None
    weight: float | None = None


@dataclass(frozen=True)
class Vocabulary:
    """Everything that features need to know beside the tables.

    Attributes
    ----------
    kinds, places
        What the team's kinds and places mean; others say nothing and weigh a quarter.
    half_life_days
        Days after which a touch weighs half.
    stage, horizon_days, reporting_delay_days
        What counts as a conversion of mature leads in earlier conversion rates.
    returned_days
        A lead that is handed back within so many days and without a logged touch was returned at once.
    """

    kinds: Mapping[str, Word] = field(default_factory=dict)
    places: Mapping[str, Word] = field(default_factory=dict)
    half_life_days: float = 30.0
    stage: str = "won"
    horizon_days: int = 90
    reporting_delay_days: int = 3
    returned_days: int = 7

    def knowing(self, *, kinds: Iterable[str], places: Iterable[str]) -> Vocabulary:
        """The same with whole words for these kinds and places: what nobody said is read from the name.

        >>> words = Vocabulary(kinds={"Expo": Word(weight=3.0)}).knowing(kinds=["mail_reply"], places=[])
        >>> words.kinds["mail_reply"].says, words.kinds["Expo"].weight
        ('direct', 3.0)
        """
        return replace(
            self,
            kinds={name: _kind(name, self.kinds.get(name, Word())) for name in (*self.kinds, *kinds)},
            places={name: _place(name, self.places.get(name, Word())) for name in (*self.places, *places)},
        )

    def as_json(self) -> dict[str, Any]:
        """Plain data; `from_json` brings it back."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Vocabulary:
        """The vocabulary that `as_json` described."""
        words = {part: {k: Word(**w) for k, w in data[part].items()} for part in ("kinds", "places")}
        return cls(**{**data, **words})


def _kind(name: str, given: Word) -> Word:
    means = given.means or _meaning(name)
    says = given.says or _by_name(name) or _MEANING_SAYS.get(means)
    return Word(means, says, _WEIGHTS[says] if given.weight is None else given.weight)


def _meaning(name: str) -> Meaning:
    return next((meaning for pattern, meaning in _MEANINGS if re.search(pattern, plain_name(name))), "other")


def _place(name: str, given: Word) -> Word:
    says = given.says or _by_name(name)
    return Word(None, says, 1.0 if given.weight is None else given.weight)


def _by_name(name: str) -> Says | None:
    if re.search(_NEGATIVE, plain_name(name)):
        return "negative"
    return "direct" if re.search(_DIRECT, plain_name(name)) else None


def plain_name(name: str) -> str:
    """Words of a name in lower case, whatever joins them: ``DemoRequest``, ``demo-request``.

    >>> plain_name("DemoRequest")
    'demo_request'
    """
    return re.sub(r"[\W_]+", "_", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name)).lower()
