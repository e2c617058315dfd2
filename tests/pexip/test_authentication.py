"""Logging in: Basic and OAuth2, renewals, refusals; and no secret in any text."""

import asyncio
import base64
import time
from typing import Any
from urllib.parse import parse_qsl

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import Receive, Scope, Send

from tests.pexip.conftest import SECRET, Observed, management_node
from tests.pexip.stand_in import StandIn, conferences
from vdx.pexip import errors, resources
from vdx.pexip.authentication import BasicAuthentication
from vdx.pexip.oauth2 import OAuth2Authentication

KEY = ec.generate_private_key(ec.SECP256R1())
TOKEN_URL = "https://manager.example/oauth/token/"


def pem(key: Any, encryption: Any = None) -> str:
    encoded: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption())
    return encoded.decode()


class OAuth2StandIn(StandIn):
    """A stand-in that wants Bearer tokens and gives them for a signed assertion, as the reference says."""

    def __init__(self) -> None:
        super().__init__(conference=conferences(2))
        self.assertions: list[dict[str, Any]] = []
        self.valid: set[str] = set()
        self.token_answers: list[Response] = []
        self.expires_in = 3600

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        if request.url.path == "/oauth/token/":
            await asyncio.sleep(0.005)
            response = self.token_answers.pop(0) if self.token_answers else await self.token(request)
            await response(scope, receive, send)
        elif request.headers.get("authorization", "").removeprefix("Bearer ") in self.valid:
            await super().__call__(scope, receive, send)
        else:
            await Response(status_code=401)(scope, receive, send)

    async def token(self, request: Request) -> Response:
        assert request.method == "POST"
        assert request.headers["content-type"] == "application/x-www-form-urlencoded"
        form = dict(parse_qsl((await request.body()).decode()))
        assert form["grant_type"] == "client_credentials"
        assert form["client_assertion_type"] == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        try:
            claims = jwt.decode(
                form["client_assertion"],
                KEY.public_key(),
                algorithms=["ES256"],
                audience=TOKEN_URL,
                options={"verify_iat": False},  # the clients' clock is moved by tests
            )
        except jwt.InvalidTokenError:
            return JSONResponse({"error": "invalid_client"}, 400)
        self.assertions.append(claims)
        token = f"{SECRET}-{len(self.assertions)}"
        self.valid = {token}
        return JSONResponse({"access_token": token, "expires_in": self.expires_in, "token_type": "Bearer"})


class Clock:
    def __init__(self) -> None:
        self.now = time.time()

    def __call__(self) -> float:
        return self.now


async def test_a_token_is_fetched_once_for_all_who_wait(observed: Observed) -> None:
    stand_in = OAuth2StandIn()
    authentication = OAuth2Authentication("vdx-watch", pem(KEY))
    async with management_node(stand_in, authentication=authentication, observe=observed) as node:
        readings = await asyncio.gather(*(node.read(resources.CONFERENCE) for _ in range(8)))
        assert all(len(reading.rows) == 2 and reading.requests == 1 for reading in readings)
        assert node.budget.used == 9
    (claims,) = stand_in.assertions
    assert claims["iss"] == claims["sub"] == "vdx-watch"
    assert claims["aud"] == TOKEN_URL
    assert claims["exp"] - claims["iat"] == 3600
    assert len(bytes.fromhex(claims["jti"])) == 18
    assert observed.requests.count(("oauth/token", "200")) == 1
    assert observed.requests.count(("conference", "200")) == 8


async def test_a_token_is_renewed_five_minutes_before_its_end() -> None:
    stand_in = OAuth2StandIn()
    clock = Clock()
    authentication = OAuth2Authentication("vdx-watch", pem(KEY), clock=clock)
    async with management_node(stand_in, authentication=authentication) as node:
        for later, tokens in ((0, 1), (3299, 1), (1, 2), (3299, 2), (2, 3)):
            clock.now += later
            await node.read(resources.CONFERENCE)
            assert len(stand_in.assertions) == tokens
    assert len({claims["jti"] for claims in stand_in.assertions}) == 3


async def test_a_short_token_is_used_half_its_life() -> None:
    stand_in = OAuth2StandIn()
    stand_in.expires_in = 60
    clock = Clock()
    authentication = OAuth2Authentication("vdx-watch", pem(KEY), clock=clock)
    async with management_node(stand_in, authentication=authentication) as node:
        for later, tokens in ((0, 1), (29, 1), (2, 2)):
            clock.now += later
            await node.read(resources.CONFERENCE)
            assert len(stand_in.assertions) == tokens


async def test_a_refused_token_is_renewed_once_by_all_who_meet_it(observed: Observed) -> None:
    stand_in = OAuth2StandIn()
    authentication = OAuth2Authentication("vdx-watch", pem(KEY))
    async with management_node(stand_in, authentication=authentication, observe=observed) as node:
        await node.read(resources.CONFERENCE)
        stand_in.valid.clear()
        await asyncio.gather(*(node.read(resources.CONFERENCE) for _ in range(5)))
        assert len(stand_in.assertions) == 2
    assert not observed.retries


async def test_a_node_that_refuses_every_token_is_not_asked_for_ever() -> None:
    stand_in = OAuth2StandIn()
    stand_in.token_answers = [JSONResponse({"access_token": SECRET}) for _ in range(9)]
    authentication = OAuth2Authentication("vdx-watch", pem(KEY))
    async with management_node(stand_in, authentication=authentication) as node:
        with pytest.raises(errors.Unauthorized, match=r"pexip\.client_id and pexip\.private_key_file"):
            await node.read(resources.CONFERENCE)
        assert node.budget.used == 4


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (JSONResponse({"error": "invalid_client"}, 400), errors.Unauthorized),
        (JSONResponse({"error": "invalid_client"}, 401), errors.Unauthorized),
        (Response(status_code=404), errors.NotFound),
        (HTMLResponse("<html>"), errors.UnexpectedAnswer),
        (JSONResponse({"token": SECRET}), errors.UnexpectedAnswer),
        (Response(status_code=302, headers={"Location": "/login"}), errors.UnexpectedAnswer),
    ],
)
async def test_a_refused_client_is_told_at_once(answer: Response, error: type[errors.PexipError]) -> None:
    stand_in = OAuth2StandIn()
    stand_in.token_answers = [answer]
    authentication = OAuth2Authentication("vdx-watch", pem(KEY))
    async with management_node(stand_in, authentication=authentication) as node:
        with pytest.raises(error, match=r"^oauth/token: .*pexip\.") as caught:
            await node.read(resources.CONFERENCE)
        assert node.budget.used == 1
    assert SECRET not in f"{caught.value}{caught.value!r}"


async def test_a_wrong_key_is_an_invalid_client() -> None:
    authentication = OAuth2Authentication("vdx-watch", pem(ec.generate_private_key(ec.SECP256R1())))
    async with management_node(OAuth2StandIn(), authentication=authentication) as node:
        with pytest.raises(errors.Unauthorized, match=r"refused the OAuth2 client \(400\)"):
            await node.read(resources.CONFERENCE)


async def test_a_token_endpoint_that_restarts_is_retried() -> None:
    stand_in = OAuth2StandIn()
    stand_in.token_answers = [HTMLResponse("<html>", 502), Response(status_code=429)]
    authentication = OAuth2Authentication("vdx-watch", pem(KEY))
    async with management_node(stand_in, authentication=authentication) as node:
        assert len((await node.read(resources.CONFERENCE)).rows) == 2
        assert node.budget.used == 4


async def test_a_deadline_while_a_token_is_fetched_blocks_nobody_after() -> None:
    stand_in = OAuth2StandIn()
    authentication = OAuth2Authentication("vdx-watch", pem(KEY))
    async with management_node(stand_in, authentication=authentication) as node:
        with pytest.raises(errors.DeadlineExceeded):
            await node.read(resources.CONFERENCE, deadline=asyncio.get_running_loop().time() + 0.002)
        assert len((await node.read(resources.CONFERENCE)).rows) == 2


@pytest.mark.parametrize(
    "key",
    [
        "",
        "not a key",
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        pem(ec.generate_private_key(ec.SECP384R1())),
        pem(rsa.generate_private_key(65537, 2048)),
        pem(KEY, BestAvailableEncryption(b"passphrase")),
    ],
    ids=["empty", "text", "garbage", "P-384", "RSA", "encrypted"],
)
def test_a_key_of_another_kind_is_refused(key: str) -> None:
    with pytest.raises(errors.PexipConfigurationError, match=r"pexip\.private_key_file") as caught:
        OAuth2Authentication("vdx-watch", key)
    assert "\n" not in str(caught.value)


def test_settings_that_cannot_be_right_are_refused() -> None:
    with pytest.raises(errors.PexipConfigurationError, match=r"pexip\.username"):
        BasicAuthentication("", SECRET)
    with pytest.raises(errors.PexipConfigurationError, match=r"pexip\.username"):
        BasicAuthentication("a:b", SECRET)
    with pytest.raises(errors.PexipConfigurationError, match=r"pexip\.client_id"):
        OAuth2Authentication("", pem(KEY))
    with pytest.raises(errors.PexipConfigurationError, match="the token URL is plain http"):
        OAuth2Authentication("vdx-watch", pem(KEY), "http://manager.example/oauth/token/")


async def test_basic_credentials_are_sent_as_utf8_and_shown_nowhere() -> None:
    stand_in = StandIn(conference=[])
    authentication = BasicAuthentication("overvåger", "smørrebrød")
    async with management_node(stand_in, authentication=authentication) as node:
        await node.read(resources.CONFERENCE)
        sent = stand_in.requests[0].headers["authorization"].removeprefix("Basic ")
        assert base64.b64decode(sent).decode() == "overvåger:smørrebrød"
        assert "rbr" not in f"{authentication!r}{node!r}"
    assert "KEY" not in repr(OAuth2Authentication("vdx-watch", pem(KEY)))
