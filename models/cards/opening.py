"""What stands at the top of a model card, in sentences: Markdown and HTML show the same ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from features.catalogue import ENGLISH, Language
from models.labels import named
from models.phrases import spoken


def title(card: Mapping[str, Any], words: Language = ENGLISH) -> str:
    """What stands above a card."""
    return words.text("Model card: {name}").format(name=card["name"])


def predicts(card: Mapping[str, Any], words: Language = ENGLISH) -> str:
    """What the model says of a lead."""
    return words.text("Predicts the {target}.").format(target=spoken(card["predicts"], words))


def data_lines(card: Mapping[str, Any], words: Language = ENGLISH) -> Iterator[str]:
    """What the model was made from, one sentence a line."""
    data = card["data"]
    rows, positives, undecided = (
        words.number(f"{data[name]:,}") for name in ("rows", "positives", "undecided_left_out")
    )
    base = words.number(f"{data['base_rate']:.1%}")
    yield words.text("{rows} rows, {positives} positive; base rate {base}").format(
        rows=rows, positives=positives, base=base
    )
    if data.get("drawn_from") is not None:  # a card of before has none
        of = words.number(f"{data['drawn_from']:,}")
        yield words.text("drawn {rows} of {of} snapshots; each counts for those that were not").format(
            rows=rows, of=of
        )
    yield words.text("{rows} undecided rows left out").format(rows=undecided)
    yield period(data, words)
    yield words.text("tables: {names}").format(names=", ".join(data["tables"]))
    families = [
        words.text("{count} {family}").format(count=count, family=named(family, words))
        for family, count in card["families"].items()
    ]
    yield words.text("features: {families}").format(families=words.text(", ").join(families))


def period(data: Mapping[str, Any], words: Language = ENGLISH) -> str:
    """The moments of the training rows in words."""
    if data["first_as_of"] is None:
        return words.text("no dates: one row per lead, in their order")
    first, last = (words.date(data[name]) for name in ("first_as_of", "last_as_of"))
    return words.text("moments from {first} to {last}").format(first=first, last=last)
