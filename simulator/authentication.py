"""Who may ask: HTTP Basic, and OAuth2 by a client assertion signed with ES256, as the Management Node has
them."""

import base64
import binascii
import secrets
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from hmac import compare_digest
from math import ceil
from time import monotonic, time
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

TOKEN_SECONDS: Final = 3600
"""Life of an access token."""

_ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@dataclass(frozen=True, slots=True)
class OAuthClient:
    """An OAuth2 client; Pexip shows its private key only when the client is created."""

    client_id: str
    public_key: str
    private_key: str = field(default="", repr=False)


def create_client(client_id: str = "vdx-watch") -> OAuthClient:
    """A client with a P-256 key pair of its own, in PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return OAuthClient(client_id, public.decode(), private.decode())


class TokenRefusedError(Exception):
    """The token endpoint refuses, with this OAuth2 error code."""


class Authentication:
    """The accounts and the tokens given out."""

    def __init__(
        self, username: str, password: str, clients: Mapping[str, OAuthClient] | None = None
    ) -> None:
        self._basic = f"{username}:{password}".encode()
        self._clients = dict(clients or {})
        self._tokens: dict[str, float] = {}
        self._used: dict[str, float] = {}

    def accepts(self, header: str) -> bool:
        """Whether an Authorization header lets in."""
        scheme, _, value = header.partition(" ")
        if scheme.lower() == "bearer":
            return self._tokens.get(value.strip(), 0.0) > monotonic()
        if scheme.lower() != "basic":
            return False
        try:
            return compare_digest(base64.b64decode(value, validate=True), self._basic)
        except (binascii.Error, ValueError):
            return False

    def revoke(self) -> None:
        """Forget all tokens."""
        self._tokens.clear()

    def grant(self, form: Mapping[str, str], endpoint: str) -> dict[str, Any]:
        """An access token for a client assertion whose audience is this endpoint."""
        if form.get("grant_type") != "client_credentials":
            raise TokenRefusedError("unsupported_grant_type")
        if form.get("client_assertion_type") != _ASSERTION_TYPE:
            raise TokenRefusedError("invalid_client")
        self._check(form.get("client_assertion", ""), endpoint)
        token = secrets.token_urlsafe(24)
        self._tokens[token] = monotonic() + TOKEN_SECONDS
        return {"access_token": token, "expires_in": TOKEN_SECONDS, "token_type": "Bearer"}

    def _check(self, assertion: str, endpoint: str) -> None:
        try:
            named = str(jwt.decode(assertion, options={"verify_signature": False}).get("iss", ""))
            client = self._clients[named]
            claims = jwt.decode(
                assertion,
                client.public_key,
                algorithms=["ES256"],
                audience=endpoint,
                issuer=client.client_id,
                options={"require": ["iss", "sub", "aud", "exp", "iat", "jti"]},
            )
        except (jwt.PyJWTError, KeyError):
            raise TokenRefusedError("invalid_client") from None
        now = time()
        self._used = {jti: expires for jti, expires in self._used.items() if expires > now}
        if claims["sub"] != client.client_id or claims["jti"] in self._used:
            raise TokenRefusedError("invalid_client")
        self._used[claims["jti"]] = float(claims["exp"])


class RateLimit:
    """So many requests a minute, over all of the admin APIs; 0 is without limit."""

    def __init__(self, requests: int, seconds: float = 60.0) -> None:
        self._requests = requests
        self._seconds = seconds
        self._taken: deque[float] = deque()

    def retry_after(self) -> int | None:
        """Take a request; when there is none left, the seconds after which there is one again."""
        if not self._requests:
            return None
        now, taken = monotonic(), self._taken
        while taken and taken[0] <= now - self._seconds:
            taken.popleft()
        if len(taken) >= self._requests:
            return max(1, ceil(taken[0] + self._seconds - now))
        taken.append(now)
        return None
