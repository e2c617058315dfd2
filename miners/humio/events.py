"""Lines of the archive as Humio's events, and events as the body of a request. Pure functions."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec

from vdx.logs.fields import source_of
from vdx.logs.line import SEVERITIES, Line

STRAY: Final = timedelta(days=1)
"""How far a sender's clock may be from the collector's for its time to be that of the event."""
OTHER: Final = "other"
MOST_APPS: Final = 200
"""Values of the tag `app`. Humio keeps a data source for each combination of tags, so both are bounded."""

_encode: Final = msgspec.json.Encoder().encode


class Event(msgspec.Struct, frozen=True, gc=False):
    """An event in the form of the endpoint."""

    group: bytes
    """What stands before the events of the same tags; empty for HEC."""
    content: bytes
    """The event in JSON."""


class Tags:
    """The tags `host`, `source` and `app`. Beyond a number of values of host and app it is `other`."""

    def __init__(self, most_hosts: int) -> None:
        self._known: tuple[set[str], set[str]] = set(), set()
        self._most = most_hosts, MOST_APPS

    def of(self, line: Line) -> dict[str, str]:
        """The tags of a line."""
        host, app = map(self._bounded, (line.host, line.app or OTHER), self._known, self._most)
        return {"host": host, "source": source_of(line.app, line.message), "app": app}

    @staticmethod
    def _bounded(value: str, known: set[str], most: int) -> str:
        if len(known) < most:
            known.add(value)
        return value if value in known else OTHER


def moment(line: Line) -> datetime:
    """When the event was: by the sender, or where its clock strays or cannot be read, by the collector.

    Raises ValueError when neither can be read.
    """
    received = _parsed(line.received)
    try:
        told = _parsed(line.time)
    except ValueError:
        return received
    return told if abs(told - received) <= STRAY else received


def _parsed(text: str) -> datetime:
    time = datetime.fromisoformat(text)
    return time if time.tzinfo is not None else time.replace(tzinfo=UTC)


def _attributes(line: Line) -> dict[str, Any]:
    severity = SEVERITIES[line.severity] if 0 <= line.severity < len(SEVERITIES) else str(line.severity)
    return {
        "host": line.host,
        "app": line.app,
        "severity": severity,
        "facility": line.facility,
        "address": line.address,
        "transport": line.transport,
        "time": line.time,
        "received": line.received,
    }


def unparsed(text: bytes, now: datetime) -> Line:
    """What is none of the archive's lines, as one: it is handed on as it is, with the host `unparsed`."""
    time = now.astimezone(UTC).isoformat()
    return Line(time, time, "unparsed", "", 5, 5, "", "", text.decode("utf-8", "backslashreplace"))


def structured(line: Line, tags: Tags) -> Event:
    """An event of humio-structured. Raises ValueError when the line has no time."""
    event = {
        "timestamp": moment(line).isoformat(),
        "attributes": _attributes(line),
        "rawstring": line.message,
    }
    return Event(b'{"tags":' + _encode(tags.of(line)) + b',"events":[', _encode(event))


def hec(line: Line, _: Tags) -> Event:
    """An event of HEC, which has a host and a source of its own in the place of tags.

    Raises ValueError when the line has no time.
    """
    event = {
        "time": round(moment(line).timestamp(), 6),
        "host": line.host,
        "source": source_of(line.app, line.message),
        "event": line.message,
        "fields": _attributes(line),
    }
    return Event(b"", _encode(event))


def body(events: Sequence[Event]) -> bytes:
    """The body of a request, of events that are all of the same endpoint."""
    groups: dict[bytes, list[bytes]] = {}
    for event in events:
        groups.setdefault(event.group, []).append(event.content)
    if b"" in groups:
        return b"\n".join(groups[b""])
    return b"[" + b",".join(head + b",".join(one) + b"]}" for head, one in groups.items()) + b"]"


def batches(events: Sequence[Event], most_events: int, most_bytes: int) -> Iterator[Sequence[Event]]:
    """The events in order, in as few parts as stay within both bounds.

    An event whose body is too large by itself is a part of its own.
    """
    start, size, groups = 0, len(b"[]"), set[bytes]()
    for position, event in enumerate(events):
        cost = _cost(event, groups)
        if position > start and (position - start == most_events or size + cost > most_bytes):
            yield events[start:position]
            start, size, groups = position, len(b"[]"), set()
            cost = _cost(event, groups)
        size += cost
        groups.add(event.group)
    if start < len(events):
        yield events[start:]


def _cost(event: Event, groups: set[bytes]) -> int:
    """Bytes that an event adds to a body, the comma or line end behind it counted."""
    head = 0 if event.group in groups or not event.group else len(event.group) + len(b"]},")
    return head + len(event.content) + 1


MAKERS: Final[dict[str, Callable[[Line, Tags], Event]]] = {"structured": structured, "hec": hec}
"""What makes an event, by the setting humio.endpoint."""
