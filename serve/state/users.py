"""Who may log in, as what, and whose leads they may see.

Passwords are kept as Argon2 hashes. An unknown name takes as long to refuse as a wrong password.
"""

from __future__ import annotations

import unicodedata
import uuid
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from features.errors import ParameterError
from serve.state import schema
from serve.state.audit import note

SHORTEST, LONGEST = 12, 200
"""Characters of a password."""
_GIVEN = sa.select(schema.user_territories.c.territory).where(
    schema.user_territories.c.user_id == sa.bindparam("user_id")
)


class Role(StrEnum):
    """What a user may do.

    ``rep``: work on leads of their territories; ``manager``: likewise with all territories below theirs, and
    the team; ``analyst``: read everything; ``admin``: everything, and users.
    """

    REP = "rep"
    MANAGER = "manager"
    ANALYST = "analyst"
    ADMIN = "admin"


@dataclass(frozen=True)
class User:
    """A user.

    Attributes
    ----------
    user_id
        Random, for ever.
    name
        What they log in with.
    role
        What they may do.
    territories
        Theirs, as they were given; a manager sees everything below them, too.
    owner
        Name in the leads' column ``owner``: a rep with one sees only those leads. None: all of theirs.
    is_active
        Whether they may log in.
    language, theme
        What they chose; a language of None is that of the page.
    """

    user_id: str
    name: str
    role: Role
    territories: frozenset[str]
    owner: str | None
    is_active: bool
    language: str | None
    theme: str


@dataclass(frozen=True)
class Users:
    """All users.

    Attributes
    ----------
    engine, writing
        The state for reading and for writing.
    hasher
        How passwords are hashed.
    """

    engine: sa.Engine
    writing: sa.Engine
    hasher: PasswordHasher
    _decoy: str = field(repr=False, default="")

    def add(
        self,
        name: str,
        role: Role,
        *,
        password: str | None,
        at: datetime,
        by: str,
        territories: Collection[str] = (),
        owner: str | None = None,
    ) -> User:
        """A new user.

        Parameters
        ----------
        password
            None: they come through the provider of OpenID Connect only.

        Raises
        ------
        ParameterError
            The name is taken or empty, or the password is too short or too long.
        """
        user_id, shown = str(uuid.uuid4()), unicodedata.normalize("NFC", name).strip()
        if not shown or not shown.isprintable():
            raise ParameterError("the name of a user is empty or cannot be printed", hint="give one")
        row = {
            "user_id": user_id, "name": shown, "name_key": key_of(shown), "password": self._hashed(password),
            "role": role.value, "owner": owner or None, "is_active": True, "theme": "auto", "created_at": at,
        }  # fmt: skip
        try:
            with self.writing.begin() as connection:
                connection.execute(sa.insert(schema.users).values(row))
                _give(connection, user_id, territories)
                note(
                    connection,
                    at,
                    by,
                    "user added",
                    user_id,
                    role=role.value,
                    territories=sorted(territories),
                )
        except sa.exc.IntegrityError:
            raise ParameterError("there is a user with this name", hint="choose another name") from None
        found = self.get(user_id)
        assert found is not None  # noqa: S101  # it was just written
        return found

    def change(self, user_id: str, *, at: datetime, by: str, **to: Any) -> None:
        """Change ``role``, ``territories``, ``owner``, ``is_active`` or ``password`` of a user.

        A new password or role, and a user who may no longer log in, end all their sessions; a user who may no
        longer log in loses the API tokens, too.
        """
        given = dict(to)
        with self.writing.begin() as connection:
            if "territories" in given:
                _give(connection, user_id, given["territories"])
            plain = {name: value for name, value in given.items() if name not in {"territories", "password"}}
            if "password" in given:
                plain["password"] = self._hashed(given["password"])
            if plain:
                one = schema.users.c.user_id == user_id
                connection.execute(sa.update(schema.users).where(one).values(plain))
            if given.keys() & {"password", "role"} or given.get("is_active") is False:
                connection.execute(sa.delete(schema.sessions).where(schema.sessions.c.user_id == user_id))
            if given.get("is_active") is False:
                _revoke_all(connection, user_id, at)
            told = {name: _plain(value) for name, value in given.items() if name != "password"}
            note(connection, at, by, "user changed", user_id, changed=sorted(given), **told)

    def prefer(self, user_id: str, *, language: str | None, theme: str) -> None:
        """What a user chose for themselves."""
        values = {"language": language, "theme": theme}
        with self.writing.begin() as connection:
            one = schema.users.c.user_id == user_id
            connection.execute(sa.update(schema.users).where(one).values(values))

    def checked(self, name: str, password: str) -> User | None:
        """The active user with this name and password; None whatever is wrong, after the same work."""
        table = schema.users
        asked = sa.select(table.c.user_id, table.c.password, table.c.is_active)
        with self.engine.connect() as connection:
            row = connection.execute(asked.where(table.c.name_key == key_of(name))).first()
        kept = self._decoy if row is None or row.password is None else row.password
        is_right = self._is_right(kept, password)
        if row is None or row.password is None or not is_right or not row.is_active:
            return None
        return self.get(row.user_id)

    def get(self, user_id: str) -> User | None:
        """A user by id, active or not."""
        return self._one(schema.users.c.user_id == user_id)

    def named(self, name: str) -> User | None:
        """A user by name, active or not."""
        return self._one(schema.users.c.name_key == key_of(name))

    def every(self) -> list[User]:
        """All users by name."""
        with self.engine.connect() as connection:
            rows = connection.execute(sa.select(schema.users).order_by(schema.users.c.name_key)).all()
            given = connection.execute(sa.select(schema.user_territories)).all()
        theirs: dict[str, set[str]] = {}
        for row in given:
            theirs.setdefault(row.user_id, set()).add(row.territory)
        return [user_of(row, theirs.get(row.user_id, set())) for row in rows]

    def _one(self, which: sa.ColumnElement[bool]) -> User | None:
        with self.engine.connect() as connection:
            row = connection.execute(sa.select(schema.users).where(which)).first()
            return None if row is None else user_of(row, territories_of(connection, row.user_id))

    def _hashed(self, password: str | None) -> str | None:
        if password is None:
            return None
        if not SHORTEST <= len(password) <= LONGEST:
            raise ParameterError(
                f"a password has {SHORTEST} to {LONGEST} characters", hint="choose another one"
            )
        return self.hasher.hash(unicodedata.normalize("NFC", password))

    def _is_right(self, kept: str, password: str) -> bool:
        try:
            return self.hasher.verify(kept, unicodedata.normalize("NFC", password)[: LONGEST + 1])
        except (VerificationError, InvalidHashError):
            return False


def key_of(name: str) -> str:
    """What makes two names one: case and Unicode form do not.

    >>> key_of(" Änn") == key_of("ÄNN")
    True
    """
    return unicodedata.normalize("NFKC", name).strip().casefold()


def user_of(row: Any, territories: Collection[str]) -> User:
    """A user from a row of ``users``."""
    return User(
        row.user_id, row.name, Role(row.role), frozenset(territories), row.owner, bool(row.is_active),
        row.language, row.theme,
    )  # fmt: skip


def territories_of(connection: sa.Connection, user_id: str) -> set[str]:
    """Territories that a user was given."""
    return set(connection.scalars(_GIVEN, {"user_id": user_id}))


def _give(connection: sa.Connection, user_id: str, territories: Collection[str]) -> None:
    table = schema.user_territories
    connection.execute(sa.delete(table).where(table.c.user_id == user_id))
    if territories:
        rows = [{"user_id": user_id, "territory": name} for name in sorted(set(territories))]
        connection.execute(sa.insert(table), rows)


def _revoke_all(connection: sa.Connection, user_id: str, at: datetime) -> None:
    table = schema.tokens
    live = (table.c.user_id == user_id) & table.c.revoked_at.is_(None)
    connection.execute(sa.update(table).where(live).values(revoked_at=at))


def _plain(value: Any) -> Any:
    return sorted(value) if isinstance(value, set | frozenset | tuple | list) else value
