"""What every route needs and none makes itself: the rankings, the state, the settings and the clock."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.requests import HTTPConnection

from serve.state.store import Store
from serve.web.settings import Settings

if TYPE_CHECKING:
    from serve.views.following import Following  # it imports DuckDB


@dataclass(frozen=True)
class Place:
    """What the page is made of.

    Attributes
    ----------
    following
        The rankings.
    store
        Users, sessions, tokens, territories, feedback, audit log, saved views.
    settings
        How it is served.
    clock
        The moment, UTC.
    home
        Folder of ``params.yaml``.
    extras
        What single pages and resources are given: ``score`` (`serve.online`), ``help`` (`pipelines.helping`),
        ``capacity``, ``mlflow`` …
    """

    following: Following
    store: Store
    settings: Settings
    clock: Callable[[], datetime]
    home: Path = Path()
    extras: Mapping[str, Any] = field(default_factory=dict)


def place_of(request: HTTPConnection) -> Place:
    """The place that the application was made with."""
    place: Place = request.app.state.place
    return place
