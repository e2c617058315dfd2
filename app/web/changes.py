"""What changed: troubles that began or ended from one poll to the next."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final

import msgspec

from app.web.state import RANK
from app.web.troubles import Trouble

KEPT: Final = 50
AGE: Final = timedelta(hours=24)


class Change(msgspec.Struct, frozen=True):
    """A trouble that began, grew worse, or ended (`began` False) at the poll of `time`."""

    time: datetime
    began: bool
    trouble: Trouble


class Log(msgspec.Struct, frozen=True):
    """The troubles that last, by key, and the changes of the last day, newest first."""

    lasting: Mapping[str, Trouble] | None = None
    """None before the first poll: what it finds is where the watch begins, not a change."""
    changes: tuple[Change, ...] = ()


def follow(log: Log, found: Iterable[Trouble], time: datetime, *, complete: bool) -> Log:
    """The log after a poll at `time`.

    A poll that is not `complete` ends no trouble, since it may only not have seen it.
    """
    first = log.lasting is None
    before = log.lasting or {}
    lasting: dict[str, Trouble] = {}
    fresh = []
    for trouble in found:
        known = before.get(trouble.key)
        since = trouble.since or (known.since if known else None if first else time)
        lasting[trouble.key] = msgspec.structs.replace(trouble, since=since)
        if not first and (known is None or RANK[trouble.state] > RANK[known.state]):
            fresh.append(Change(time, True, trouble))
    for key, trouble in before.items():
        if key in lasting:
            continue
        if complete:
            fresh.append(Change(time, False, trouble))
        else:
            lasting[key] = trouble
    recent = (change for change in log.changes if time - change.time <= AGE)
    return Log(lasting, (*fresh, *recent)[:KEPT])
