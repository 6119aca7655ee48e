"""What only the history can say: how long conversions take and how late they are recorded.

Leads and outcomes are loaded as `leadrank train` will load them, by the proposal itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import ibis

from features.cycle import Cycle, cycle
from features.errors import InputError, ParameterError
from features.ingest import load
from features.propose.proposal import TableProposal
from features.snapshots import known_until

_NEEDED = ("leads", "outcomes")


def measured(tables: Sequence[TableProposal], *, stage: str = "won") -> Cycle | None:
    """The cycle of a stage in the files as proposed.

    Returns
    -------
    Cycle or None
        None without outcomes or ``created_at``, or if the tables cannot be loaded as proposed: `check`
        will say why.
    """
    sources = {
        table.name: replace(table.source, path=str(Path(table.file.path).absolute()))
        for table in tables
        if table.name in _NEEDED
    }
    if len(sources) < len(_NEEDED):
        return None
    backend = ibis.duckdb.connect()
    try:
        loaded = load(backend.con, sources, folder=Path(sources["leads"].path or ".").parent)
        if "created_at" not in loaded.columns["leads"]:
            return None
        leads, outcomes = (backend.table(name) for name in _NEEDED)
        return cycle(leads, outcomes, stage=stage, known_at=known_until({"outcomes": outcomes}))
    except (InputError, ParameterError):
        return None
    finally:
        backend.disconnect()
