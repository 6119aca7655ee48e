"""How MLflow has to behave inside a command: no telemetry, no pickles, no patience, no talking."""

from __future__ import annotations

import os

_SETTINGS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",  # with the default a dead server holds the night for minutes
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",  # seconds
    "MLFLOW_LOGGING_LEVEL": "ERROR",  # stdout and stderr belong to the command line
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}


def settle() -> None:
    """Set what the user's environment leaves open; MLflow reads it while it is imported."""
    for name, value in _SETTINGS.items():
        os.environ.setdefault(name, value)
