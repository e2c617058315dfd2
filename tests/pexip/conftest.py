"""What the tests of the client share."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from tests.pexip.stand_in import StandIn
from vdx.pexip.authentication import BasicAuthentication
from vdx.pexip.client import ManagementNode
from vdx.pexip.retry import Retry

QUICK = Retry(base=0.001, cap=0.002)
SECRET = "s3cret-p4ssword"


class Observed:
    """An observer that keeps what it is told."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str]] = []
        self.retries: Counter[str] = Counter()

    def request(self, resource: str, code: str, seconds: float) -> None:
        assert seconds >= 0
        self.requests.append((resource, code))

    def retry(self, resource: str) -> None:
        self.retries[resource] += 1


def management_node(
    stand_in: StandIn, *, url: str = "https://manager.example", **options: Any
) -> ManagementNode:
    options = {
        "authentication": BasicAuthentication("monitor", SECRET),
        "transport": httpx.ASGITransport(stand_in),
        "retry": QUICK,
        **options,
    }
    return ManagementNode(url, **options)


@pytest.fixture
def observed() -> Observed:
    return Observed()


Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def listening(talk: Talk, **options: Any) -> AsyncIterator[int]:
    """A server on a free loopback port that reads a request's head and then talks. Yields the port."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            await talk(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0, **options)
    async with server:
        yield server.sockets[0].getsockname()[1]


EMPTY = (
    b'{"meta": {"limit": 20, "next": null, "offset": 0, "previous": null, "total_count": 0}, "objects": []}'
)


def answer(body: bytes = EMPTY) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (
        len(body),
        body,
    )
