"""HTTP basic authentication (RFC 7617) in front of an ASGI application."""

import base64
import binascii
import hmac
from collections.abc import Iterable

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from vdx.settings import ServerSettings, read_secret


def _credentials(authorization: str) -> tuple[bytes, bytes]:
    """User name and password of the header; both empty where it holds none."""
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return b"", b""
    try:
        username, _, password = base64.b64decode(encoded, validate=True).partition(b":")
    except (binascii.Error, ValueError):
        return b"", b""
    return username, password


class BasicAuthentication:
    """Lets a request pass that carries the one user name and password; `open_paths` need none."""

    def __init__(self, app: ASGIApp, username: str, password: str, open_paths: Iterable[str] = ()) -> None:
        self._app = app
        self._username = username.encode()
        self._password = password.encode()
        self._open_paths = frozenset(open_paths)

    def _passes(self, scope: Scope) -> bool:
        if scope["type"] == "lifespan" or scope["path"] in self._open_paths:
            return True
        username, password = _credentials(Headers(scope=scope).get("authorization", ""))
        # Both are always compared, so that the time tells nothing of either.
        right = (
            hmac.compare_digest(username, self._username),
            hmac.compare_digest(password, self._password),
        )
        return all(right)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._passes(scope):
            await self._app(scope, receive, send)
        else:
            challenge = {"WWW-Authenticate": 'Basic realm="VDX Watch", charset="UTF-8"'}
            response = PlainTextResponse("user name and password are needed\n", 401, challenge)
            await response(scope, receive, send)


def protected(
    app: ASGIApp, settings: ServerSettings, section: str = "server", open_paths: Iterable[str] = ("/healthz",)
) -> ASGIApp:
    """The application behind the user name and password of its settings; itself where there are none.

    `section` names the settings in messages. Raises SettingsError when the password cannot be read.
    """
    if settings.password_file is None:
        return app
    password = read_secret(f"{section}.password_file", settings.password_file)
    return BasicAuthentication(app, settings.username, password, open_paths)
