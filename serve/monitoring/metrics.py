"""The last verdict of the monitor for Prometheus: at the page's ``/metrics``, or as a textfile."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry, Gauge, write_to_textfile

from features.errors import StorageError
from serve.monitoring.figure import LEVELS


class Gauges:
    """Gauges of the monitor in a registry; empty until something was monitored."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._level = Gauge("leadrank_monitor_level", "0 ok, 1 warning, 2 alarm.", registry=registry)
        self._retrain = Gauge("leadrank_monitor_retrain", "1: train again.", registry=registry)
        self._moment = Gauge(
            "leadrank_monitor_as_of_seconds", "Moment of the ranking that was monitored.", registry=registry
        )
        self._figure = Gauge(
            "leadrank_monitor_figure",
            "Figures of the monitor, by name and what they are held against.",
            ("figure", "reference"),
            registry=registry,
        )

    def show(self, verdict: Mapping[str, Any]) -> None:
        """Set them to a verdict of `serve.monitoring.store.latest`."""
        self._level.set(LEVELS.index(verdict["level"]))
        self._retrain.set(int(verdict["retrain"]))
        self._moment.set(datetime.fromisoformat(verdict["as_of"]).timestamp())
        self._figure.clear()
        for name, value in verdict.get("figures", {}).items():
            if value is not None:
                figure, _, reference = name.partition("|")
                self._figure.labels(figure, reference).set(value)


def write(path: Path, verdict: Mapping[str, Any]) -> None:
    """Write a file that a node exporter reads (its textfile collector), whole or not at all.

    Raises
    ------
    StorageError
        It cannot be written.
    """
    registry = CollectorRegistry()
    Gauges(registry).show(verdict)
    try:
        write_to_textfile(str(path), registry)
    except OSError as error:
        raise StorageError(
            f"the metrics '{path.name}' cannot be written", hint=os.strerror(error.errno or 0).lower()
        ) from error
