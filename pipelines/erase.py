"""``leadrank erase``: a lead leaves all that leadrank has written, and no later load brings it back.

The order is that of a crash that may come: first the tombstone, then run by run. Whatever is left undone, the
same command does.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from features import tombstones
from features.errors import ParameterError, StorageError, listed
from pipelines import forgetting, remnants, sink_objects, sinking
from pipelines.merged_records import records_of
from pipelines.params import Params
from pipelines.progress import Progress
from serve import runs, swapping
from serve.erasing import erase as from_runs
from serve.keeping import leftovers
from serve.watching import outbox
from serve.without import Gone

KEY_CHARACTERS = 32


def run(
    params: Params,
    home: Path,
    *,
    lead_ids: Sequence[str],
    reason: str,
    on: datetime,
    is_dry: bool,
    progress: Progress,
) -> dict[str, Any]:
    """Erase leads, and the records that were merged with them.

    Parameters
    ----------
    lead_ids
        As the table ``leads`` has them.
    reason
        A case number or the like; kept with the tombstone.
    on
        When.
    is_dry
        Whether it is only told what would go.

    Returns
    -------
    dict
        ``is_dry``, ``asked`` and ``merged`` (how many leads were named, and how many records were merged
        with them), ``there`` (how many of all these the table has), ``pseudonyms``, ``runs`` (``run_id`` and
        rows by ``files``), ``beside`` (rows by file of ``.leadrank`` and MLflow), ``messages`` (of the
        watcher's outbox), ``state_rows`` (of the page's state; None without one), ``sql_rows`` (None without
        ``sinks.sql``), ``object_runs`` (ids of the runs of ``sinks.objects`` of which only a copy without
        them is left, None without one), ``leftovers`` (unfinished runs, scratch folders, indexes of the
        page), ``holding`` (files that may still name them, or cannot be read), ``remains`` (``where`` and
        ``why``).

    Raises
    ------
    ParameterError
        No lead or no reason is given, the reason names a lead, or the table's ids are row numbers.
    InputError, UpstreamError
        The table ``leads`` cannot be read: nothing is erased, for nobody knows what was merged. Or the
        database of ``sinks.sql`` or the store of ``sinks.objects`` does not answer: all files are clean.
    LockedError
        Another run holds the lock, or somebody reads a run.
    StorageError
        The disk refuses, or a run could not be cleaned; all others are.
    """
    ids = _asked(lead_ids, reason)
    folder = home / params.score.runs
    with runs.lock(folder):
        with progress.stage("looking for merged records"):
            found = records_of(params, home, ids)
        gone = Gone(found.ids, found.clicks | conversion_keys(params, found.ids))
        stones = None
        if not is_dry:
            stones = tombstones.bury(home, found.ids, erased_on=on.date().isoformat(), reason=reason)
            swapping.finish(folder)
        with progress.stage("cleaning"):
            told = _cleaned(params, home, gone, is_dry=is_dry)
            pseudonym = None if stones is None else stones.pseudonym
            told["state_rows"] = forgetting.forget(params, home, gone.leads, pseudonym)
    return {
        "is_dry": is_dry,
        "asked": len(ids),
        "merged": len(found.ids) - len(ids),
        "there": found.there,
        "pseudonyms": [] if stones is None else sorted(map(stones.pseudonym, found.ids)),
        **told,
        "remains": remnants.remains(params, home),
    }


def _cleaned(params: Params, home: Path, gone: Gone, *, is_dry: bool) -> dict[str, Any]:
    """Every place that leadrank writes to; a new one is added here, and to `remnants.remains` until it is."""
    folder = home / params.score.runs
    cleaned = list(from_runs(folder, gone, is_dry=is_dry))
    beside = remnants.clean(params, home, gone, is_dry=is_dry)
    unfinished = leftovers(folder, is_dry=is_dry) + remnants.scratch(params, home, is_dry=is_dry)
    messages = 0 if is_dry else outbox.forget(home, gone.leads)
    told = {
        "runs": [{"run_id": run.run_id, "files": run.files} for run in cleaned if run.problem is None],
        "beside": beside.rows,
        "leftovers": unfinished + remnants.indexes(home, is_dry=is_dry),
        "holding": beside.unreadable + ([] if is_dry else remnants.holding(params, home, gone.leads)),
        "messages": messages,
        "sql_rows": None if is_dry else sinking.erase(params, gone.leads),
        "object_runs": None if is_dry else sink_objects.erase(params, home, gone),
    }
    if problems := [run.run_id for run in cleaned if run.problem is not None]:
        raise StorageError(
            f"runs {listed(problems)} have files that cannot be read; all else is clean",
            hint="remove these runs, or score their nights again, then erase once more",
        )
    return told


def _asked(lead_ids: Sequence[str], reason: str) -> frozenset[str]:
    ids = frozenset(found for lead_id in lead_ids if (found := tombstones.normalised(lead_id)))
    if not ids:
        raise ParameterError("no lead is named", hint="write its id, or --lead-file with one id a line")
    if not reason.strip():
        raise ParameterError("--reason is empty", hint="give the number of the request, and no name")
    if any(lead_id in reason for lead_id in ids if len(lead_id) >= remnants.SHORTEST):
        raise ParameterError(
            "--reason names the lead", hint="give the number of the request: the reason is kept"
        )
    return ids


def conversion_keys(params: Params, ids: frozenset[str]) -> frozenset[str]:
    """How conversions of a lead are called in files for ad platforms (``serve/sinks/ads.py``)."""
    stages = {params.train.stage, *params.ads.goals.values()}
    return frozenset(
        hashlib.sha256(f"{lead_id}/{stage}".encode()).hexdigest()[:KEY_CHARACTERS]
        for lead_id in ids
        for stage in stages
    )
