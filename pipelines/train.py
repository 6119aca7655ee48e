"""``leadrank train``: from the history to a measured, registered model."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from importlib import metadata
from pathlib import Path
from typing import Any

from features.build import feature_table
from features.catalogue import Feature, FeatureSpec
from features.errors import StorageError
from features.families import candidates
from features.questions import Question, explicit, flat_history, open_now, past
from features.tables import Source
from models import leakage, registry, untrained
from models.explaining import Explainer
from models.forward_test import ForwardTest
from models.options import TrainOptions
from models.pictures import draw
from models.store import save
from models.training import Trained
from models.training import train as fit
from pipelines import params as parameters
from pipelines.checks import counted
from pipelines.inputs import Inputs, format_of, opened
from pipelines.params import Params
from pipelines.progress import Progress

PICTURE_ROWS = 500  # rows that the importance picture averages


def run(
    params: Params, home: Path, *, rows: Path | None, progress: Progress, pictures: Path | None = None
) -> dict[str, Any]:
    """Train, measure on later rows, log to MLflow and register.

    Parameters
    ----------
    rows
        Explicit rows ``lead_id, as_of, label``; flat start: a table to train on in place of the declared
        one. None: past nights of open leads.
    pictures
        Folder that receives the curves too, made if absent; None leaves them to MLflow.

    Returns
    -------
    dict
        ``rows``, ``positives``, ``base_rate``, ``immature``, ``metrics`` by contender (with intervals for
        trained ones), ``excluded`` and ``suspects`` of the leakage audit, ``dropped_columns``, ``model``,
        ``version``, ``aliases``, ``digest``, ``counts`` of the load.
    """
    with opened(_with_rows(params, rows), home, progress) as inputs:
        with progress.stage("choosing moments"):
            question = _question(params, inputs, has_rows=rows is not None)
        with progress.stage("building features"):
            chosen, kinds = candidates(
                inputs.tables,
                inputs.fields,
                modules=params.features.modules,
                kinds_max=params.features.kinds_max,
            )
            table = _table(inputs, question.snapshots, chosen)
        with progress.stage("looking for leaks"):
            findings = leakage.audit(table, _specs(chosen), tonight=_tonight(params, inputs, chosen))
        clean = _without(chosen, findings)
        with progress.stage("training"):
            trained = fit(
                table,
                _specs(clean),
                _options(params),
                stage=params.train.stage,
                horizon_days=None if inputs.is_flat else float(params.train.horizon_days),
                kinds=kinds,
            )
        orders = untrained.orders(table, trained.test, params.scorecard.rules or None)
        figures = {
            "model": trained.report["metrics"],
            **trained.report["baselines"],
            **untrained.ranking_figures(trained.test, orders),
        }
        with progress.stage("logging to MLflow"), tempfile.TemporaryDirectory(prefix="leadrank-") as scratch:
            drawn = _pictures(Path(scratch), trained, table, orders)
            if pictures is not None:
                _copy(drawn, pictures)
            test = ForwardTest.of(trained.test, orders, figures).save(Path(scratch) / "test")
            version = _register(params, home, inputs, trained, figures, drawn, test)
        told = _told(params, question, trained, figures, findings, version)
        return {**told, "is_flat": inputs.is_flat, **counted(inputs)}


def _with_rows(params: Params, rows: Path | None) -> Params:
    if rows is None:
        return params
    path, leads = str(rows.resolve()), params.tables["leads"]
    if leads.is_flat:
        tables = {"leads": replace(leads, path=path, format=format_of(rows))}
    else:
        tables = {**params.tables, "rows": Source(path=path, format=format_of(rows))}
    return params.model_copy(update={"tables": tables})


def _question(params: Params, inputs: Inputs, *, has_rows: bool) -> Question:
    """The labelled snapshots to learn from."""
    if inputs.is_flat:
        return flat_history(inputs.backend, inputs.tables)
    if has_rows:
        return explicit(inputs.backend, inputs.tables)
    return past(
        inputs.backend,
        inputs.tables,
        stage=params.train.stage,
        horizon_days=params.train.horizon_days,
        every_days=params.train.every_days,
        max_per_lead=params.train.max_per_lead,
        reporting_delay_days=params.train.reporting_delay_days,
        known_at=params.train.as_of,
    )


def _table(inputs: Inputs, snapshots: Any, chosen: Sequence[Feature]) -> Any:
    """The feature table of labelled snapshots as Arrow, with ``label`` and, flat, ``order``."""
    built = feature_table(snapshots, inputs.tables, chosen, inputs.fields)
    beside = [name for name in ("label", "order") if name in snapshots.columns]
    if beside:
        built = built.join(snapshots.select("snapshot_id", *beside), "snapshot_id")
    return built.order_by("snapshot_id").to_pyarrow()


def _tonight(params: Params, inputs: Inputs, chosen: Sequence[Feature]) -> Any:
    """The user's own fields of the leads that are open now; None if nobody is."""
    own = [feature for feature in chosen if feature.family == "fit"]
    snapshots = open_now(inputs.backend, inputs.tables, known_at=params.train.as_of)
    return None if snapshots is None or not own else _table(inputs, snapshots, own)


def _specs(chosen: Sequence[Feature]) -> list[FeatureSpec]:
    return [feature.spec for feature in chosen]


def _without(chosen: Sequence[Feature], findings: Sequence[leakage.Finding]) -> list[Feature]:
    leaks = {finding.column for finding in findings if finding.severity == "exclude"}
    return [feature for feature in chosen if feature.name not in leaks]


def _options(params: Params) -> TrainOptions:
    given = params.train
    return TrainOptions(
        seed=params.seed,
        bags=given.bags,
        max_depth=given.max_depth,
        most_trees=given.max_trees,
        min_outcomes=given.min_outcomes,
    )


def _pictures(folder: Path, trained: Trained, table: Any, orders: Mapping[str, Any]) -> dict[str, Path]:
    """Curves on the test rows, and what the model looks at on some of the latest rows."""
    latest = table.slice(max(0, table.num_rows - PICTURE_ROWS))
    auc = trained.report["metrics"]["roc_auc"]  # its interval resamples leads; rows would make it too narrow
    return draw(
        folder,
        trained.test.column("label").to_numpy() == 1,
        trained.test.column("probability").to_numpy(),
        others={name.replace("_", " "): order for name, order in orders.items()},
        contributions=Explainer(trained.bundle).explain(latest).contributions,
        specs=trained.bundle.specs,
        auc_interval=(auc["low"], auc["high"]),
    )


def _copy(pictures: Mapping[str, Path], folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for picture in pictures.values():
            shutil.copyfile(picture, folder / picture.name)
    except OSError as error:
        raise StorageError(
            f"pictures cannot be written to '{folder.name}'", hint=os.strerror(error.errno or 0)
        ) from error


def _register(
    params: Params,
    home: Path,
    inputs: Inputs,
    trained: Trained,
    figures: Mapping[str, Any],
    pictures: Mapping[str, Path],
    test_folder: Path,
) -> registry.Version:
    """Save the bundle and log everything."""
    report = trained.report
    with tempfile.TemporaryDirectory(prefix="leadrank-") as scratch:
        digest = save(trained.bundle, Path(scratch) / "bundle")
        return registry.log_training(
            registry.anchored(params.tracking.uri, home),
            params.tracking.experiment,
            params.tracking.model,
            params={
                "seed": params.seed,
                "train": params.train.model_dump(mode="json"),
                **{name: report[name] for name in ("split", "shape", "trees", "dropped_columns")},
            },
            metrics=dict(_flat_figures(figures)),
            pictures=pictures,
            bundle_folder=Path(scratch) / "bundle",
            digest=digest,
            input_columns={spec.name: spec.kind for spec in trained.bundle.specs},
            tags={
                "data_digest": inputs.loaded.digest,
                "params_digest": parameters.digest(params),
                "leadrank": metadata.version("leadrank"),
            },
            test_folder=test_folder,
        )


def _flat_figures(figures: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, float]]:
    """Every figure as one number for MLflow, an interval as two more."""
    for contender, metrics in figures.items():
        prefix = "" if contender == "model" else f"{contender}."
        for name, figure in metrics.items():
            if isinstance(figure, Mapping):
                yield f"{prefix}{name}", float(figure["value"])
                yield f"{prefix}{name}_low", float(figure["low"])
                yield f"{prefix}{name}_high", float(figure["high"])
            else:
                yield f"{prefix}{name}", float(figure)


def _told(
    params: Params,
    question: Question,
    trained: Trained,
    figures: Mapping[str, Any],
    findings: Sequence[leakage.Finding],
    version: registry.Version,
) -> dict[str, Any]:
    report = trained.report
    return {
        "rows": report["rows"],
        "positives": report["positives"],
        "base_rate": report["positives"] / report["rows"],
        "immature": question.immature,
        "split": report["split"],
        "trees": report["trees"],
        "metrics": figures,
        "excluded": [asdict(finding) for finding in findings if finding.severity == "exclude"],
        "suspects": [asdict(finding) for finding in findings if finding.severity == "suspect"],
        "dropped_columns": report["dropped_columns"],
        "features": [spec.name for spec in trained.bundle.specs],
        "model": params.tracking.model,
        "version": version.version,
        "aliases": list(version.aliases),
        "digest": version.digest,
        "run_id": version.run_id,
    }
