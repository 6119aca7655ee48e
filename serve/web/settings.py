"""How the page is served: where, to whom, and for how long a login holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import urlsplit

MINUTES = 60
LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")


@dataclass(frozen=True)
class Oidc:
    """An OpenID Connect provider.

    Attributes
    ----------
    issuer
        Its address; what it says of itself is read from ``/.well-known/openid-configuration`` below.
    client_id, client_secret
        What it knows us by.
    name_claim
        Claim that holds the name of a user here: nobody is let in who was not added.
    """

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    name_claim: str = "email"


@dataclass(frozen=True)
class Settings:
    """How the page is served.

    Attributes
    ----------
    host, port
        Where it listens.
    public_url
        Address that browsers know it by; None: the one it listens at.
    trusted_proxy
        Address of the proxy whose ``X-Forwarded-For`` and ``-Proto`` are believed; None: nobody's.
    idle_minutes, absolute_minutes
        How long a login holds without a request, and at most.
    language
        Of the login page, and of users who chose none.
    oidc
        Where users of the company log in; None: with a password only.
    is_open
        Whether everybody is let in as an analyst without logging in (``--insecure``).
    """

    host: str = "127.0.0.1"
    port: int = 8000
    public_url: str | None = None
    trusted_proxy: str | None = None
    idle_minutes: int = 8 * MINUTES
    absolute_minutes: int = 24 * MINUTES
    language: str = "en"
    oidc: Oidc | None = None
    is_open: bool = False

    @property
    def address(self) -> str:
        """Address that browsers know it by, without a slash at its end; never taken from a request."""
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")

    @property
    def is_secure(self) -> bool:
        """Whether browsers come over TLS."""
        return self.public_url is not None and urlsplit(self.public_url).scheme == "https"

    @property
    def hosts(self) -> Sequence[str]:
        """Names that a request may call us by."""
        public = () if self.public_url is None else (urlsplit(self.public_url).hostname or "",)
        own = () if self.host in {"0.0.0.0", "::"} else (self.host,)  # noqa: S104  # compared, not bound
        return tuple(dict.fromkeys((*public, *own, *LOOPBACK_NAMES)))

    @property
    def is_loopback(self) -> bool:
        """Whether nobody from outside can reach it."""
        try:
            return self.host == "localhost" or ip_address(self.host).is_loopback
        except ValueError:
            return False
