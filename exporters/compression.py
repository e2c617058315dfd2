"""gzip of a long text that is compressed once, followed by a short one that differs each time.

Both become one gzip member, since not every client reads a second one: deflate blocks that end on a
byte may simply be joined (RFC 1951), and the checksum is carried on (RFC 1952).
"""

import struct
import zlib
from typing import Final

_HEADER: Final = b"\x1f\x8b\x08\x00" + bytes(4) + b"\x04\xff"
"""gzip, deflate, no flags, no time, fastest, system unknown."""


def _compressor() -> "zlib._Compress":
    # Level 1: a tenth of the time of level 9 for a text that is about a third larger.
    return zlib.compressobj(1, zlib.DEFLATED, -zlib.MAX_WBITS)


class Text:
    """A text and its compressed form."""

    __slots__ = ("_checksum", "_deflated", "plain")

    def __init__(self, plain: bytes) -> None:
        compressor = _compressor()
        self.plain = plain
        self._deflated = compressor.compress(plain) + compressor.flush(zlib.Z_SYNC_FLUSH)
        self._checksum = zlib.crc32(plain)

    def gzip(self, end: bytes) -> bytes:
        """This text and `end` as one gzip file."""
        compressor = _compressor()
        deflated = compressor.compress(end) + compressor.flush()
        size = (len(self.plain) + len(end)) & 0xFFFFFFFF
        trailer = struct.pack("<II", zlib.crc32(end, self._checksum), size)
        return b"".join((_HEADER, self._deflated, deflated, trailer))
