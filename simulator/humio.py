"""A stand-in for Humio (LogScale): the ingest endpoints, what they refuse, and faults by script.

It is made from Humio's documentation, and keeps the events that it took, for checks.
"""

import asyncio
import base64
import binascii
import gzip
import threading
import zlib
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulator.humio_forms import FORMS, MOST_BYTES, MOST_EVENTS, Event, RefusedError, bulk, hec
from simulator.server import HalfResponse, ResetConnection, Server, json_response

WITHOUT_CONTENT = (204, 304)
"""Statuses whose answers have no body (RFC 9110, section 6.4.1)."""


class StandIn:
    """Humio with one repository and one ingest token.

    `fail` writes the script: each ingest request takes the next word of it. A number is the status to
    answer, an empty word is no fault; `timeout` takes the events and never answers; `half` takes them, and
    the answer breaks off; `reset` cuts the connection before anything is read; `slow` answers after a second;
    `partial` is for bulk alone: status 200, and the first event is refused.
    """

    def __init__(self, token: str) -> None:
        self.token = token
        self.events: list[Event] = []
        self.unanswered: list[Event] = []
        """Events that were taken without an answer: a client cannot but send them again."""
        self.requests: Counter[int] = Counter()
        """Ingest requests by the status of the answer; 0 where there was none."""
        self.sizes: list[tuple[int, int]] = []
        """Events and bytes, uncompressed, of each request that was taken."""
        self.poison = ""
        """Text of events that are refused, with all that came with them."""
        self.script: deque[str] = deque()
        self.url = ""

    def fail(self, *faults: str) -> None:
        """Adds faults to the script."""
        self.script.extend(faults)

    def texts(self) -> Counter[str]:
        """How often each event was taken."""
        return Counter(event.text for event in self.events)

    async def ingest(self, request: Request) -> Response:
        """Any of the ingest endpoints."""
        fault = self.script.popleft() if self.script else ""
        response = await self._answer(request, fault)
        broken = response is None or isinstance(response, HalfResponse | ResetConnection)
        self.requests[0 if broken or response is None else response.status_code] += 1
        if response is None:
            while not await request.is_disconnected():  # noqa: ASYNC110 - there is no event to wait for
                await asyncio.sleep(0.02)
            return Response(status_code=499)
        return response

    async def _answer(self, request: Request, fault: str) -> Response | None:
        if fault == "reset":
            return ResetConnection()
        form = FORMS[request.url.path]
        try:
            events, size = await self._events(request, fault)
        except RefusedError as error:
            words = "" if error.status in WITHOUT_CONTENT else str(error)
            return Response(words, error.status, media_type="text/plain")
        if fault == "slow":
            await asyncio.sleep(1)
        failed = 1 if fault == "partial" and form is bulk else 0
        self.events += events[failed:]
        self.sizes.append((len(events), size))
        if fault in ("timeout", "half"):
            self.unanswered += events
        if fault == "timeout":
            return None
        kind = HalfResponse if fault == "half" else Response
        content = msgspec.json.encode(_content(form is hec, form is bulk, len(events), failed))
        return kind(content, media_type="application/json")

    async def _events(self, request: Request, fault: str) -> tuple[list[Event], int]:
        """The events of a request that is taken, and its size uncompressed. Raises RefusedError."""
        if fault.isdigit():
            raise RefusedError("a fault by script", int(fault))
        self._authenticate(request.headers.get("authorization", ""))
        body = _decoded(await request.body(), request.headers.get("content-encoding", ""))
        events = list(FORMS[request.url.path](body))
        if len(body) > MOST_BYTES or len(events) > MOST_EVENTS:
            raise RefusedError("the request is too large", 413)
        if self.poison and any(self.poison in event.text for event in events):
            raise RefusedError("an event cannot be taken")
        return events, len(body)

    def _authenticate(self, header: str) -> None:
        if not header:
            raise RefusedError("no token", 401)
        scheme, _, value = header.partition(" ")
        if scheme.lower() == "basic":
            try:
                user, _, password = base64.b64decode(value, validate=True).decode().partition(":")
            except (binascii.Error, UnicodeDecodeError):
                raise RefusedError("not Basic", 401) from None
            accepted = self.token in (user, password)
        else:
            accepted = scheme.lower() == "bearer" and value == self.token
        if not accepted:
            raise RefusedError("the token is of no repository here", 403)

    async def health(self, request: Request) -> Response:  # noqa: ARG002
        """GET of the root, the status and HEC's health."""
        return json_response({"status": "OK", "version": "1.0", "text": "HEC is healthy", "code": 17})


def _decoded(body: bytes, encoding: str) -> bytes:
    try:
        match encoding.lower():
            case "gzip":
                return gzip.decompress(body)
            case "deflate":
                return zlib.decompress(body)
            case "" | "identity":
                return body
    except (OSError, EOFError, zlib.error):
        raise RefusedError(f"the body is not {encoding}") from None
    raise RefusedError(f"the encoding {encoding} is not known")


def _content(as_hec: bool, as_bulk: bool, events: int, failed: int) -> object:
    if as_hec:
        return {"text": "Success", "code": 0}
    if as_bulk:
        items = [{"index": {"status": 400 if number < failed else 200}} for number in range(events)]
        return {"took": 1, "errors": bool(failed), "items": items}
    return {}


def application(humio: StandIn) -> Starlette:
    """The stand-in as an ASGI application."""
    ingest = [Route(path, humio.ingest, methods=["POST"]) for path in FORMS]
    healths = ("/", "/api/v1/status", "/services/collector/health", "/api/v1/ingest/hec/health")
    return Starlette(routes=[*ingest, *(Route(path, humio.health) for path in healths)])


@contextmanager
def running(
    token: str = "stand-in-token",  # noqa: S107 - made up
    port: int = 0,
    certificate: Path | None = None,
) -> Iterator[StandIn]:
    """The stand-in on a loopback port in a thread; `url` of what it gives is its address.

    `certificate` is a file with a certificate and its key, to serve https with.
    """
    humio = StandIn(token)
    server = Server(application(humio), port=port, certificate=certificate, key=certificate)
    humio.url = server.url
    thread = threading.Thread(target=lambda: asyncio.run(server.run()), name="humio", daemon=True)
    thread.start()
    begun = monotonic()
    while not server.ready:
        if not thread.is_alive() or monotonic() - begun > 20:
            raise RuntimeError("the stand-in of Humio did not start")
        sleep(0.005)
    try:
        yield humio
    finally:
        server.stop()
        thread.join(10)
