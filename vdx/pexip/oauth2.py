"""OAuth2 with a signed client assertion. Apart from Basic, since only this needs the cryptography library."""

import asyncio
import secrets
import time
from collections.abc import AsyncGenerator, Callable
from typing import Final

import httpx
import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from vdx.pexip.address import secure_url
from vdx.pexip.authentication import Authentication
from vdx.pexip.errors import PexipConfigurationError, Unauthorized, UnexpectedAnswer
from vdx.pexip.faults import status_error

TOKEN_PATH: Final = "/oauth/token/"  # noqa: S105 - a path
TOKEN_RESOURCE: Final = "oauth/token"  # noqa: S105 - a name in metrics
ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ASSERTION_LIFETIME: Final = 3600
"""Seconds from `iat` to `exp`, as pexshell has it."""
RENEW_BEFORE: Final = 300.0
"""Seconds before a token's end at which another is fetched, as pexshell does."""


class _TokenAnswer(msgspec.Struct):
    access_token: str
    expires_in: float = 3600.0


class _Token(msgspec.Struct, frozen=True):
    value: str
    renew_at: float

    def __repr__(self) -> str:
        return "_Token()"


class OAuth2Authentication(Authentication):
    """OAuth2 client credentials with an ES256 client assertion, as the Management Node wants them.

    A token is renewed `RENEW_BEFORE` seconds before its end, and once when it is answered with 401;
    requests that meet a renewal wait for it. `token_url` is by default /oauth/token/ on the host that
    is asked. Raises `PexipConfigurationError` for a key that is not an EC P-256 private key in PEM,
    and while authenticating `Unauthorized` when the client is refused.
    """

    settings = "pexip.client_id and pexip.private_key_file"

    def __init__(
        self,
        client_id: str,
        private_key_pem: str | bytes,
        token_url: str | None = None,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if not client_id:
            raise PexipConfigurationError("pexip.client_id must not be empty")
        self._client_id = client_id
        self._key = _private_key(private_key_pem)
        self._token_url = secure_url(token_url, "the token URL") if token_url else None
        self._clock = clock
        self._token: _Token | None = None
        self._renewal = asyncio.Lock()

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        refused: _Token | None = None
        for _ in range(2):
            async with self._renewal:
                token = self._token
                if token is None or token is refused or self._clock() >= token.renew_at:
                    answer = yield self._token_request(request)
                    await answer.aread()
                    token = self._token = self._accept(answer)
            request.headers["Authorization"] = f"Bearer {token.value}"
            response = yield request
            if response.status_code != 401:
                return
            refused = token

    def _token_request(self, request: httpx.Request) -> httpx.Request:
        url = self._token_url or request.url.join(TOKEN_PATH)
        return httpx.Request(
            "POST",
            url,
            data={
                "grant_type": "client_credentials",
                "client_assertion_type": ASSERTION_TYPE,
                "client_assertion": self._assertion(str(url)),
            },
            headers={"Accept": "application/json"},
            extensions={**request.extensions, "resource": TOKEN_RESOURCE},
        )

    def _assertion(self, audience: str) -> str:
        now = int(self._clock())
        claims = {
            "iss": self._client_id,
            "sub": self._client_id,
            "aud": audience,
            "iat": now,
            "exp": now + ASSERTION_LIFETIME,
            "jti": secrets.token_hex(18),
        }
        return jwt.encode(claims, self._key, algorithm="ES256")

    def _accept(self, response: httpx.Response) -> _Token:
        code = response.status_code
        if code in (400, 401, 403):
            raise Unauthorized(
                f"the Management Node refused the OAuth2 client ({code}): check {self.settings}, that "
                "pexip.url is the node's own full name, that OAuth2 is switched on, and both clocks",
                resource=TOKEN_RESOURCE,
                code=code,
            )
        if error := status_error(response, TOKEN_RESOURCE, self.settings):
            raise error
        try:
            answer = msgspec.json.decode(response.content, type=_TokenAnswer)
        except msgspec.DecodeError:
            raise UnexpectedAnswer(
                "the answer holds no token: is a proxy in between? check pexip.url",
                resource=TOKEN_RESOURCE,
                code=code,
            ) from None
        lifetime = max(answer.expires_in - RENEW_BEFORE, answer.expires_in / 2)
        return _Token(answer.access_token, self._clock() + lifetime)


def _private_key(pem: str | bytes) -> EllipticCurvePrivateKey:
    try:
        key = load_pem_private_key(pem.encode() if isinstance(pem, str) else pem, password=None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, EllipticCurvePrivateKey) or not isinstance(key.curve, SECP256R1):
        raise PexipConfigurationError(
            "pexip.private_key_file holds no unencrypted EC P-256 private key in PEM: "
            "save the key that the Management Node showed when the OAuth2 client was made"
        ) from None
    return key
