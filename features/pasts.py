"""What each ``on=`` of a feature stands for: the rows it may see of each snapshot, cut at the moment."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import ibis
import ibis.expr.types as ir

from features.company import DEFAULT_COLUMN, Company, compared_with, load_with
from features.fields import lead_rows
from features.history import MICROSECONDS_PER_DAY, history, known_before, with_order
from features.load import owner_load
from features.peers import peers, word_peers
from features.tables import CONTRACT, DERIVED, Field
from features.touches import DERIVED as DERIVED_TOUCHES
from features.touches import told
from features.vocabulary import Vocabulary

PLAIN = ("leads", "peers", "owner")
"""One row per snapshot: their features return a column, not an aggregate."""
PER_COLUMN = ("peers", "words")
"""Rows that are made for one column at a time, the one that a feature is about."""


@dataclass(frozen=True)
class World:
    """Everything a history is made of.

    Attributes
    ----------
    tables
        Loaded tables by canonical name.
    fields
        The user's declared fields by table and name.
    vocabulary
        What the team's words mean.
    company
        Figures that leads are compared with; None: they are compared with the leads of the tables.
    """

    tables: Mapping[str, ir.Table]
    fields: Mapping[str, Mapping[str, Field]] = field(default_factory=dict)
    vocabulary: Vocabulary = field(default_factory=Vocabulary)
    company: Company | None = None

    def has(self, table: str, *columns: str) -> bool:
        """Whether a table is loaded and has these columns."""
        return table in self.tables and set(columns) <= set(self.tables[table].columns)


@dataclass(frozen=True)
class Past:
    """One kind of rows.

    Attributes
    ----------
    needs
        Tables, and the columns of theirs, without which there are no such rows.
    rows
        From the snapshots and the world to the rows, with ``snapshot_id``.
    """

    needs: Mapping[str, tuple[str, ...]]
    rows: Callable[[ir.Table, World], ir.Table]


def past(on: str, snapshots: ir.Table, world: World, *, column: str | None = None) -> ir.Table:
    """The rows that features on ``on`` see: ``snapshot_id`` and what the docstring of their table says.

    Parameters
    ----------
    column
        For ``peers`` and ``words``: the column whose values are compared.
    """
    if on in PER_COLUMN:
        return _compared(on, snapshots, world, column or DEFAULT_COLUMN)
    return PASTS[on].rows(snapshots, world)


def _compared(on: str, snapshots: ir.Table, world: World, column: str) -> ir.Table:
    if world.company is not None:
        return compared_with(world.company, on, snapshots, world.tables, world.vocabulary, column)
    compared = peers if on == "peers" else word_peers
    return compared(snapshots, world.tables, world.vocabulary, column)


def is_there(on: str, world: World) -> bool:
    """Whether all tables and columns of these rows are loaded, and nothing of them is only known of today."""
    if on == "owner" and not _is_static("owner", world):
        return False
    return all(world.has(table, *columns) for table, columns in PASTS[on].needs.items())


def without_rows(on: str, world: World) -> ir.Table | None:
    """The rows that a function would receive, as an empty table; None if they cannot be made."""
    if not is_there(on, world):
        return None
    none = ibis.table({"snapshot_id": "int64", "lead_id": "string", "as_of": "timestamp"}, name="none")
    rows = past(on, none, world, column="lead_id")
    return rows if on in (*PLAIN, *PER_COLUMN) else with_order(rows)


def may_be_absent(on: str) -> set[str]:
    """Columns that a feature may ask for and a team need not have: without them the feature is left out."""
    optional = {
        name
        for table in PASTS[on].needs
        for name, column in CONTRACT[table].columns.items()
        if not column.required
    }
    derived = {name for table in PASTS[on].needs for name in DERIVED.get(table, ())}
    return optional | derived | {"previous_direction"} | set(DERIVED_TOUCHES)


def _moments(snapshots: ir.Table, world: World) -> ir.Table:
    """``snapshot_id``, ``lead_id``, ``as_of`` and ``lead_age_us`` (null if its creation is unknown)."""
    asked = snapshots.select("snapshot_id", "lead_id", "as_of")
    if not world.has("leads", "created_at"):
        return asked.mutate(lead_age_us=ibis.null("int64"))
    born = world.tables["leads"].select(born_lead="lead_id", created_at="created_at")
    dated = asked.left_join(born, asked.lead_id == born.born_lead)
    return dated.select(*asked.columns, lead_age_us=dated.as_of.delta(dated.created_at, unit="microsecond"))


def _leads(snapshots: ir.Table, world: World) -> ir.Table:
    return lead_rows(snapshots, world.tables, world.fields)


def _is_static(column: str, world: World) -> bool:
    declared = world.fields.get("leads", {}).get(column)
    return declared is not None and declared.time == "static"


def _touches(snapshots: ir.Table, world: World) -> ir.Table:
    return _faded(history(_moments(snapshots, world), told(world.tables, world.vocabulary)), world)


def _faded(known: ir.Table, world: World) -> ir.Table:
    """Add ``weight_now``: the weight of a touch halves every half-life."""
    half_life_us = world.vocabulary.half_life_days * MICROSECONDS_PER_DAY
    return known.mutate(weight_now=known.weight_here * (known.age_us * (-math.log(2) / half_life_us)).exp())


def _outcomes(snapshots: ir.Table, world: World) -> ir.Table:
    returned = ibis.literal(float(world.vocabulary.returned_days))
    return history(_moments(snapshots, world), world.tables["outcomes"]).mutate(returned_days=returned)


def _colleagues(snapshots: ir.Table, world: World) -> ir.Table:
    """Each snapshot with each other lead of its account: ``snapshot_id, as_of, lead_age_us, other_lead``.

    A lead that was created later was no colleague yet, where its creation is known.
    """
    leads = world.tables["leads"]
    is_dated = world.has("leads", "created_at")
    members = leads.filter(leads.account_id.notnull()).select(
        "lead_id", "account_id", **({"other_born": leads.created_at} if is_dated else {})
    )
    asked = _moments(snapshots, world).join(members.select("lead_id", "account_id"), "lead_id")
    pairs = asked.rename(snapshot_lead="lead_id").join(members.rename(other_lead="lead_id"), "account_id")
    others = pairs.filter(pairs.other_lead != pairs.snapshot_lead)
    known = others.filter(others.other_born < others.as_of) if is_dated else others
    return known.select("snapshot_id", "as_of", "lead_age_us", "other_lead")


def _of_colleagues(facts: Callable[[World], ir.Table]) -> Callable[[ir.Table, World], ir.Table]:
    def rows(snapshots: ir.Table, world: World) -> ir.Table:
        others, known = _colleagues(snapshots, world), facts(world)
        return known_before(others, known, others.other_lead == known.lead_id).drop("other_lead")

    return rows


def _touches_of_colleagues(snapshots: ir.Table, world: World) -> ir.Table:
    known = _of_colleagues(lambda w: told(w.tables, w.vocabulary))(snapshots, world)
    return _faded(known, world)


def _creations(world: World) -> ir.Table:
    """Leads as facts: known from their creation on."""
    leads = world.tables["leads"]
    return leads.mutate(occurred_at=leads.created_at, recorded_at=leads.created_at)


def _owner(snapshots: ir.Table, world: World) -> ir.Table:
    if world.company is not None:
        return load_with(world.company, snapshots, world.tables)
    return owner_load(snapshots, world.tables)


_LINK = ("account_id",)
PASTS: Mapping[str, Past] = {
    "leads": Past({"leads": ()}, _leads),
    "touches": Past({"touches": ()}, _touches),
    "outcomes": Past({"outcomes": ()}, _outcomes),
    "account_touches": Past(
        {"touches": (), "leads": _LINK},
        _touches_of_colleagues,
    ),
    "account_outcomes": Past(
        {"outcomes": (), "leads": _LINK}, _of_colleagues(lambda world: world.tables["outcomes"])
    ),
    "account_leads": Past({"leads": (*_LINK, "created_at")}, _of_colleagues(_creations)),
    "owner": Past(
        {"leads": ("owner", "created_at"), "outcomes": ()},
        _owner,
    ),
    "peers": Past({"leads": ("created_at",), "outcomes": ()}, lambda s, world: past("peers", s, world)),
    "words": Past({"leads": ("created_at",), "outcomes": ()}, lambda s, world: past("words", s, world)),
}
