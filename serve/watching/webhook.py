"""One signed POST, as Standard Webhooks 1.0.0 has it (https://www.standardwebhooks.com): id, timestamp, body.

The address and the secret come from the environment and are in no error and no log.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import http.client
import ipaddress
import re
import socket
import ssl
import threading
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlsplit

from features.errors import ParameterError

SECRET_PREFIX = "whsec_"  # noqa: S105  # how the scheme marks one
SECRET_BYTES = range(24, 65)
_PLAIN = re.compile("[!-~]+")
_HOW = "make one with `openssl rand -base64 32` and write the prefix before it"


@dataclass(frozen=True)
class Hook:
    """Where messages go.

    Attributes
    ----------
    address
        Absolute URL: https, or http to this machine itself.
    secret
        Key of the signatures.
    seconds
        How long one attempt may take, from connecting to the answer.
    """

    address: SplitResult = field(repr=False)
    secret: bytes = field(repr=False)
    seconds: float


def hook(url_env: str, secret_env: str, environment: Mapping[str, str], *, seconds: float) -> Hook:
    """The hook that two environment variables describe.

    Raises
    ------
    ParameterError
        One is not set, the URL is not of https (or of this machine), or the secret is not of the scheme.
    """
    for name in (url_env, secret_env):
        if not environment.get(name):
            raise ParameterError(
                f"environment variable '{name}' is not set", hint="set it, or empty `watch:`"
            )
    return Hook(
        _address(environment[url_env], url_env), _secret(environment[secret_env], secret_env), seconds
    )


def signature(secret: bytes, key: str, timestamp: int, body: str) -> str:
    """The header ``webhook-signature``: HMAC-SHA256 of ``key.timestamp.body``, in base64.

    Standard Webhooks 1.0.0, "Signature scheme".
    """
    signed = hmac.new(secret, f"{key}.{timestamp}.{body}".encode(), hashlib.sha256).digest()
    return f"v1,{base64.b64encode(signed).decode()}"


def post(to: Hook, key: str, body: str, *, timestamp: int) -> int | None:
    """Send a message once and return the status; None if no answer came in time. No redirect is followed.

    Parameters
    ----------
    key
        Stays the same however often it is sent: who has it already may answer 200 and forget it.
    timestamp
        Of this attempt, Unix seconds.
    """
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "User-Agent": "leadrank",
        "webhook-id": key,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signature(to.secret, key, timestamp, body),
    }
    target = to.address.path or "/"
    if to.address.query:
        target += f"?{to.address.query}"
    with closing(_connection(to)) as connection:
        # The timeout of a socket starts again with each byte: a server that drips must not hold a look.
        is_late = threading.Event()
        cut = threading.Timer(to.seconds, _cut, [connection, is_late])
        cut.start()
        try:
            connection.request("POST", target, body.encode(), headers)
            status = connection.getresponse().status
            return None if is_late.is_set() else status
        except (OSError, http.client.HTTPException):
            return None
        finally:
            cut.cancel()


def _connection(to: Hook) -> http.client.HTTPConnection:
    host, port = str(to.address.hostname), to.address.port
    if to.address.scheme == "https":
        return http.client.HTTPSConnection(
            host, port, timeout=to.seconds, context=ssl.create_default_context()
        )
    return http.client.HTTPConnection(host, port, timeout=to.seconds)


def _cut(connection: http.client.HTTPConnection, is_late: threading.Event) -> None:
    is_late.set()
    held: socket.socket | None = connection.sock
    if held is not None:
        with suppress(OSError):
            held.shutdown(socket.SHUT_RDWR)


def _address(url: str, name: str) -> SplitResult:
    try:
        found = urlsplit(url.strip())
        is_usable = bool(found.hostname) and found.port != 0 and _PLAIN.fullmatch(url.strip()) is not None
    except ValueError:
        is_usable = False
    if not is_usable or found.username is not None or not _is_safe(found):
        raise ParameterError(
            f"environment variable '{name}' holds no address to send to",
            hint="use https://host/path without a user; http only for this machine itself (127.0.0.1)",
        )
    return found


def _is_safe(found: SplitResult) -> bool:
    if found.scheme != "http":
        return found.scheme == "https"
    if found.hostname == "localhost":
        return True
    try:
        return ipaddress.ip_address(str(found.hostname)).is_loopback
    except ValueError:
        return False


def _secret(text: str, name: str) -> bytes:
    try:
        found = base64.b64decode(text.strip().removeprefix(SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        found = b""
    if not text.strip().startswith(SECRET_PREFIX) or len(found) not in SECRET_BYTES:
        raise ParameterError(
            f"environment variable '{name}' holds no secret: '{SECRET_PREFIX}' and 24 to 64 bytes in base64",
            hint=_HOW,
        )
    return found
