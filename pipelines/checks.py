"""``leadrank check``: read every table as the night would, say what was accepted, and try the features."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from pipelines import protecting, segmenting
from pipelines.inputs import Inputs, Opening, opened
from pipelines.offering import offered
from pipelines.params import Params
from pipelines.progress import Progress
from pipelines.slips import slips

_REASONS = """
    SELECT table_name AS "table", reason, "column", count(*) AS rows,
           min(file) AS first_file, arg_min(line, row(file, line)) AS first_line
    FROM quarantine GROUP BY ALL ORDER BY ALL
"""


def run(params: Params, home: Path, *, progress: Progress, opening: Opening = opened) -> dict[str, Any]:
    """Load all tables, import the feature modules, and report.

    Parameters
    ----------
    opening
        How the tables are opened.

    Returns
    -------
    dict
        ``counts`` by table, last those of what people said on the page (``feedback``), ``quarantine`` (rows,
        first file and line by table, reason and column), ``notes`` (values settled by a rule: table, column,
        kind, count), ``ignored_columns`` by table, ``data_digest``, ``features`` (how many can be made of the
        tables), ``warnings`` (names of ``params.yaml`` that nothing in the tables has).

    Raises
    ------
    InputError
        A table breaks its contract.
    GateError
        Too many rows of a table are quarantined.
    FeatureError
        A feature module cannot be imported, or reads a column that its rows do not have.
    ParameterError
        A segment or a protected field is named that the tables do not have.
    """
    with opening(params, home, progress) as inputs:
        with progress.stage("trying features"):
            offer = offered(params, inputs)
            segmenting.check(params, [feature.spec for feature in offer.features])
            protecting.check(params.train.protected_fields, inputs.fields)
        return {
            **counted(inputs),
            "quarantine": quarantined(inputs),
            "features": len(offer.features),
            "warnings": list(slips(params, inputs, offer)),
        }


def counted(inputs: Inputs) -> dict[str, Any]:
    """What a load did, as it is printed and stored: rows read = accepted + quarantined + deduplicated."""
    loaded = inputs.loaded
    return {
        "counts": [asdict(counts) for counts in (*loaded.counts.values(), *filter(None, [inputs.said]))],
        "notes": [asdict(note) for note in loaded.notes],
        "ignored_columns": {name: list(columns) for name, columns in loaded.ignored.items() if columns},
        "data_digest": loaded.digest,
    }


def quarantined(inputs: Inputs) -> list[dict[str, Any]]:
    """Quarantined rows and the place of the first, by table, reason and column."""
    names = ("table", "reason", "column", "rows", "first_file", "first_line")
    return [dict(zip(names, row, strict=True)) for row in inputs.connection.execute(_REASONS).fetchall()]
