"""The Management Node's API as typed lists of records.

authentication = BasicAuthentication("monitor", password)
async with ManagementNode("https://manager.example.org", authentication) as node:
    reading = await node.read(PARTICIPANT, deadline=asyncio.get_running_loop().time() + 20)
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from operator import attrgetter
from pathlib import Path
from typing import Any, Final, Generic, Self, TypeVar
from urllib.parse import quote

import httpx
import msgspec

from vdx.pexip.address import base_url, tls_context
from vdx.pexip.authentication import Authentication
from vdx.pexip.budget import RequestBudget, loop_time
from vdx.pexip.decoding import DecodedPage, Rejected, decode_page
from vdx.pexip.errors import DeadlineExceeded, PexipConfigurationError, PexipError, UnexpectedAnswer
from vdx.pexip.faults import network_error, status_error
from vdx.pexip.records import MediaStream, Record
from vdx.pexip.resources import Resource, media_stream
from vdx.pexip.retry import Retry
from vdx.pexip.transport import CONCURRENCY, MeteredTransport, Observer

T = TypeVar("T", bound=Record)

KEEPALIVE: Final = 75.0
"""Seconds that an idle connection stays open: past the next poll, so that it needs no TLS handshake."""

OVERLAP_DIVISOR: Final = 100
"""Of a page of live rows, the last 1 % is asked for again with the next page. Paging is by offset: rows
that end between two requests pull the later ones forward, and without an overlap these would be skipped."""

REPEATED_PAGES: Final = 3
"""Pages in a row without any row that the page before did not have: the node does not move on."""


class Reading(msgspec.Struct, Generic[T], frozen=True):
    """What was read: good rows, rows that were left out, and how many requests it took, tokens apart.

    Of a single page, `total` is how many rows the node says there are, and `next_offset` where the next
    page begins; both are None where the node does not say, and at the end.
    """

    rows: list[T]
    rejected: tuple[Rejected, ...] = ()
    requests: int = 1
    total: int | None = None
    next_offset: int | None = None


class ManagementNode:
    """A Pexip Infinity Management Node.

    `timeout` is the longest silence in seconds; a deadline bounds a whole reading. With `ca_file` only
    the authorities in it are trusted. All requests share one `budget`; pass the same to a second client
    of the same node. `transport` replaces the network in tests.

    Proxies and .netrc of the environment are not used, and redirects are not followed, so that
    credentials go to `url` only. Answers are asked for uncompressed, to spare the node the work.

    Raises `PexipConfigurationError` for a malformed `url`, plain http to anything but loopback, a page
    size below 1, or an unusable `ca_file`.
    """

    def __init__(
        self,
        url: str,
        authentication: Authentication,
        *,
        ca_file: Path | None = None,
        verify: bool = True,
        page_size: int = 5000,
        timeout: float = 10.0,
        observe: Observer | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        budget: RequestBudget | None = None,
        retry: Retry | None = None,
    ) -> None:
        self._url = base_url(url)
        self._page_size = _page_size(page_size)
        self._authentication = authentication
        self._observe = observe
        self._retry = retry or Retry()
        self.budget = budget or RequestBudget()
        inner = transport or httpx.AsyncHTTPTransport(
            verify=tls_context(ca_file, verify),
            trust_env=False,
            limits=httpx.Limits(
                max_connections=CONCURRENCY,
                max_keepalive_connections=CONCURRENCY,
                keepalive_expiry=KEEPALIVE,
            ),
        )
        self._transport = MeteredTransport(inner, self.budget, observe)
        self._client = httpx.AsyncClient(
            base_url=self._url,
            auth=authentication,
            transport=self._transport,
            timeout=httpx.Timeout(timeout, pool=None),
            headers={
                "Accept": "application/json",
                "Accept-Encoding": "identity",
                "User-Agent": "vdx-watch",
            },
            trust_env=False,
            follow_redirects=False,
        )

    @property
    def clock_skew(self) -> timedelta | None:
        """How far the node's clock is ahead of ours, to about a second, by its latest answer."""
        return self._transport.clock_skew

    def __repr__(self) -> str:
        return f"ManagementNode({str(self._url)!r})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def read(
        self,
        resource: Resource[T],
        *,
        deadline: float | None = None,
        filters: Mapping[str, str] | None = None,
        page_size: int | None = None,
    ) -> Reading[T]:
        """All rows of `resource`, each once; of a row that came twice, the later state.

        `deadline` is a time of the event loop's clock. `filters` are the API's own query parameters.
        Raises `PexipError` when a page could not be read.
        """
        rows: dict[Any, T] = {}
        rejected: dict[Any, Rejected] = {}
        requests = 0
        key = attrgetter(resource.key) if resource.key else id
        async for page in self.pages(resource, deadline=deadline, filters=filters, page_size=page_size):
            rows.update(zip(map(key, page.rows), page.rows, strict=True))
            rejected.update((row.id or id(row), row) for row in page.rejected)
            requests += page.requests
        return Reading(list(rows.values()), tuple(rejected.values()), requests)

    async def pages(
        self,
        resource: Resource[T],
        *,
        deadline: float | None = None,
        filters: Mapping[str, str] | None = None,
        page_size: int | None = None,
    ) -> AsyncIterator[Reading[T]]:
        """The rows of `resource` page by page, as `read`, for tables that need not fit in memory.

        Around the seam of two pages a row can come twice: write by its key.
        """
        offset: int | None = 0
        repeated = 0
        before: frozenset[object] = frozenset()
        while offset is not None:
            page = await self.page(
                resource, deadline=deadline, filters=filters, page_size=page_size, offset=offset
            )
            yield page
            offset = page.next_offset
            if offset is None:
                return
            keys = _keys(resource, page)
            repeated = repeated + 1 if keys <= before else 0
            before = keys
            if repeated == REPEATED_PAGES:
                raise UnexpectedAnswer(
                    "the same rows come page after page: is a caching proxy in between? check pexip.url",
                    resource=resource.name,
                    code=200,
                )

    async def page(
        self,
        resource: Resource[T],
        *,
        deadline: float | None = None,
        filters: Mapping[str, str] | None = None,
        page_size: int | None = None,
        offset: int = 0,
    ) -> Reading[T]:
        """One page of `resource`, from `offset` on, with what the node tells of the rest. As `read`."""
        asked = self._page_size if page_size is None else _page_size(page_size)
        query = {"limit": str(asked), "offset": str(offset), **(filters or {})}
        page, requests = await self._page(resource, query, deadline)
        following = _next_offset(resource, page, offset, asked)
        return Reading(page.rows, page.rejected, requests, page.meta.total_count, following)

    async def media_streams(
        self, participant_id: str, *, deadline: float | None = None
    ) -> Reading[MediaStream]:
        """The media streams of one participant. Raises `NotFound` when the participant has left."""
        return await self.read(media_stream(quote(participant_id, safe="")), deadline=deadline)

    async def _page(
        self, resource: Resource[T], query: Mapping[str, str], deadline: float | None
    ) -> tuple[DecodedPage[T], int]:
        """A page, and how many requests it took. Transient errors are retried until the deadline."""
        attempt = 1
        while True:
            try:
                return await self._attempt(resource, query, deadline), attempt
            except PexipError as error:
                delay = self._retry.delay(attempt, error.retry_after) if error.transient else None
                if delay is None or (deadline is not None and loop_time() + delay >= deadline):
                    raise
            await asyncio.sleep(delay)
            attempt += 1
            if self._observe is not None:
                self._observe.retry(resource.name)

    async def _attempt(
        self, resource: Resource[T], query: Mapping[str, str], deadline: float | None
    ) -> DecodedPage[T]:
        if deadline is not None and loop_time() >= deadline:
            raise _deadline_exceeded(resource)
        try:
            async with asyncio.timeout_at(deadline):
                response = await self._client.get(
                    resource.path,
                    params=query,
                    extensions={"resource": resource.name, "deadline": deadline},
                )
        except TimeoutError:
            raise _deadline_exceeded(resource) from None
        except httpx.RequestError as error:
            raise network_error(error, resource.name, self._url.host) from None
        if error_of_status := status_error(response, resource.name, self._authentication.settings):
            raise error_of_status
        return decode_page(response.content, resource)


def _deadline_exceeded(resource: Resource[T]) -> DeadlineExceeded:
    return DeadlineExceeded(
        "no complete answer before the deadline: check the Management Node's load and the network, "
        "or lengthen pexip.interval_seconds",
        resource=resource.name,
    )


def _next_offset(resource: Resource[T], page: DecodedPage[T], offset: int, asked: int) -> int | None:
    """Where the next page begins, or None at the end.

    `total_count` can be wrong both ways and the limit lower than asked, so that the rows that came
    decide. A table of exactly n pages takes n requests; the price is that a total which is too low and
    by chance ends with a full page is believed.
    """
    if page.size == 0 or resource.key is None:
        return None
    end = offset + page.size
    limit = page.meta.limit if page.meta.limit > 0 else asked
    if page.meta.next is not None:
        overlap = limit // OVERLAP_DIVISOR if resource.live_paging else 0
        return end - overlap if page.size > overlap else end
    total = page.meta.total_count
    short_total = total is None or total < end
    if (total is not None and total > end) or (short_total and page.size >= limit):
        return end
    return None


def _keys(resource: Resource[T], page: Reading[T]) -> frozenset[object]:
    key = resource.key or ""
    return frozenset(map(attrgetter(key), page.rows)) | {row.id for row in page.rejected}


def _page_size(size: int) -> int:
    if size < 1:
        raise PexipConfigurationError("pexip.page_size must be at least 1")
    return size
