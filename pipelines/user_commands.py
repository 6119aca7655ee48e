"""``leadrank users``: who may log in to the page, and what they see."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

from features.backend import environment
from features.errors import ParameterError
from pipelines.params import Params
from pipelines.serving import state
from serve.state.audit import COMMAND_LINE
from serve.state.users import Role, User


def add(
    params: Params, home: Path, name: str, role: str, *, at: datetime, given: Mapping[str, Any]
) -> dict[str, Any]:
    """A new user, as `told`.

    Parameters
    ----------
    given
        ``password``, ``territories`` and ``owner``.

    Raises
    ------
    ParameterError
        The name is taken, or the password cannot be used.
    """
    with closing(state(params, home, environment())) as store:
        user = store.users.add(name, Role(role), at=at, by=COMMAND_LINE, **given)
    return told(user)


def change(params: Params, home: Path, name: str, *, at: datetime, to: Mapping[str, Any]) -> dict[str, Any]:
    """The user as changed, as `told`; what is None stays.

    Raises
    ------
    ParameterError
        There is no such user, nothing is to be changed, or the password cannot be used.
    """
    given = {key: value for key, value in to.items() if value is not None}
    if not given:
        raise ParameterError("nothing is to be changed", hint="see `leadrank users set --help`")
    with closing(state(params, home, environment())) as store:
        found = store.users.named(name)
        if found is None:
            raise ParameterError("there is no user with this name", hint="see `leadrank users list`")
        store.users.change(found.user_id, at=at, by=COMMAND_LINE, **given)
        return told(store.users.get(found.user_id) or found)


def every(params: Params, home: Path) -> dict[str, Any]:
    """All users under ``users``, each as `told`."""
    with closing(state(params, home, environment())) as store:
        return {"users": [told(user) for user in store.users.every()]}


def told(user: User) -> dict[str, Any]:
    """``name``, ``role``, ``territories``, ``owner`` and ``is_active`` of a user."""
    return {
        "name": user.name,
        "role": user.role.value,
        "territories": sorted(user.territories),
        "owner": user.owner,
        "is_active": user.is_active,
    }
