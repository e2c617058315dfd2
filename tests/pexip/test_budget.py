"""The request budget: never above the limit in any window, at the Management Node's end of the wire too."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.responses import Response

from tests.pexip.conftest import management_node
from tests.pexip.stand_in import StandIn
from vdx.pexip import resources
from vdx.pexip.budget import LIMIT, PERIOD, RequestBudget
from vdx.pexip.errors import BudgetExhausted


class Clock:
    """Time that passes only by sleeping."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.now += seconds


def busiest_window(times: list[float], period: float) -> int:
    """The most times in any half-open window of `period`."""
    return max((sum(start <= time < start + period for time in times) for start in times), default=0)


@settings(deadline=None)
@given(
    limit=st.integers(1, 12),
    requests=st.lists(
        st.tuples(st.integers(0, 8), st.integers(0, 8), st.integers(0, 8)), min_size=1, max_size=60
    ),
)
def test_no_window_holds_more_than_the_limit(limit: int, requests: list[tuple[int, int, int]]) -> None:
    """Each request: a pause before it, the way to the node, the way back."""
    clock = Clock()
    budget = RequestBudget(limit, 30.0, clock=clock, sleep=clock.sleep)
    arrivals: list[float] = []

    async def send() -> None:
        for pause, there, back in requests:
            clock.now += pause
            await budget.acquire()
            clock.now += there
            arrivals.append(clock.now)
            clock.now += back
            budget.release()
            assert 0 <= budget.used <= limit
            assert budget.used + budget.remaining == limit

    asyncio.run(send())
    assert busiest_window(arrivals, 30.0) <= limit


def test_the_documented_budget_holds_in_a_storm() -> None:
    clock = Clock()
    budget = RequestBudget(clock=clock, sleep=clock.sleep)
    sent: list[float] = []

    async def storm() -> None:
        for _ in range(2500):
            await budget.acquire()
            sent.append(clock.now)
            clock.now += 0.01
            budget.release()

    asyncio.run(storm())
    assert (budget.limit, budget.period) == (LIMIT, PERIOD) == (1000, 60.0)
    assert busiest_window(sent[:1200], PERIOD - 1e-6) == 1000
    assert all(later - sooner > PERIOD - 1e-6 for sooner, later in zip(sent, sent[1000:], strict=False))


async def test_concurrent_requests_share_the_window() -> None:
    budget = RequestBudget(5, 0.05)
    loop = asyncio.get_running_loop()
    sent: list[float] = []

    async def one() -> None:
        await budget.acquire()
        sent.append(loop.time())
        await asyncio.sleep(0.002)
        budget.release()

    await asyncio.gather(*(one() for _ in range(23)))
    assert busiest_window(sent, 0.05) <= 5
    assert budget.used <= 5


async def test_a_deadline_before_the_next_place_raises_at_once() -> None:
    budget = RequestBudget(2, 60.0)
    now = asyncio.get_running_loop().time()
    await budget.acquire(now + 1)
    budget.release()
    await budget.acquire(now + 1)
    assert budget.remaining == 0
    with pytest.raises(BudgetExhausted, match="budget of 2 requests per 60 s") as caught:
        await budget.acquire(now + 59, "participant")
    assert caught.value.resource == "participant"
    assert asyncio.get_running_loop().time() - now < 1


async def test_the_client_counts_retries_and_stops_at_the_budget() -> None:
    stand_in = StandIn(conference=[])
    stand_in.scripted = [Response(status_code=503), Response(status_code=503)]
    async with management_node(stand_in, budget=RequestBudget(4)) as node:
        assert (await node.read(resources.CONFERENCE)).requests == 3
        assert (node.budget.used, node.budget.remaining) == (3, 1)
        await node.read(resources.CONFERENCE)
        with pytest.raises(BudgetExhausted) as caught:
            await node.read(resources.CONFERENCE, deadline=asyncio.get_running_loop().time() + 5)
    assert caught.value.resource == "conference"
    assert len(stand_in.requests) == 4


@pytest.mark.parametrize(("limit", "period"), [(0, 60), (-1, 60), (1, 0)])
def test_a_senseless_budget_is_refused(limit: int, period: float) -> None:
    with pytest.raises(ValueError, match="request budget"):
        RequestBudget(limit, period)


def test_the_budget_can_be_read_without_an_event_loop() -> None:
    assert RequestBudget().remaining == LIMIT
