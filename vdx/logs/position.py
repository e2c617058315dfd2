"""How far a reader of the archive has come, in a form that survives a restart."""

import os
from hashlib import sha256
from typing import Final, Self

import msgspec

FINGERPRINT_BYTES: Final = 256
"""The first bytes of a file that tell it from another of the same name. Each line has more."""
MOST_PLACES: Final = 48
"""Files that a position knows one by one; those before them are done with."""


class Place(msgspec.Struct, frozen=True):
    """How far one file was read."""

    inode: int
    offset: int
    """Bytes that were read, up to the end of a line."""
    fingerprint: str
    """The hash of the first bytes that were read, at most FINGERPRINT_BYTES of them."""

    @classmethod
    def start(cls, descriptor: int) -> Self:
        """The beginning of an open file."""
        return cls(os.fstat(descriptor).st_ino, 0, _hash(b""))

    def moved(self, descriptor: int, offset: int) -> "Place":
        """The place at another offset of the same file."""
        known = self.fingerprint
        if self.offset < FINGERPRINT_BYTES:
            known = _hash(os.pread(descriptor, min(offset, FINGERPRINT_BYTES), 0))
        return Place(self.inode, offset, known)

    def fits(self, descriptor: int) -> bool:
        """Whether an open file begins with what was read."""
        return _hash(os.pread(descriptor, min(self.offset, FINGERPRINT_BYTES), 0)) == self.fingerprint


class Position(msgspec.Struct, frozen=True):
    """How far the archive was read. Every open file has a place of its own, since a line that waited in a
    queue of the collector comes late, into the file of its own hour."""

    places: dict[str, Place] = {}
    """By the name of the file."""
    floor: str = ""
    """Files up to this name are done with."""

    def at(self, name: str, place: Place) -> "Position":
        """The position with one file at another place."""
        return Position({**self.places, name: place}, self.floor)

    def without(self, name: str) -> "Position":
        """The position when a file has gone."""
        return Position({other: at for other, at in self.places.items() if other != name}, self.floor)

    def bounded(self) -> "Position":
        """The position with the newest MOST_PLACES files alone."""
        names = sorted(self.places)
        if len(names) <= MOST_PLACES:
            return self
        old, kept = names[:-MOST_PLACES], names[-MOST_PLACES:]
        return Position({name: self.places[name] for name in kept}, max(self.floor, old[-1]))


def _hash(content: bytes) -> str:
    return sha256(content).hexdigest()[:16]
