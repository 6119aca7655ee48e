"""Users of a demo's page, one of each role, with passwords that are told once."""

from __future__ import annotations

import secrets
from contextlib import closing
from datetime import datetime
from pathlib import Path

from pipelines.params import Params
from serve.state.audit import COMMAND_LINE
from serve.state.store import Store
from serve.state.users import Role
from serve.views import facets
from serve.views.following import FOLDER, Following
from serve.views.index import Index
from serve.views.scope import EVERYTHING, Scope

REGION = "the manager's region"
"""A territory above the two that have most leads."""


def added(params: Params, home: Path, store: Store, at: datetime) -> dict[str, str]:
    """Passwords by name of the users that were added; none where there are users already.

    The rep has the leads of one owner, the manager two territories, analyst and admin everything.
    """
    if store.users.every():
        return {}
    with closing(Following(home / params.score.runs, home / FOLDER)) as following:
        index = following.prepare()
        given = {} if index is None else _given(index)
    names = {role.value: secrets.token_urlsafe(12) for role in Role}
    for place in given.get("below", ()):
        store.tree.put(place, REGION, at=at, by=COMMAND_LINE)
    for role in Role:
        store.users.add(
            role.value,
            role,
            password=names[role.value],
            at=at,
            by=COMMAND_LINE,
            territories=given.get(role.value, ()),
            owner=next(iter(given.get("owner", ())), None) if role is Role.REP else None,
        )
    return names


def _given(index: Index) -> dict[str, list[str]]:
    """Territories of rep and manager, and the owner whose leads the rep has."""
    places = [name for name, _ in facets.values(index, EVERYTHING).get("territory", [])][:2]
    owners = facets.values(index, Scope(frozenset(places[:1]))).get("owner", [])
    return {
        Role.REP.value: places[:1],
        Role.MANAGER.value: [REGION] if places else [],
        "below": places,
        "owner": [name for name, _ in owners][:1],
    }
