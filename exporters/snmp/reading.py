"""One poll of a device: which objects are read when, and what came of it."""

import asyncio
import time
from collections.abc import Iterable
from typing import Final

import msgspec

from exporters.snmp.agent import Agent, Rows, Value
from exporters.snmp.faults import AgentError, Fault
from exporters.snmp.memory import SIGNS, Memory, rearranged, restarted
from exporters.snmp.module import Module, Table

MOST_SILENT_TABLES: Final = 2
"""Tables that may get no answer before the whole poll is given up."""
_SILENCE: Final = frozenset({Fault.TIMEOUT, Fault.PRIVACY, Fault.NETWORK})


class Reading(msgspec.Struct, frozen=True):
    """What a device told in one poll. What it does not have is absent."""

    scalars: dict[str, Value]
    tables: dict[str, dict[str, Rows]]
    """Table -> column -> index -> value. Slow tables may be from an earlier poll."""
    labels: dict[str, Rows]
    """OID of a label -> index -> value."""
    faults: dict[str, AgentError]
    """Tables that the device has, or may have, and that could not be read."""


async def read(agent: Agent, module: Module, memory: Memory, seconds: float) -> Reading:
    """Polls a device within `seconds`.

    Raises AgentError when it does not answer, falls silent, is too slow or starts again meanwhile: then
    nothing of the poll is to be believed. A table that alone cannot be read is among the faults.
    """
    poll = _Poll(agent, module, memory)
    try:
        async with asyncio.timeout(seconds):
            await agent.open()
            return await poll.run()
    except TimeoutError:
        raise AgentError(
            Fault.LATE,
            f"it is too slow: the poll was not done in {seconds:g} s, at {poll.place}; raise its interval",
        ) from None


class _Poll:
    def __init__(self, agent: Agent, module: Module, memory: Memory) -> None:
        self.place = "the scalars"
        """What is being read."""
        self._agent = agent
        self._module = module
        self._memory = memory
        self._now = time.monotonic()
        self._silent = 0
        self._tables: dict[str, dict[str, Rows]] = {}
        self._faults: dict[str, AgentError] = {}

    async def run(self) -> Reading:
        wanted = {name: str(scalar.oid) for name, scalar in self._module.scalars.items()}
        scalars = await self._scalars(wanted | SIGNS)
        self._memory.notice(scalars)
        await self._read_names()
        for name, table in self._module.tables.items():
            if not (table.instead_of and any(self._tables.get(table.instead_of, {}).values())):
                await self._read(name, table)
        self.place = "the names of rows"
        await self._name_new_rows()
        await self._check_unchanged(scalars)
        return Reading(scalars, self._tables, dict(self._memory.labels), self._faults)

    async def _scalars(self, wanted: dict[str, str]) -> dict[str, Value]:
        """Name -> value, of names with their OIDs."""
        names = {oid: name for name, oid in wanted.items()}
        found = await self._agent.scalars(list(names))
        return {names[oid]: value for oid, value in found.items() if oid in names}

    async def _read_names(self) -> None:
        """Reads the names that can move to other rows without a sign. Where one has moved, or cannot be read,
        nothing of earlier polls is believed."""
        names: dict[str, Rows] = {}
        for oid in self._module.names_of_each_poll:
            try:
                names[oid] = await self._agent.column(oid, texts=True)
            except AgentError as error:
                self._memory.forget()
                await self._go_on_after(error)
        if any(self._memory.has_moved(oid, rows) for oid, rows in names.items()):
            self._memory.forget()
        for oid, rows in names.items():
            self._memory.keep_label(oid, rows, self._now)

    async def _read(self, name: str, table: Table) -> None:
        self.place = f"table {name}"
        kept = self._memory.slow(name, table, self._now) if table.every_seconds else None
        try:
            columns = kept or {
                part: await self._agent.column(table.column_oid(part), texts=column.type == "text")
                for part, column in table.columns.items()
            }
            if any(columns.values()):
                for label in table.labels.values():
                    await self._read_label(label.oid)
        except AgentError as error:
            self._faults[name] = error
            await self._go_on_after(error)
        else:
            self._tables[name] = columns
            if table.every_seconds and kept is None:
                self._memory.keep_slow(name, columns, self._now)

    async def _go_on_after(self, error: AgentError) -> None:
        """Raises the error again where the device as a whole is silent."""
        self._silent += error.fault in _SILENCE
        if self._silent > MOST_SILENT_TABLES:
            raise error
        await self._agent.open()

    async def _read_label(self, oid: str) -> None:
        if self._memory.is_due(oid, self._now):
            self._memory.keep_label(oid, await self._agent.column(oid, texts=True), self._now)

    async def _name_new_rows(self) -> None:
        """Reads names again where rows have none: an interface can come without any other sign."""
        again: set[str] = set()
        for name, columns in self._tables.items():
            indices = {index for rows in columns.values() for index in rows}
            for label in self._module.tables[name].labels.values():
                if not label.on and self._memory.lacks_names(label.oid, indices):
                    again.add(label.oid)
        for oid in again:
            self._memory.keep_label(oid, await self._agent.column(oid, texts=True), self._now)

    async def _check_unchanged(self, before: dict[str, Value]) -> None:
        """What was read on both sides of a restart, or of a move of names, does not belong together."""
        after = await self._scalars({name: oid for name, oid in SIGNS.items() if name in before})
        if restarted(before, after) or (rearranged(before, after) and await self._names_have_moved()):
            self._memory.forget()
            raise AgentError(
                Fault.RESTARTED, "the device started again, or its interfaces moved, while it was read"
            )

    async def _names_have_moved(self) -> bool:
        for oid in self._module.names_of_each_poll:
            if self._memory.has_moved(oid, await self._agent.column(oid, texts=True)):
                return True
        return False


def rows_of(columns: dict[str, Rows]) -> Iterable[str]:
    """The indices of a table, in the order of its first appearance."""
    return dict.fromkeys(index for rows in columns.values() for index in rows)
