"""SNMP v2c messages: GET, GETNEXT, GETBULK and their answers (RFC 3416)."""

from dataclasses import dataclass
from typing import Final

from simulator.network.ber import (
    INTEGER,
    OBJECT_IDENTIFIER,
    OCTET_STRING,
    SEQUENCE,
    DecodeError,
    Oid,
    decode_integer,
    decode_oid,
    integer,
    object_identifier,
    octets,
    split,
    tagged,
    take,
)

GET: Final = 0xA0
GET_NEXT: Final = 0xA1
RESPONSE: Final = 0xA2
GET_BULK: Final = 0xA5

TOO_BIG: Final = 1
"""The error status tooBig."""

VERSION_2C: Final = 1

_MOST_VARBINDS: Final = 2048


@dataclass(frozen=True, slots=True)
class Message:
    """A request or an answer.

    `first` and `second` are error status and error index, in a GETBULK non-repeaters and max-repetitions.
    """

    community: bytes
    kind: int
    request_id: int
    first: int
    second: int
    varbinds: tuple[tuple[Oid, bytes], ...]
    version: int = VERSION_2C


def varbind(name: Oid, value: bytes) -> bytes:
    """A name with its encoded value."""
    return tagged(SEQUENCE, object_identifier(name) + value)


def encode(message: Message) -> bytes:
    """The bytes of a message."""
    return encode_with(message, b"".join(varbind(name, value) for name, value in message.varbinds))


def encode_with(message: Message, varbinds: bytes) -> bytes:
    """The bytes of a message with variable bindings that are already encoded, in the place of its own."""
    pdu = integer(message.request_id) + integer(message.first) + integer(message.second)
    body = integer(message.version) + octets(message.community)
    return tagged(SEQUENCE, body + tagged(message.kind, pdu + tagged(SEQUENCE, varbinds)))


def decode(data: bytes) -> Message:
    """The message in a datagram; raises DecodeError when it is none."""
    outer, end = take(data, 0, SEQUENCE)
    if end != len(data):
        raise DecodeError("bytes follow the message")
    version, at = take(outer, 0, INTEGER)
    community, at = take(outer, at, OCTET_STRING)
    kind = outer[at] if at < len(outer) else 0
    if kind not in {GET, GET_NEXT, RESPONSE, GET_BULK}:
        raise DecodeError(f"PDU of type {kind}")
    pdu, _ = take(outer, at, kind)
    request_id, at = take(pdu, 0, INTEGER)
    first, at = take(pdu, at, INTEGER)
    second, at = take(pdu, at, INTEGER)
    varbinds, _ = take(pdu, at, SEQUENCE)
    return Message(
        community,
        kind,
        decode_integer(request_id),
        decode_integer(first),
        decode_integer(second),
        _varbinds(varbinds),
        decode_integer(version),
    )


def _varbinds(data: bytes) -> tuple[tuple[Oid, bytes], ...]:
    found: list[tuple[Oid, bytes]] = []
    at = 0
    while at < len(data):
        if len(found) == _MOST_VARBINDS:
            raise DecodeError("too many variable bindings")
        pair, at = take(data, at, SEQUENCE)
        name, value = take(pair, 0, OBJECT_IDENTIFIER)
        _, end = split(pair, value)
        found.append((decode_oid(name), pair[value:end]))
    return tuple(found)
