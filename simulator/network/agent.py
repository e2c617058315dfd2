"""An SNMP v2c agent on a UDP port of its own, for one device."""

import asyncio

from simulator.network.ber import END_OF_MIB_VIEW, DecodeError, Oid
from simulator.network.device import ADDRESS, Device, Part
from simulator.network.message import (
    GET,
    GET_BULK,
    RESPONSE,
    TOO_BIG,
    VERSION_2C,
    Message,
    decode,
    encode_with,
    varbind,
)
from simulator.network.view import View

_GROWTH = 6
"""Bytes by which the lengths of an empty answer's three outer sequences grow when it is filled."""


def respond(
    request: Message,
    view: View,
    now: float,
    largest: int,
    most_varbinds: int | None = None,
) -> bytes:
    """The answer to a request, at most `largest` bytes long.

    GETBULK brings as many repetitions as fit (RFC 3416, 4.2.3); GET and GETNEXT that do not fit are answered
    with tooBig, as is a GETBULK that asks for more than `most_varbinds`.
    """
    answer = Message(request.community, RESPONSE, request.request_id, 0, 0, ())
    room = largest - len(encode_with(answer, b"")) - _GROWTH
    if request.kind == GET_BULK:
        asked = len(request.varbinds) * max(request.second, 1)
        found = (
            None if most_varbinds is not None and asked > most_varbinds else _bulk(request, view, now, room)
        )
    else:
        found = b"".join(
            varbind(name, view.get(name, now)) if request.kind == GET else _following(name, view, now)[1]
            for name, _ in request.varbinds
        )
        if len(found) > room:
            found = None
    if found is None:
        return encode_with(Message(request.community, RESPONSE, request.request_id, TOO_BIG, 0, ()), b"")
    return encode_with(answer, found)


def _following(name: Oid, view: View, now: float) -> tuple[Oid | None, bytes]:
    found = view.following(name, now)
    if found is None:
        return None, varbind(name, END_OF_MIB_VIEW)
    return found[0], varbind(*found)


def _bulk(request: Message, view: View, now: float, room: int) -> bytes:
    names = [name for name, _ in request.varbinds]
    once = min(max(request.first, 0), len(names))
    filled = bytearray()
    for repetition in range(max(request.second, 0) + 1):
        ended = True
        for place in range(once) if repetition == 0 else range(once, len(names)):
            name, pair = _following(names[place], view, now)
            if len(filled) + len(pair) > room:
                return bytes(filled)
            filled += pair
            if name is not None:
                names[place], ended = name, False
        if repetition and ended:
            break
    return bytes(filled)


class Agent(asyncio.DatagramProtocol):
    """The agent of a device; who comes with another community hears nothing, as with real ones."""

    def __init__(self, device: Device) -> None:
        self.device = device
        self.port = 0
        self.requests = 0
        """Requests with the right community."""
        self.refused = 0
        """Requests with a wrong one, and datagrams that are none."""
        self._view: View | None = None
        self._changes = -1
        self._transport: asyncio.DatagramTransport | None = None

    async def start(self, port: int = 0) -> None:
        """Listen on loopback; port 0 takes a free one. Raises OSError when it is taken."""
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=(ADDRESS, port))
        self._transport = transport
        self.port = transport.get_extra_info("sockname")[1]

    def stop(self) -> None:
        """Listen no longer."""
        if self._transport is not None:
            self._transport.close()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Answer a request, after the device's latency."""
        answer = self.answer(data)
        if answer is None:
            return
        if self.device.latency:
            asyncio.get_running_loop().call_later(self.device.latency, self._send, answer, addr)
        else:
            self._send(answer, addr)

    def answer(self, data: bytes) -> bytes | None:
        """The answer to a datagram; None when there is none."""
        device = self.device
        now = device.clock()
        if not device.answers(now):
            return None
        try:
            request = decode(data)
        except DecodeError:
            self.refused += 1
            return None
        if (
            request.community != device.community.encode()
            or request.version != VERSION_2C
            or request.kind == RESPONSE
        ):
            self.refused += 1
            return None
        self.requests += 1
        answer = respond(request, self._current_view(), now, device.largest_answer, device.most_varbinds)
        device.count_packet()
        return answer

    def _send(self, answer: bytes, address: tuple[str, int]) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.sendto(answer, address)

    def _current_view(self) -> View:
        changes = Part.changes
        if self._view is None or changes != self._changes:
            self._view, self._changes = self.device.view(), changes
        return self._view
