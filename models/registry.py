"""Runs, model versions and their aliases in MLflow; the only module that imports it.

MLflow keeps numbers, pictures and the bundle. A model version is a folder of data: its ``MLmodel`` names
no loader, so MLflow itself can show it and cannot run it. Scoring fetches the bundle by version.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from features.errors import ModelError, StorageError, UpstreamError
from models.tracking import versions as registered
from models.tracking.address import anchored, database, here, shown
from models.tracking.flat import ColumnKind, Json, finite_metrics, flat_params
from models.tracking.runs import experiment_id, finished
from models.tracking.versions import CHAMPION, DIGEST_TAG, SIGNAL_TAG, Version

__all__ = [
    "CHAMPION",
    "Version",
    "anchored",
    "champion",
    "fetch",
    "fetch_card",
    "fetch_test",
    "log_run",
    "log_training",
    "note",
    "prepare",
    "put_in_force",
    "version",
    "versions",
]

TEST, AUDIT, CARD = "test", "audit", "model"
_MODEL, _BUNDLE = "model", "bundle"
_BATCH = 100  # MLflow takes at most so many parameters in one call
_SETTINGS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",  # with the default a dead server holds the night for minutes
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",  # seconds
    "MLFLOW_LOGGING_LEVEL": "ERROR",  # stdout and stderr belong to the command line
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}


def prepare(uri: str) -> None:
    """Import MLflow and open (or create) its store, so that the seconds this takes can run beside record.

    Raises
    ------
    UpstreamError
        MLflow does not answer.
    """
    with _upstream(uri):
        _client(uri).search_experiments(max_results=1)


def log_training(  # noqa: PLR0913  # all that is kept of one training, each part named at the call
    uri: str,
    experiment: str,
    model_name: str,
    *,
    params: Mapping[str, Json],
    metrics: Mapping[str, float | None],
    pictures: Mapping[str, Path],
    bundle_folder: Path,
    digest: str,
    input_columns: Mapping[str, ColumnKind],
    tags: Mapping[str, str],
    has_signal: bool = True,
    folders: Mapping[str, Path] | None = None,
) -> Version:
    """Record one training and register its bundle.

    The first version with signal becomes ``champion``; every other one becomes ``challenger``.

    Parameters
    ----------
    uri
        MLflow tracking URI. For SQLite, files go to ``mlartifacts`` beside the database.
    experiment, model_name
        Names in MLflow; made when they do not exist.
    params
        Nested mappings become ``section.key``; values are cut at 500 characters.
    metrics
        Values that are None or not finite are left out.
    pictures
        PNG files by name.
    bundle_folder
        The whole bundle; it is copied as it is.
    digest
        Digest of the bundle: a tag of the run and of the version.
    input_columns
        Kind of each feature column, in order: the model's signature.
    tags
        Further tags of the run.
    has_signal
        Whether the model ranks later rows better than chance: a tag of the version.
    folders
        Further folders by name: ``TEST`` (what the forward test left), ``AUDIT`` (the leakage audit's page),
        ``CARD`` (the model card, beside the bundle).

    Raises
    ------
    UpstreamError
        MLflow does not answer, or refuses.
    """
    with _upstream(uri):
        client = _client(uri)
        run = client.create_run(experiment_id(client, uri, experiment), tags={**tags, DIGEST_TAG: digest})
        with finished(client, run.info.run_id):
            _log_numbers(client, run, flat_params(params), finite_metrics(metrics))
            _log_files(
                client, run.info.run_id, pictures, {**(folders or {}), f"{_MODEL}/{_BUNDLE}": bundle_folder}
            )
            _log_signature(client, run.info.run_id, input_columns, digest)
        source = f"{run.info.artifact_uri}/{_MODEL}"
        tags_kept = {DIGEST_TAG: digest, SIGNAL_TAG: str(has_signal).lower()}
        return registered.register(client, model_name, source, run.info.run_id, tags_kept)


def log_run(
    uri: str,
    experiment: str,
    *,
    params: Mapping[str, Json],
    metrics: Mapping[str, float | None],
    pictures: Mapping[str, Path],
    tags: Mapping[str, str],
    folders: Mapping[str, Path],
) -> str:
    """Record something that made no model, such as a backtest, and return the id of its run.

    The parameters are those of `log_training`.

    Raises
    ------
    UpstreamError
        MLflow does not answer, or refuses.
    """
    with _upstream(uri):
        client = _client(uri)
        run = client.create_run(experiment_id(client, uri, experiment), tags=dict(tags))
        with finished(client, run.info.run_id):
            _log_numbers(client, run, flat_params(params), finite_metrics(metrics))
            _log_files(client, run.info.run_id, pictures, folders)
        return str(run.info.run_id)


def champion(uri: str, model_name: str) -> Version:
    """The model in force.

    Raises
    ------
    ModelError
        No version is the champion.
    UpstreamError
        MLflow does not answer.
    """
    every = versions(uri, model_name)
    found = [version for version in every if CHAMPION in version.aliases]
    if not found:
        raise ModelError(
            f"no version of model '{model_name}' is the champion",
            hint="none has shown signal yet: add history or fields, then run `leadrank train`"
            if every
            else "run `leadrank train`",
        )
    return found[0]


def version(uri: str, model_name: str, number: str) -> Version:
    """The version with this number.

    Raises
    ------
    ModelError
        There is none.
    UpstreamError
        MLflow does not answer.
    """
    found = [version for version in versions(uri, model_name) if version.version == number]
    if not found:
        raise ModelError(
            f"model '{model_name}' has no version {number}", hint="`leadrank models` lists the versions"
        )
    return found[0]


def versions(uri: str, model_name: str) -> list[Version]:
    """All versions of the model, newest first; none when nothing was trained.

    Raises
    ------
    UpstreamError
        MLflow does not answer.
    """
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
    UpstreamError
        MLflow does not answer.
    """
    with _upstream(uri):
        return registered.move(_client(uri), model_name, version, instead_of=instead_of, record=record)


def note(uri: str, version: Version, path: str, data: Mapping[str, Any]) -> None:
    """Keep plain data as a JSON file among the artifacts of a version's training.

    Raises
    ------
    StorageError
        The disk refuses.
    UpstreamError
        MLflow does not answer.
    """
    if database(uri) is None:
        with _upstream(uri):
            _client(uri).log_dict(version.run_id, dict(data), path)
        return
    file = Path(_run_folder(uri, version)) / path  # MLflow would write where the folder was before it moved
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(data, indent=1), encoding="utf-8")
    except OSError as error:
        raise StorageError(f"'{path}' cannot be written", hint=os.strerror(error.errno or 0)) from error


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
    UpstreamError
        MLflow does not answer.
    """
    return _copied(uri, version, f"{here(uri, version.artifact_uri)}/{_BUNDLE}", into)


def fetch_test(uri: str, version: Version, into: Path) -> Path:
    """Copy what the forward test of a version's training left; else as `fetch`."""
    return _copied(uri, version, f"{_run_folder(uri, version)}/{TEST}", into)


def fetch_card(uri: str, version: Version, into: Path) -> Path:
    """Copy the folder with a version's model card; else as `fetch`."""
    return _copied(uri, version, here(uri, version.artifact_uri), into)


def _run_folder(uri: str, version: Version) -> str:
    return here(uri, version.artifact_uri).removesuffix(f"/{_MODEL}")


def _copied(uri: str, version: Version, source: str, into: Path) -> Path:
    if database(uri) is not None and not Path(source).is_dir():
        raise ModelError(
            f"the files of model version {version.version} are gone",
            hint="bring 'mlartifacts' back beside the database, or run `leadrank train`",
        )
    with _upstream(uri):
        from mlflow.artifacts import download_artifacts

        return Path(download_artifacts(artifact_uri=source, dst_path=str(into), tracking_uri=uri))


def _client(uri: str) -> Any:
    from mlflow import MlflowClient

    return MlflowClient(tracking_uri=uri, registry_uri=uri)


@contextmanager
def _upstream(uri: str) -> Iterator[None]:
    """Import MLflow with our settings, and turn its errors into ours."""
    for name, value in _SETTINGS.items():
        os.environ.setdefault(name, value)
    from mlflow.exceptions import MlflowException
    from requests import RequestException
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except (MlflowException, RequestException, SQLAlchemyError) as error:
        what = getattr(error, "error_code", None) or type(error).__name__
        raise UpstreamError(
            f"MLflow at {shown(uri)} failed with {what}",
            hint="check that it runs and may be written to, then repeat the command",
        ) from None  # the text of the original holds the address with its password


def _log_numbers(client: Any, run: Any, params: Mapping[str, str], metrics: Mapping[str, float]) -> None:
    from mlflow.entities import Metric, Param

    pairs = [Param(key, text) for key, text in params.items()]
    for start in range(0, len(pairs), _BATCH):
        client.log_batch(run.info.run_id, params=pairs[start : start + _BATCH])
    moment = run.info.start_time
    client.log_batch(run.info.run_id, metrics=[Metric(k, value, moment, 0) for k, value in metrics.items()])


def _log_files(client: Any, run_id: str, pictures: Mapping[str, Path], folders: Mapping[str, Path]) -> None:
    for picture in pictures.values():
        client.log_artifact(run_id, str(picture), "pictures")
    for name, folder in folders.items():
        client.log_artifacts(run_id, str(folder), name)


def _log_signature(client: Any, run_id: str, columns: Mapping[str, ColumnKind], digest: str) -> None:
    """Write ``MLmodel``: with a signature, without any flavour that MLflow could run."""
    from mlflow.models import Model, ModelSignature
    from mlflow.types import ColSpec, Schema

    types = {"number": "double", "category": "string"}
    inputs = Schema([ColSpec(types[kind], name, required=False) for name, kind in columns.items()])
    signature = ModelSignature(inputs, Schema([ColSpec("double", "probability")]))
    flavors = {"leadrank": {"bundle": _BUNDLE, "digest": digest}}
    model = Model(artifact_path=_MODEL, run_id=run_id, flavors=flavors, signature=signature)
    client.log_text(run_id, model.to_yaml(), f"{_MODEL}/MLmodel")
    client.log_dict(run_id, {"columns": inputs.to_dict()}, f"{_MODEL}/input_schema.json")
