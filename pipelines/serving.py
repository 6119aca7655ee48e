"""``leadrank serve``: the page and the API, until a signal ends it."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from features.errors import ParameterError
from pipelines import attempts, told_users
from pipelines.params import Params
from pipelines.progress import logger
from pipelines.serve_sections import OpenId, Serve
from serve.gates.finding import GATES
from serve.state.store import Store
from serve.state.store import opened as state_opened
from serve.web.listening import listening
from serve.web.settings import MINUTES, Oidc, Settings

if TYPE_CHECKING:
    from serve.web.place import Place

Clock = Callable[[], datetime]
HEADER_BYTES = 64 * 1024
CONNECTIONS, BACKLOG = 1000, 256
_ANYWHERE = "the page would be open to everybody who can reach it"


def settings_of(
    section: Serve, environment: Mapping[str, str], *, host: str | None = None, port: int | None = None,
    is_open: bool = False,
) -> Settings:  # fmt: skip
    """The settings of the page; options of the command line go before the section.

    Raises
    ------
    ParameterError
        The environment variable of the provider's secret is not set.
    """
    return Settings(
        host=host or section.host,
        port=port or section.port,
        public_url=section.public_url,
        trusted_proxy=section.trusted_proxy,
        idle_minutes=round(section.idle_hours * MINUTES),
        absolute_minutes=round(section.absolute_hours * MINUTES),
        language=section.language,
        oidc=None if section.oidc is None else _oidc(section.oidc, environment),
        is_open=is_open,
    )


def state(params: Params, home: Path, environment: Mapping[str, str]) -> Store:
    """The state that the parameters name.

    Raises
    ------
    ParameterError
        The environment variable is not set, or holds no such URL.
    StorageError, UpstreamError
        As `serve.state.store.opened`.
    """
    name = params.serve.state_url_env
    return state_opened(home, None if name is None else _variable(name, environment))


def check(settings: Settings, store: Store) -> None:
    """Refuse to serve without a way to log in, or, beyond this machine, without TLS; tell what is risked.

    Raises
    ------
    ParameterError
        There is no user, or browsers from elsewhere would send passwords in clear text.
    """
    if settings.is_open:
        logger().warning("insecure", risk=_ANYWHERE, host=settings.host)
        sys.stderr.write(f"\n  *** --insecure: no login is asked for; {_ANYWHERE} ***\n\n")
        return
    if not any(user.is_active for user in store.users.every()):
        raise ParameterError(
            "nobody could log in: there is no user", hint="leadrank users add NAME --role admin"
        )
    if not settings.is_loopback and not settings.is_secure:
        raise ParameterError(
            "beyond this machine the page is served over https only",
            hint="put a proxy with TLS before it and set serve.public_url to its https address",
        )


def run(
    params: Params, home: Path, settings: Settings, *, environment: Mapping[str, str], clock: Clock
) -> None:
    """Serve until a signal ends it.

    Raises
    ------
    ParameterError
        As `check`; or the address is taken or not ours.
    """
    import uvicorn

    from serve.web.app import create_app

    with ExitStack() as opened:
        store = opened.enter_context(closing(state(params, home, environment)))
        check(settings, store)
        listening = opened.enter_context(_listening(settings))
        place = _place(params, home, settings, store, clock, opened)
        server = uvicorn.Server(uvicorn.Config(create_app(place), **_served(settings)))
        logger().info("serving", address=settings.address, listening=f"{settings.host}:{settings.port}")
        server.run([listening])


def run_demo(params: Params, home: Path, *, clock: Clock) -> None:
    """Add a user of each role to a demo, tell their passwords, and serve it until a signal ends it."""
    from features.backend import environment
    from pipelines.demo import page_users

    with closing(state(params, home, environment())) as store:
        told_users.passwords(page_users.added(params, home, store, clock()))
    settings = settings_of(params.serve, environment())
    run(params, home, settings, environment=environment(), clock=clock)


def _place(
    params: Params, home: Path, settings: Settings, store: Store, clock: Clock, opened: ExitStack
) -> Place:
    from pipelines.helping import Helper
    from pipelines.online import standing
    from serve.views.following import FOLDER, Following
    from serve.web.place import Place

    following = Following(home / params.score.runs, home / FOLDER, is_apart=True)
    opened.enter_context(closing(following))
    following.index()  # begins to make it; until it is there pages say 503
    scoring = opened.enter_context(closing(standing(params, home)))
    helper = opened.enter_context(closing(Helper(params, home)))
    extras = {"refused": lambda: _refused(home), "score": scoring, "help": helper}
    return Place(following, store, settings, clock, home, extras)


def _listening(settings: Settings) -> socket.socket:
    """The socket, before anything slow is done."""
    try:
        return listening(settings.host, settings.port, backlog=BACKLOG)
    except OSError as error:
        raise ParameterError(
            f"nothing can listen on {settings.host}, port {settings.port}"
            f" ({os.strerror(error.errno or 0).lower()})",
            hint="choose another with --host and --port",
        ) from None


def _refused(home: Path) -> dict[str, Any] | None:
    """What stopped the latest night, if anything did."""
    failed = attempts.failed(home)
    if failed is None:
        return None
    told = {finding.partition(":")[0] for finding in str(failed["reason"]).split("; ")}
    return {"gates": [gate for gate in GATES if gate in told], "code": failed["code"]}


def _served(settings: Settings) -> dict[str, Any]:
    return {
        "host": settings.host,
        "port": settings.port,
        "log_config": None,  # each request has one line of ours
        "access_log": False,
        "server_header": False,
        "date_header": True,
        "proxy_headers": settings.trusted_proxy is not None,
        "forwarded_allow_ips": settings.trusted_proxy or "",
        "h11_max_incomplete_event_size": HEADER_BYTES,
        "limit_concurrency": CONNECTIONS,
        "timeout_graceful_shutdown": 5,
        "ws": "none",
        "lifespan": "off",
    }


def _oidc(section: OpenId, environment: Mapping[str, str]) -> Oidc:
    secret = _variable(section.client_secret_env, environment)
    return Oidc(section.issuer, section.client_id, secret, section.name_claim)


def _variable(name: str, environment: Mapping[str, str]) -> str:
    if name not in environment:
        raise ParameterError(f"environment variable '{name}' is not set", hint="set it, then start again")
    return environment[name]
