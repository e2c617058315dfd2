"""What is believed of a device from poll to poll: names and slow tables, until a change shows."""

from typing import Final

from exporters.snmp.agent import Rows, Value
from exporters.snmp.module import LABEL_SECONDS, Table

SIGNS: Final = {
    "sysUpTime": "1.3.6.1.2.1.1.3.0",
    "snmpEngineBoots": "1.3.6.1.6.3.10.2.1.2.0",
    "ifNumber": "1.3.6.1.2.1.2.1.0",
    "ifTableLastChange": "1.3.6.1.2.1.31.1.5.0",
}
"""Scalars, asked in each poll whatever the module: they tell that the device started again, or that
interfaces have come or gone."""
_WRAP: Final = 2**32 - 100 * 3600
"""sysUpTime, in 1/100 s, from which a smaller one next means that it wrapped."""


class Memory:
    """Names and slow tables of one device."""

    def __init__(self) -> None:
        self.labels: dict[str, Rows] = {}
        """OID of a label -> index -> value."""
        self._read: dict[str, float] = {}
        self._nameless: dict[str, set[str]] = {}
        self._slow: dict[str, tuple[float, dict[str, Rows]]] = {}
        self._signs: dict[str, Value] = {}

    def notice(self, scalars: dict[str, Value]) -> None:
        """Forgets all when the device started again or its interfaces are others."""
        before, self._signs = self._signs, {name: scalars[name] for name in SIGNS if name in scalars}
        if before and (restarted(before, self._signs) or rearranged(before, self._signs)):
            self.forget()

    def forget(self) -> None:
        """Nothing is believed any more."""
        self.labels.clear()
        self._read.clear()
        self._nameless.clear()
        self._slow.clear()

    def is_due(self, oid: str, now: float) -> bool:
        """Whether a label is to be read."""
        return now - self._read.get(oid, float("-inf")) >= LABEL_SECONDS

    def keep_label(self, oid: str, rows: Rows, now: float) -> None:
        """Believes a label."""
        self.labels[oid], self._read[oid] = rows, now

    def has_moved(self, oid: str, rows: Rows) -> bool:
        """Whether a row has another name than is believed."""
        known = self.labels.get(oid, {})
        return any(known.get(index, value) != value for index, value in rows.items())

    def slow(self, name: str, table: Table, now: float) -> dict[str, Rows] | None:
        """The columns of a slow table, while they are believed."""
        kept = self._slow.get(name)
        return kept[1] if kept is not None and now - kept[0] < table.every_seconds else None

    def keep_slow(self, name: str, columns: dict[str, Rows], now: float) -> None:
        """Believes a slow table."""
        self._slow[name] = now, columns

    def lacks_names(self, oid: str, indices: set[str]) -> bool:
        """Whether rows have come up that a label has no name for, other than those it never had."""
        missing = indices - self.labels.get(oid, {}).keys()
        if not missing or missing <= self._nameless.get(oid, set()):
            return False
        self._nameless[oid] = missing
        return True


def restarted(before: dict[str, Value], after: dict[str, Value]) -> bool:
    """Whether the agent started again between two looks at its scalars."""
    old, current = before.get("sysUpTime"), after.get("sysUpTime")
    fell = isinstance(old, int) and isinstance(current, int) and current < old < _WRAP
    return fell or before.get("snmpEngineBoots") != after.get("snmpEngineBoots")


def rearranged(before: dict[str, Value], after: dict[str, Value]) -> bool:
    """Whether interfaces have come or gone between two looks at its scalars."""
    return any(before.get(name) != after.get(name) for name in ("ifNumber", "ifTableLastChange"))
