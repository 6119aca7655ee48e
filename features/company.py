"""The company's figures of one moment, and what leads that came without the company read of them.

Some features compare a lead with all others: earlier leads with the same value or word, the open leads of its
owner. A night counts for each value what these features need, and keeps the counts. A value stands there as a
keyed hash, for it may be a word that a single person typed: who has the file cannot read it, and can try a
word only with the key.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import ibis
import ibis.expr.types as ir

from features.catalogue import Feature
from features.load import changes
from features.peers import SUMS, matured, valued
from features.vocabulary import Vocabulary

PEERS, WORDS, OWNER = "peers", "words", "owner"
OF_ALL_LEADS = (PEERS, WORDS, OWNER)
"""Rows that a feature cannot have without every lead of the company."""
ALL = "all"
"""Kind of the one row of all leads together; its value is the hash of nothing, which tells the key."""
DEFAULT_COLUMN = "source"
"""What is compared where a feature names no column."""
COUNTS = (*SUMS, "open_leads")
_DIGITS = 32  # of a hash: two of a billion values are one with a chance of 1 in 10^21


@dataclass(frozen=True)
class Company:
    """The figures, where leads are to be compared with them and not with the leads beside them.

    Attributes
    ----------
    figures
        As `figures` makes them.
    key
        What their values were hashed with.
    as_of
        Their moment, naive UTC.
    """

    figures: ir.Table
    key: bytes
    as_of: datetime


def reading(features: Iterable[Feature]) -> list[Feature]:
    """The features that read the company's figures."""
    return [feature for feature in features if feature.on in OF_ALL_LEADS]


def figures(
    tables: Mapping[str, ir.Table],
    vocabulary: Vocabulary,
    features: Sequence[Feature],
    *,
    as_of: datetime,
    key: bytes,
    keep: Callable[[ir.Table], ir.Table],
) -> ir.Table:
    """What the features need of all leads, as known at a moment.

    Parameters
    ----------
    features
        Those of `reading`.
    as_of
        The moment, naive UTC.
    key
        What values are hashed with.
    keep
        Computes a table once for all that reads it.

    Returns
    -------
    ir.Table
        One row for each value of each column that is compared, and one for all leads: ``kind`` (``peers``,
        ``words``, ``owner`` or ``all``), ``column`` (empty for ``owner`` and ``all``), ``value`` (its hash),
        ``mature`` and ``converted`` (as in `features.peers`), ``open_leads`` (as in `features.load`); null
        where a kind has no such figure.
    """
    compared = dict.fromkeys((one.on, one.each or DEFAULT_COLUMN) for one in features if one.on != OWNER)
    ended = keep(_before(matured(tables, vocabulary), as_of))
    total = ended.aggregate(**{name: ended[name].sum().fill_null(0) for name in SUMS})
    parts = [_part(total.mutate(value=ibis.literal("")), key, ALL)]
    for on, column in compared:
        same = valued(on, ended, tables, vocabulary, column, at="at")
        parts.append(_part(_summed(same, SUMS), key, on, column))
    if any(feature.on == OWNER for feature in features):
        loads = _before(changes(tables), as_of).rename(value="owner")
        parts.append(_part(_summed(loads, ("open_leads",)), key, OWNER))
    return ibis.union(*parts)


def compared_with(
    company: Company,
    on: str,
    snapshots: ir.Table,
    tables: Mapping[str, ir.Table],
    vocabulary: Vocabulary,
    column: str,
) -> ir.Table:
    """What `features.peers` says of snapshots, from the company's figures.

    Parameters
    ----------
    on
        ``peers`` or ``words``.
    snapshots
        ``snapshot_id``, ``lead_id``, ``as_of``: not before the company's moment.
    column
        What is compared.

    Returns
    -------
    ir.Table
        As `features.peers.peers`; a value that no mature lead had has 0 of them.
    """
    asked = snapshots.select("snapshot_id", "lead_id", "as_of")
    own = _hashed(valued(on, asked, tables, vocabulary, column, at="as_of"), company.key, on, column)
    told = _looked_up(own.select("snapshot_id", "value"), company, on, column, SUMS)
    every = company.figures.filter(company.figures.kind == ALL)
    return told.cross_join(every.select(all_mature="mature", all_converted="converted"))


def load_with(company: Company, snapshots: ir.Table, tables: Mapping[str, ir.Table]) -> ir.Table:
    """What `features.load` says of snapshots, from the company's figures.

    Returns
    -------
    ir.Table
        As `features.load.owner_load`; a lead that was created since the company's moment counts itself.
    """
    leads = tables["leads"].select("lead_id", "created_at", value="owner")
    own = snapshots.select("snapshot_id", "lead_id", "as_of").join(leads, "lead_id")
    is_new = (own.created_at >= ibis.timestamp(company.as_of)) & (own.created_at < own.as_of)
    dated = own.mutate(itself=is_new.fill_null(False).ifelse(1, 0))  # noqa: FBT003  # Ibis's own argument
    rows = _hashed(dated, company.key, OWNER, "").select("snapshot_id", "value", "itself")
    told = _looked_up(rows, company, OWNER, "", ("open_leads",))
    return told.select("snapshot_id", open_leads=told.open_leads + told.itself)


def hash_of(key: bytes, kind: str, column: str = "", value: str = "") -> str:
    """The hash of a value, as it stands in the figures: the first 32 hexadecimal digits of SHA-256."""
    return hashlib.sha256((_salt(key, kind, column) + value).encode()).hexdigest()[:_DIGITS]


def _salt(key: bytes, kind: str, column: str) -> str:
    return f"{key.hex()}|{kind}|{column}|"


def _hashed(rows: ir.Table, key: bytes, kind: str, column: str) -> ir.Table:
    """The rows that have a value, with its hash in its place."""
    text = ibis.literal(_salt(key, kind, column)) + rows.value.cast("string")
    return rows.filter(rows.value.notnull()).mutate(value=text.hexdigest("sha256").left(_DIGITS))


def _before(events: ir.Table, as_of: datetime) -> ir.Table:
    """An event at the moment itself comes after it, as in `features.running`."""
    return events.filter(events["at"].cast("timestamp") < ibis.timestamp(as_of))


def _summed(events: ir.Table, sums: Sequence[str]) -> ir.Table:
    known = events.filter(events.value.notnull())
    return known.group_by("value").aggregate(**{name: known[name].sum() for name in sums})


def _part(summed: ir.Table, key: bytes, kind: str, column: str = "") -> ir.Table:
    """Sums by value as rows of the figures."""
    hashed = _hashed(summed, key, kind, column)
    numbers = {
        name: hashed[name].cast("int64") if name in hashed.columns else ibis.null("int64") for name in COUNTS
    }
    return hashed.select(kind=ibis.literal(kind), column=ibis.literal(column), value="value", **numbers)


def _looked_up(rows: ir.Table, company: Company, kind: str, column: str, sums: Sequence[str]) -> ir.Table:
    """The rows with the figures of their value, 0 for a value that is not among them."""
    every = company.figures
    kept = every.filter((every.kind == kind) & (every.column == column)).select(*sums, key="value")
    found = rows.left_join(kept, rows.value == kept.key)
    others = [name for name in rows.columns if name != "value"]
    return found.select(*others, **{name: found[name].fill_null(0) for name in sums})
