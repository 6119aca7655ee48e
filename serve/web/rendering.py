"""Pages from the templates of this folder: every value escaped, labels in the viewer's language."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache, lru_cache, partial
from importlib.resources import files
from math import isfinite
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from models.labels import labels, named
from models.phrases import retold, spoken
from serve.web.place import place_of
from serve.web.rules import AREAS, Viewer

LANGUAGES = (("en", "English"), ("zh", "中文"), ("ru", "Русский"))
STALE_HOURS = 26
"""Age of a nightly ranking that has missed a night."""
_NUMBERS = {
    "whole": ",", "points": "+.1f", "signed": "+.3f", "score": ".0f", "amount": ",.0f", "decimal": ",.1f",
    "hundredth": ",.2f",
}  # fmt: skip
_DAY, _DAYS = len("2026-06-30"), 1000
"""Characters of a moment that say the day, and days whose text is remembered."""
_MINUS, _NOTHING = "\N{MINUS SIGN}", "\N{EN DASH}"
"""The second is for a number that is not there, or is none."""
_OF_DICT = frozenset(dir({}))
"""What an attribute of a mapping means, whatever its keys are."""
_TURN = threading.Semaphore(1)
"""Filling a template is Python alone: ten at once would all be as late as the last of them one by one."""


def page(
    request: Request, viewer: Viewer | None, template: str, *, status: int = 200, **values: Any
) -> HTMLResponse:
    """A page.

    Parameters
    ----------
    viewer
        Who reads it; None: nobody has logged in.
    template
        Its file among ``templates``.
    status
        HTTP status.
    **values
        What the template names, beside what every one may: ``viewer``, ``here``, ``areas``, ``run``,
        ``path``, ``languages``, ``language``, ``theme``, ``search``, ``_``, ``counted`` and ``asset``.
    """
    own = {**_of(request, viewer), "status": status, **values}
    found = environment(own["language"]).get_template(template)
    with _TURN:
        text = found.render(own)
    return HTMLResponse(text, status)


def alone(template: str, language: str, **values: Any) -> str:
    """A page for nobody in particular, which asks neither the state nor a ranking: they may have failed."""
    own: dict[str, Any] = {
        "viewer": None,
        "run": None,
        "areas": (),
        "here": "error",
        "theme": "auto",
        "language": language,
    }
    own |= {"path": "/", "search": "", "languages": LANGUAGES}
    return environment(language).get_template(template).render({**own, **values})


class Templates(Environment):
    """Templates that look for a key of a mapping first: Jinja tries an attribute, and fails dearly."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        """The same as Jinja gives."""
        if type(obj) is dict and attribute in obj and attribute not in _OF_DICT:
            return obj[attribute]
        return super().getattr(obj, attribute)


@cache
def environment(language: str) -> Environment:
    """The templates in a language; read once, like those of `models.pages`."""
    words = labels(language)
    made = Templates(
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        loader=PackageLoader("serve.web"),
        auto_reload=False,
    )
    day = lru_cache(_DAYS)(words.date)  # a list has fifty of the same few

    def number(value: float | None, look: str, unit: str = "") -> str:
        if value is None or not isfinite(value):
            return _NOTHING
        return words.number(f"{value:{look}}{unit}").replace("-", _MINUS)

    made.filters |= {
        "spoken": lambda text: spoken(text, words),
        "retold": lambda text: retold(text, words),
        "month": words.month,
        "day": lambda at: day(at[:_DAY]),
        "moment": lambda at: f"{day(at[:_DAY])} {datetime.fromisoformat(at):%H:%M}",
        "percent": lambda share: number(None if share is None else 100 * share, ".1f", "%"),
        "named": lambda code: named(code, words),
        **{name: partial(number, look=look) for name, look in _NUMBERS.items()},
    }
    made.globals |= {"_": words.text, "counted": words.counted, "asset": asset}
    return made


@cache
def asset(name: str) -> str:
    """Address of a file of ``static``; it changes with the file, so that a browser may keep it."""
    digest = hashlib.sha256((files("serve.web") / "static" / name).read_bytes()).hexdigest()
    return f"/static/{name}?v={digest[:12]}"


def run_of(request: Request) -> Mapping[str, Any] | None:
    """The ranking in force; None without one.

    Returns
    -------
    dict
        ``run_id``, ``as_of`` (ISO), ``age_hours``, ``is_stale``, ``ranked_by``; ``language`` of its sentences
        (None: nobody says); ``refused``: what has kept the latest night from being published (``gates``,
        ``code``), or None.
    """
    place = place_of(request)
    index = place.following.index()
    if index is None:
        return None
    hours = (place.clock() - datetime.fromisoformat(index.run.as_of)).total_seconds() / 3600
    return {
        "run_id": index.run.run_id,
        "as_of": index.run.as_of,
        "age_hours": hours,
        "is_stale": hours > STALE_HOURS,
        "ranked_by": index.run.manifest.get("ranked_by", "model"),
        "language": index.run.manifest.get("language"),
        "refused": place.extras["refused"]() if "refused" in place.extras else None,
    }


def areas_of(viewer: Viewer | None) -> Sequence[str]:
    """Areas that somebody may open, in the order of the menu."""
    return [] if viewer is None else [area for area, roles in AREAS.items() if viewer.role in roles]


def _of(request: Request, viewer: Viewer | None) -> dict[str, Any]:
    query = request.url.query
    return {
        "viewer": viewer,
        "here": _area(request.url.path),
        "areas": areas_of(viewer),
        "run": None if viewer is None else run_of(request),
        "path": request.url.path + (f"?{query}" if query else ""),
        "languages": LANGUAGES,
        "language": place_of(request).settings.language if viewer is None else viewer.language,
        "theme": "auto" if viewer is None else viewer.theme,
        "search": "",
    }


def _area(path: str) -> str:
    first = path.split("/")[1]
    return first if first in AREAS or first in {"account", "login", "docs"} else "today"
