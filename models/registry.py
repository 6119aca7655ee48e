"""Runs, model versions and their aliases in MLflow; the only module that imports it.

MLflow keeps numbers, pictures and the bundle. A model version is a folder of data: its ``MLmodel`` names
no loader, so MLflow itself can show it and cannot run it. Scoring fetches the bundle by version.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from features.errors import ModelError, UpstreamError
from models.address import anchored, artifact_root, database, here, shown
from models.flat import ColumnKind, Json, finite_metrics, flat_params

__all__ = ["Version", "anchored", "champion", "fetch", "fetch_test", "log_training", "prepare", "versions"]

CHAMPION, CHALLENGER = "champion", "challenger"
DIGEST_TAG = "leadrank.digest"
TEST, AUDIT = "test", "audit"
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


@dataclass(frozen=True)
class Version:
    """One registered model version.

    Attributes
    ----------
    version
        MLflow's number of the version.
    digest
        Digest of the bundle as it was registered.
    run_id
        MLflow run that trained it.
    artifact_uri
        Where MLflow keeps its files.
    aliases
        ``champion``, ``challenger`` or neither.
    """

    version: str
    digest: str
    run_id: str
    artifact_uri: str
    aliases: tuple[str, ...]


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
    folders: Mapping[str, Path] | None = None,
) -> Version:
    """Record one training and register its bundle as ``challenger``, and as ``champion`` when first.

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
    folders
        Further folders by name: ``TEST`` (what the forward test left), ``AUDIT`` (the leakage audit's page).

    Raises
    ------
    UpstreamError
        MLflow does not answer, or refuses.
    """
    with _upstream(uri):
        client = _client(uri)
        run = client.create_run(_experiment(client, uri, experiment), tags={**tags, DIGEST_TAG: digest})
        with _finished(client, run.info.run_id):
            _log_numbers(client, run, flat_params(params), finite_metrics(metrics))
            _log_files(
                client, run.info.run_id, pictures, {**(folders or {}), f"{_MODEL}/{_BUNDLE}": bundle_folder}
            )
            _log_signature(client, run.info.run_id, input_columns, digest)
        return _register(client, model_name, run, digest)


def champion(uri: str, model_name: str) -> Version:
    """The model in force.

    Raises
    ------
    ModelError
        No version is the champion.
    UpstreamError
        MLflow does not answer.
    """
    found = [version for version in versions(uri, model_name) if CHAMPION in version.aliases]
    if not found:
        raise ModelError(f"no version of model '{model_name}' is the champion", hint="run `leadrank train`")
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
        client = _client(uri)
        found = client.search_model_versions(f"name = '{model_name}'")
        aliases = _aliases(client, model_name) if found else {}
        return sorted((_version(v, aliases) for v in found), key=lambda v: -int(v.version))


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
    run = here(uri, version.artifact_uri).removesuffix(f"/{_MODEL}")
    return _copied(uri, version, f"{run}/{TEST}", into)


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


def _experiment(client: Any, uri: str, name: str) -> str:
    """Id of the experiment; a new one when the folder was moved, as MLflow keeps absolute paths."""
    root = artifact_root(uri)
    for number in count(1):
        numbered = name if number == 1 else f"{name} ({number})"
        found = client.get_experiment_by_name(numbered)
        if found is None:
            return str(client.create_experiment(numbered, artifact_location=root and str(root)))
        is_here = root is None or found.artifact_location.removeprefix("file://") == str(root)
        if is_here and found.lifecycle_stage == "active":
            return str(found.experiment_id)
    raise AssertionError  # count() has no end


@contextmanager
def _finished(client: Any, run_id: str) -> Iterator[None]:
    status = "FAILED"
    try:
        yield
        status = "FINISHED"
    finally:
        client.set_terminated(run_id, status)


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


def _register(client: Any, model_name: str, run: Any, digest: str) -> Version:
    if not client.search_registered_models(f"name = '{model_name}'"):
        client.create_registered_model(model_name)
    made = client.create_model_version(
        model_name,
        source=f"{run.info.artifact_uri}/{_MODEL}",
        run_id=run.info.run_id,
        tags={DIGEST_TAG: digest},
    )
    client.set_registered_model_alias(model_name, CHALLENGER, made.version)
    if CHAMPION not in client.get_registered_model(model_name).aliases:
        client.set_registered_model_alias(model_name, CHAMPION, made.version)
    return _version(made, _aliases(client, model_name))


def _aliases(client: Any, model_name: str) -> dict[str, str]:
    """Version number by alias."""
    aliases = client.get_registered_model(model_name).aliases
    return {alias: str(version) for alias, version in aliases.items()}


def _version(found: Any, aliases: Mapping[str, str]) -> Version:
    number = str(found.version)
    return Version(
        version=number,
        digest=found.tags.get(DIGEST_TAG, ""),
        run_id=found.run_id,
        artifact_uri=found.source,
        aliases=tuple(sorted(alias for alias, version in aliases.items() if version == number)),
    )
