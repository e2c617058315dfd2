"""The Management Node over HTTP, and the simulator's own control API beside it under /simulator/."""

import asyncio
import signal
import socket
import ssl
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from struct import pack
from typing import Any, ClassVar, Final
from urllib.parse import parse_qsl

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from simulator.authentication import Authentication, OAuthClient, RateLimit, TokenRefusedError
from simulator.faults import FAULTS, Fault, UnknownFaultError, spoil
from simulator.tastypie import PAGE_CAP, BadRequestError, Query, Resource, encode, envelope, list_page, schema
from simulator.timing import api_time
from simulator.virtual_platform import VirtualPlatform

METHODS: Final = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
REALM: Final = 'Basic Realm="pexip"'
SORRY: Final = "Sorry, this request could not be processed. Please try again later."
_PAGE: Final = (
    "<html><head><title>{0}</title></head><body><center><h1>{0}</h1></center><hr></body></html>\r\n"
)
_LOGIN: Final = "<!DOCTYPE html><html><body><form action='/login'><input name='user'></form></body></html>"


@dataclass(frozen=True, slots=True)
class Access:
    """How the API is reached: the account, OAuth2 clients by id, the page cap (0: none), requests a minute
    (0: any)."""

    username: str = "admin"
    password: str = field(default="vdx-simulator", repr=False)
    clients: Mapping[str, OAuthClient] = field(default_factory=dict)
    page_cap: int = PAGE_CAP
    rate_limit: int = 1000


class TrackedProtocol(H11Protocol):
    """uvicorn's HTTP protocol, which remembers its transports, so that a fault can cut a connection."""

    transports: ClassVar[dict[tuple[str, int], asyncio.Transport]] = {}

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Remember the connection by the client's address and port."""
        super().connection_made(transport)
        # asyncio does so by itself only for sockets that it opened; without it small answers wait for 40 ms.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        peer = transport.get_extra_info("peername")
        self._peer = (peer[0], peer[1])
        self.transports[self._peer] = transport

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self.transports.pop(self._peer, None)
        super().connection_lost(exc)


class ResetConnection(Response):
    """No answer: the TCP connection is reset."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        transport = TrackedProtocol.transports.get(tuple(scope["client"]))
        if transport:
            raw = transport.get_extra_info("socket")
            # Linger of 0 seconds makes the kernel send RST in the place of FIN.
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, pack("ii", 1, 0))
            transport.abort()
        await asyncio.sleep(0.01)


class HalfResponse(Response):
    """The head promises the whole body, half of it follows, then the connection closes."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        half = bytes(self.body)[: len(self.body) // 2]
        await send({"type": "http.response.body", "body": half, "more_body": True})
        transport = TrackedProtocol.transports.get(tuple(scope["client"]))
        if transport:
            transport.close()
        await asyncio.sleep(0.01)


def json_response(body: bytes | object, status: int = 200) -> Response:
    """A JSON answer; bytes are sent as they are."""
    content = body if isinstance(body, bytes) else msgspec.json.encode(body)
    return Response(content, status, media_type="application/json")


class ManagementNode:
    """The admin API of the platform."""

    def __init__(self, platform: VirtualPlatform, access: Access) -> None:
        self.platform = platform
        self.access = access
        self.authentication = Authentication(access.username, access.password, access.clients)
        self.limit = RateLimit(access.rate_limit)

    async def admin(self, request: Request) -> Response:
        """Any request below /api/admin/."""
        path = request.url.path
        if not path.endswith("/"):
            query = f"?{request.url.query}" if request.url.query else ""
            return Response(status_code=301, headers={"location": f"{path}/{query}"})
        parts = path.removeprefix("/api/admin/").strip("/").split("/")
        name = parts[2] if len(parts) > 2 else ""
        self.platform.refresh()
        broken = await self._broken(name)
        if broken is not None:
            return broken
        wait = self.limit.retry_after()
        if wait is not None:
            return Response(status_code=429, headers={"retry-after": str(wait)})
        if not self.authentication.accepts(request.headers.get("authorization", "")):
            return Response(status_code=401, headers={"www-authenticate": REALM})
        try:
            return self._answer(request, parts, name)
        except BadRequestError as refused:
            return json_response({"error": str(refused)}, 400)

    async def token(self, request: Request) -> Response:
        """The OAuth2 token endpoint."""
        self.platform.refresh()
        broken = await self._broken("oauth")
        if broken is not None:
            return broken
        form = dict(parse_qsl((await request.body()).decode("utf-8", "replace")))
        endpoint = f"{request.url.scheme}://{request.headers.get('host', '')}/oauth/token/"
        try:
            return json_response(self.authentication.grant(form, endpoint))
        except TokenRefusedError as refused:
            status = 401 if str(refused) == "invalid_client" else 400
            return json_response({"error": str(refused)}, status)

    async def _broken(self, name: str) -> Response | None:  # noqa: PLR0911
        """The answer of a fault that leaves nothing of the real one."""
        take = self.platform.faults.take
        if not self.platform.faults.active:
            return None
        if fault := take("manager_restart", name):
            return self._restarting(fault)
        if fault := take("slow", name):
            await asyncio.sleep(float(fault.parameters["delay"]))
            self.platform.refresh()
        if take("connection_reset", name):
            return ResetConnection()
        if fault := take("rate_limited", name):
            return Response(status_code=429, headers={"retry-after": str(fault.parameters["retry_after"])})
        if take("unauthorized", name):
            self.authentication.revoke()
            return Response(status_code=401, headers={"www-authenticate": REALM})
        if take("server_error", name):
            return json_response({"error_message": SORRY}, 500)
        if take("bad_gateway", name):
            return HTMLResponse(_PAGE.format("502 Bad Gateway"), 502)
        if take("html_page", name):
            return HTMLResponse(_LOGIN)
        for status, named in ((403, "forbidden"), (404, "not_found")):
            if take(named, name):
                return Response(status_code=status)
        return None

    def _restarting(self, fault: Fault) -> Response | None:
        past, seconds = self.platform.now - fault.since, float(fault.parameters["seconds"])
        if past >= seconds:
            return None
        text, status = ("502 Bad Gateway", 502) if past < seconds / 2 else ("503 Service Unavailable", 503)
        return HTMLResponse(_PAGE.format(text), status)

    def _answer(self, request: Request, parts: list[str], name: str) -> Response:  # noqa: PLR0911
        resources = self.platform.catalogue.get(parts[0])
        if resources is None or parts[1:2] != ["v1"] or len(parts) > 5:
            return Response(status_code=404)
        resource = resources.get(name)
        if len(parts) > 2 and resource is None:
            return Response(status_code=404)
        detail = len(parts) == 4 and parts[3] != "schema"
        allowed = resource.detail_methods if detail and resource else ("get",)
        if request.method.lower() not in allowed:
            return Response(status_code=405, headers={"allow": ",".join(allowed).upper()})
        if resource is None:
            return json_response(
                {
                    name: {"list_endpoint": one.path, "schema": f"{one.path}schema/"}
                    for name, one in sorted(resources.items())
                }
            )
        if len(parts) == 3:
            return self._list(resource, _query(request))
        if parts[3] == "schema":
            return json_response(schema(resource))
        record = resource.records().get(parts[3])
        if record is None:
            return Response(status_code=404)
        if len(parts) == 5:
            return self._children(resource, record, parts[4], _query(request), request.url.path)
        if request.method == "DELETE":
            self.platform.history().forget(parts[3])
            return Response(status_code=204)
        return json_response(resource.draw(record).json)

    def _list(self, resource: Resource[Any], query: Query) -> Response:
        take = self.platform.faults.take
        restarting = self.platform.faults.active.get("manager_restart")
        if restarting and resource.api == "status":
            # The platform has not told the restarted manager anything yet.
            return json_response(envelope([], query, resource.path, 20, 0, 0))
        moving = take("moving_rows", resource.name)
        shift = int(moving.parameters["shift"]) if moving else 0
        body = list_page(resource, query, self.access.page_cap, shift=shift)
        for named in ("wrong_types", "unknown_enum"):
            if fault := take(named, resource.name):
                page = msgspec.json.decode(body)
                spoil(fault, resource.name, page["objects"])
                body = msgspec.json.encode(page)
        if fault := take("wrong_total", resource.name):
            page = msgspec.json.decode(body)
            page["meta"]["total_count"] += int(fault.parameters["difference"])
            body = msgspec.json.encode(page)
        if take("half_body", resource.name):
            return HalfResponse(body, media_type="application/json")
        return json_response(body)

    def _children(self, resource: Resource[Any], record: Any, name: str, query: Query, path: str) -> Response:
        child = resource.children.get(name)
        if child is None:
            return Response(status_code=404)
        row_type, rows = child
        listed = {str(number): encode(row) for number, row in enumerate(rows(record))}
        nested = Resource(resource.api, name, row_type, lambda: listed, lambda one: one)
        return json_response(list_page(nested, query, self.access.page_cap, path=path))


def _query(request: Request) -> Query:
    return parse_qsl(request.url.query, keep_blank_values=True)


class Control:
    """The control API: truth, clock and faults. It needs no account, since the simulator listens on
    loopback."""

    def __init__(self, platform: VirtualPlatform) -> None:
        self.platform = platform

    async def truth(self, request: Request) -> Response:  # noqa: ARG002
        """GET /simulator/truth: `truth.Truth`."""
        return json_response(self.platform.truth())

    async def series(self, request: Request) -> Response:
        """GET /simulator/truth/series?from=&to=: changes of the licence ports, Unix seconds and ports."""
        begin, end = request.query_params.get("from"), request.query_params.get("to")
        try:
            changes = self.platform.license_series(_moment(begin), _moment(end))
        except ValueError as wrong:
            return json_response({"error": str(wrong)}, 400)
        return json_response({"changes": changes})

    async def clock(self, request: Request) -> Response:
        """GET or POST /simulator/clock: `mode` manual or real, `time`, `advance` (seconds), `speed`."""
        platform, clock = self.platform, self.platform.clock
        if request.method == "POST":
            try:
                wanted = msgspec.json.decode(await request.body(), type=ClockOrder)
                if wanted.mode == "manual":
                    clock.set_speed(0)
                elif wanted.mode == "real":
                    clock.set_speed(1)
                if wanted.speed is not None:
                    clock.set_speed(wanted.speed)
                if wanted.time is not None:
                    platform.move_to(wanted.time)
                if wanted.advance:
                    platform.step(wanted.advance)
            except (ValueError, msgspec.MsgspecError) as wrong:
                return json_response({"error": str(wrong)}, 400)
        now = platform.refresh().now
        mode = "real" if clock.speed else "manual"
        return json_response({"mode": mode, "speed": clock.speed, "time": api_time(now), "timestamp": now})

    async def faults(self, request: Request) -> Response:
        """GET the active faults, POST {"name": ...} one, DELETE all or ?name= one."""
        platform = self.platform
        platform.refresh()
        if request.method == "POST":
            try:
                wanted = msgspec.json.decode(await request.body(), type=dict[str, Any])
                name = str(wanted.pop("name", ""))
                return json_response(platform.fault(name, **wanted), 201)
            except (UnknownFaultError, ValueError, TypeError, msgspec.MsgspecError) as wrong:
                return json_response({"error": str(wrong)}, 400)
        if request.method == "DELETE":
            platform.clear(request.query_params.get("name"))
        return json_response({"active": list(platform.faults.active.values()), "known": FAULTS})


class ClockOrder(msgspec.Struct, forbid_unknown_fields=True):
    """What a client asks of the clock."""

    mode: str | None = None
    time: float | str | None = None
    advance: float = 0.0
    speed: float | None = None


def _moment(text: str | None) -> float | str | None:
    if text is None:
        return None
    try:
        return float(text)
    except ValueError:
        return text


def create_app(platform: VirtualPlatform, access: Access | None = None) -> Starlette:
    """The Management Node and its control API as an ASGI application."""
    node = ManagementNode(platform, access or Access())
    control = Control(platform)

    @asynccontextmanager
    async def running(_: Starlette) -> AsyncIterator[None]:
        task = asyncio.create_task(_keep_up(platform))
        yield
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    routes = [
        Route("/api/admin/{rest:path}", node.admin, methods=METHODS),
        Route("/oauth/token/", node.token, methods=["POST"]),
        Route("/simulator/truth", control.truth),
        Route("/simulator/truth/series", control.series),
        Route("/simulator/clock", control.clock, methods=["GET", "POST"]),
        Route("/simulator/faults", control.faults, methods=["GET", "POST", "DELETE"]),
    ]
    return Starlette(routes=routes, lifespan=running)


async def _keep_up(platform: VirtualPlatform) -> None:
    """Follow the clock between requests, so that no request has hours to catch up with."""
    while True:
        await asyncio.sleep(1)
        platform.refresh()


class _QuietServer(uvicorn.Server):
    """uvicorn's server without its signal handlers, so that it also runs in a thread and ends with status
    0."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals alone."""
        yield


class Server:
    """The application on a socket of its own; port 0 takes a free one."""

    def __init__(
        self,
        app: Starlette,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        certificate: Path | None = None,
        key: Path | None = None,
    ) -> None:
        config = uvicorn.Config(
            app,
            http=TrackedProtocol,
            log_config=None,
            access_log=False,
            server_header=False,
            lifespan="on",
            timeout_graceful_shutdown=2,
            ssl_certfile=certificate,
            ssl_keyfile=key,
            ssl_version=ssl.PROTOCOL_TLS_SERVER,
        )
        self._server = _QuietServer(config)
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.create_server((host, port), family=family, backlog=512)
        shown = f"[{host}]" if ":" in host else host
        self.url = f"{'https' if certificate else 'http'}://{shown}:{self._socket.getsockname()[1]}"

    @property
    def ready(self) -> bool:
        """Whether requests are answered."""
        return self._server.started

    def stop(self) -> None:
        """Ask the server to end."""
        self._server.should_exit = True

    async def run(self) -> None:
        """Serve until told to stop."""
        await self._server.serve([self._socket])


def serve(app: Starlette, host: str = "127.0.0.1", port: int = 0, **options: Any) -> None:
    """Serve until SIGINT or SIGTERM; prints one line with the address when ready."""
    server = Server(app, host, port, **options)

    async def run() -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, server.stop)
        print(f"VDX simulator at {server.url}", flush=True)
        await server.run()

    asyncio.run(run())
