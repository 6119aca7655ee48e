"""``leadrank audit``: a verdict for every column, with its evidence, without training anything."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipelines import train, working
from pipelines.asking import question
from pipelines.inputs import opened
from pipelines.leaks import audited, write_page
from pipelines.offering import offered
from pipelines.params import Params
from pipelines.progress import Progress


def run(
    params: Params, home: Path, *, rows: Path | None, progress: Progress, report: Path | None = None
) -> dict[str, Any]:
    """Audit the columns that ``leadrank train`` would learn from.

    Parameters
    ----------
    rows
        As for ``train``.
    report
        HTML file to write; None writes none.

    Returns
    -------
    dict
        ``columns`` (``column``, ``verdict``, ``evidence``, ``moment``, ``attention``, ``is_used``,
        ``findings``, ``figures`` …), ``verdicts`` (how many of each), ``auc_used``, ``auc_declared``,
        ``rows``, ``positives``, ``report`` (its path, or None).
    """
    with opened(train.with_rows(params, rows), home, progress) as inputs:
        with progress.stage("choosing moments"):
            called = working.calls(params, home, inputs)
            asked = question(params, inputs, has_rows=rows is not None, calls=called)
        with progress.stage("building features"):
            offer = offered(params, inputs)
            chosen = offer.features
            table = train.table_of(inputs, asked.even, chosen, offer.vocabulary)
        with progress.stage("looking for leaks"):
            found = audited(params, inputs, table, chosen, asked.even)
    if report is not None:
        write_page(report, found, params.score.language)
    return {**found.as_json(), "report": None if report is None else str(report)}
