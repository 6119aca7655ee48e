"""``leadrank features``: the feature table of a night, of rows of one's own or of the history, as a file."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from features.build import KEYS
from features.catalogue import Feature
from features.errors import InputError, ParameterError, StorageError
from features.families import Offer
from features.memory import current_features, is_present, scored
from features.snapshots import asked, flat, known_until, tonight, undecided
from pipelines.asking import question
from pipelines.inputs import Inputs, opened
from pipelines.offering import offered
from pipelines.params import Params
from pipelines.predict import asking_about
from pipelines.progress import Progress
from pipelines.refusing import answerable
from pipelines.train import table_of


@dataclass(frozen=True)
class Cost:
    """What the features of a family take.

    Attributes
    ----------
    family
        The file that they live in.
    features
        How many.
    seconds
        For this family alone, so that each pays for what families share: of the processors on DuckDB, and on
        another engine as they pass.
    bytes
        Of its columns in a Parquet file.
    """

    family: str
    features: int
    seconds: float
    bytes: int


def run(
    params: Params,
    home: Path,
    *,
    out: Path,
    as_of: datetime | None,
    rows: Path | None,
    is_history: bool,
    has_costs: bool,
    progress: Progress,
) -> dict[str, Any]:
    """Write every feature that the tables can feed, one row per snapshot.

    Parameters
    ----------
    out
        CSV or Parquet file (by its suffix), replaced if it exists: ``lead_id``, ``as_of`` (not in a flat
        start), a column per feature; with ``is_history`` also ``label``, and ``weight`` and
        ``is_mature`` where training has them.
    as_of
        Of the open leads of a night; None: the tables' own present.
    rows
        Rows of one's own in place of a night: ``lead_id, as_of``; flat start: a table like the declared one.
    is_history
        Whether to take the rows that ``train`` learns from in place of a night.
    has_costs
        Whether to measure what each family takes, which computes every family once more.

    Returns
    -------
    dict
        ``rows``, ``features``, ``out``, and ``costs`` by family, the dearest first (None unless asked for).

    Raises
    ------
    ParameterError
        Two kinds of rows are asked for, or the file has no suffix that is known.
    InputError
        No lead is open at that moment.
    """
    if sum((as_of is not None, rows is not None, is_history)) > 1:
        raise ParameterError(
            "more than one kind of rows is asked for", hint="choose --as-of, --rows or --history"
        )
    if out.suffix.lower() not in {".csv", ".parquet"}:
        raise ParameterError(f"'{out.name}' is neither .csv nor .parquet", hint="choose one of the two")
    given = params if rows is None else asking_about(params, rows)
    with opened(given, home, progress, is_prediction=rows is not None) as inputs:
        with progress.stage("choosing moments"):
            offer, is_now = (
                offered(params, inputs),
                _is_now(inputs, as_of, is_past=rows is not None or is_history),
            )
            snapshots = _snapshots(params, inputs, as_of, has_rows=rows is not None, is_history=is_history)
        chosen = _chosen(inputs, offer, is_history=is_history)
        with progress.stage("building features"):
            if is_history:
                made = table_of(inputs, snapshots, chosen, offer.vocabulary)
            else:
                made = _made(inputs, snapshots, chosen, offer, is_now=is_now)
            beside = ["snapshot_id", *(["as_of"] if inputs.is_flat else [])]
            _write(inputs.connection, made.drop_columns(beside), out)
        costs = None
        if has_costs:
            with progress.stage("measuring families", total=len({f.family for f in chosen})) as advance:
                costs = []
                for cost in _costs(inputs, snapshots.select(*KEYS), chosen, offer):
                    costs.append(cost)
                    advance(1)
    return {
        "rows": made.num_rows,
        "features": len(chosen),
        "out": str(out),
        "costs": costs and [asdict(c) for c in sorted(costs, key=lambda c: -c.seconds)],
    }


def _is_now(inputs: Inputs, as_of: datetime | None, *, is_past: bool) -> bool:
    if inputs.is_flat or is_past:
        return False
    present = known_until(inputs.tables)
    return is_present(as_of or present, present)


def _snapshots(
    params: Params, inputs: Inputs, as_of: datetime | None, *, has_rows: bool, is_history: bool
) -> Any:
    if is_history:
        return question(params, inputs).snapshots
    if has_rows:
        answered = answerable(inputs)
        found = flat(answered) if inputs.is_flat else asked(answered)
    elif inputs.is_flat:
        found = undecided(inputs.tables["leads"])
    else:
        moment = as_of or known_until(inputs.tables)
        found = tonight(inputs.tables["leads"], inputs.tables["outcomes"], moment)
    kept = inputs.backend.create_table("snapshots", found)
    if int(kept.count().to_pyarrow().as_py()) == 0:
        raise InputError("there is no lead to make features of", hint="check --as-of and the outcomes table")
    return kept


def _chosen(inputs: Inputs, offer: Offer, *, is_history: bool) -> Sequence[Feature]:
    """All that is offered, and for a night the fields of which only today's value is known."""
    beside = () if inputs.is_flat or is_history else current_features(inputs.fields)
    return tuple({feature.name: feature for feature in (*offer.features, *beside)}.values())


def _made(inputs: Inputs, snapshots: Any, chosen: Sequence[Feature], offer: Offer, *, is_now: bool) -> Any:
    engine = inputs.engine
    table = scored(
        engine.taken(snapshots.select(*KEYS)),
        engine.held(inputs.tables),
        chosen,
        inputs.fields,
        offer.vocabulary,
        is_now=is_now,
        keep=engine.keep,
    )
    return engine.fetched(table).order_by("snapshot_id").to_pyarrow()


def _write(connection: duckdb.DuckDBPyConnection, made: Any, out: Path) -> None:
    connection.register("_made", made)
    written = connection.table("_made")
    try:
        written.write_csv(str(out), header=True) if out.suffix.lower() == ".csv" else written.write_parquet(
            str(out)
        )
    except duckdb.IOException:
        raise StorageError(f"'{out.name}' cannot be written", hint="check its folder and the disk") from None
    finally:
        connection.unregister("_made")


def _costs(inputs: Inputs, snapshots: Any, chosen: Sequence[Feature], offer: Offer) -> Iterator[Cost]:
    """Each family computed alone."""
    clock = time.process_time if inputs.engine.name == "duckdb" else time.perf_counter
    for family in dict.fromkeys(feature.family for feature in chosen):
        group = [feature for feature in chosen if feature.family == family]
        before = clock()
        made = _made(inputs, snapshots, group, offer, is_now=False)
        seconds = clock() - before
        yield Cost(family, len(group), round(seconds, 3), _bytes(made.select([f.name for f in group])))


def _bytes(made: Any) -> int:
    """Bytes of the columns as Parquet."""
    sink = pa.BufferOutputStream()
    pq.write_table(made, sink)
    return int(sink.tell())
