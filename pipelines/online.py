"""What ``POST /api/v1/score`` needs of ``params.yaml``: the declared tables, and how answers look."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path

from features.backend import workspace
from features.errors import ModelError
from models.store import load, place
from pipelines.inputs import fields_of
from pipelines.offering import vocabulary_of
from pipelines.params import Params
from pipelines.writing import shown_of
from serve.online.body import Body
from serve.online.company import kept
from serve.online.pool import Pool
from serve.online.scorer import Declared, Model, Scorer
from serve.online.standing import Ready, Standing, key_of
from serve.runs import Run


def standing(params: Params, home: Path) -> Standing:
    """The champion of the ranking in force, to be asked over the API; made ready at its first use."""
    return Standing(home, home / params.score.runs, lambda run: ready(params, home, run))


def ready(params: Params, home: Path, run: Run) -> Ready:
    """The model of a run, from the verified copy that its night kept; MLflow is not asked.

    Raises
    ------
    ModelError
        The copy, or the company's figures that the model reads, are gone or damaged, or the ranking is older
        than its list of columns.
    """
    if str(home) not in sys.path:
        sys.path.append(str(home))  # features.modules are found beside params.yaml
    loaded = run.manifest.get("columns")
    if loaded is None:
        raise ModelError("the ranking in force does not say its columns", hint="run `leadrank score`")
    digest, company = run.manifest["model"]["digest"], kept(run, home)
    model = Model(load(place(home, digest), digest=digest))
    declared = Declared(
        sources=params.tables,
        fields=fields_of(params, is_flat="outcomes" not in params.tables),
        modules=params.features.modules,
        shown=shown_of(params),
        loaded=loaded,
        words=vocabulary_of,
        company=company,
    )

    def made(opened: ExitStack) -> Scorer:
        return Scorer(opened.enter_context(workspace(home)), model, declared)

    as_of = None if company is None else company.as_of
    return Ready(key_of(run), Body(declared.columns), declared.columns, Pool(made), as_of)
