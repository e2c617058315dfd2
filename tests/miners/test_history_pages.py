"""History is read by time: nothing slips through where records are pushed out, come late or end together."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from miners.history_pages import (
    KEPT_CONFERENCES,
    Ring,
    api_time,
    count_between,
    pace,
    pages,
    read_ring,
)
from vdx.pexip import resources
from vdx.pexip.authentication import BasicAuthentication
from vdx.pexip.client import ManagementNode

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


class Node:
    """A Management Node's history of conferences: filtered, ordered and paged as the API does it.

    `before` is called before each answer, to change what it has.
    """

    def __init__(self, ends: list[datetime | None], cap: int = 5000) -> None:
        self.rows: list[dict[str, Any]] = [
            {"id": f"c{number}", "end_time": end} for number, end in enumerate(ends)
        ]
        self.cap = cap
        self.requests: list[dict[str, str]] = []
        self.before: Any = lambda: None

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.before()
        query = dict(request.url.params)
        self.requests.append(query)
        since = query.get("end_time__gte", "")
        below = query.get("end_time__lt", "9")
        known = [(api_time(row["end_time"]), row["id"]) for row in self.rows if row["end_time"]]
        found = sorted(pair for pair in known if since <= pair[0] < below)
        limit, offset = min(int(query["limit"]), self.cap), int(query["offset"])
        some = found[offset : offset + limit]
        more = "x" if offset + limit < len(found) else None
        return httpx.Response(
            200,
            json={
                "meta": {"limit": limit, "offset": offset, "next": more, "total_count": len(found)},
                "objects": [{"id": key, "end_time": end} for end, key in some],
            },
        )


@pytest.fixture
async def reading() -> AsyncIterator[Any]:
    """Reads a node's conferences with pages of so many; gives the ids and the watermarks."""
    clients: list[ManagementNode] = []

    def client(node: Node) -> ManagementNode:
        made = ManagementNode(
            "http://127.0.0.1:1",
            BasicAuthentication("a", "b"),
            transport=httpx.MockTransport(node.answer),
        )
        clients.append(made)
        return made

    async def read(node: Node, size: int, since: datetime | None = None) -> tuple[list[str], list[Any]]:
        found, marks = [], []
        async for page in pages(client(node), resources.HISTORY_CONFERENCE, since, size):
            found += [row.id for row in page.reading.rows]
            marks.append(page.watermark)
        return found, marks

    read.client = client  # type: ignore[attr-defined]
    yield read
    for made in clients:
        await made.__aexit__()


def minutes(*numbers: float) -> list[datetime | None]:
    return [NOON + timedelta(minutes=number) for number in numbers]


@pytest.mark.parametrize("count", [0, 1, 9, 10, 11, 20, 21])
async def test_every_record_is_read_at_the_edges_of_a_page(reading: Any, count: int) -> None:
    node = Node(minutes(*range(count)))
    found, marks = await reading(node, 10)
    assert set(found) == {f"c{number}" for number in range(count)}
    assert [mark for mark in marks if mark] == sorted(mark for mark in marks if mark)
    if count:
        assert marks[-1] == NOON + timedelta(minutes=count - 1)


async def test_records_that_are_pushed_out_while_pages_are_read_let_no_other_slip_through(
    reading: Any,
) -> None:
    node = Node(minutes(*range(60)))

    def push_out() -> None:
        del node.rows[:7]

    node.before = push_out
    found, _ = await reading(node, 10)
    kept = {row["id"] for row in node.rows}
    assert kept <= set(found)


async def test_more_records_at_one_instant_than_a_page_holds_are_all_read(reading: Any) -> None:
    node = Node(minutes(0, *[1] * 35, 2))
    found, _ = await reading(node, 10)
    assert set(found) == {row["id"] for row in node.rows}


async def test_a_node_that_gives_shorter_pages_than_asked_for_is_read_to_the_end(reading: Any) -> None:
    node = Node(minutes(*range(50)), cap=8)
    found, _ = await reading(node, 1000)
    assert set(found) == {row["id"] for row in node.rows}


@given(
    ends=st.lists(st.integers(0, 12), max_size=60),
    size=st.integers(1, 15),
    cap=st.integers(1, 15),
    since=st.integers(0, 12),
)
async def test_whatever_the_ends_and_the_sizes_all_from_the_given_time_on_are_read(
    ends: list[int], size: int, cap: int, since: int
) -> None:
    node = Node(minutes(*ends), cap=cap)
    begin = NOON + timedelta(minutes=since)
    client = ManagementNode(
        "http://127.0.0.1:1", BasicAuthentication("a", "b"), transport=httpx.MockTransport(node.answer)
    )
    async with client:
        found = {
            row.id
            async for page in pages(client, resources.HISTORY_CONFERENCE, begin, size)
            for row in page.reading.rows
        }
    assert found == {f"c{number}" for number, end in enumerate(ends) if end >= since}


async def test_a_record_from_the_future_does_not_carry_the_watermark_beyond_the_present(reading: Any) -> None:
    before = datetime.now(UTC)
    node = Node([before - timedelta(minutes=5), before + timedelta(days=400)])
    _, marks = await reading(node, 10)
    assert before - timedelta(minutes=5) < marks[-1] <= datetime.now(UTC)


async def test_the_ring_tells_its_oldest_record_and_its_number(reading: Any) -> None:
    node = Node(minutes(30, 10, 20))
    assert await read_ring(reading.client(node)) == Ring(NOON + timedelta(minutes=10), 3)
    assert await read_ring(reading.client(Node([]))) == Ring(None, 0)


async def test_records_are_counted_from_a_time_to_before_another(reading: Any) -> None:
    client = reading.client(Node(minutes(*range(10))))
    start, end = NOON + timedelta(minutes=2), NOON + timedelta(minutes=5)
    assert await count_between(client, resources.HISTORY_CONFERENCE, start, end) == 3


def test_history_is_read_ten_times_in_the_time_that_a_full_ring_holds() -> None:
    full = Ring(NOON, KEPT_CONFERENCES)
    assert pace(full, NOON + timedelta(days=2), 60) == 60
    assert pace(full, NOON + timedelta(minutes=5), 60) == 30
    assert pace(full, NOON + timedelta(seconds=1), 60) == 5
    assert pace(full, NOON - timedelta(hours=1), 60) == 5
    assert pace(Ring(NOON, 40), NOON + timedelta(minutes=5), 60) == 60
    assert pace(Ring(), None, 60) == 60
