"""The traps that are known by name, and the objects that they tell: catalogue.toml."""

from functools import cache
from pathlib import Path
from typing import Final, Literal

import msgspec

FILE: Final = Path(__file__).with_name("catalogue.toml")

UNKNOWN: Final = "unknown"
"""The name of every trap that is not in the file."""

Level = Literal["info", "warning", "critical"]


class TrapObject(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a varbind is, by the beginning of its OID."""

    name: str
    values: dict[str, str] = {}
    """The enumeration: number, as text -> name."""
    indexed: bool = False
    """Whether the rest of the OID, such as the address of a neighbour, tells something."""


class KnownTrap(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A trap of the file; the file's head tells what each key means."""

    oid: str
    level: Level
    meaning: str
    good: dict[str, tuple[str, ...]] = {}
    clears: tuple[str, ...] = ()

    @property
    def levels(self) -> tuple[Level, ...]:
        """All levels that it can have."""
        return (self.level, "info") if self.good else (self.level,)


class _MIB(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    traps: dict[str, KnownTrap]
    kinds: tuple[str, ...] = ()


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    objects: dict[str, TrapObject]
    mibs: dict[str, _MIB]


class Catalogue:
    """All traps by name and by OID, and all objects by the beginning of their OID."""

    def __init__(self, file: _File) -> None:
        self._objects = file.objects
        self._mibs = tuple(file.mibs.values())
        self.traps = {name: trap for mib in self._mibs for name, trap in mib.traps.items()}
        self._names = {trap.oid: name for name, trap in self.traps.items()}

    def name(self, oid: str) -> str:
        """The name of a trap, or UNKNOWN."""
        return self._names.get(oid, UNKNOWN)

    def of_kind(self, kind: str) -> tuple[str, ...]:
        """The names of the traps that a device of this kind may send."""
        return tuple(name for mib in self._mibs if not mib.kinds or kind in mib.kinds for name in mib.traps)

    def find(self, oid: str) -> tuple[TrapObject | None, str]:
        """The object of a varbind and what is left of its OID, the index; None for an unknown object."""
        head, index = oid, ""
        while head:
            if (found := self._objects.get(head)) is not None:
                return found, index
            head, _, last = head.rpartition(".")
            index = f"{last}.{index}" if index else last
        return None, ""


@cache
def catalogue() -> Catalogue:
    """What catalogue.toml says."""
    return Catalogue(msgspec.toml.decode(FILE.read_bytes(), type=_File))
