"""What is known of one lead at one moment, found by looking at every row: the ground of the oracle."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import pairwise
from typing import Any

from features.vocabulary import Vocabulary, Word
from tests.features.random_history import DAY, Rows

Fact = dict[str, Any]
NOBODY_SAID = Word(means=None, says=None, weight=0.25)


class World:
    """The raw tables as plain rows, the meaning of the words, and the facts of each lead."""

    def __init__(self, tables: dict[str, Rows], words: Vocabulary) -> None:
        self.tables = tables
        self.words = words
        self.leads = {lead["lead_id"]: lead for lead in tables["leads"]}
        roles = {contact["contact_id"]: contact["role"] for contact in tables["contacts"]}
        self.touches: dict[str, Rows] = {name: [] for name in self.leads}
        self.outcomes: dict[str, Rows] = {name: [] for name in self.leads}
        for touch in tables["touches"]:
            for lead_id, linked_at in owners(touch, tables["identities"]).items():
                self.touches[lead_id].append(
                    {
                        **touch,
                        **self.meaning(touch),
                        "lead_id": lead_id,
                        "recorded_at": max(touch["recorded_at"], linked_at),
                        "is_anonymous": touch["lead_id"] is None,
                        "role": roles.get(touch["contact_id"]),
                    }
                )
        for outcome in tables["outcomes"]:
            self.outcomes[outcome["lead_id"]].append(outcome)

    def meaning(self, touch: Fact) -> Fact:
        """What a touch means, what it says (negative before direct before contextual), what it weighs."""
        kind = self.words.kinds.get(touch["kind"], NOBODY_SAID)
        place = self.words.places.get(touch["place"], Word(weight=1.0))
        said = {kind.says, place.says}
        says = next((word for word in ("negative", "direct", "contextual") if word in said), None)
        own = 1.0 if touch["weight"] is None else touch["weight"]
        return {"means": kind.means, "says": says, "weight_here": kind.weight * place.weight * own}


def owners(touch: Fact, identities: Rows) -> dict[str, datetime]:
    """Leads that a touch belongs to, each with the moment since when that is known.

    A touch without a lead belongs to each lead that its visitor or its contact was linked to, from the
    earliest link on.
    """
    if touch["lead_id"] is not None:
        return {touch["lead_id"]: datetime.min}  # noqa: DTZ901  # naive UTC
    since: dict[str, datetime] = {}
    for link in identities:
        is_linked = any(
            touch[by] is not None and touch[by] == link[by] for by in ("visitor_id", "contact_id")
        )
        if is_linked:
            lead = link["lead_id"]
            since[lead] = min(link["linked_at"], since.get(lead, link["linked_at"]))
    return since


@dataclass(frozen=True)
class Seen:
    """One snapshot: a lead, a moment, and what was known."""

    world: World
    lead_id: str
    as_of: datetime

    @property
    def lead(self) -> Fact:
        """The lead's row."""
        return self.world.leads[self.lead_id]

    @cached_property
    def touches(self) -> Rows:
        """All touches of the lead known before the moment, oldest first."""
        return self.known(self.world.touches[self.lead_id])

    @cached_property
    def outcomes(self) -> Rows:
        """All outcomes of the lead known before the moment, oldest first."""
        return self.known(self.world.outcomes[self.lead_id])

    @cached_property
    def colleagues(self) -> list[str]:
        """Other leads of the account that were there before the moment."""
        account = self.lead["account_id"]
        return [
            other["lead_id"]
            for other in self.world.tables["leads"]
            if account is not None
            and other["account_id"] == account
            and other["lead_id"] != self.lead_id
            and is_before(other["created_at"], self.as_of)
        ]

    def of_colleagues(self, facts: dict[str, Rows]) -> Rows:
        """Facts of the colleagues known before the moment, oldest first."""
        return self.known([fact for other in self.colleagues for fact in facts[other]])

    def known(self, facts: Rows) -> Rows:
        """Facts that both happened and were recorded before the moment, oldest first; ties by row."""
        told = [f for f in facts if f["occurred_at"] < self.as_of and f["recorded_at"] < self.as_of]
        return sorted(told, key=lambda fact: (fact["occurred_at"], fact["row_number"]))

    def last(self, days: int | None, facts: Rows) -> Rows:
        """Facts of the window ``[as_of - days, as_of)``; None keeps all."""
        return [f for f in facts if days is None or f["occurred_at"] >= self.as_of - days * DAY]

    def age(self, fact: Fact) -> float:
        """Days from a fact to the moment."""
        return (self.as_of - fact["occurred_at"]) / DAY

    def weight(self, touch: Fact) -> float:
        """What a touch weighs at the moment: half after each half-life."""
        return touch["weight_here"] * 0.5 ** (self.age(touch) / self.world.words.half_life_days)

    def after_creation(self, fact: Fact) -> float | None:
        """Days from the lead's creation to a fact; below 0 before it."""
        created = self.lead["created_at"]
        return None if created is None else (fact["occurred_at"] - created) / DAY


def is_before(moment: datetime | None, as_of: datetime) -> bool:
    """Whether a moment is known and before another."""
    return moment is not None and moment < as_of


def steps(facts: Rows) -> list[tuple[Fact, Fact, float]]:
    """Each fact with the one before it and the days between."""
    return [(a, b, (b["occurred_at"] - a["occurred_at"]) / DAY) for a, b in pairwise(facts)]


def mean(numbers: list[float]) -> float | None:
    """The mean; None of nothing."""
    return sum(numbers) / len(numbers) if numbers else None


def share(part: float | None, whole: float | None) -> float | None:
    """A part in a whole; None without one, or of nothing."""
    return part / whole if whole and part is not None else None


def present(facts: Rows, column: str) -> list[Any]:
    """The values of a column that are there, in the order of the facts."""
    return [fact[column] for fact in facts if fact[column] is not None]
