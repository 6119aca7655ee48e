"""From declared sources to checked DuckDB tables.

Every row that is read is accepted, quarantined with a reason, or dropped because it is there twice or its
lead was erased; the counts are checked. Texts are trimmed and in NFC, numbers finite or null, moments UTC
without a zone.

``touches`` keeps equal rows: two equal touches are two touches, unless the file has a ``touch_id``.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import duckdb

from features.errors import InputError, ParameterError
from features.ingest import erased
from features.ingest.connecting import Connections
from features.ingest.convert import check_source
from features.ingest.digest import digest, table_sums
from features.ingest.duplicates import deduplicate
from features.ingest.early import early_ends
from features.ingest.headers import match, nearest
from features.ingest.merging import hand_over, turn_away_circles
from features.ingest.opening import Readers, opened
from features.ingest.personal_fields import refuse_personal
from features.ingest.persons import add_person_columns
from features.ingest.quarantine import Counts, Note, create
from features.ingest.refusals import refuse_faulty, refuse_malformed, refuse_mixed_offsets
from features.ingest.scan import PARSED
from features.ingest.settling import settle
from features.ingest.spark_tables import Exporter
from features.ingest.spread import Executors
from features.ingest.staging import SCRATCH, STAGED, Stage
from features.tables import LOADABLE, Source
from features.tombstones import Tombstones


@dataclass(frozen=True)
class Loaded:
    """What a load brought in.

    Attributes
    ----------
    counts
        Rows by table.
    ignored
        Columns by table that are in the file, but not declared: new ones, never features.
    missing
        Optional contract columns by table that the file does not have.
    columns
        Content columns by table, ``row_number`` aside.
    notes
        Values that were handled by a rule, with counts.
    digest
        SHA-256 of the accepted content, in hexadecimal.
    """

    counts: Mapping[str, Counts]
    ignored: Mapping[str, tuple[str, ...]]
    missing: Mapping[str, tuple[str, ...]]
    columns: Mapping[str, tuple[str, ...]]
    notes: tuple[Note, ...]
    digest: str


@dataclass(frozen=True)
class _Rules:
    """What the caller decides for all tables; see `load`."""

    generate_ids: bool
    keep_duplicates_of: Collection[str]
    readers: Readers


def load(  # noqa: PLR0913  # each is a decision of its own, and only the caller can take it
    connection: duckdb.DuckDBPyConnection,
    sources: Mapping[str, Source],
    *,
    folder: Path,
    tables: Collection[str] | None = None,
    generate_ids: bool = False,
    keep_duplicates_of: Collection[str] = (),
    keep_columns: Collection[str] = (),
    environment: Mapping[str, str] | None = None,
    exporter: Exporter | None = None,
    tombstones: Tombstones | None = None,
) -> Loaded:
    """Load declared sources into tables of their canonical names, ``quarantine`` and ``erased``.

    Each table has the contract columns that its file has, the declared fields under our names, and
    ``row_number``: the 0-based position among the rows read. ``touches``, ``outcomes`` and
    ``field_history`` always have ``recorded_at``. ``touches`` always has ``lead_id``: where a row has none,
    the lead of its contact, if ``contacts`` is loaded too. With an ``outcome_column``, ``leads`` has
    ``outcome`` (1 won, 0 lost, null undecided), and ``order_value`` where an order column is declared. The
    columns of ``PERSONAL`` are replaced by those of ``DERIVED``.

    Parameters
    ----------
    connection
        Its time zone is set to UTC; tables of the same names are replaced.
    sources
        By canonical table name.
    folder
        Folder of ``params.yaml``: relative paths start there and stay there.
    tables
        Tables to load; all of ``sources`` if None.
    generate_ids
        Whether leads of a file without ``lead_id`` are called ``row-<n>``, n counting from 1; a flat start
        always does so. For rows to predict, drop the outcome by
        ``dataclasses.replace(source, outcome_column=None, path=…)`` and set this.
    keep_duplicates_of
        Tables of which rows of one key all stay, as of the rows to predict; then fields may hold anything.
    keep_columns
        Columns of ``PERSONAL`` that are published, and so stay.
    environment
        Where the URLs of database tables are looked up; only database tables need it.
    exporter
        What reads tables of Spark, which need it; if it has executors, they convert large tables in parts.
    tombstones
        Leads that were erased: they and their facts are dropped, and counted.

    Returns
    -------
    Loaded
        Counts, columns, notes and digest.

    Raises
    ------
    ParameterError
        A source is declared wrongly, or a category holds what identifies a person.
    InputError
        A file breaks its contract as a whole; single rows go to quarantine instead.
    UpstreamError
        A database or Spark does not answer.
    """
    chosen = _chosen(sources, tables)
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute("SET preserve_insertion_order = true")  # row numbers are places in the file
    create(connection)
    erased.create(connection)
    stages: dict[str, tuple[Stage, Counts]] = {}
    with Connections(environment or {}) as databases:
        rules = _Rules(generate_ids, keep_duplicates_of, Readers(folder, databases, exporter))
        for table, source in chosen.items():
            check_source(connection, source)
            stages[table] = _load_table(connection, table, source, rules)
    if tombstones is not None:
        stages = _without_erased(connection, stages, tombstones)
    if not keep_duplicates_of:
        refuse_personal(connection, chosen)
    columns = {table: stage.columns for table, (stage, _) in stages.items()}
    if "leads" in chosen:
        columns["leads"] = add_person_columns(
            connection, chosen["leads"], columns["leads"], keep=keep_columns
        )
    sums = {table: table_sums(connection, table, names) for table, names in columns.items()}
    notes = [note for stage, _ in stages.values() for note in stage.notes]
    notes += early_ends(connection, columns)
    return Loaded(
        counts={table: counts for table, (_, counts) in stages.items()},
        ignored={table: stage.match.ignored for table, (stage, _) in stages.items()},
        missing={table: stage.match.missing for table, (stage, _) in stages.items()},
        columns=columns,
        notes=tuple(notes + link_contacts(connection, stages) + hand_over(connection, stages)),
        digest=digest(sums, chosen),
    )


def _without_erased(
    connection: duckdb.DuckDBPyConnection, stages: Mapping[str, tuple[Stage, Counts]], tombstones: Tombstones
) -> dict[str, tuple[Stage, Counts]]:
    """Drop erased leads from the tables, and correct the counts; ids that we made ourselves name nobody."""
    columns = {table: stage.columns for table, (stage, _) in stages.items() if not stage.makes_ids}
    dropped = erased.drop_erased(connection, columns, tombstones)
    return {table: (stage, counts.less(dropped.get(table, 0))) for table, (stage, counts) in stages.items()}


def link_contacts(connection: duckdb.DuckDBPyConnection, tables: Collection[str]) -> list[Note]:
    """Give touches without a lead the lead of their contact; identities over time are not used here."""
    if "touches" not in tables:
        return []
    columns = {row[0] for row in connection.execute("DESCRIBE touches").fetchall()}
    if "lead_id" not in columns:
        connection.execute("ALTER TABLE touches ADD COLUMN lead_id VARCHAR")
    known = (
        {row[0] for row in connection.execute("DESCRIBE contacts").fetchall()}
        if "contacts" in tables
        else set()
    )
    if "contact_id" in columns and "lead_id" in known:
        connection.execute(
            "UPDATE touches SET lead_id = contacts.lead_id FROM contacts "
            "WHERE touches.lead_id IS NULL AND touches.contact_id = contacts.contact_id"
        )
    found = connection.execute("SELECT count(*) FROM touches WHERE lead_id IS NULL").fetchone()
    return [Note("touches", "lead_id", "unlinked", int(found[0]))] if found and found[0] else []


def _chosen(sources: Mapping[str, Source], tables: Collection[str] | None) -> dict[str, Source]:
    """Sources to load, in contract order."""
    for table in (*sources, *(tables or ())):
        if table not in LOADABLE:
            near = nearest(table, tuple(LOADABLE))
            raise ParameterError(
                f"there is no table '{table}'",
                hint=f"did you mean '{near}'?" if near else f"use {', '.join(LOADABLE)}",
            )
    absent = [table for table in tables or () if table not in sources]
    if absent:
        raise InputError(
            f"table '{absent[0]}' is not declared", hint=f"declare it under tables: {absent[0]}:"
        )
    return {
        table: sources[table]
        for table in LOADABLE
        if table in sources and (tables is None or table in tables)
    }


def _load_table(
    connection: duckdb.DuckDBPyConnection, table: str, source: Source, rules: _Rules
) -> tuple[Stage, Counts]:
    may_lack_ids = table == "leads" and (rules.generate_ids or source.is_flat)
    matched = partial(match, table, source, generate_ids=may_lack_ids)
    with opened(connection, table, source, matched, rules.readers) as scan:
        found = matched(scan.headers, scan.name)
        has_ids = any(wanted.name == "lead_id" for wanted in found.columns)
        makes_ids, engine = may_lack_ids and not has_ids, rules.readers.exporter
        executors = engine if isinstance(engine, Executors) else None
        stage = Stage(connection, table, source, scan, found, makes_ids=makes_ids, executors=executors)
        return stage, _take_in(stage, keeps_duplicates=table in rules.keep_duplicates_of)


def _take_in(stage: Stage, *, keeps_duplicates: bool) -> Counts:
    try:
        stage.fill()
        refuse_malformed(stage)
        refuse_faulty(stage)
        refuse_mixed_offsets(stage)
        settle(stage)
        dropped = 0 if keeps_duplicates else deduplicate(stage)
        turn_away_circles(stage)
        return stage.finish(dropped)
    finally:
        for name in (STAGED, PARSED, *SCRATCH):
            stage.connection.execute(f"DROP TABLE IF EXISTS {name}")
