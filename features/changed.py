"""For which leads something has happened between two moments: a new fact, or one that left a window.

Time moves every other feature a little all the same (an age grows by hours); nothing here tells that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import ibis
import ibis.expr.types as ir

from features.catalogue import Feature
from features.known import MOMENTS
from features.moments import naive_utc
from features.touches import told
from features.vocabulary import Vocabulary

Tables = Mapping[str, ir.Table]
COLLEAGUES = {"account_touches": "touches", "account_outcomes": "outcomes", "account_leads": "leads"}
"""Rows of which a lead sees those of its account's other leads, and their table."""


@dataclass(frozen=True)
class Between:
    """From an earlier moment to a later one; the later one is not in it, as no fact at a moment counts."""

    since: datetime
    until: datetime

    def has(self, at: ir.TimestampValue, *, days: int = 0) -> ir.BooleanValue:
        """Whether a moment lies there; with ``days``, whether a window of so many days has lost it there."""
        back = timedelta(days=days)
        first, end = (ibis.timestamp(naive_utc(moment) - back) for moment in (self.since, self.until))
        return (at >= first) & (at < end)


def changed(
    tables: Tables, chosen: Sequence[Feature], vocabulary: Vocabulary, *, since: datetime, until: datetime
) -> ir.Table:
    """The leads that a fact has changed.

    Parameters
    ----------
    tables
        Loaded tables by canonical name; not those of a flat start.
    chosen
        Features whose windows count. Where some see the facts of an account's other leads, theirs count too.
    vocabulary
        What the team's words mean.
    since, until
        The earlier and the later moment.

    Returns
    -------
    ir.Table
        ``lead_id``, each once: leads of which a touch, outcome, field change or link to a visitor became
        known from ``since`` to before ``until``, which were created then, or a fact of which left a window
        of a feature that sees it.
    """
    between, facts = Between(since, until), _facts(tables, vocabulary)
    found = [_moved(rows, between, _windows(chosen, name)) for name, rows in facts.items()]
    found += [
        _members(tables["leads"], _moved(facts[name], between, _windows(chosen, on)))
        for on, name in COLLEAGUES.items()
        if any(feature.on == on for feature in chosen)
    ]
    return ibis.union(*found, distinct=True)


def _facts(tables: Tables, vocabulary: Vocabulary) -> dict[str, ir.Table]:
    """``lead_id``, ``occurred_at`` and ``known_at`` of every dated row, by table."""
    return {name: _dated(rows, MOMENTS[name]) for name, rows in _readable(tables, vocabulary)}


def _readable(tables: Tables, vocabulary: Vocabulary) -> Iterator[tuple[str, ir.Table]]:
    for name in MOMENTS:
        if name in tables:
            yield name, told(tables, vocabulary) if name == "touches" else tables[name]


def _dated(rows: ir.Table, moments: Sequence[str]) -> ir.Table:
    here = [rows[name] for name in moments]
    known_at = ibis.greatest(*here) if len(here) > 1 else here[0]
    return rows.select("lead_id", occurred_at=here[0], known_at=known_at)


def _windows(chosen: Sequence[Feature], on: str) -> list[int]:
    return sorted({feature.days for feature in chosen if feature.on == on and feature.days is not None})


def _moved(facts: ir.Table, between: Between, windows: Sequence[int]) -> ir.Table:
    """Leads of facts that are new, or left one of the windows."""
    is_moved = between.has(facts.known_at)
    for days in windows:
        is_moved |= between.has(facts.occurred_at, days=days) & (
            facts.known_at < ibis.timestamp(naive_utc(between.until))
        )
    return facts.filter(is_moved & facts.lead_id.notnull()).select("lead_id").distinct()


def _members(leads: ir.Table, moved: ir.Table) -> ir.Table:
    """Every lead of the accounts of these leads."""
    accounts = leads.semi_join(moved, "lead_id").select("account_id").distinct()
    return leads.semi_join(accounts, "account_id").select("lead_id")
