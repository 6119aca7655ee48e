"""The report on the model as a reader sees it: what the run keeps of the champion's card and its own health.

The figures of a model are the company's, and a reader of some territories may know how good it is; how many
leads the company has, and how others' parts of them fare, he may not.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from serve.reporting.files import Row, Territories, kept
from serve.reporting.names import MODEL
from serve.reporting.reading_holdout import holdout
from serve.runs import MANIFEST

COMPANYS = ("data", "slices", "gates", "limits")
"""Parts that tell of everybody's leads."""


def model(run: Path, territories: Territories) -> Row:
    """What is known of the model in force when the run was published.

    Parameters
    ----------
    run
        Folder of a published run.
    territories
        Of the reader; None: everything may be seen.

    Returns
    -------
    dict
        As `serve.reporting.model.told`, ``gates``: what they found that night, and ``holdout``: what the
        ranking is worth (`serve.reporting.reading_holdout`; None where no experiment runs). For a reader of
        some territories the parts of `COMPANYS` are null, and bins and figures are without counts.
    """
    found = {**kept(run, MODEL), "gates": _gates(run), "holdout": holdout(run, territories)}
    if territories is None:
        return found
    hidden = dict.fromkeys(COMPANYS)
    bins = [{**row, "rows": None} for row in found["reliability"]]
    figures = {
        name: {key: value for key, value in told.items() if isinstance(value, dict)}
        for name, told in found["figures"].items()
    }
    return {**found, **hidden, "reliability": bins, "figures": figures}


def _gates(run: Path) -> list[dict[str, Any]]:
    """What the gates of the night found; nothing where the manifest does not say."""
    manifest = json.loads((run / MANIFEST).read_text(encoding="utf-8"))
    return list((manifest.get("gates") or {}).get("findings", []))
