"""Figures of the page for Prometheus: requests and their times, the ranking's age, what the monitor said."""

from __future__ import annotations

from datetime import datetime

from fastapi import Request
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4 as CONTENT_TYPE

from serve.monitoring import store
from serve.monitoring.metrics import Gauges
from serve.web.place import place_of

__all__ = ["CONTENT_TYPE", "Figures", "told"]


class Figures:
    """Counted since the process began."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        labels = ("method", "route", "status")
        self.requests = Counter("leadrank_requests", "Requests.", labels, registry=self.registry)
        self.seconds = Histogram("leadrank_seconds", "Time to answer.", ("route",), registry=self.registry)
        self.age = Gauge("leadrank_ranking_age_hours", "Age of the ranking in force.", registry=self.registry)
        self.monitor = Gauges(self.registry)

    def add(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request."""
        self.requests.labels(method, route, str(status)).inc()
        self.seconds.labels(route).observe(seconds)


def told(request: Request) -> bytes:
    """All figures as text."""
    place, figures = place_of(request), request.app.state.figures
    index = place.following.index()
    if index is not None:
        age = place.clock() - datetime.fromisoformat(index.run.as_of)
        figures.age.set(age.total_seconds() / 3600)
    verdict = store.latest(place.home)
    if verdict is not None:
        figures.monitor.show(verdict)
    return generate_latest(figures.registry)
