"""Agents with bad manners: each gives what can be relied on, or a fault in words."""

import asyncio
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporters.snmp.agent import Agent, Rows, evenly
from exporters.snmp.faults import AgentError, Fault
from simulator.network.ber import counter32, integer, oid, tagged, text
from simulator.network.message import RESPONSE, Message, decode, encode_with, varbind
from simulator.network.view import Value
from tests.exporters.snmp.agents import (
    QUICK,
    SETTINGS,
    Manner,
    plain,
    standing,
    way_to,
)
from vdx.settings import SNMPSettings

COLUMN = "1.3.6.1.2.1.2.2.1.10"
NAME = "1.3.6.1.2.1.1.5.0"
LEFT_OUT = "1.3.6.1.2.1.1.6.0"


def table(rows: int = 60) -> dict[str, Value]:
    """A column whose values are their indices, with an object before it and one behind."""
    column = {f"{COLUMN}.{row}": counter32(row) for row in range(1, rows + 1)}
    return {NAME: text("it"), **column, "1.3.6.1.6.3.10.2.1.2.0": integer(7)}


def whole(rows: int = 60) -> Rows:
    """What that column reads as."""
    return {str(row): row for row in range(1, rows + 1)}


def politely(answer: bytes | None) -> Iterable[tuple[float, bytes]]:
    return [] if answer is None else [(0, answer)]


async def test_a_scalar_that_is_not_there_is_left_out() -> None:
    async with standing(plain(table())) as agent:
        found = await opened(agent.port)
        assert await found.scalars([LEFT_OUT, NAME]) == {NAME: b"it"}
        assert await found.scalars([LEFT_OUT]) == {}
        assert found.values == 1


async def opened(port: int, settings: SNMPSettings = SETTINGS) -> Agent:
    """An agent that is ready to be asked."""
    agent = Agent(way_to(port), settings)
    await agent.open()
    return agent


@pytest.mark.parametrize(
    "manner",
    [
        pytest.param(lambda answer: [(0, answer), (0, answer), (0.01, answer)], id="each answer thrice"),
        pytest.param(lambda answer: [(0.05, answer)], id="late"),
    ],
)
async def test_duplicates_and_late_answers_change_nothing(manner: Manner) -> None:
    async with standing(plain(table()), manner) as stand_in:
        agent = await opened(stand_in.port)
        assert await agent.column(COLUMN) == whole()
        assert await agent.scalars([NAME]) == {NAME: b"it"}
        assert await agent.column(COLUMN) == whole()
        assert agent.retries == 0


async def test_an_answer_that_comes_after_its_time_is_not_taken_for_the_next() -> None:
    delays = iter((0.3, 0.0, 0.3, 0.0))

    def slow_at_times(answer: bytes | None) -> Iterable[tuple[float, bytes]]:
        return [] if answer is None else [(next(delays, 0.0), answer)]

    async with standing(plain(table()), slow_at_times) as stand_in:
        agent = await opened(stand_in.port, QUICK)
        assert await agent.scalars([NAME]) == {NAME: b"it"}
        await asyncio.sleep(0.15)
        assert await agent.column(COLUMN) == whole()
        assert agent.retries == 2


@pytest.mark.parametrize(
    "garbage",
    [
        b"",
        b"\x00",
        b"GET / HTTP/1.1\r\n",
        b"\x30\x82\xff\xff",
        tagged(0x30, integer(1) + tagged(4, b"x") + tagged(RESPONSE, b"\x02\x01")),
        b"\x30" * 1400,
    ],
)
async def test_garbage_before_an_answer_costs_a_try_at_most(garbage: bytes) -> None:
    first = [True]

    def noisy(answer: bytes | None) -> Iterable[tuple[float, bytes]]:
        noise = [(0.0, garbage)] if first.pop() else []
        first.append(False)
        return [*noise, *politely(answer)]

    async with standing(plain(table()), noisy) as stand_in:
        agent = await opened(stand_in.port, QUICK)
        assert await agent.scalars([NAME]) == {NAME: b"it"}
        assert await agent.column(COLUMN) == whole()
        assert agent.retries <= 1


async def test_an_agent_of_garbage_alone_is_told_so() -> None:
    async with standing(plain(table()), lambda _: [(0, b"\x30\x03abc")]) as stand_in:
        agent = await opened(stand_in.port, QUICK)
        with pytest.raises(AgentError) as raised:
            await agent.scalars([NAME])
        assert raised.value.fault in (Fault.PROTOCOL, Fault.TIMEOUT)


async def test_packets_that_are_lost_are_sent_again_and_ask_for_less() -> None:
    sizes: list[int] = []

    def losing_large_ones(answer: bytes | None) -> Iterable[tuple[float, bytes]]:
        sizes.append(len(answer or b""))
        return [] if answer is None or len(answer) > 300 else [(0, answer)]

    settings = SNMPSettings(timeout_seconds=0.1, retries=2)
    async with standing(plain(table()), losing_large_ones) as stand_in:
        agent = await opened(stand_in.port, settings)
        assert await agent.column(COLUMN) == whole()
        assert agent.retries == 2
        sizes.clear()
        assert await agent.column(COLUMN) == whole()
        assert max(sizes) <= 300


async def test_too_big_is_asked_for_in_smaller_parts_and_remembered() -> None:
    async with standing(plain(table(), most_varbinds=7)) as stand_in:
        agent = await opened(stand_in.port)
        assert await agent.column(COLUMN) == whole()
        with_refusals = agent.packets
        assert await agent.column(COLUMN) == whole()
        in_fives = agent.packets - with_refusals
        assert (in_fives, with_refusals) == (13, 13 + 6)
        assert agent.retries == 0


async def test_the_end_of_all_that_an_agent_has_is_not_taken_for_a_refusal() -> None:
    for rows in (0, 3, 25, 60):
        column = {f"{COLUMN}.{row}": counter32(row) for row in range(1, rows + 1)}
        async with standing(plain({NAME: text("it"), **column})) as stand_in:
            assert await (await opened(stand_in.port)).column(COLUMN) == whole(rows)


async def test_what_was_once_too_big_is_tried_again_in_later_polls() -> None:
    device = plain(table(), most_varbinds=1)
    async with standing(device) as stand_in:
        agent = await opened(stand_in.port)
        assert await agent.column(COLUMN) == whole()
        device.most_varbinds = None
        before = agent.packets
        for _ in range(SETTINGS.repetitions):
            await agent.open()
        assert await agent.column(COLUMN) == whole()
        assert agent.packets - before == 2


async def test_an_agent_that_refuses_a_single_row_is_named() -> None:
    async with standing(plain(table(), most_varbinds=0)) as stand_in:
        with pytest.raises(AgentError, match="refuses even one row") as raised:
            await (await opened(stand_in.port)).column(COLUMN)
        assert raised.value.fault is Fault.TOO_BIG


async def test_scalars_that_do_not_fit_together_are_asked_for_one_by_one() -> None:
    names = [f"1.3.6.1.2.1.1.{number}.0" for number in range(1, 9)]
    device = plain({name: text(name * 5) for name in names}, largest_answer=200)
    async with standing(device) as stand_in:
        found = await (await opened(stand_in.port)).scalars(names)
        assert found == {name: (name * 5).encode() for name in names}


async def test_a_table_without_end_is_ended_and_named() -> None:
    settings = SNMPSettings(most_rows=1000, repetitions=100)
    async with standing(plain(table(), endless=COLUMN)) as stand_in:
        with pytest.raises(AgentError, match=r"more than 1,000 rows: raise snmp\.most_rows") as raised:
            await (await opened(stand_in.port, settings)).column(COLUMN)
        assert raised.value.fault is Fault.ENDLESS


async def test_a_table_that_goes_back_is_ended_and_named() -> None:
    async with standing(plain(table(), stuck=COLUMN)) as stand_in:
        with pytest.raises(AgentError, match="goes back to where it was") as raised:
            await (await opened(stand_in.port)).column(COLUMN)
        assert raised.value.fault is Fault.ENDLESS


@pytest.mark.parametrize(
    ("rows", "read"),
    [((1, 5, 3, 4), {"1": 1, "5": 5, "3": 3, "4": 4}), ((5, 3, 5), None)],
    ids=["in disorder", "in a circle"],
)
async def test_rows_in_disorder_are_read_once_each(rows: tuple[int, ...], read: Rows | None) -> None:
    follows = dict(zip((None, *rows), (*rows, None), strict=True)) if read else {None: 5, 5: 3, 3: 5}

    async with standing(plain(table())) as stand_in:

        def answer(data: bytes) -> bytes | None:
            request = decode(data)
            last = request.varbinds[0][0][len(oid(COLUMN)) :]
            row = follows[last[0] if last else None]
            name = f"{COLUMN}.{row}" if row is not None else "1.3.6.1.2.1.2.2.1.11.1"
            message = Message(request.community, RESPONSE, request.request_id, 0, 0, ())
            return encode_with(message, varbind(oid(name), counter32(row or 0)))

        stand_in.answer = answer  # type: ignore[method-assign]
        agent = await opened(stand_in.port)
        if read is None:
            with pytest.raises(AgentError, match="goes back"):
                await agent.column(COLUMN)
        else:
            assert await agent.column(COLUMN) == read


async def test_one_agent_that_is_silent_is_named_after_its_tries() -> None:
    async with standing(plain(table(), silent=True)) as stand_in:
        agent = await opened(stand_in.port, QUICK)
        with pytest.raises(AgentError, match="no answer") as raised:
            await agent.scalars([NAME])
        assert (raised.value.fault, agent.packets, agent.retries) == (Fault.TIMEOUT, 2, 1)


async def test_an_agent_that_falls_silent_is_not_said_to_have_a_wrong_community() -> None:
    device = plain(table())
    async with standing(device) as stand_in:
        agent = await opened(stand_in.port, QUICK)
        await agent.scalars([NAME])
        device.silent = True
        with pytest.raises(AgentError, match="stopped answering") as raised:
            await agent.column(COLUMN)
        assert "community" not in str(raised.value)
        await agent.open()
        with pytest.raises(AgentError, match="stopped answering"):
            await agent.scalars([NAME])


@given(rows=st.integers(0, 20_000), most=st.integers(1, 100))
def test_packets_are_as_few_as_can_be_and_equally_large(rows: int, most: int) -> None:
    size = evenly(rows, most)
    assert 1 <= size <= most
    packets = -(-(rows + 1) // size)
    assert packets == -(-(rows + 1) // most)
    assert size * packets - (rows + 1) < packets


async def test_a_column_that_grew_is_read_to_its_end() -> None:
    device = plain(table())
    async with standing(device) as stand_in:
        agent = await opened(stand_in.port)
        for rows in (3, 60, 0, 41, 200):
            device.values = table(rows)
            assert await agent.column(COLUMN) == whole(rows)
