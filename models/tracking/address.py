"""Where MLflow is: an address, shown without its password, and the files beside a SQLite database."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

_SQLITE = "sqlite:///"
_ARTIFACTS = "mlartifacts"


def anchored(uri: str, folder: Path) -> str:
    """The same address, with a relative SQLite path anchored in a folder.

    >>> anchored("sqlite:///mlflow.db", Path("/srv/crm"))
    'sqlite:////srv/crm/mlflow.db'
    >>> anchored("https://mlflow.example", Path("/srv/crm"))
    'https://mlflow.example'
    """
    path = database(uri)
    return uri if path is None else f"{_SQLITE}{folder / path}"


def shown(uri: str) -> str:
    """The address without user, password, port and query.

    >>> shown("https://ada:s3cret@mlflow.example:5000/?token=1")
    'https://mlflow.example'
    """
    if database(uri) is not None:
        return uri
    parts = urlsplit(uri)
    return f"{parts.scheme}://{parts.hostname}" if parts.hostname else "its address"


def database(uri: str) -> Path | None:
    """Path of a SQLite database; None for a server.

    >>> database("https://mlflow.example") is None
    True
    """
    return Path(uri.removeprefix(_SQLITE)) if uri.startswith(_SQLITE) else None


def artifact_root(uri: str) -> Path | None:
    """Folder of the files beside a SQLite database; None: the server decides."""
    path = database(uri)
    return None if path is None else path.resolve().parent / _ARTIFACTS


def here(uri: str, artifact_uri: str) -> str:
    """The present address of files whose folder may have been moved together with its database."""
    root = artifact_root(uri)
    if root is None or Path(artifact_uri).is_relative_to(root):
        return artifact_uri
    moved = root / artifact_uri.rpartition(f"/{_ARTIFACTS}/")[2]
    return str(moved) if moved.exists() else artifact_uri
