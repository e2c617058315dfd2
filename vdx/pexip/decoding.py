"""From an answer's bytes to typed records: a whole page at once, row by row only when a row is malformed."""

import json
import re
from functools import cache
from typing import Any, Final, Generic, TypeVar

import msgspec

from vdx.pexip.errors import UnexpectedAnswer, Unreachable
from vdx.pexip.records import Record
from vdx.pexip.resources import Resource

T = TypeVar("T", bound=Record)
Row = TypeVar("Row")


class Rejected(msgspec.Struct, frozen=True):
    """A row that was left out. `id` is "" where the row has none; `expected` names a type, never a value."""

    resource: str
    id: str
    field: str
    expected: str

    def __str__(self) -> str:
        return f"{self.resource} {self.id or '(no id)'}: field {self.field or '(row)'} is not {self.expected}"


class Meta(msgspec.Struct, frozen=True):
    """The paging part of the envelope; 0 and None stand for keys that are missing."""

    limit: int = 0
    total_count: int | None = None
    next: str | None = None


class Page(msgspec.Struct, Generic[Row], frozen=True):
    """The envelope of a list."""

    meta: Meta
    objects: list[Row]


class DecodedPage(msgspec.Struct, Generic[T], frozen=True):
    """A page's good and rejected rows; `size` is the number of rows that the node sent."""

    meta: Meta
    size: int
    rows: list[T]
    rejected: tuple[Rejected, ...] = ()


def decode_page(content: bytes, resource: Resource[T]) -> DecodedPage[T]:
    """The records of an answer's body.

    In a row that does not fit, null stands for the field's default; a row that still does not fit is
    rejected alone. Raises `UnexpectedAnswer` for anything but a list's envelope, and `Unreachable`
    (a network fault) for JSON that breaks off.
    """
    if content[:256].lstrip()[:1] not in (b"{", b""):
        raise UnexpectedAnswer(
            "the answer is not the Management Node's JSON: is a proxy or a login page in between? "
            "check pexip.url",
            resource=resource.name,
            code=200,
        )
    try:
        page = _page_decoder(resource.record).decode(content)
        return DecodedPage(page.meta, len(page.objects), page.objects)
    except msgspec.ValidationError:
        pass
    except _MALFORMED:
        content = _strict_json(content, resource)
    try:
        return _decode_rows(content, resource)
    except _MALFORMED:
        return _decode_rows(_strict_json(content, resource), resource)


def _strict_json(content: bytes, resource: Resource[T]) -> bytes:
    """`content` as strict JSON in UTF-8. Python's json module, which the Management Node answers with,
    writes NaN and halves of surrogate pairs; they become null and "?". Broken UTF-8 is replaced."""
    try:
        value = json.loads(content.decode(errors="replace"), parse_constant=lambda _: None)
        return json.dumps(value, ensure_ascii=False, allow_nan=False).encode(errors="replace")
    except (ValueError, RecursionError):
        raise Unreachable(
            "the answer broke off: check the network and the proxies between here and the Management Node",
            resource=resource.name,
            code=200,
        ) from None


def _decode_rows(content: bytes, resource: Resource[T]) -> DecodedPage[T]:
    try:
        page = _raw_decoder.decode(content)
    except msgspec.ValidationError:
        raise UnexpectedAnswer(
            "the answer has no list of records: check pexip.url, and whether this version of Pexip "
            "Infinity is supported",
            resource=resource.name,
            code=200,
        ) from None
    decoder = _row_decoder(resource.record)
    rows: list[T] = []
    rejected: list[Rejected] = []
    for raw in page.objects:
        try:
            rows.append(decoder.decode(raw))
        except msgspec.ValidationError:
            row = msgspec.json.decode(raw)
            try:
                rows.append(msgspec.convert(_without_nulls(row), resource.record))
            except msgspec.ValidationError as error:
                rejected.append(_rejected(resource, row, str(error)))
    return DecodedPage(page.meta, len(page.objects), rows, tuple(rejected))


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_nulls(item) for item in value]
    return value


_PATH: Final = re.compile(r" - at `\$\.?(.*)`$", re.DOTALL)
_EXPECTED: Final = re.compile(r"^Expected `([^`]*)`")
_MISSING: Final = re.compile(r"^Object missing required field `([^`]*)`")


def _rejected(resource: Resource[T], row: Any, message: str) -> Rejected:
    """Only types and field names are taken from msgspec's message, so that no value gets through."""
    path = _PATH.search(message)
    field = path[1] if path else ""
    if missing := _MISSING.match(message):
        field, expected = ".".join(part for part in (field, missing[1]) if part), "present"
    elif match := _EXPECTED.match(message):
        expected = match[1]
    else:
        expected = "a datetime" if "RFC3339" in message else "a valid value"
    key = row.get(resource.key) if isinstance(row, dict) and resource.key else None
    return Rejected(resource.name, str(key) if isinstance(key, str | int) else "", field, expected)


_MALFORMED: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What msgspec raises for text that is not strict JSON in UTF-8."""

_raw_decoder: Final = msgspec.json.Decoder(Page[msgspec.Raw])


@cache
def _page_decoder(record: type[T]) -> msgspec.json.Decoder[Page[T]]:
    return msgspec.json.Decoder(Page[record])  # type: ignore[valid-type]


@cache
def _row_decoder(record: type[T]) -> msgspec.json.Decoder[T]:
    return msgspec.json.Decoder(record)
