"""The conventions of Pexip's API, which is built on django-tastypie: envelope, paging, filters, order,
schema.

Rows are kept by their resource as encoded JSON, so that a list without filters is a joining of bytes. A
filter or an order asks for the typed row, or for one cheap field of it where the resource can tell that
without the row.
"""

import re
import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from itertools import islice
from typing import Annotated, Any, Final, Generic, TypeVar, Union, get_args, get_origin, get_type_hints
from urllib.parse import urlencode

import msgspec

from simulator.rows import Row

DEFAULT_LIMIT: Final = 20
PAGE_CAP: Final = 5000
"""Most rows in a page; the real one is unknown, but 5000 is widely used."""

LOOKUPS: Final = frozenset(
    [
        "exact",
        "iexact",
        "contains",
        "icontains",
        "startswith",
        "istartswith",
        "endswith",
        "iendswith",
        "regex",
        "iregex",
        "lt",
        "lte",
        "gt",
        "gte",
        "in",
        "range",
        "isnull",
        "year",
        "month",
        "day",
    ]
)
_RESERVED: Final = frozenset({"limit", "offset", "order_by", "format"})
_encoder: Final = msgspec.json.Encoder()

Query = Sequence[tuple[str, str]]
T = TypeVar("T")


class BadRequestError(Exception):
    """A request that the API refuses with 400 and this text."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """A row and its JSON."""

    row: Row
    json: bytes


def encode(row: Row, hidden: Iterable[str] = ()) -> Encoded:
    """Encode a row once, without the fields that this version of Pexip does not show."""
    for name in hidden:
        setattr(row, name, msgspec.UNSET)
    return Encoded(row, _encoder.encode(row))


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a resource, as its schema page tells it."""

    name: str
    type: str
    nullable: bool
    related_type: str | None = None

    @property
    def filterable(self) -> bool:
        """Whether the field may be filtered and sorted by; nested lists may not."""
        return self.type != "list" and self.related_type != "to_many"


_TYPES: Final[dict[object, str]] = {str: "string", bool: "boolean", int: "integer", float: "float"}


def fields_of(row_type: type[Row], hidden: Iterable[str] = ()) -> dict[str, Field]:
    """The fields of a row type by name, in alphabetical order."""
    hints = get_type_hints(row_type, include_extras=True)
    return {name: _field(name, hints[name]) for name in sorted(hints) if name not in set(hidden)}


def _field(name: str, hint: Any) -> Field:
    nullable = False
    if get_origin(hint) in {Union, types.UnionType}:
        nullable = True
        hint = next(part for part in get_args(hint) if part is not type(None))
    if get_origin(hint) is Annotated:
        meaning = hint.__metadata__[0]
        if meaning == "datetime":
            return Field(name, "datetime", nullable)
        return Field(name, "related", nullable, meaning)
    return Field(name, _TYPES.get(hint, "list"), nullable)


@dataclass(frozen=True)
class Resource(Generic[T]):
    """One resource of the API.

    `records` gives the sources of the rows by id, `draw` the row of one, `quick` the fields of one that cost
    little, `children` the rows of sub-resources such as a participant's media streams, with their type.
    """

    api: str
    name: str
    row_type: type[Row]
    records: Callable[[], Mapping[str, T]]
    draw: Callable[[T], Encoded]
    quick: Mapping[str, Callable[[T], object]] = field(default_factory=dict)
    children: Mapping[str, tuple[type[Row], Callable[[T], Sequence[Row]]]] = field(default_factory=dict)
    hidden: frozenset[str] = frozenset()
    detail_methods: tuple[str, ...] = ("get",)

    @property
    def path(self) -> str:
        """Server-relative address of the list."""
        return f"/api/admin/{self.api}/v1/{self.name}/"

    @cached_property
    def fields(self) -> dict[str, Field]:
        """The fields that this version shows."""
        return fields_of(self.row_type, self.hidden)

    def value(self, record: T, name: str) -> Any:
        """One field of a row."""
        quick = self.quick.get(name)
        return quick(record) if quick else getattr(self.draw(record).row, name)


def of_rows(
    api: str,
    name: str,
    row_type: type[Row],
    rows: Callable[[], Sequence[Row]],
    hidden: frozenset[str] = frozenset(),
) -> Resource[Encoded]:
    """A resource of few rows that are drawn for each request; their key is `id`, else `fulfillment_id`, else
    1."""

    def records() -> dict[str, Encoded]:
        key = "id" if "id" in row_type.__struct_fields__ else "fulfillment_id"
        return {str(getattr(row, key, 1)): encode(row, hidden) for row in rows()}

    return Resource(api, name, row_type, records, lambda record: record, hidden=hidden)


def schema(resource: Resource[Any]) -> dict[str, object]:
    """The schema page of a resource."""
    filterable = {name: 1 for name, described in resource.fields.items() if described.filterable}
    return {
        "allowed_detail_http_methods": list(resource.detail_methods),
        "allowed_list_http_methods": ["get"],
        "default_format": "application/json",
        "default_limit": DEFAULT_LIMIT,
        "fields": {name: _described(described) for name, described in resource.fields.items()},
        "filtering": filterable,
        "ordering": list(filterable),
    }


def _described(described: Field) -> dict[str, object]:
    page: dict[str, object] = {
        "blank": described.nullable or described.type == "string",
        "default": "No default provided.",
        "help_text": described.name.replace("_", " ").capitalize() + ".",
        "nullable": described.nullable,
        "readonly": True,
        "type": described.type,
        "unique": described.name in {"id", "resource_uri"},
    }
    if described.related_type:
        page["related_type"] = described.related_type
    return page


def _number(query: Query, name: str, default: int, advice: str) -> int:
    text = next((value for key, value in reversed(query) if key == name), str(default))
    try:
        number = int(text)
    except ValueError:
        raise BadRequestError(f"Invalid {name} '{text}' provided. {advice}") from None
    if number < 0:
        raise BadRequestError(f"Invalid {name} '{number}' provided. Please provide a positive integer >= 0.")
    return number


def list_page(
    resource: Resource[Any], query: Query, cap: int = PAGE_CAP, *, shift: int = 0, path: str = ""
) -> bytes:
    """A list: envelope and rows. With a cap of 0 there is none, and `limit=0` then gives all without paging.

    `shift` is the number of rows by which pages after the first begin early, as when rows move between pages.
    """
    limit = _number(query, "limit", DEFAULT_LIMIT, "Please provide a positive integer.")
    offset = _number(query, "offset", 0, "Please provide an integer.")
    if cap and (not limit or limit > cap):
        limit = cap
    records = _ordered(resource, query, _filtered(resource, query))
    total = len(records)
    begin = max(0, offset - shift) if offset else 0
    end = begin + limit if limit else None
    rows = [resource.draw(record).json for record in islice(records, begin, end)]
    return envelope(rows, query, path or resource.path, limit, offset, total)


def envelope(  # noqa: PLR0917
    rows: Sequence[bytes], query: Query, path: str, limit: int, offset: int, total: int
) -> bytes:
    """The list envelope around encoded rows."""
    meta: dict[str, object] = {"limit": limit}
    others = [(key, value) for key, value in query if key not in {"limit", "offset"}]

    def address(start: int) -> str:
        return f"{path}?{urlencode([*others, ('limit', limit), ('offset', start)])}"

    if limit:
        meta["next"] = address(offset + limit) if offset + limit < total else None
    meta["offset"] = offset
    if limit:
        meta["previous"] = address(offset - limit) if offset - limit >= 0 else None
    meta["total_count"] = total
    return b'{"meta":' + _encoder.encode(meta) + b',"objects":[' + b",".join(rows) + b"]}"


def _filtered(resource: Resource[Any], query: Query) -> Sequence[Any]:
    tests: list[tuple[str, Callable[[Any], bool]]] = []
    for key, text in query:
        name, *lookups = key.split("__")
        described = resource.fields.get(name)
        if name in _RESERVED or described is None:
            continue
        if not described.filterable:
            raise BadRequestError(f"The '{name}' field does not allow filtering.")
        if len(lookups) > 1:
            raise BadRequestError(f"Lookups are not allowed more than one level deep on the '{name}' field.")
        lookup = lookups[0] if lookups else "exact"
        if lookup not in LOOKUPS:
            raise BadRequestError(f"'{lookup}' is not an allowed filter on the '{name}' field.")
        tests.append((name, _test(described, lookup, text)))
    records = resource.records()
    if not tests:
        return _Values(records)
    kept: list[Any] = list(records.values())
    for name, test in sorted(tests, key=lambda pair: pair[0] not in resource.quick):
        kept = [record for record in kept if test(resource.value(record, name))]
    return kept


class _Values(Sequence[Any]):
    """The values of a mapping, as a sequence that need not be copied."""

    def __init__(self, records: Mapping[str, Any]) -> None:
        self._records = records

    def __len__(self) -> int:
        return len(self._records)

    def __iter__(self) -> Any:
        return iter(self._records.values())

    def __getitem__(self, index: Any) -> Any:
        return list(self._records.values())[index]


def _ordered(resource: Resource[Any], query: Query, records: Sequence[Any]) -> Sequence[Any]:
    for wanted in reversed([value for key, value in query if key == "order_by"]):
        name = wanted.removeprefix("-")
        described = resource.fields.get(name)
        if described is None:
            raise BadRequestError(f"No matching '{name}' field for ordering on.")
        if not described.filterable:
            raise BadRequestError(f"The '{name}' field does not allow ordering.")

        def key(record: Any, name: str = name) -> tuple[bool, Any]:
            value = resource.value(record, name)
            return value is not None, value

        records = sorted(records, key=key, reverse=wanted.startswith("-"))
    return records


def _parsed(described: Field, text: str) -> Any:
    if text in {"nil", "none", "None", "null"} and described.nullable:
        return None
    try:
        match described.type:
            case "boolean":
                return {"true": True, "1": True, "false": False, "0": False}[text.lower()]
            case "integer":
                return int(text)
            case "float":
                return float(text)
            case "datetime":
                moment = datetime.fromisoformat(text)
                return (moment.astimezone(UTC) if moment.tzinfo else moment).replace(tzinfo=None).isoformat()
            case _:
                return text
    except (KeyError, ValueError):
        raise BadRequestError("Invalid resource lookup data provided (mismatched type).") from None


def _test(described: Field, lookup: str, text: str) -> Callable[[Any], bool]:
    """The test of a value. Times are compared as their ISO text, which sorts as they do."""
    if lookup == "isnull":
        wanted = text.lower() in {"true", "1"}
        return lambda value: (value is None) is wanted
    if lookup in {"year", "month", "day"}:
        part = slice(*{"year": (0, 4), "month": (5, 7), "day": (8, 10)}[lookup])
        return lambda value: value is not None and str(value)[part].lstrip("0") == text.lstrip("0")
    if lookup in {"in", "range"}:
        parts = [_parsed(described, part) for part in text.split(",")]
        if lookup == "in":
            return lambda value: value in parts
        if len(parts) != 2:
            raise BadRequestError("Invalid resource lookup data provided (mismatched type).")
        return lambda value: value is not None and parts[0] <= value <= parts[1]
    if lookup in {"exact", "lt", "lte", "gt", "gte"}:
        return _comparison(lookup, _parsed(described, text))
    return _text_test(lookup, text)


def _comparison(lookup: str, wanted: Any) -> Callable[[Any], bool]:
    match lookup:
        case "exact":
            return lambda value: value == wanted
        case "lt":
            return lambda value: value is not None and value < wanted
        case "lte":
            return lambda value: value is not None and value <= wanted
        case "gt":
            return lambda value: value is not None and value > wanted
        case _:
            return lambda value: value is not None and value >= wanted


def _text_test(lookup: str, text: str) -> Callable[[Any], bool]:
    if lookup in {"regex", "iregex"}:
        try:
            pattern = re.compile(text, re.IGNORECASE if lookup == "iregex" else 0)
        except re.error:
            raise BadRequestError("Invalid resource lookup data provided (mismatched type).") from None
        return lambda value: value is not None and pattern.search(str(value)) is not None
    folded = lookup.startswith("i")
    wanted = text.casefold() if folded else text

    def text_of(value: Any) -> str:
        return str(value).casefold() if folded else str(value)

    match lookup.removeprefix("i"):
        case "contains":
            return lambda value: value is not None and wanted in text_of(value)
        case "startswith":
            return lambda value: value is not None and text_of(value).startswith(wanted)
        case "endswith":
            return lambda value: value is not None and text_of(value).endswith(wanted)
        case _:
            return lambda value: value is not None and text_of(value) == wanted
