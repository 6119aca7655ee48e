"""Runs, model versions and their aliases in MLflow; the only module that imports it.

MLflow keeps numbers, pictures and the bundle. A model version is a folder of data: its ``MLmodel`` names
no loader, so MLflow itself can show it and cannot run it. Scoring fetches the bundle by version.

Every public function raises ``UpstreamError`` where MLflow does not answer, or refuses, and ``StorageError``
where its SQLite database is damaged.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from features.errors import StorageError, UpstreamError
from models.tracking import files
from models.tracking import versions as registered
from models.tracking.address import anchored, database, here, shown
from models.tracking.files import AUDIT, BUNDLE, CARD, MODEL, TEST, VIEWS
from models.tracking.flat import ColumnKind, finite_metrics, flat_params
from models.tracking.record import Record
from models.tracking.runs import experiment_id, finished
from models.tracking.settings import settle
from models.tracking.versions import CHAMPION, DIGEST_TAG, SIGNAL_TAG, Version

__all__ = [
    "AUDIT",
    "CARD",
    "CHAMPION",
    "TEST",
    "VIEWS",
    "Record",
    "Version",
    "anchored",
    "champion",
    "fetch",
    "fetch_card",
    "fetch_test",
    "log_monitoring",
    "log_run",
    "log_training",
    "mark",
    "note",
    "prepare",
    "put_in_force",
    "version",
    "versions",
]

_DAY_SECONDS = 86_400
_BATCH = 100  # MLflow takes at most so many parameters or metrics in one call


def prepare(uri: str) -> None:
    """Import MLflow and open (or create) its store, so that the seconds this takes can pass meanwhile."""
    with _upstream(uri):
        import mlflow.artifacts
        import mlflow.models  # noqa: F401

        _client(uri).search_experiments(max_results=1)


def log_training(
    uri: str,
    experiment: str,
    model_name: str,
    record: Record,
    *,
    bundle_folder: Path,
    digest: str,
    input_columns: Mapping[str, ColumnKind],
    has_signal: bool = True,
) -> Version:
    """Record one training and register its bundle.

    The first version with signal becomes ``champion``; every other one becomes ``challenger``.

    Parameters
    ----------
    uri
        MLflow tracking URI. For SQLite, files go to ``mlartifacts`` beside the database.
    experiment, model_name
        Names in MLflow; made when they do not exist.
    record
        Its tags are those of the version, too. Its folders: ``TEST`` (what the forward test left), ``AUDIT``
        (the leakage audit's page), ``CARD`` (the model card, beside the bundle), ``VIEWS`` (what the whole
        model looks like).
    bundle_folder
        The whole bundle; it is copied as it is.
    digest
        Digest of the bundle: a tag of the run and of the version.
    input_columns
        Kind of each feature column, in order: the model's signature.
    has_signal
        Whether the model ranks later rows better than chance: a tag of the version.
    """
    with _upstream(uri):
        client = _client(uri)
        with _run(client, uri, experiment, {**record.tags, DIGEST_TAG: digest}) as run:
            _log(client, run, replace(record, folders={**record.folders, f"{MODEL}/{BUNDLE}": bundle_folder}))
            _log_signature(client, run.info.run_id, input_columns, digest)
        source = f"{run.info.artifact_uri}/{MODEL}"
        tags_kept = {**record.tags, DIGEST_TAG: digest, SIGNAL_TAG: str(has_signal).lower()}
        return registered.register(client, model_name, source, run.info.run_id, tags_kept)


def log_run(uri: str, experiment: str, record: Record) -> str:
    """Record something that made no model, such as a backtest, and return the id of its run."""
    with _upstream(uri):
        client = _client(uri)
        with _run(client, uri, experiment, record.tags) as run:
            _log(client, run, record)
        return str(run.info.run_id)


def log_monitoring(
    uri: str, model_name: str, number: str, figures: Mapping[str, float | None], at: datetime
) -> None:
    """Add figures of a night to the training that its model comes from, as ``monitor/<name>`` over the days.

    Raises
    ------
    ModelError
        There is no such version.
    """
    run_id = version(uri, model_name, number).run_id
    moment, step = int(at.timestamp() * 1000), int(at.timestamp() // _DAY_SECONDS)
    named = {f"monitor/{name.replace('|', '/').strip('/')}": value for name, value in figures.items()}
    with _upstream(uri):
        from mlflow.entities import Metric

        client = _client(uri)
        for part in _batches([Metric(key, v, moment, step) for key, v in finite_metrics(named).items()]):
            client.log_batch(run_id, metrics=part)


def champion(uri: str, model_name: str) -> Version:
    """The model in force.

    Raises
    ------
    ModelError
        No version is the champion.
    """
    return registered.in_force(versions(uri, model_name), model_name)


def version(uri: str, model_name: str, number: str) -> Version:
    """The version with this number.

    Raises
    ------
    ModelError
        There is none.
    """
    return registered.numbered(versions(uri, model_name), model_name, number)


def versions(uri: str, model_name: str) -> list[Version]:
    """All versions of the model, newest first; none when nothing was trained."""
    path = database(uri)
    if path is not None and not path.exists():
        return []  # looking must not create a database
    with _upstream(uri):
        return registered.every(_client(uri), model_name)


def put_in_force(
    uri: str, model_name: str, version: Version, *, instead_of: str | None, record: Mapping[str, str]
) -> Version:
    """Make a version the champion, if the champion is still the one that the decision was about.

    Parameters
    ----------
    instead_of
        Number of the version that was the champion when this was decided; None if there was none.
    record
        Tags of the version that say how and why.

    Returns
    -------
    Version
        The champion, with its aliases and tags.

    Raises
    ------
    ModelError
        The champion is another one by now.
    """
    with _upstream(uri):
        return registered.move(_client(uri), model_name, version, instead_of=instead_of, record=record)


def mark(uri: str, model_name: str, version: Version, record: Mapping[str, str]) -> None:
    """Record words with a version, as its tags."""
    with _upstream(uri):
        registered.mark(_client(uri), model_name, version, record)


def note(uri: str, version: Version, path: str, data: Mapping[str, Any]) -> None:
    """Keep plain data as a JSON file among the artifacts of a version's training.

    Raises
    ------
    StorageError
        The disk refuses.
    """
    if database(uri) is not None:
        files.write(uri, version, path, data)
        return
    with _upstream(uri):
        _client(uri).log_dict(version.run_id, dict(data), path)


def fetch(uri: str, version: Version, into: Path) -> Path:
    """Copy the bundle of a version; nothing of it is run or trusted here.

    Parameters
    ----------
    into
        Existing folder that receives the bundle's folder.

    Returns
    -------
    Path
        The bundle's folder. The caller checks its digest.

    Raises
    ------
    ModelError
        The files are gone from beside the database.
    """
    return _copied(uri, version, f"{here(uri, version.artifact_uri)}/{BUNDLE}", into)


def fetch_test(uri: str, version: Version, into: Path) -> Path:
    """Copy what the forward test of a version's training left; else as `fetch`."""
    return _copied(uri, version, f"{files.run_folder(uri, version)}/{TEST}", into)


def fetch_card(uri: str, version: Version, into: Path) -> Path:
    """Copy the folder with a version's model card; else as `fetch`."""
    return _copied(uri, version, here(uri, version.artifact_uri), into)


def _copied(uri: str, version: Version, source: str, into: Path) -> Path:
    files.check_there(uri, version, source)
    with _upstream(uri):
        from mlflow.artifacts import download_artifacts

        return Path(download_artifacts(artifact_uri=source, dst_path=str(into), tracking_uri=uri))


def _client(uri: str) -> Any:
    from mlflow import MlflowClient

    return MlflowClient(tracking_uri=uri, registry_uri=uri)


@contextmanager
def _upstream(uri: str) -> Iterator[None]:
    """Import MLflow with our settings, and turn its errors into ours."""
    settle()
    from mlflow.exceptions import MlflowException
    from requests import RequestException
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except (MlflowException, RequestException, SQLAlchemyError) as error:
        if _is_unreadable(uri, error):
            raise StorageError(
                f"MLflow's database {shown(uri)} is damaged or of another version of MLflow",
                hint="bring it back from a backup; published runs are read without it",
            ) from None
        what = getattr(error, "error_code", None) or type(error).__name__
        raise UpstreamError(
            f"MLflow at {shown(uri)} failed with {what}",
            hint="check that it runs and may be written to, then repeat the command",
        ) from None  # the text of the original holds the address with its password


def _is_unreadable(uri: str, error: Exception) -> bool:
    """Whether a file of ours is no database (its driver's most general error), or MLflow knows it not."""
    if database(uri) is None:
        return False
    return type(error).__name__ == "DatabaseError" or "database schema" in str(error)


@contextmanager
def _run(client: Any, uri: str, experiment: str, tags: Mapping[str, str]) -> Iterator[Any]:
    """A new run that ends with the block."""
    run = client.create_run(experiment_id(client, uri, experiment), tags=dict(tags))
    with finished(client, run.info.run_id):
        yield run


def _log(client: Any, run: Any, record: Record) -> None:
    from mlflow.entities import Metric, Param

    run_id, moment = run.info.run_id, run.info.start_time
    for part in _batches([Param(key, text) for key, text in flat_params(record.params).items()]):
        client.log_batch(run_id, params=part)
    numbers = finite_metrics(record.metrics)
    for part in _batches([Metric(key, value, moment, 0) for key, value in numbers.items()]):
        client.log_batch(run_id, metrics=part)
    for picture in record.pictures.values():
        client.log_artifact(run_id, str(picture), "pictures")
    for name, folder in record.folders.items():
        client.log_artifacts(run_id, str(folder), name)


def _batches(every: Sequence[Any]) -> Iterator[Sequence[Any]]:
    return (every[start : start + _BATCH] for start in range(0, len(every), _BATCH))


def _log_signature(client: Any, run_id: str, columns: Mapping[str, ColumnKind], digest: str) -> None:
    """Write ``MLmodel``: with a signature, without any flavour that MLflow could run."""
    from mlflow.models import Model, ModelSignature
    from mlflow.types import ColSpec, Schema

    types = {"number": "double", "category": "string"}
    inputs = Schema([ColSpec(types[kind], name, required=False) for name, kind in columns.items()])
    signature = ModelSignature(inputs, Schema([ColSpec("double", "probability")]))
    flavors = {"leadrank": {"bundle": BUNDLE, "digest": digest}}
    model = Model(artifact_path=MODEL, run_id=run_id, flavors=flavors, signature=signature)
    client.log_text(run_id, model.to_yaml(), f"{MODEL}/MLmodel")
    client.log_dict(run_id, {"columns": inputs.to_dict()}, f"{MODEL}/input_schema.json")
