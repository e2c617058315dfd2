"""Pages: every row once, whatever the totals say, with no request too many."""

from collections.abc import Iterator

import pytest
from starlette.responses import JSONResponse

from tests.pexip.conftest import management_node
from tests.pexip.stand_in import StandIn, conferences
from vdx.pexip import resources
from vdx.pexip.errors import PexipConfigurationError, UnexpectedAnswer
from vdx.pexip.records import Conference


def ids(rows: list[Conference]) -> list[str]:
    return [row.id for row in rows]


@pytest.mark.parametrize(
    ("count", "requests"), [(0, 1), (1, 1), (9, 1), (10, 1), (11, 2), (20, 2), (21, 3), (30, 3)]
)
async def test_page_edges_take_no_request_too_many(count: int, requests: int) -> None:
    stand_in = StandIn(conference=conferences(count))
    async with management_node(stand_in, page_size=10) as node:
        reading = await node.read(resources.CONFERENCE)
    assert ids(reading.rows) == [f"c{number}" for number in range(count)]
    assert reading.requests == len(stand_in.requests) == requests


WRONG_TOTALS = [
    (page_size, count, error)
    for page_size in (10, 150)
    for count in (1, 10, 11, 20, 25)
    for error in (-1000, -11, -10, -5, -1, 1, 5, 10, 1000)
    # a total that ends with a full page looks exactly like the truth
    if not (0 < count + error < count and (count + error) % page_size == 0)
]


@pytest.mark.parametrize(("page_size", "count", "total_error"), WRONG_TOTALS)
async def test_a_wrong_total_loses_no_row(page_size: int, count: int, total_error: int) -> None:
    stand_in = StandIn(conference=conferences(count))
    stand_in.total_error = total_error
    async with management_node(stand_in, page_size=page_size) as node:
        reading = await node.read(resources.CONFERENCE)
    assert len(reading.rows) == count
    assert reading.requests <= count // page_size + 3


async def test_a_capped_limit_is_paged_by_what_came() -> None:
    stand_in = StandIn(conference=conferences(25))
    stand_in.cap = 10
    async with management_node(stand_in, page_size=5000) as node:
        reading = await node.read(resources.CONFERENCE)
    assert len(reading.rows) == 25
    assert stand_in.queries == [(5000, 0), (5000, 10), (5000, 20)]


async def test_live_pages_overlap_by_one_percent() -> None:
    stand_in = StandIn(conference=conferences(450))
    async with management_node(stand_in, page_size=200) as node:
        reading = await node.read(resources.CONFERENCE)
    assert ids(reading.rows) == [f"c{number}" for number in range(450)]
    assert stand_in.queries == [(200, 0), (200, 198), (200, 396)]


async def test_configuration_pages_do_not_overlap() -> None:
    stand_in = StandIn()
    stand_in.tables["/api/admin/configuration/v1/worker_vm/"] = [{"id": number} for number in range(350)]
    async with management_node(stand_in, page_size=200) as node:
        reading = await node.read(resources.WORKER_VM_CONFIGURATION)
    assert len(reading.rows) == 350
    assert stand_in.queries == [(200, 0), (200, 200)]


async def test_rows_that_move_forward_are_not_skipped() -> None:
    rows = conferences(390)
    stand_in = StandIn(conference=rows)

    def two_calls_end() -> None:
        del rows[:2]

    stand_in.after = two_calls_end
    async with management_node(stand_in, page_size=200) as node:
        reading = await node.read(resources.CONFERENCE)
    assert ids(reading.rows) == [f"c{number}" for number in range(390)]


async def test_a_row_that_moves_to_the_next_page_is_kept_once_in_its_later_state() -> None:
    rows = conferences(15)
    stand_in = StandIn(conference=rows)

    def a_call_starts() -> None:
        rows[9]["is_locked"] = True
        rows.insert(0, {"id": "joined"})

    stand_in.after = a_call_starts
    async with management_node(stand_in, page_size=10) as node:
        reading = await node.read(resources.CONFERENCE)
    assert ids(reading.rows) == [f"c{number}" for number in range(15)]
    assert [row.id for row in reading.rows if row.is_locked] == ["c9"]


async def test_a_node_that_repeats_its_page_is_an_error_and_not_a_loop() -> None:
    stand_in = StandIn()
    page = {"meta": {"limit": 2, "next": "/more", "total_count": 9}, "objects": conferences(2)}
    stand_in.scripted = [JSONResponse(page) for _ in range(10)]
    async with management_node(stand_in, page_size=2) as node:
        with pytest.raises(UnexpectedAnswer, match=r"^conference: the same rows"):
            await node.read(resources.CONFERENCE)
    assert len(stand_in.requests) == 4


async def test_rejected_rows_of_an_overlap_are_told_once() -> None:
    rows = conferences(250)
    rows[199]["is_locked"] = "perhaps"
    stand_in = StandIn(conference=rows)
    async with management_node(stand_in, page_size=200) as node:
        reading = await node.read(resources.CONFERENCE)
    assert len(reading.rows) == 249
    assert [row.id for row in reading.rejected] == ["c199"]


async def test_pages_come_one_by_one() -> None:
    stand_in = StandIn()
    stand_in.tables["/api/admin/history/v1/participant/"] = [{"id": f"p{number}"} for number in range(25)]
    sizes: list[int] = []
    async with management_node(stand_in, page_size=10) as node:
        async for page in node.pages(resources.HISTORY_PARTICIPANT, filters={"order_by": "end_time"}):
            sizes.append(len(page.rows))
            assert len(stand_in.requests) == len(sizes)
    assert sizes == [10, 10, 5]
    assert all(request.query_params["order_by"] == "end_time" for request in stand_in.requests)


async def test_licensing_is_one_record_in_one_request() -> None:
    stand_in = StandIn(licensing=[{"port_count": 25, "port_total": 50}])
    async with management_node(stand_in, page_size=1) as node:
        reading = await node.read(resources.LICENSING)
    assert [(row.port_count, row.port_total) for row in reading.rows] == [(25, 50)]
    assert reading.requests == 1


async def test_media_streams_of_a_participant() -> None:
    stand_in = StandIn()
    stand_in.tables["/api/admin/status/v1/participant/p1/media_stream/"] = [
        {"id": "0", "type": "audio", "rx_jitter": 1.5}
    ]
    async with management_node(stand_in) as node:
        reading = await node.media_streams("p1")
    assert [(row.id, row.rx_jitter) for row in reading.rows] == [("0", 1.5)]


async def test_every_resource_reads_its_own_path() -> None:
    everything = [value for name, value in vars(resources).items() if isinstance(value, resources.Resource)]
    assert len(everything) == 21

    def paths() -> Iterator[str]:
        for resource in everything:
            api, _, name = resource.name.rpartition("/")
            yield f"/api/admin/{api or 'status'}/v1/{name}/"

    stand_in = StandIn()
    stand_in.tables = {path: [] for path in paths()}
    async with management_node(stand_in) as node:
        for resource in everything:
            assert (await node.read(resource)).rows == []


async def test_a_page_size_below_one_is_refused() -> None:
    with pytest.raises(PexipConfigurationError, match=r"pexip\.page_size"):
        management_node(StandIn(), page_size=0)
