"""Write a demo folder, block by block, so that any size fits in memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa

from features.errors import ParameterError
from pipelines.demo import dirt, population, simulate, spend, tables, world
from pipelines.demo.clock import Ids
from pipelines.demo.truth import truth
from pipelines.demo.turning import TurnsBad
from pipelines.demo.write import FILES, Writer, as_text, is_csv

_BLOCK_LEADS = 20_000
_FEWEST_LEADS, _MOST_TRUTH_LEADS = 20, 200_000


@dataclass(frozen=True)
class DemoTables:
    """What was written.

    Attributes
    ----------
    folder
        The demo folder.
    paths
        File of each table, and of ``truth`` if it was asked for.
    rows
        Rows of each file, spoiled ones included.
    defects
        Spoiled rows among them, by table and defect (names of ``dirt.DEFECTS``).
    start_at, as_of
        First moment of the history, and its end: tonight.
    truth_leads
        Leads whose snapshots ``truth.parquet`` holds: the first ones by id; 0 without truth.
    """

    folder: Path
    paths: Mapping[str, Path]
    rows: Mapping[str, int]
    defects: Mapping[str, Mapping[str, int]]
    start_at: datetime
    as_of: datetime
    truth_leads: int


@dataclass
class _Tally:
    """What the blocks so far add up to."""

    ids: Ids = field(default_factory=Ids)
    defects: dict[str, dict[str, int]] = field(default_factory=dict)
    weeks: list[pa.Table] = field(default_factory=list)


def generate(
    folder: Path,
    *,
    leads: int,
    seed: int,
    with_truth: bool = True,
    on_progress: Callable[[str, float], None] | None = None,
    turns_bad: TurnsBad | None = None,
) -> DemoTables:
    """Write the tables of the demo CRM, and the truth about them.

    Parameters
    ----------
    folder
        Gets ``data/`` with the tables, and beside it ``truth.parquet`` with one row for each open lead and
        each week back from ``as_of``: ``lead_id``, ``as_of``, and ``probability``, the chance of ``won``
        within 90 days given all that was recorded before the moment. Existing files are replaced.
    leads
        How many leads turn up, at least 20.
    seed
        The same number gives the same bytes.
    with_truth
        Whether to work out the truth, for the first 200,000 leads. The tables do not depend on it.
    on_progress
        Called with the step's name and the share done, from 0 to 1.
    turns_bad
        A source whose leads are others from some day on; None is the usual world.

    Raises
    ------
    ParameterError
        Too few leads, or a negative seed.
    """
    _check(leads, seed)
    *seeds, last = np.random.SeedSequence(seed).spawn(-(-leads // _BLOCK_LEADS) + 1)
    tally = _Tally()
    with Writer(folder) as writer:
        for at, block_seed in enumerate(seeds):
            count = min(_BLOCK_LEADS, leads - tally.ids.leads)
            people = population.draw(rng := np.random.default_rng(block_seed), count, turns_bad)
            _block(rng, writer, tally, people, with_truth=with_truth)
            if on_progress is not None:
                on_progress("demo tables", (at + 1) / len(seeds))
        weeks = spend.summed(pa.concat_tables(tally.weeks))
        writer.add("spend", spend.costs(np.random.default_rng(last), weeks))
    paths = {table: folder / FILES[table] for table in writer.rows}
    truth_leads = min(leads, _MOST_TRUTH_LEADS) if with_truth else 0
    return DemoTables(folder, paths, writer.rows, tally.defects, world.START_AT, world.AS_OF, truth_leads)


def _check(leads: int, seed: int) -> None:
    if leads < _FEWEST_LEADS:
        raise ParameterError(
            f"{leads} leads are too few for a demo", hint="give at least 20, for example --leads 200"
        )
    if seed < 0:
        raise ParameterError("the seed is negative", hint="give zero or more, for example --seed 7")


def _block(
    rng: np.random.Generator,
    writer: Writer,
    tally: _Tally,
    people: population.Population,
    *,
    with_truth: bool,
) -> None:
    """Live through one block of leads and append what it leaves."""
    before, count = tally.ids, people.leads
    history = simulate.simulate(rng, people)
    shown = tables.observed(rng, people, history, before)
    tally.weeks.append(spend.weekly(shown["leads"]))
    for table, rows in shown.items():
        _add(rng, writer, tally, table, rows, count)
    if with_truth and before.leads < _MOST_TRUTH_LEADS:
        writer.add("truth", tables.truth_table(truth(people, history), people, before))
    tally.ids = Ids(before.leads + count, before.accounts + len(shown["accounts"]))


def _add(
    rng: np.random.Generator, writer: Writer, tally: _Tally, table: str, rows: pa.Table, leads: int
) -> None:
    """Append a table's good rows and its spoiled ones."""
    good = as_text(rows) if is_csv(table) else rows
    spoiled, counts = dirt.spoiled(rng, table, good, tally.ids.leads, tally.ids.leads + leads)
    writer.add(table, spoiled)
    known = tally.defects.setdefault(table, {}) if counts else {}
    for defect, count in counts.items():
        known[defect] = known.get(defect, 0) + count
