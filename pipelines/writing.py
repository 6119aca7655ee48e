"""The files of a run: features, scores, reasons, the ledger of change, the ranking, the lists and exports."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from features.errors import InputError, ParameterError
from features.memory import current_features, is_present, scored
from features.moments import naive_utc
from features.snapshots import known_until, tonight, undecided
from features.touches import told as touches_told
from pipelines import changed, company, exporting, listing, reporting
from pipelines.comparing import compared
from pipelines.inputs import Inputs
from pipelines.params import Params
from pipelines.progress import Progress
from pipelines.rankers import ByModel, ByScorecard
from serve import batch, facts, merging, part_rows, runs
from serve.ledger_totals import write_totals

_TOUCHES = "touches_of_leads"


@dataclass(frozen=True)
class Written:
    """What is in the staged folder.

    Attributes
    ----------
    ranked
        Leads in the ranking.
    changes
        What the ledger compares, for the manifest; None: nothing.
    is_now
        Whether its night is the present.
    changed_since
        Of which run's rows the unchanged leads are, for the manifest; None: every lead was scored.
    """

    ranked: int
    changes: dict[str, Any] | None
    is_now: bool
    changed_since: dict[str, Any] | None


@dataclass(frozen=True)
class Earlier:
    """Which runs a night looks back at.

    Attributes
    ----------
    since
        Leads that nothing has happened for since keep this run's rows; None: all are scored.
    previous
        The run that the ledger of change compares with; None: it has nothing to say.
    """

    since: runs.Run | None
    previous: runs.Run | None


def write(
    staged: Path,
    params: Params,
    home: Path,
    inputs: Inputs,
    by: ByModel | ByScorecard,
    as_of: datetime,
    progress: Progress,
    *,
    earlier: Earlier,
) -> Written:
    """Write every file of the run.

    Raises
    ------
    InputError
        No lead is open.
    ParameterError
        A column that is to be published is not there, or the lists cannot be made.
    """
    shown, since, previous = _shown(params, inputs), earlier.since, earlier.previous
    listing.check(params, inputs)
    is_now = not inputs.is_flat and is_present(as_of, known_until(inputs.tables))
    with progress.stage("building features"):
        asked = _ask(params, inputs, by, as_of, is_now=is_now, since=since)
        _write_features(staged, params, inputs, by, is_now=is_now)
        company.write(staged, params, home, inputs, by, as_of)
    if asked:
        with progress.stage("scoring and explaining", total=asked) as advance:
            by.score(inputs, staged, shown=shown, part_leads=params.score.part_leads, on_rows=advance)
    changes = compared(
        params,
        home,
        inputs,
        by,
        staged,
        previous=previous if asked else None,
        is_now=is_now,
        progress=progress,
    )
    told = None
    if since is not None:
        with progress.stage("taking over unchanged leads"):
            changes, told = _take_over(params, inputs, by, staged, since, asked)
    with progress.stage("ranking"):
        by.rank(inputs, staged, shown=shown, part_leads=params.score.part_leads)
        before = runs.before(home / params.score.runs, as_of) if params.holdout.share else None
        listing.write_lists(params, inputs, by, staged, as_of=as_of, previous=before)
        _write_facts(params, inputs, by, staged, as_of)
        compared_with = previous if changes is not None else None
        reporting.write_reports(
            params, home, inputs, by, staged, as_of=as_of, touches=_TOUCHES, previous=compared_with
        )
        inputs.backend.table("quarantine").to_parquet(staged / "quarantine.parquet")
        exporting.export(params, inputs, staged, as_of=as_of)
    return Written(asked + (told["kept"] if told else 0), changes, is_now, told)


def _ask(
    params: Params,
    inputs: Inputs,
    by: ByModel | ByScorecard,
    as_of: datetime,
    *,
    is_now: bool,
    since: runs.Run | None,
) -> int:
    """Make the table ``snapshots``: the leads to score, as many as returned."""
    if inputs.is_flat:
        found = undecided(inputs.tables["leads"])
    else:
        found = tonight(inputs.tables["leads"], inputs.tables["outcomes"], as_of)
    every = inputs.backend.create_table("snapshots", found)
    if int(every.count().to_pyarrow().as_py()) == 0:
        raise InputError("no lead is open at this moment", hint="check --as-of and the outcomes table")
    if since is not None:
        every = changed.narrow(params, inputs, by, since, as_of, is_now=is_now)
    return int(every.count().to_pyarrow().as_py())


def _write_features(
    staged: Path, params: Params, inputs: Inputs, by: ByModel | ByScorecard, *, is_now: bool
) -> None:
    """Write the features of the ranker and, for the memory, every ``current`` field."""
    beside = () if inputs.is_flat else current_features(inputs.fields)
    chosen = tuple({feature.name: feature for feature in (*by.features(params, inputs), *beside)}.values())
    engine, snapshots = inputs.engine, inputs.engine.taken(inputs.backend.table("snapshots"))
    tables, words = engine.held(inputs.tables), by.vocabulary
    table = scored(snapshots, tables, chosen, inputs.fields, words, is_now=is_now, keep=engine.keep)
    found, file = engine.fetched(table).order_by("snapshot_id"), staged / "features.parquet"
    if params.score.part_leads is None:
        found.to_parquet(file)
    else:
        reader = inputs.connection.sql(inputs.backend.compile(found)).to_arrow_reader(part_rows.GROUP_ROWS)
        part_rows.write(reader, file, params.score.part_leads)


def _write_facts(
    params: Params, inputs: Inputs, by: ByModel | ByScorecard, staged: Path, as_of: datetime
) -> None:
    """Write what the page shows of each lead; a visitor's touches are those of the lead that he became."""
    tables = {name: tuple(table.columns) for name, table in inputs.tables.items()}
    if "touches" in tables:
        shown = [*facts.KNOWN_BY, *(name for name in facts.OF_TOUCH if name in tables["touches"])]
        touches = touches_told(inputs.tables, by.vocabulary).select(*shown)
        inputs.backend.create_view(_TOUCHES, touches, overwrite=True)
    facts.write_facts(
        inputs.connection,
        staged,
        as_of=naive_utc(as_of).isoformat(),
        tables=tables,
        touches=_TOUCHES,
        most=params.score.timeline_touches,
    )


def _take_over(
    params: Params, inputs: Inputs, by: ByModel | ByScorecard, staged: Path, since: runs.Run, rescored: int
) -> tuple[dict[str, Any] | None, dict[str, Any]]:
    """Add the unchanged leads; what the ledger compares now, and what is told of them."""
    calibrate = by.champion.bundle.target.calibration.apply if isinstance(by, ByModel) else None
    kept = merging.take_over(
        inputs.connection, staged, since, calibrate=calibrate, part_leads=params.score.part_leads
    )
    told = {"run_id": since.run_id, "rescored": rescored, "kept": kept}
    if not isinstance(by, ByModel):
        return None, told
    counts = merging.take_over_ledger(inputs.connection, staged, since)
    write_totals(inputs.connection, staged, since)
    return {"previous_run": since.run_id, **counts}, told


def _shown(params: Params, inputs: Inputs) -> batch.Shown:
    missing = [name for name in params.score.publish_columns if name not in inputs.tables["leads"].columns]
    if missing:
        raise ParameterError(
            f"score.publish_columns names '{missing[0]}', which the table 'leads' does not have",
            hint="correct the name, or declare the column under tables.leads.fields",
        )
    return shown_of(params)


def shown_of(params: Params) -> batch.Shown:
    """What a ranking shows beside the numbers."""
    given = params.score
    return batch.Shown(
        publish_columns=given.publish_columns,
        reasons_for=given.reasons_for,
        reasons_against=given.reasons_against,
        evidence_leads=given.evidence_leads,
        grade_shares=given.grade_shares,
        routes=given.routes,
        language=given.language,
    )
