"""Commands for the page: serving it, and who may log in."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from features.errors import ParameterError
from pipelines import told_users
from pipelines.console import AsJson, ParamsFile, app, group, now, opened, show

users = group("users", "Who may log in to the page.")


class RoleName(StrEnum):
    """Roles; the state has the same, and is slow to import."""

    REP = "rep"
    MANAGER = "manager"
    ANALYST = "analyst"
    ADMIN = "admin"


UserName = Annotated[str, typer.Argument(help="What they log in with.")]
Territories = Annotated[
    list[str] | None, typer.Option("--territory", help="A territory whose leads they see; may be repeated.")
]
FromInput = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from standard input, without asking.")
]
NoPassword = Annotated[bool, typer.Option("--no-password", help="They log in with the company account only.")]
Owner = Annotated[
    str | None,
    typer.Option(help="Their name in the leads' column owner: they see only those, and calls dealt to them."),
]


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Where to listen; default: serve.host.")] = None,
    port: Annotated[int | None, typer.Option(help="Port; default: serve.port.", min=1, max=65535)] = None,
    insecure: Annotated[
        bool,
        typer.Option("--insecure", help="Ask nobody to log in: whoever reaches the page sees every lead."),
    ] = False,
    params: ParamsFile = Path("params.yaml"),
) -> None:
    """Serve the page and the API until a signal ends it."""
    from features.backend import environment
    from pipelines import serving

    given, home = opened(params)
    settings = serving.settings_of(given.serve, environment(), host=host, port=port, is_open=insecure)
    serving.run(given, home, settings, environment=environment(), clock=now)


@users.command("add")
def users_add(
    name: UserName,
    role: Annotated[RoleName, typer.Option(help="What they may do.")],
    territory: Territories = None,
    owner: Owner = None,
    password_stdin: FromInput = False,
    no_password: NoPassword = False,
    params: ParamsFile = Path("params.yaml"),
    as_json: AsJson = False,
) -> None:
    """Add a user; the password is asked for."""
    from pipelines import user_commands as command

    password = None if no_password else _password(is_piped=password_stdin)
    given: dict[str, Any] = {
        "territories": frozenset(territory or ()),
        "owner": owner,
        "password": password,
    }
    show(command.add(*opened(params), name, role.value, at=now(), given=given), told_users.user, as_json)


@users.command("set")
def users_set(
    name: UserName,
    role: Annotated[RoleName | None, typer.Option(help="What they may do.")] = None,
    territory: Territories = None,
    owner: Owner = None,
    active: Annotated[
        bool | None, typer.Option("--active/--inactive", help="Whether they may log in.")
    ] = None,
    password_stdin: FromInput = False,
    params: ParamsFile = Path("params.yaml"),
    as_json: AsJson = False,
) -> None:
    """Change a user; what is not named stays."""
    from pipelines import user_commands as command

    to: dict[str, Any] = {
        "role": None if role is None else role.value,
        "territories": None if territory is None else frozenset(territory),
        "owner": owner,
        "is_active": active,
        "password": _password(is_piped=True) if password_stdin else None,
    }
    show(command.change(*opened(params), name, at=now(), to=to), told_users.user, as_json)


@users.command("list")
def users_list(params: ParamsFile = Path("params.yaml"), as_json: AsJson = False) -> None:
    """All users."""
    from pipelines import user_commands as command

    show(command.every(*opened(params)), told_users.users, as_json)


def _password(*, is_piped: bool) -> str:
    if is_piped and not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise ParameterError("there is nobody to ask for the password", hint="pipe it in: --password-stdin")
    return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))
