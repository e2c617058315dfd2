"""Basic, OAuth2 with a signed assertion, and the limit of requests."""

import secrets
from time import time
from typing import Any

import httpx
import jwt
import pytest

from simulator.authentication import create_client
from simulator.testing import RunningSimulator, running

PATH = "/api/admin/status/v1/licensing/"


def assertion(simulator: RunningSimulator, key: str = "", **changed: Any) -> str:
    client = simulator.oauth_client
    claims = {
        "iss": client.client_id,
        "sub": client.client_id,
        "aud": f"{simulator.url}/oauth/token/",
        "iat": int(time()),
        "exp": int(time()) + 3600,
        "jti": secrets.token_hex(18),
    } | changed
    return jwt.encode(
        {name: value for name, value in claims.items() if value is not None},
        key or client.private_key,
        algorithm="ES256",
    )


def ask(simulator: RunningSimulator, signed: str, **changed: str) -> httpx.Response:
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": signed,
    } | changed
    return httpx.post(f"{simulator.url}/oauth/token/", data=form, trust_env=False)


def get(simulator: RunningSimulator, authorization: str) -> httpx.Response:
    return httpx.get(simulator.url + PATH, headers={"authorization": authorization}, trust_env=False)


@pytest.mark.parametrize(
    "header", ["", "Basic", "Basic !!", "Basic YWRtaW46d3Jvbmc=", "Bearer x", "Digest x"]
)
def test_without_the_right_account_the_answer_is_401(tuesday: RunningSimulator, header: str) -> None:
    answer = get(tuesday, header)
    assert (answer.status_code, answer.content) == (401, b"")
    assert answer.headers["www-authenticate"].startswith("Basic")


def test_a_token_is_given_for_a_signed_assertion(tuesday: RunningSimulator) -> None:
    granted = ask(tuesday, assertion(tuesday)).json()
    assert granted.keys() == {"access_token", "expires_in", "token_type"}
    assert get(tuesday, f"Bearer {granted['access_token']}").status_code == 200


def test_an_assertion_serves_once(tuesday: RunningSimulator) -> None:
    signed = assertion(tuesday)
    assert ask(tuesday, signed).status_code == 200
    assert ask(tuesday, signed).json() == {"error": "invalid_client"}


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": "somebody"},
        {"sub": "somebody"},
        {"aud": "https://elsewhere/oauth/token/"},
        {"exp": 1},
        {"exp": None},
        {"jti": None},
    ],
)
def test_a_wrong_claim_is_refused(tuesday: RunningSimulator, changed: dict[str, Any]) -> None:
    answer = ask(tuesday, assertion(tuesday, **changed))
    assert (answer.status_code, answer.json()) == (401, {"error": "invalid_client"})


def test_another_key_is_refused(tuesday: RunningSimulator) -> None:
    assert ask(tuesday, assertion(tuesday, create_client().private_key)).status_code == 401
    assert ask(tuesday, "no token at all").status_code == 401
    assert ask(tuesday, assertion(tuesday), grant_type="password").status_code == 400


def test_the_limit_of_requests_is_shared_and_says_when_to_come_back() -> None:
    with running(time="2026-11-17T03:00:00", rate_limit=5) as simulator:
        answers = [simulator.http.get(PATH) for _ in range(6)]
        assert [answer.status_code for answer in answers] == [200] * 5 + [429]
        assert 1 <= int(answers[-1].headers["retry-after"]) <= 60
        assert simulator.truth().nodes_up == 81
