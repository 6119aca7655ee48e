"""The section of ``params.yaml`` for the page and its API."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from features.languages import LanguageCode
from pipelines.sections import Name, Section, Variable

Port = Annotated[int, Field(ge=1, le=65535)]
Hours = Annotated[float, Field(gt=0, le=8760)]
Address = Annotated[str, Field(pattern=r"^https?://[^\s/?#@]+/?$")]
Issuer = Annotated[str, Field(pattern=r"^https?://[^\s?#@]+$")]


class OpenId(Section):
    """The company's OpenID Connect provider.

    Attributes
    ----------
    issuer
        Its address.
    client_id
        What it knows this page by.
    client_secret_env
        Environment variable with the secret that goes with it.
    name_claim
        Claim that holds the name of a user here.
    """

    issuer: Issuer
    client_id: Name
    client_secret_env: Variable
    name_claim: Name = "email"


class Serve(Section):
    """How the page is served: see `serve.web.settings.Settings`.

    Attributes
    ----------
    host, port
        Where it listens.
    public_url
        Address that browsers know it by; None: the one it listens at.
    trusted_proxy
        Address of the proxy whose word on who asks is taken; None: nobody's.
    state_url_env
        Environment variable with the SQLAlchemy URL of the state; None: the file ``.leadrank/state.db``.
    idle_hours, absolute_hours
        How long a login holds without a request, and at most.
    language
        Of the login page, and of users who chose none.
    oidc
        The company's OpenID Connect provider; None: passwords only.
    """

    host: Name = "127.0.0.1"
    port: Port = 8000
    public_url: Address | None = None
    trusted_proxy: Name | None = None
    state_url_env: Variable | None = None
    idle_hours: Hours = 8
    absolute_hours: Hours = 24
    language: LanguageCode = "en"
    oidc: OpenId | None = None
