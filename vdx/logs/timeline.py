"""All lines of one call across all nodes, in the order in which they were written, with fragments joined."""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import msgspec
from msgspec import structs

from vdx.logs.columns import instant
from vdx.logs.fields import fields, inner_time, moment
from vdx.logs.query import Query
from vdx.logs.search import Hit, Tell, search

_NEAR: Final = timedelta(seconds=30)
"""Fragments of one message come at most this far apart."""
_AT_ONCE: Final = 200
"""Ids that are looked for in one search."""
_DETAIL: Final = re.compile(r'(?i)(?<![\w.-])Detail="((?:[^"\\]|\\.)*)"')


class Step(msgspec.Struct, frozen=True):
    """A line of a call, at the time that it tells itself."""

    time: datetime
    """UTC: the message's own time, else the header's, else that of receipt."""
    hit: Hit


def timeline(folder: Path, query: Query, tell: Tell) -> list[Step]:
    """The steps of the call `query.call_id`, in order of their inner time; `query.limit` lines at most.

    Raises QueryError and ArchiveError.
    """
    found = list(search(folder, query, tell))
    known = set(found)
    more = [hit for hit in _fragments(folder, query, found, tell) if hit not in known]
    steps = sorted((Step(_time(hit), hit) for hit in reversed(found + more)), key=lambda step: step.time)
    return list(joined(steps))


def joined(steps: Iterable[Step]) -> Iterator[Step]:
    """The steps with each split message in one, at the place of its first part.

    A part that is not there is told in its place.
    """
    groups: list[dict[int, Step]] = []
    latest: dict[tuple[str, str], dict[int, Step]] = {}
    for step in steps:
        name, number = _part(step.hit)
        group = latest.get((step.hit.line.host, name))
        apart = group is not None and step.time - min(part.time for part in group.values()) > _NEAR
        if number is None or group is None or number in group or apart:
            group = {}
            groups.append(group)
            latest[step.hit.line.host, name] = group
        group[0 if number is None else number] = step
    yield from map(_whole, groups)


def _whole(group: dict[int, Step]) -> Step:
    numbers = sorted(group)
    first = group[numbers[0]]
    total = fields(first.hit.line.message).get("fragment-total", "")
    # Whether the sender counts from 0 or 1 is not documented: a part 0 tells.
    begin = 0 if 0 in group else 1
    end = int(total) + begin if total.isdecimal() and len(total) < 4 else numbers[-1] + 1
    if _part(first.hit)[1] is None or end - begin == 1:
        return first
    texts = [
        (found[1] if (found := _DETAIL.search(group[number].hit.line.message)) else "")
        if number in group
        else f"[part {number} is missing]"
        for number in range(begin, end)
    ]
    message = first.hit.line.message
    whole = f'Detail="{"".join(texts)}"'
    message = _DETAIL.sub(lambda _: whole, message, count=1) if _DETAIL.search(message) else message
    return Step(first.time, Hit(structs.replace(first.hit.line, message=message), first.hit.source))


def _part(hit: Hit) -> tuple[str, int | None]:
    """The id of the message that a line is a part of, and which part; no number for one that is whole."""
    told = fields(hit.line.message)
    number = told.get("fragment-number", "")
    if "fragment-id" not in told or not number.isdecimal() or len(number) > 3:
        return "", None
    return told["fragment-id"], int(number)


def _fragments(folder: Path, query: Query, found: list[Hit], tell: Tell) -> Iterator[Hit]:
    """The other parts of the messages that were found: only the first may name the call."""
    wanted = {(hit.line.host, _part(hit)[0]): hit for hit in found if _part(hit)[1] is not None}
    keys = list(wanted)
    for begin in range(0, len(keys), _AT_ONCE):
        some = keys[begin : begin + _AT_ONCE]
        times = [_received(wanted[key]) for key in some]
        ids = "|".join(sorted({re.escape(name) for _, name in some}))
        near = Query(
            regex=rf'(?i)fragment-id="(?:{ids})"',
            since=min(times) - _NEAR,
            until=max(times) + _NEAR,
            limit=query.limit,
        )
        for hit in search(folder, near, tell):
            match = wanted.get((hit.line.host, _part(hit)[0]))
            if match is not None and abs(_received(hit) - _received(match)) <= _NEAR:
                yield hit


def _received(hit: Hit) -> datetime:
    return moment(hit.line.received) or instant(0)


def _time(hit: Hit) -> datetime:
    return inner_time(hit.line.message) or moment(hit.line.time) or _received(hit)
