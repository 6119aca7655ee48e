"""Logging in with the company account: OpenID Connect, authorization code with PKCE, state and nonce.

The provider says who somebody is; who may come in and see what is said here: only users who were added.
Reference: OpenID Connect Core 1.0, 3.1.3.7 (what is checked of an ID token).
"""

from __future__ import annotations

import secrets
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx

from features.errors import UpstreamError
from serve.state.pending import Login
from serve.web.settings import Oidc

if TYPE_CHECKING:
    from authlib.integrations.httpx_client import AsyncOAuth2Client

ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA")
"""Signatures by a key pair of the provider's; none that a client secret could forge."""
_SECONDS = 10
_LEEWAY_SECONDS = 60
_DISCOVERY = "/.well-known/openid-configuration"


@dataclass(frozen=True)
class Provider:
    """A provider, as it tells of itself.

    Attributes
    ----------
    oidc
        How it is reached.
    back
        Address of ours that it sends browsers back to.
    transport
        What carries our requests to it; None: the network.
    """

    oidc: Oidc
    back: str
    transport: httpx.AsyncBaseTransport | None = None

    async def begin(self, next_path: str) -> tuple[str, str, Login]:
        """Address to send a browser to, the state that it comes back with, and what to know then.

        Raises
        ------
        UpstreamError
            The provider does not answer as one.
        """
        login = Login(secrets.token_urlsafe(24), secrets.token_urlsafe(48), next_path)
        told = await self._discovered()
        async with self._client() as client:
            address, state = client.create_authorization_url(
                told["authorization_endpoint"], code_verifier=login.verifier, nonce=login.nonce
            )
        return str(address), str(state), login

    async def name(self, code: str, login: Login, seconds: int) -> str | None:
        """Name of who has logged in; None if the provider's answer proves none.

        Parameters
        ----------
        code
            What the browser came back with.
        seconds
            The moment, in seconds of Unix time.

        Raises
        ------
        UpstreamError
            The provider does not answer as one.
        """
        told = await self._discovered()
        claims = await self._claims(told, code, login, seconds)
        if claims is None or (self.oidc.name_claim == "email" and claims.get("email_verified") is False):
            return None
        name = claims.get(self.oidc.name_claim)
        return name if isinstance(name, str) and name else None

    async def _claims(
        self, told: Mapping[str, Any], code: str, login: Login, seconds: int
    ) -> Mapping[str, Any] | None:
        from authlib.integrations.base_client import OAuthError
        from joserfc import jwk, jwt
        from joserfc.errors import JoseError

        try:
            async with self._client() as client:
                answer = await client.fetch_token(
                    told["token_endpoint"], code=code, code_verifier=login.verifier
                )
                keys = jwk.KeySet.import_key_set(await self._read(told["jwks_uri"]))
            token = jwt.decode(str(answer.get("id_token", "")), keys, algorithms=list(ALGORITHMS))
            jwt.JWTClaimsRegistry(
                now=seconds,
                leeway=_LEEWAY_SECONDS,
                iss={"essential": True, "value": told["issuer"]},
                aud={"essential": True, "value": self.oidc.client_id},
                exp={"essential": True},
                nonce={"essential": True, "value": login.nonce},
            ).validate(token.claims)
        except (OAuthError, JoseError, ValueError):
            return None
        except (httpx.HTTPError, KeyError):
            raise _silent() from None
        return token.claims

    async def _discovered(self) -> dict[str, Any]:
        issuer = self.oidc.issuer.rstrip("/")
        try:
            told: dict[str, Any] = await self._read(issuer + _DISCOVERY)
            wanted = {told[name] for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")}
            is_right = told["issuer"].rstrip("/") == issuer and all(isinstance(each, str) for each in wanted)
        except (httpx.HTTPError, ValueError, KeyError, TypeError, AttributeError):
            raise _silent() from None
        if not is_right:
            raise _silent()
        return told

    async def _read(self, address: str) -> Any:
        async with httpx.AsyncClient(transport=self.transport, timeout=_SECONDS) as client:
            answer = await client.get(address)
        answer.raise_for_status()
        return answer.json()

    def _client(self) -> AsyncOAuth2Client:
        from authlib.deprecate import AuthlibDeprecationWarning  # importing it asks for its warnings

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", AuthlibDeprecationWarning)  # it asks for httpx's successor
            from authlib.integrations.httpx_client import AsyncOAuth2Client
        return AsyncOAuth2Client(
            self.oidc.client_id,
            self.oidc.client_secret,
            scope="openid email profile",
            redirect_uri=self.back,
            code_challenge_method="S256",
            transport=self.transport,
            timeout=_SECONDS,
        )


def _silent() -> UpstreamError:
    return UpstreamError(
        "the OpenID Connect provider does not answer as one", hint="check serve.oidc.issuer and the network"
    )
