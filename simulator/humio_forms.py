"""The bodies that Humio (LogScale) takes, each read into events or refused, as its documentation tells.

Sources: library.humio.com, pages api-ingest-structured-data, api-ingest, api-ingest-json-raw-data and
log-shippers-hec; the answer to HEC is Splunk's.
"""

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, Final

import msgspec

MOST_EVENTS: Final = 5000
"""Events that a request may hold."""
MOST_BYTES: Final = 5_000_000
"""Bytes of a request, uncompressed."""


class Event(msgspec.Struct, frozen=True):
    """An event that was taken."""

    text: str
    """The raw string, or the event of HEC; JSON where it was an object."""
    timestamp: float | None = None
    """Unix seconds; None where none was given."""
    tags: dict[str, str] = {}
    fields: dict[str, Any] = {}
    """The attributes; for HEC with host and source among them."""


class RefusedError(Exception):
    """The request is not taken; the message says why, `status` is that of the answer."""

    def __init__(self, words: str, status: int = 400) -> None:
        super().__init__(words)
        self.status = status


def structured(body: bytes) -> Iterator[Event]:
    """humio-structured."""
    for group in _list(_json(body), "the body"):
        tags = _object(_object(group, "a group").get("tags", {}), "tags")
        if not all(isinstance(value, str) for value in tags.values()):
            raise RefusedError("a tag is not a string")
        for event in _list(group.get("events"), "events"):
            attributes = _object(_object(event, "an event").get("attributes", {}), "attributes")
            if "timestamp" not in event:
                raise RefusedError("an event has no timestamp")
            text = event.get("rawstring", json.dumps(attributes))
            if not isinstance(text, str):
                raise RefusedError("rawstring is not a string")
            yield Event(text, _structured_time(event["timestamp"]), tags, attributes)


def unstructured(body: bytes) -> Iterator[Event]:
    """humio-unstructured."""
    for item in _list(_json(body), "the body"):
        group = _object(item, "a group")
        tags, fields = _object(group.get("tags", {}), "tags"), _object(group.get("fields", {}), "fields")
        for message in _list(group.get("messages"), "messages"):
            if not isinstance(message, str):
                raise RefusedError("a message is not a string")
            yield Event(message, None, tags, fields)


def hec(body: bytes) -> Iterator[Event]:
    """HEC: JSON objects one after another, with any white space between them. Nested fields are dropped."""
    text, decoder, position = _text(body), json.JSONDecoder(), 0
    while (position := _skip(text, position)) < len(text):
        try:
            content, position = decoder.raw_decode(text, position)
        except ValueError as error:
            raise RefusedError(f"not JSON: {error}") from None
        content = _object(content, "an event")
        if "event" not in content:
            raise RefusedError("an object has no event")
        event = content["event"]
        try:
            timestamp = float(content["time"]) if "time" in content else None
        except (TypeError, ValueError):
            raise RefusedError("time is not a number of seconds") from None
        fields = {
            name: value
            for name, value in _object(content.get("fields", {}), "fields").items()
            if not isinstance(value, dict)
        }
        fields |= {name: content[name] for name in ("host", "source", "sourcetype") if name in content}
        yield Event(event if isinstance(event, str) else json.dumps(event), timestamp, {}, fields)


def raw(body: bytes) -> Iterator[Event]:
    """raw: the whole body is an event."""
    yield Event(_text(body))


def array(body: bytes) -> Iterator[Event]:
    """json: each item of the array is an event; an object by itself is one, too."""
    content = _json(body)
    for item in content if isinstance(content, list) else [content]:
        yield Event(json.dumps(item))


def bulk(body: bytes) -> Iterator[Event]:
    """elastic-bulk: lines of actions and documents by turns; blank lines are tolerated."""
    lines = iter([line for line in body.splitlines() if line.strip()])
    for action in lines:
        if not _object(_json(action), "an action").keys() & {"index", "create"}:
            raise RefusedError("an action is neither index nor create")
        document = _object(_json(next(lines, b"null")), "a document")
        yield Event(str(document.get("message", json.dumps(document))), None, {}, document)


FORMS: Final[dict[str, Callable[[bytes], Iterator[Event]]]] = {
    "/api/v1/ingest/humio-structured": structured,
    "/api/v1/ingest/humio-unstructured": unstructured,
    "/api/v1/ingest/hec": hec,
    "/services/collector": hec,
    "/services/collector/event": hec,
    "/api/v1/ingest/raw": raw,
    "/api/v1/ingest/json": array,
    "/api/v1/ingest/raw/json": array,
    "/api/v1/ingest/elastic-bulk": bulk,
    "/api/v1/ingest/elastic-bulk/_bulk": bulk,
    "/_bulk": bulk,
}
"""What each path takes."""


def _structured_time(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise RefusedError("timestamp is neither ISO 8601 nor milliseconds")
    if isinstance(value, int):
        return value / 1000
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise RefusedError("timestamp is not ISO 8601") from None
    if moment.tzinfo is None:
        raise RefusedError("timestamp has no zone, and timezone is not given")
    return moment.timestamp()


def _skip(text: str, position: int) -> int:
    while position < len(text) and text[position] in " \t\r\n":
        position += 1
    return position


def _text(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise RefusedError("not UTF-8") from None


def _json(body: bytes) -> Any:
    try:
        return json.loads(_text(body))
    except ValueError as error:
        raise RefusedError(f"not JSON: {error}") from None


def _list(value: Any, name: str) -> list[Any]:
    if not isinstance(value, list):
        raise RefusedError(f"{name} is not a list")
    return value


def _object(value: Any, name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise RefusedError(f"{name} is not an object")
    return value
