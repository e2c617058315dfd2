"""Reads the Management Node's history by time: a page after the last record, not after a number of rows.

The node keeps 10,000 conferences with their call legs, a ring in which each conference pushes out the oldest.
Were pages asked for by number, every record that is pushed out while they are read would let another slip
through; asked for by the end of the last record, none can.
"""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

import msgspec

from vdx.pexip import resources
from vdx.pexip.budget import loop_time
from vdx.pexip.client import ManagementNode, Reading
from vdx.pexip.records import Record
from vdx.pexip.resources import Resource
from vdx.store.history_rows import span_of

KEPT_CONFERENCES: Final = 10_000
"""Conference instances that the Management Node keeps (docs.pexip.com, api_history)."""
NEARLY_FULL: Final = 0.9
"""Share of the ring from which the time that it holds is the time that there is."""
READS_A_RING: Final = 10
"""How often the ring is read in the time that it holds, at least."""
SHORTEST_SECONDS: Final = 5.0
PAGE_SECONDS: Final = 120.0
"""The deadline of a page; one of a thousand legs is about 3 MB."""

ORDER: Final[dict[Resource[Any], str]] = {
    resources.HISTORY_PARTICIPANT: "end_time",
    resources.HISTORY_CONFERENCE: "end_time",
    resources.HISTORY_BACKPLANE: "end_time",
    resources.HISTORY_ALARM: "time_lowered",
    resources.HISTORY_WORKERVM_STATUS_EVENT: "time_changed",
}
"""Resource -> the field that it is read by. Conferences follow their legs, so that those which ended before
find their conference; backplanes follow the conferences, with which they are written."""


class Page(NamedTuple):
    """A page of history; all that ended up to `watermark` has been read with it.

    `total` is how many records there were from where the page begins, None where the node does not say.
    """

    reading: Reading[Any]
    watermark: datetime | None
    total: int | None


class Ring(msgspec.Struct, frozen=True):
    """What the Management Node remembers: since when, and how many conferences."""

    oldest: datetime | None = None
    conferences: int = 0

    @property
    def is_full(self) -> bool:
        """True where each conference pushes out another."""
        return self.conferences >= NEARLY_FULL * KEPT_CONFERENCES

    def headroom(self, watermark: datetime | None) -> timedelta | None:
        """From the oldest record to what has been read; None where there is nothing to lose."""
        return None if self.oldest is None or watermark is None else watermark - self.oldest


def pace(ring: Ring, watermark: datetime | None, interval: float) -> float:
    """Seconds until history is read again: the interval, or less where the ring turns faster."""
    headroom = ring.headroom(watermark)
    if headroom is None or not ring.is_full:
        return interval
    return min(interval, max(SHORTEST_SECONDS, headroom.total_seconds() / READS_A_RING))


def api_time(moment: datetime) -> str:
    """A time as the API's filters take it: UTC without a zone."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat()


def newest_end(records: Sequence[Record]) -> datetime | None:
    """The latest end of these records."""
    return max((span.ended for record in records if (span := span_of(record))), default=None)


def node_time(node: ManagementNode) -> datetime:
    """The present by the Management Node's clock, to about a second."""
    return datetime.now(UTC) + (node.clock_skew or timedelta())


async def read_ring(node: ManagementNode) -> Ring:
    """What the Management Node remembers. Raises PexipError."""
    page = await node.page(
        resources.HISTORY_CONFERENCE,
        deadline=loop_time() + PAGE_SECONDS,
        filters={"order_by": "end_time", "end_time__isnull": "false"},
        page_size=1,
    )
    return Ring(newest_end(page.rows), page.total or 0)


async def count_between(
    node: ManagementNode, resource: Resource[Any], start: datetime, end: datetime
) -> int | None:
    """How many records of a resource ended from `start` to before `end`, by the node. Raises PexipError."""
    field = ORDER[resource]
    filters = {f"{field}__gte": api_time(start), f"{field}__lt": api_time(end)}
    page = await node.page(resource, deadline=loop_time() + PAGE_SECONDS, filters=filters, page_size=1)
    return page.total


async def pages(
    node: ManagementNode, resource: Resource[Any], since: datetime | None, page_size: int
) -> AsyncIterator[Page]:
    """The records that ended at `since` or later, or all of them, in the order of their ends.

    A record can come twice, on the seam of two pages. A record that ends after the node's present does not
    carry the watermark beyond it, or what ends until then would be passed over. Raises PexipError.
    """
    field = ORDER[resource]
    cursor = since
    offset = 0
    while True:
        filters = {"order_by": field}
        if cursor is not None:
            filters[f"{field}__gte"] = api_time(cursor)
        reading = await node.page(
            resource,
            deadline=loop_time() + PAGE_SECONDS,
            filters=filters,
            page_size=page_size,
            offset=offset,
        )
        newest = newest_end(reading.rows)
        watermark = None if newest is None else min(newest, node_time(node))
        yield Page(reading, watermark, reading.total)
        if reading.next_offset is None:
            return
        if newest is not None and (cursor is None or newest > cursor):
            cursor, offset = newest, 0
        else:  # as many records as a page holds ended at the same instant
            offset = reading.next_offset
