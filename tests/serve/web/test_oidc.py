"""The company account, with a provider that lives in this process."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from joserfc import jwk, jwt

from serve.state.users import Role
from serve.web.settings import Oidc

from .conftest import PASSWORD, Site

ISSUER = "https://login.example"
OIDC = Oidc(ISSUER, "leadrank", "provider secret")
KEY = jwk.RSAKey.generate_key(2048, {"kid": "1"}, private=True)
OTHER = jwk.RSAKey.generate_key(2048, {"kid": "1"}, private=True)


class Provider:
    """A provider that says of everybody what a test has it say."""

    def __init__(self, clock):
        self.claims = {
            "iss": ISSUER, "aud": "leadrank", "exp": int(clock().timestamp()) + 300,
            "email": "ann@example.com", "email_verified": True,
        }  # fmt: skip
        self.key, self.header, self.nonce = KEY, {"alg": "RS256", "kid": "1"}, None
        self.asked = {}
        self.is_down = False

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if self.is_down:
            raise httpx.ConnectError("down")
        if request.url.path == "/.well-known/openid-configuration":
            ways = {
                name: f"{ISSUER}/{name}" for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")
            }
            return httpx.Response(200, json={"issuer": ISSUER, **ways})
        if request.url.path == "/jwks_uri":
            return httpx.Response(200, json={"keys": [KEY.as_dict(private=False)]})
        self.asked = {name: value[0] for name, value in parse_qs(request.content.decode()).items()}
        claims = {"nonce": self.nonce, **self.claims}
        token = jwt.encode(self.header, claims, self.key, algorithms=["RS256", "HS256"])
        return httpx.Response(200, json={"access_token": "x", "token_type": "Bearer", "id_token": token})


@pytest.fixture
def provider(site):
    return Provider(site.clock)


@pytest.fixture
def company(site, provider) -> Site:
    """The page with a provider and one user who comes through it."""
    site.user("ann@example.com", Role.REP, ["North"], password=None)
    site.place.extras["oidc_transport"] = httpx.MockTransport(provider)
    return site.with_settings(oidc=OIDC)


def begin(company, provider, path="/account"):
    """A browser that has come back from the provider, and the address that it came back to."""
    browser = company.browser()
    away = browser.get("/login/oidc", params={"next": path})
    asked = {name: value[0] for name, value in parse_qs(urlsplit(away.headers["location"]).query).items()}
    provider.nonce = asked["nonce"]
    return browser, asked


def test_a_user_whom_the_provider_names_is_let_in_and_goes_where_they_wanted(company, provider):
    browser, asked = begin(company, provider)
    assert asked["redirect_uri"] == "http://127.0.0.1:8000/login/oidc/back"
    assert (asked["response_type"], asked["code_challenge_method"]) == ("code", "S256")
    back = browser.get("/login/oidc/back", params={"state": asked["state"], "code": "c"})
    assert (back.status_code, back.headers["location"]) == (303, "/account")
    assert browser.get("/account").status_code == 200
    assert len(provider.asked["code_verifier"]) >= 43
    assert provider.asked["redirect_uri"] == asked["redirect_uri"]


def spoil_claim(**claims):
    def spoil(provider):
        provider.claims.update(claims)

    return spoil


def foreign_key(provider):
    provider.key = OTHER


def no_signature(provider):
    provider.key = jwk.OctKey.import_key(OIDC.client_secret)
    provider.header = {"alg": "HS256"}


def another_nonce(provider):
    provider.claims["nonce"] = "another"


@pytest.mark.parametrize(
    "spoil",
    [spoil_claim(iss="https://evil.example"), spoil_claim(aud="another"), spoil_claim(email="eve@x.example"),
     spoil_claim(email_verified=False), spoil_claim(email=None), spoil_claim(exp=1), spoil_claim(exp=None),
     foreign_key, no_signature, another_nonce],
)  # fmt: skip
def test_an_answer_that_proves_nobody_is_refused(company, provider, spoil):
    browser, asked = begin(company, provider)
    spoil(provider)
    assert browser.get("/login/oidc/back", params={"state": asked["state"], "code": "c"}).status_code == 403
    assert browser.get("/account").status_code == 303


def test_a_login_is_taken_up_once_and_only_in_the_browser_that_began_it(company, provider):
    browser, asked = begin(company, provider)
    back = {"state": asked["state"], "code": "c"}
    assert company.browser().get("/login/oidc/back", params=back).status_code == 403  # a victim's browser
    browser, asked = begin(company, provider)
    back = {"state": asked["state"], "code": "c"}
    assert browser.get("/login/oidc/back", params=back).status_code == 303
    assert browser.get("/login/oidc/back", params=back).status_code == 403
    assert browser.get("/login/oidc/back").status_code == 403


def test_a_user_who_may_no_longer_log_in_is_refused(company, provider):
    user = company.place.store.users.named("ann@example.com")
    company.place.store.users.change(user.user_id, at=company.clock(), by="test", is_active=False)
    browser, asked = begin(company, provider)
    assert browser.get("/login/oidc/back", params={"state": asked["state"], "code": "c"}).status_code == 403


def test_a_provider_that_does_not_answer_is_told_and_passwords_still_work(company, provider):
    provider.is_down = True
    assert company.browser().get("/login/oidc").status_code == 502
    sent = {"name": "rep", "password": PASSWORD}
    assert company.browser().post("/login", data=sent).status_code == 303


def test_a_login_through_the_provider_leads_to_a_path_of_ours(company, provider):
    browser, asked = begin(company, provider, path="//evil.example")
    back = browser.get("/login/oidc/back", params={"state": asked["state"], "code": "c"})
    assert back.headers["location"] == "/"


def test_without_a_provider_there_is_no_such_way(site):
    assert site.browser().get("/login/oidc").status_code == 404
    assert "/login/oidc" not in site.browser().get("/login").text
