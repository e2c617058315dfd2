"""From the varbinds of a notification to what it says. Pure: nothing is asked, nothing is kept."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final, TypeAlias

import msgspec

from exporters.snmp.traps.catalogue import UNKNOWN, Catalogue, Level

Value: TypeAlias = str | int | bytes
"""A number; the octets of a string; or text, for an OID and for an address."""

Varbind: TypeAlias = tuple[str, Value]
"""An OID, dotted, and its value."""

TRAP_OID: Final = "1.3.6.1.6.3.1.1.4.1.0"
"""snmpTrapOID.0: which trap it is (RFC 3418)."""

_UNTOLD: Final = (
    "1.3.6.1.2.1.1.3.0",  # sysUpTime
    TRAP_OID,
    "1.3.6.1.6.3.1.1.4.3.0",  # snmpTrapEnterprise
    "1.3.6.1.6.3.18.1.3.0",  # snmpTrapAddress
    "1.3.6.1.6.3.18.1.4.0",  # snmpTrapCommunity, which is a secret
)
"""Varbinds that are not shown."""

MOST_TEXT: Final = 160
"""Characters of one value that are shown."""

MOST_DETAILS: Final = 600
"""Characters that are shown of all values."""


class NoTrapError(ValueError):
    """The varbinds do not say which trap it is."""


class Reading(msgspec.Struct, frozen=True):
    """What a notification says."""

    name: str
    level: Level
    meaning: str
    details: str
    clears: tuple[str, ...] = ()
    """Traps that end with this one."""


class Trap(msgspec.Struct, frozen=True):
    """A trap that was received."""

    time: datetime
    """When it came, UTC."""
    device: str
    """The device of the settings, or `unknown`."""
    address: str
    """Where it came from."""
    name: str
    """Its name by its MIB, or `unknown`."""
    level: Level
    meaning: str
    """What it means, in a sentence."""
    details: str
    """What else it tells, as text of bounded length without control characters."""


def read(varbinds: Iterable[Varbind], catalogue: Catalogue) -> Reading:
    """What a notification says, by the catalogue.

    Raises NoTrapError where snmpTrapOID is missing or is no OID.
    """
    binds = tuple(varbinds)
    oid = next((value for name, value in binds if name == TRAP_OID), None)
    if not isinstance(oid, str) or not oid:
        raise NoTrapError("a notification does not say which trap it is (snmpTrapOID)")
    told = tuple(_told(binds, catalogue))
    details = shorten(", ".join(f"{name}={text}" for name, _, text in told), MOST_DETAILS)
    name = catalogue.name(oid)
    if name == UNKNOWN:
        return Reading(
            UNKNOWN, "info", f"A trap that is not known by name: {shorten(oid, MOST_TEXT)}.", details
        )
    trap = catalogue.traps[name]
    if any(text in trap.good.get(plain, ()) for _, plain, text in told):
        return Reading(name, "info", trap.meaning, details, (*trap.clears, name))
    return Reading(name, trap.level, trap.meaning, details, trap.clears)


def _told(varbinds: Iterable[Varbind], catalogue: Catalogue) -> Iterator[tuple[str, str, str]]:
    """Of each varbind that is shown: its name with the index, its name, its value."""
    for oid, value in varbinds:
        if oid in _UNTOLD:
            continue
        found, index = catalogue.find(oid)
        text = shown(value)
        if found is None:
            yield shorten(oid, MOST_TEXT), oid, text
        else:
            name = f"{found.name}.{index}" if found.indexed and index else found.name
            yield shorten(name, MOST_TEXT), found.name, found.values.get(text, text)


def shown(value: Value) -> str:
    """A value as text that may be shown: of bounded length, without control characters."""
    if isinstance(value, int):
        return str(value)
    text = value.decode("utf-8", errors="replace") if isinstance(value, bytes) else value
    return shorten("".join(character for character in text if character.isprintable()), MOST_TEXT)


def shorten(text: str, most: int) -> str:
    """The text, cut at `most` characters, with an ellipsis where some are missing."""
    return text if len(text) <= most else text[: most - 1] + "…"
