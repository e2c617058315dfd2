"""The request budget: how many requests the Management Node may get from us in any 60 seconds."""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final

from vdx.pexip.errors import BudgetExhausted

LIMIT: Final = 1000
"""Requests per period for all administration APIs together, as quoted from Pexip's `api_manage/using`."""

PERIOD: Final = 60.0
"""Seconds."""


def loop_time() -> float:
    """Seconds on the running event loop's clock, the one that deadlines are given in."""
    return asyncio.get_running_loop().time()


class RequestBudget:
    """A sliding window of at most `limit` requests per `period` seconds.

    A request holds its place from before it is sent until `period` seconds after its end. So the window
    holds at the Management Node too, however long the way there takes. `clock` is that of asyncio's
    event loop, read without one so that metrics can be collected anywhere.
    """

    def __init__(
        self,
        limit: int = LIMIT,
        period: float = PERIOD,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        if limit < 1 or period <= 0:
            raise ValueError("a request budget needs a limit of at least 1 and a period above 0 seconds")
        self.limit = limit
        self.period = period
        self._clock = clock
        self._sleep = sleep
        self._open = 0
        self._free_at: deque[float] = deque()

    async def acquire(self, deadline: float | None = None, resource: str = "") -> None:
        """Wait for a place and take it; `release` must follow when the request has ended.

        `deadline` is a time of the event loop's clock. Raises `BudgetExhausted`, which names `resource`,
        at once when no place can come free before it.
        """
        while self.used >= self.limit:
            now = self._clock()
            free_at = self._free_at[0] if self._free_at else now + self.period
            if deadline is not None and free_at > deadline:
                raise BudgetExhausted(
                    f"the budget of {self.limit} requests per {self.period:g} s is used up: "
                    "poll less often or fewer resources",
                    resource=resource,
                )
            await self._sleep(free_at - now)
        self._open += 1

    def release(self) -> None:
        """Tell that a request has ended, with or without an answer."""
        self._open -= 1
        self._free_at.append(self._clock() + self.period)

    @property
    def used(self) -> int:
        """Requests that count against the limit now."""
        now = self._clock()
        while self._free_at and self._free_at[0] <= now:
            self._free_at.popleft()
        return self._open + len(self._free_at)

    @property
    def remaining(self) -> int:
        """Requests that could be sent now."""
        return self.limit - self.used
