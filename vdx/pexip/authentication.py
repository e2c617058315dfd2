"""Who we are to the Management Node: any way to log in, and HTTP Basic."""

import base64
from collections.abc import Generator
from typing import ClassVar

import httpx

from vdx.pexip.errors import PexipConfigurationError


class Authentication(httpx.Auth):
    """A way to log in. `settings` names the settings to check when it is refused."""

    settings: ClassVar[str] = ""

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class BasicAuthentication(Authentication):
    """HTTP Basic with a local or LDAP account. With LDAP, each request asks the LDAP server.

    Raises `PexipConfigurationError` for a user name that Basic cannot carry.
    """

    settings = "pexip.username and pexip.password"

    def __init__(self, username: str, password: str) -> None:
        if not username or ":" in username:
            raise PexipConfigurationError("pexip.username must not be empty or hold a colon")
        credentials = f"{username}:{password}".encode()
        self._header = f"Basic {base64.b64encode(credentials).decode('ascii')}"

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Authorization"] = self._header
        yield request
