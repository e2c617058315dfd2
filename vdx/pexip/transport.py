"""The one way out to the Management Node: every request is bounded, counted and timed here."""

import asyncio
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final, Protocol

import httpx

from vdx.pexip.budget import RequestBudget, loop_time
from vdx.pexip.faults import is_tls_fault

CONCURRENCY: Final = 5
"""Requests at once. Pexip's own pexshell uses 5, as more make the Management Node sluggish."""


class Observer(Protocol):
    """Who is told of every request, for metrics."""

    def request(self, resource: str, code: str, seconds: float) -> None:
        """A request ended after `seconds`, from sent to the last byte of the answer.

        `code` is the HTTP status as text, or `timeout`, `tls`, `network` or `cancelled` (a deadline).
        """

    def retry(self, resource: str) -> None:
        """A request of `resource` is about to be repeated after a fault."""


class MeteredTransport(httpx.AsyncBaseTransport):
    """Sends a request when the budget and `CONCURRENCY` allow, reads the whole answer, and observes it.

    The request's extensions carry `resource` (a name) and `deadline` (event loop time, or None).
    Raises `BudgetExhausted` and what httpx raises.
    """

    def __init__(
        self, inner: httpx.AsyncBaseTransport, budget: RequestBudget, observe: Observer | None
    ) -> None:
        self._inner = inner
        self._budget = budget
        self._observe = observe
        self._slots = asyncio.Semaphore(CONCURRENCY)
        self.clock_skew: timedelta | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        resource = request.extensions.get("resource", "")
        async with self._slots:
            await self._budget.acquire(request.extensions.get("deadline"), resource)
            started = loop_time()
            code = "cancelled"
            try:
                response = await self._inner.handle_async_request(request)
                await response.aread()
                code = str(response.status_code)
                self.clock_skew = _clock_skew(response) or self.clock_skew
            except httpx.TimeoutException:
                code = "timeout"
                raise
            except httpx.RequestError as error:
                code = "tls" if is_tls_fault(error) else "network"
                raise
            finally:
                self._budget.release()
                if self._observe is not None:
                    self._observe.request(resource, code, loop_time() - started)
            return response

    async def aclose(self) -> None:
        await self._inner.aclose()


def _clock_skew(response: httpx.Response) -> timedelta | None:
    """How far the server's clock is ahead of ours by its Date header, which counts whole seconds."""
    try:
        date = parsedate_to_datetime(response.headers["Date"])
    except (KeyError, ValueError):
        return None
    return date - datetime.now(UTC) if date.tzinfo is not None else None
