"""The part of BER (X.690) that SNMP v2c needs: its types of values, encoded and taken apart.

A value is kept as its encoded bytes, tag and length included, so that what does not change is encoded once.
"""

from functools import lru_cache
from ipaddress import IPv4Address
from typing import Final

Oid = tuple[int, ...]
"""An object identifier; tuples sort in the order that GETNEXT walks."""

INTEGER: Final = 0x02
OCTET_STRING: Final = 0x04
OBJECT_IDENTIFIER: Final = 0x06
SEQUENCE: Final = 0x30
IP_ADDRESS: Final = 0x40
COUNTER32: Final = 0x41
GAUGE32: Final = 0x42
TIME_TICKS: Final = 0x43
COUNTER64: Final = 0x46

NULL: Final = b"\x05\x00"
NO_SUCH_OBJECT: Final = b"\x80\x00"
NO_SUCH_INSTANCE: Final = b"\x81\x00"
END_OF_MIB_VIEW: Final = b"\x82\x00"


class DecodeError(ValueError):
    """Bytes that are no SNMP message."""


def oid(text: str) -> Oid:
    """An object identifier from its dotted form."""
    return tuple(int(part) for part in text.split("."))


def tagged(tag: int, content: bytes) -> bytes:
    """Tag, length and content."""
    length = len(content)
    if length < 0x80:
        return bytes((tag, length)) + content
    size = (length.bit_length() + 7) // 8
    return bytes((tag, 0x80 | size)) + length.to_bytes(size, "big") + content


def _signed(tag: int, value: int) -> bytes:
    size = (value + (value < 0)).bit_length() // 8 + 1
    return bytes((tag, size)) + value.to_bytes(size, "big", signed=True)


def integer(value: float) -> bytes:
    """An INTEGER, rounded to the nearest."""
    return _signed(INTEGER, round(value))


def octets(value: bytes) -> bytes:
    """An OCTET STRING."""
    return tagged(OCTET_STRING, value)


def text(value: str) -> bytes:
    """An OCTET STRING with text in UTF-8."""
    return tagged(OCTET_STRING, value.encode())


def ip_address(value: str) -> bytes:
    """An IpAddress from its dotted form."""
    return tagged(IP_ADDRESS, IPv4Address(value).packed)


def counter32(value: float) -> bytes:
    """A Counter32, which wraps at 2^32."""
    return _signed(COUNTER32, int(value) & 0xFFFFFFFF)


def gauge32(value: float) -> bytes:
    """A Gauge32, which stays at its greatest value 2^32 - 1."""
    return _signed(GAUGE32, min(max(int(value), 0), 0xFFFFFFFF))


def time_ticks(seconds: float) -> bytes:
    """TimeTicks, 1/100 s, from seconds; they wrap at 2^32, after 497.1 days."""
    return _signed(TIME_TICKS, int(seconds * 100) & 0xFFFFFFFF)


def counter64(value: float) -> bytes:
    """A Counter64, which wraps at 2^64."""
    return _signed(COUNTER64, int(value) & 0xFFFFFFFFFFFFFFFF)


@lru_cache(maxsize=65536)
def object_identifier(value: Oid) -> bytes:
    """An OBJECT IDENTIFIER; needs two parts at least."""
    content = bytearray()
    for part in (value[0] * 40 + value[1], *value[2:]):
        if part < 0x80:
            content.append(part)
        else:
            groups = [part & 0x7F]
            while part := part >> 7:
                groups.append(part & 0x7F | 0x80)
            content += bytes(reversed(groups))
    return tagged(OBJECT_IDENTIFIER, bytes(content))


def split(data: bytes, at: int) -> tuple[int, int]:
    """Where the content of the value at this place begins and ends; raises DecodeError beyond the end."""
    if at + 2 > len(data):
        raise DecodeError("it breaks off")
    length, begin = data[at + 1], at + 2
    if length >= 0x80:
        size = length & 0x7F
        if not 0 < size <= 4 or begin + size > len(data):
            raise DecodeError("length without an end")
        begin += size
        length = int.from_bytes(data[begin - size : begin], "big")
    if begin + length > len(data):
        raise DecodeError("it breaks off")
    return begin, begin + length


def take(data: bytes, at: int, tag: int) -> tuple[bytes, int]:
    """The content of the value at this place, and its end; raises DecodeError when its tag is another."""
    begin, end = split(data, at)
    if data[at] != tag:
        raise DecodeError(f"tag {data[at]} in the place of {tag}")
    return data[begin:end], end


def decode_integer(content: bytes) -> int:
    """The number in the content of an INTEGER; raises DecodeError when it is empty or beyond 64 bits."""
    if not 0 < len(content) <= 9:
        raise DecodeError(f"number of {len(content)} bytes")
    return int.from_bytes(content, "big", signed=True)


@lru_cache(maxsize=65536)
def decode_oid(content: bytes) -> Oid:
    """The object identifier in its content; raises DecodeError when it is empty, cut or beyond 32 bits."""
    parts: list[int] = []
    part = 0
    for byte in content:
        part = part << 7 | byte & 0x7F
        if part > 0xFFFFFFFF:
            raise DecodeError("part of an object identifier beyond 32 bits")
        if byte < 0x80:
            parts.append(part)
            part = 0
    if not content or content[-1] >= 0x80:
        raise DecodeError("object identifier breaks off")
    head = min(parts[0] // 40, 2)
    return (head, parts[0] - head * 40, *parts[1:])
