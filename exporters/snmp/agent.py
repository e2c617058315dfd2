"""Asking one SNMP agent: scalars and columns, with retries and guards, by the sockets of gufo-snmp.

gufo-snmp's own client is not used above its sockets: docs/decisions/0019-own-agent-over-gufo-snmp.md.
"""

import asyncio
import random
import socket
from collections.abc import Callable, Sequence
from typing import Final, TypeAlias, TypeVar

from gufo.snmp import NoSuchInstance, SnmpDecodeError, SnmpError
from gufo.snmp._fast import GetIter, SnmpV3ClientSocket

from exporters.snmp.access import Access, Socket, open_socket, set_keys
from exporters.snmp.faults import AgentError, Fault, RefusedError, explained, silence
from vdx.settings import SNMPSettings

T = TypeVar("T")

Value: TypeAlias = int | float | str | bytes | bool | None
Rows: TypeAlias = dict[str, Value]
"""The numbers after the column's OID, joined by dots -> value."""

SCALARS_AT_ONCE: Final = 20
"""Scalars in a packet: with short values about 700 bytes."""
BACKOFF_SECONDS: Final = 0.2
"""Wait before a packet is sent again, doubled each time, with as much again at random."""


class _TooBigError(Exception):
    """The agent's answer would not fit into a packet, or it reports another error of its own."""


class Agent:
    """One agent, asked one packet at a time. Its session is kept between polls until a fault.

    `packets`, `retries` and `values` count what was sent, sent again and received.
    """

    def __init__(self, way: Access, settings: SNMPSettings) -> None:
        self.packets = self.retries = self.values = 0
        self._way = way
        self._settings = settings
        self._socket: Socket | None = None
        self._repetitions = settings.repetitions
        self._rows: dict[str, int] = {}
        """Rows that columns had the last time."""
        """Rows asked for at once: half after what was too big or lost, one more with each poll."""
        self._answered = False
        """Whether it has answered what only this community, or these keys, may ask, since `close`."""
        self._discovered = False
        """Whether the engine of a v3 agent is known."""

    @property
    def engine_id(self) -> bytes | None:
        """The agent's SNMPv3 engine; None before it is known, and for v2c."""
        if isinstance(self._socket, SnmpV3ClientSocket) and self._discovered:
            return self._socket.get_engine_id()
        return None

    async def open(self) -> None:
        """Makes it ready for a poll: of a v3 agent it learns the engine and the clock. Raises AgentError."""
        self._repetitions = min(self._repetitions + 1, self._settings.repetitions)
        if self._socket is not None and await self._is_current(self._socket):
            return
        self._discovered = False
        opened = self._socket = open_socket(self._way, await self._resolve())
        if isinstance(opened, SnmpV3ClientSocket):
            answered = self._answered
            await self._retried(opened.send_refresh, opened.recv_refresh)
            set_keys(opened, self._way)
            self._discovered, self._answered = True, answered
            await self._retried(opened.send_refresh, opened.recv_refresh)

    async def _is_current(self, opened: Socket) -> bool:
        """Whether a session holds: an agent that started again has another clock, perhaps another engine."""
        if not isinstance(opened, SnmpV3ClientSocket):
            return True
        try:
            await self._exchange(opened.send_refresh, opened.recv_refresh)
        except (TimeoutError, SnmpError, OSError):
            return False
        return True

    def close(self) -> None:
        """Forgets the session, so that the next poll begins with another."""
        self._socket, self._answered = None, False

    async def scalars(self, oids: Sequence[str]) -> Rows:
        """OID -> value, without those that the agent does not have. Raises AgentError."""
        found: Rows = {}
        for start in range(0, len(oids), SCALARS_AT_ONCE):
            found |= await self._some(list(oids[start : start + SCALARS_AT_ONCE]))
        self.values += len(found)
        return found

    async def _some(self, oids: list[str]) -> Rows:
        """Asks for some scalars at once; without any answer for each half of them, as with tooBig."""
        opened = self._opened()
        try:
            found: Rows = await self._retried(lambda: opened.send_get_many(oids), opened.recv_get_many) or {}
        except NoSuchInstance:
            found = {}
        if found or len(oids) == 1:
            return found
        half = len(oids) // 2
        return await self._some(oids[:half]) | await self._some(oids[half:])

    async def column(self, oid: str, *, texts: bool = False) -> Rows:
        """All rows of a column; of `texts`, which are longer, half as many at once.

        Raises AgentError, also where the column's end does not come.
        """
        opened = self._opened()
        attempt = 0
        while True:
            most = max(1, self._repetitions // 2) if texts else self._repetitions
            try:
                rows = await self._walk(opened, oid, evenly(self._rows.get(oid), most))
            except (_TooBigError, TimeoutError, SnmpError) as error:
                smallest = self._repetitions == 1
                if isinstance(error, _TooBigError) and smallest:
                    raise AgentError(Fault.TOO_BIG, "the agent refuses even one row of a table") from None
                if not isinstance(error, _TooBigError):
                    if attempt == self._settings.retries:
                        raise self._failure(error) from None
                    await self._pause(attempt)
                    attempt += 1
                # What does not fit, or is lost for its size, fits when less is asked for.
                self._repetitions = max(1, self._repetitions // 2)
            except OSError as error:
                raise self._failure(error) from None
            else:
                self.values += len(rows)
                self._rows[oid] = len(rows)
                return rows

    async def _walk(self, opened: Socket, oid: str, repetitions: int) -> Rows:
        rows: Rows = {}
        start = len(oid) + 1
        most = self._settings.most_rows
        cursor = GetIter(oid, repetitions)
        while True:
            answer = await self._exchange(
                lambda: opened.send_get_bulk(cursor), lambda: opened.recv_get_bulk(cursor)
            )
            if answer is None and not await self._goes_on(opened, cursor):
                return rows
            if not answer:
                raise _TooBigError
            for row in answer:
                if row is None:
                    return rows
                suffix = row[0][start:]
                if suffix in rows:
                    raise AgentError(Fault.ENDLESS, "a table goes back to where it was; a fault of the agent")
                rows[suffix] = row[1]
            if len(rows) > most:
                raise AgentError(
                    Fault.ENDLESS,
                    f"a table has more than {most:,} rows: raise snmp.most_rows, or it has no end",
                )

    async def _goes_on(self, opened: Socket, cursor: GetIter) -> bool:
        """Whether there is a next row: gufo-snmp shows an error like the end of all that the agent has."""
        following = await self._exchange(
            lambda: opened.send_get_next(cursor), lambda: opened.recv_get_next(cursor)
        )
        return following is not None

    async def _retried(self, send: Callable[[], None], receive: Callable[[], T]) -> T | None:
        for attempt in range(self._settings.retries + 1):
            try:
                return await self._exchange(send, receive)
            except (TimeoutError, SnmpDecodeError) as error:
                if attempt == self._settings.retries:
                    raise self._failure(error) from None
                await self._pause(attempt)
            except NoSuchInstance:
                raise
            except (SnmpError, OSError) as error:
                raise self._failure(error) from None
        return None

    async def _pause(self, attempt: int) -> None:
        self.retries += 1
        await asyncio.sleep(BACKOFF_SECONDS * 2**attempt * random.uniform(1, 2))  # noqa: S311 - jitter

    async def _exchange(self, send: Callable[[], None], receive: Callable[[], T]) -> T | None:
        """One packet and its answer; None at the end of what the agent has. Raises TimeoutError."""
        loop = asyncio.get_running_loop()
        opened = self._opened()
        until = loop.time() + self._settings.timeout_seconds
        self.packets += 1
        try:
            send()
        except OSError as error:
            raise _refusal(error) from None
        while True:
            readable: asyncio.Future[None] = loop.create_future()
            loop.add_reader(opened.get_fd(), _wake, readable)
            timer = loop.call_at(until, _give_up, readable)
            try:
                await readable
            finally:
                timer.cancel()
                loop.remove_reader(opened.get_fd())
            try:
                answer = receive()
            except BlockingIOError:
                continue
            except OSError as error:
                raise _refusal(error) from None
            except StopAsyncIteration:
                answer = None
            self._answered = True
            return answer

    def _opened(self) -> Socket:
        if self._socket is None:
            raise AgentError(Fault.NETWORK, "the agent is asked before it was opened; a fault of the program")
        return self._socket

    async def _resolve(self) -> str:
        try:
            found = await asyncio.wait_for(
                asyncio.get_running_loop().getaddrinfo(
                    self._way.address, self._way.port, type=socket.SOCK_DGRAM
                ),
                self._settings.timeout_seconds,
            )
        except TimeoutError:
            raise AgentError(
                Fault.ADDRESS, f"the name {self._way.address} could not be resolved in time; check DNS"
            ) from None
        except OSError:
            raise AgentError(
                Fault.ADDRESS,
                f"{self._way.address} is no address, nor a name that DNS knows; check the device's address",
            ) from None
        return str(found[0][4][0])

    def _failure(self, error: Exception) -> AgentError:
        """What to say of a fault after which the session cannot be gone on with."""
        self._socket = None
        if isinstance(error, TimeoutError):
            return silence(error, is_v3=self._way.is_v3, discovered=self._discovered, answered=self._answered)
        return explained(error)


def _refusal(error: OSError) -> OSError:
    """gufo-snmp tells by the words alone that the host has refused a packet."""
    return RefusedError() if "refused" in str(error) else error


def evenly(rows: int | None, most: int) -> int:
    """Rows to ask for at once, at most `most`, so that the packets for as many rows as there were the last
    time are equally large. An agent works for each row that it is asked for, also beyond the column's end.
    """
    if rows is None:
        return most
    with_end = rows + 1
    packets = -(-with_end // most)
    return -(-with_end // packets)


def _wake(readable: "asyncio.Future[None]") -> None:
    if not readable.done():
        readable.set_result(None)


def _give_up(readable: "asyncio.Future[None]") -> None:
    if not readable.done():
        readable.set_exception(TimeoutError())
