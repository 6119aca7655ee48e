"""Published runs as tables of a PostgreSQL database: rows by run, and one row that says which is in force.

``leadrank_runs``, ``leadrank_ranking`` (by ``run_id`` and ``rank``) and ``leadrank_current`` change in one
transaction, so that a reader sees the old ranking or the new one. Twice changes nothing the second time.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from serve.runs import Run
from serve.sinks.database import Database, within
from serve.sinks.tables import Tables

if TYPE_CHECKING:
    from serve.sinks.database import Connection


@dataclass(frozen=True)
class Wanted:
    """What the tables should have.

    Attributes
    ----------
    runs
        Published runs whose rows they should have.
    in_force
        The run that is in force among the files.
    withdrawn
        Runs that were taken out of force by hand: the reason by run id.
    keep
        How many of the latest runs stay; None: all.
    """

    runs: Sequence[Run]
    in_force: Run
    withdrawn: Mapping[str, str] = field(default_factory=dict)
    keep: int | None = None


@dataclass(frozen=True)
class Delivered:
    """What a delivery did: ids of runs whose rows are new, the run in force now, ids of runs that went."""

    loaded: tuple[str, ...]
    current: str
    removed: tuple[str, ...]


def deliver(database: Database, environment: Mapping[str, str], wanted: Wanted) -> Delivered:
    """Bring the tables to what is wanted, in one transaction.

    The row of ``leadrank_current`` moves to a later night, to another run of the same night, or away from a
    withdrawn run; never back otherwise, whoever asks.

    Raises
    ------
    ParameterError
        The environment variable or the driver cannot be used.
    InputError
        A ranking is wider than a table can be.
    UpstreamError
        The database does not answer within the bounds, or refuses.
    """
    every = {run.run_id: run for run in (*wanted.runs, wanted.in_force)}

    def work(connection: Connection) -> Delivered:
        tables = Tables(connection, database.schema)
        tables.make()
        loaded = [name for name, run in every.items() if tables.load(run)]
        tables.put_in_force(wanted.in_force, wanted.withdrawn)
        removed = tables.prune(wanted.keep) if wanted.keep is not None else ()
        return Delivered(tuple(loaded), tables.current(), tuple(removed))

    return within(database, environment, work)


def erase(database: Database, environment: Mapping[str, str], lead_ids: Collection[str]) -> int:
    """Remove leads from every run of the tables; the rows that are gone.

    Raises
    ------
    ParameterError, UpstreamError
        As `deliver`.
    """

    def work(connection: Connection) -> int:
        tables = Tables(connection, database.schema)
        return tables.erase(lead_ids)

    return within(database, environment, work)
