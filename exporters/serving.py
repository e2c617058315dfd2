"""Serving ASGI applications with uvicorn inside an event loop that is the caller's.

Any number of servers may run in one loop. None of them touches the process's signal handlers.
"""

import asyncio
import contextlib
import errno
import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import uvicorn
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vdx.settings import ServerSettings, SettingsError

GRACE: Final = 1.0
"""Seconds that requests get to end by themselves when a server stops."""

LIMIT: Final = 3
"""Seconds after which connections that still will not close are given up."""

_BACKLOG: Final = 128


def bind(listen: str, section: str = "server") -> socket.socket:
    """A socket that listens on address:port; port 0 takes a free one.

    Raises SettingsError, naming `section`.listen, when it cannot.
    """
    host, _, port = listen.rpartition(":")
    setting = f"{section}.listen: {listen}"
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host.strip("[]"), int(port), type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except OSError:
        raise SettingsError(f"{setting}: {host} is no address or host name; write an address") from None
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind(address)
        # Without it a second program could bind the same port as long as none of both listens.
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise SettingsError(f"{setting} {_reason(error)}") from None
    return listener


def _reason(error: OSError) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return "is in use by another program; stop it or choose another address"
        case errno.EADDRNOTAVAIL:
            return "is not an address of this machine; choose one that is, or 0.0.0.0 for all"
        case errno.EACCES:
            return "may not be used by this user; choose a port from 1024 up"
        case _:
            return f"cannot be used: {error.strerror}; choose another address"


def _check_readable(setting: str, path: Path) -> None:
    try:
        path.read_bytes()
    except OSError as error:
        raise SettingsError(
            f"{setting}: cannot read {path}: {error.strerror}; check the path and that this user may read it"
        ) from None


def tls_context(settings: ServerSettings, section: str = "server") -> ssl.SSLContext | None:
    """TLS with the certificate and key of the settings; None where none are set. Raises SettingsError."""
    certificate, key = settings.tls_certificate_file, settings.tls_key_file
    if certificate is None or key is None:
        return None
    certificate_setting, key_setting = f"{section}.tls_certificate_file", f"{section}.tls_key_file"
    _check_readable(certificate_setting, certificate)
    _check_readable(key_setting, key)
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_verify_locations(certificate)
    except (ssl.SSLError, ValueError):
        raise SettingsError(
            f"{certificate_setting}: {certificate} is not a certificate; write it there as PEM"
        ) from None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        # A password of its own, since OpenSSL would ask for one on the terminal.
        context.load_cert_chain(certificate, key, password="")
    except (ssl.SSLError, ValueError) as error:
        if getattr(error, "reason", "") == "KEY_VALUES_MISMATCH":
            fault = f"the key does not match {certificate}; use the two that belong together"
        else:
            fault = f"{key} is not a private key without a password; write it there as PEM"
        raise SettingsError(f"{key_setting}: {fault}") from None
    return context


class _Stoppable:
    """An application whose open requests can be ended, event streams above all."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._requests: set[asyncio.Task[None]] = set()
        self._stopping = False

    async def stop(self) -> None:
        if self._requests:
            await asyncio.wait(set(self._requests), timeout=GRACE)
        self._stopping = True
        for request in self._requests:
            request.cancel()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = asyncio.current_task()
        assert request is not None  # noqa: S101 - a server runs each request in a task
        started = complete = False

        async def follow(message: Message) -> None:
            nonlocal started, complete
            started = True
            complete = message["type"] == "http.response.body" and not message.get("more_body", False)
            await send(message)

        self._requests.add(request)
        try:
            await self._app(scope, receive, follow)
        except asyncio.CancelledError:
            if not self._stopping:
                raise
            request.uncancel()
            if not started:
                await PlainTextResponse("this server stops\n", 503)(scope, receive, send)
            elif not complete:
                await send({"type": "http.response.body", "body": b""})
        finally:
            self._requests.discard(request)


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are the caller's."""
        yield


def _url(listen: str, listener: socket.socket, *, tls: bool) -> str:
    host, _, _ = listen.rpartition(":")
    return f"{'https' if tls else 'http'}://{host}:{listener.getsockname()[1]}"


@asynccontextmanager
async def serve(app: ASGIApp, settings: ServerSettings, section: str = "server") -> AsyncIterator[str]:
    """Serve the application while the block runs; gives its address, such as `http://127.0.0.1:9870`.

    The port takes connections from the start of the block on. At its end open requests get a second,
    then event streams and the like are ended; all is over after a few seconds. The application's
    lifespan is not run: what it needs is the caller's to start. Raises SettingsError, naming the setting
    of `section`, when the address, the certificate or the key cannot be used.
    """
    context = tls_context(settings, section)
    listener = bind(settings.listen, section)
    stoppable = _Stoppable(app)
    config = uvicorn.Config(
        stoppable,
        lifespan="off",
        ws="none",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=LIMIT,
    )
    config.load()
    config.ssl = context
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield _url(settings.listen, listener, tls=context is not None)
    finally:
        server.should_exit = True
        await stoppable.stop()
        await task
