"""The head of an SNMP message, read before anything else of it: who says to have sent it.

A few microseconds tell a stranger from a device, where decoding the whole message takes a millisecond.
"""

from collections.abc import Iterator
from typing import Final, Literal

import msgspec

_INTEGER: Final = 0x02
_OCTETS: Final = 0x04
_SEQUENCE: Final = 0x30
_VERSIONS: Final[dict[bytes, Literal["v1", "v2c", "v3"]]] = {b"\0": "v1", b"\1": "v2c", b"\3": "v3"}


class MalformedError(ValueError):
    """The datagram is no SNMP message."""


class Header(msgspec.Struct, frozen=True):
    """A community (v1, v2c), or a user and the engine whose clock and keys hold (v3)."""

    version: Literal["v1", "v2c", "v3"]
    community: bytes = b""
    engine_id: bytes = b""
    username: bytes = b""
    is_private: bool = False
    """Whether the message says to be authenticated and encrypted."""
    is_reportable: bool = False
    """Whether its sender waits for an answer, as with an inform."""

    @property
    def is_discovery(self) -> bool:
        """Whether a sender of informs asks for our engine's id (RFC 3414, section 4)."""
        return self.version == "v3" and not self.engine_id and not self.username and not self.is_private


def read_header(datagram: bytes) -> Header:
    """The head of a message. Raises MalformedError."""
    parts = _parts(_one(datagram, _SEQUENCE))
    version = _VERSIONS.get(_next(parts, _INTEGER))
    if version is None:
        raise MalformedError("it is of an unknown version of SNMP")
    if version != "v3":
        return Header(version, community=_next(parts, _OCTETS))
    flags = _next(_skip(_parts(_next(parts, _SEQUENCE)), 2), _OCTETS)
    security = _parts(_one(_next(parts, _OCTETS), _SEQUENCE))
    engine_id = _next(security, _OCTETS)
    username = _next(_skip(security, 2), _OCTETS)
    bits = flags[0] if flags else 0
    return Header(
        "v3",
        engine_id=engine_id,
        username=username,
        is_private=bits & 3 == 3,
        is_reportable=bool(bits & 4),
    )


def _one(data: bytes, tag: int) -> bytes:
    return _next(_parts(data), tag)


def _next(parts: Iterator[tuple[int, bytes]], tag: int) -> bytes:
    found, value = next(parts, (None, b""))
    if found != tag:
        raise MalformedError("it is not built as a message of SNMP")
    return value


def _skip(parts: Iterator[tuple[int, bytes]], count: int) -> Iterator[tuple[int, bytes]]:
    for _ in range(count):
        next(parts, None)
    return parts


def _parts(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Tag and value of one element after the other (BER, of definite length, as RFC 3417 wants it)."""
    at = 0
    while at + 2 <= len(data):
        tag, length = data[at], data[at + 1]
        at += 2
        if length & 0x80:
            octets = length & 0x7F
            if not 0 < octets <= 4:
                raise MalformedError("an element has no definite length")
            length = int.from_bytes(data[at : at + octets], "big")
            at += octets
        if at + length > len(data):
            raise MalformedError("it ends in the middle")
        yield tag, data[at : at + length]
        at += length
