"""What ends when: service of hardware, licences of the platform, certificates. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from app.web import texts
from app.web.state import State
from app.web.troubles import Trouble
from exporters.certificates import Seen
from exporters.samples import expiration
from vdx.assets import Row
from vdx.pexip.records import LicenceConfiguration

NOTICE_DAYS: Final = {"asset": 180, "licence": 90, "certificate": 30}
WARNING_DAYS: Final = {"asset": 90, "licence": 30, "certificate": 20}
CRITICAL_DAYS: Final = {"asset": 30, "licence": 7, "certificate": 3}
"""Days left, up to which an end calls for a look; those of the alerts in alerts/rules/hardware_life.yml."""


class ServiceRow(msgspec.Struct, frozen=True):
    """Something that ends. `until` is its last day; None is not known."""

    name: str
    what: str
    """asset, licence or certificate."""
    model: str
    serial: str
    site: str
    until: date | None
    days: int | None
    state: State
    words: str = ""


def service_rows(
    assets: Iterable[Row],
    licences: Iterable[LicenceConfiguration],
    certificates: Iterable[Seen],
    now: datetime,
    zone: ZoneInfo,
) -> list[ServiceRow]:
    """All that ends, what ends first on top, and what is not known at the end."""
    today = now.astimezone(zone).date()
    found = [
        *map(_asset, assets),
        *_licences(licences, today),
        *(_certificate(seen, today, zone) for seen in certificates),
    ]
    return sorted(found, key=lambda row: (row.days is None, row.days or 0, row.name))


def service_troubles(rows: Iterable[ServiceRow]) -> Iterator[Trouble]:
    """What ends soon or has ended, one trouble for all that ends on one day; what the register has wrong."""
    together: dict[tuple[str, int, State], list[str]] = defaultdict(list)
    for row in rows:
        if row.words:
            yield Trouble(f"service words {row.name}", "warning", f"{row.name}: {row.words}", "services")
        if row.days is not None and row.state in ("warning", "critical"):
            together[row.what, row.days, row.state].append(row.name)
    for (what, days, state), names in together.items():
        key = f"service {what} {' '.join(names)}"
        yield Trouble(key, state, texts.ends_in(texts.ENDS[what], names, days), "services")


def _state(what: str, days: int) -> State:
    if days <= CRITICAL_DAYS[what]:
        return "critical"
    if days <= WARNING_DAYS[what]:
        return "warning"
    return "notice" if days <= NOTICE_DAYS[what] else "good"


def _asset(row: Row) -> ServiceRow:
    words = texts.SERIAL_DIFFERS if row.serial_matches is False else ""
    return ServiceRow(
        row.asset,
        "asset",
        row.model,
        row.serial,
        row.site,
        row.service_until,
        row.days_left,
        _state("asset", row.days_left),
        words,
    )


def _licences(licences: Iterable[LicenceConfiguration], today: date) -> Iterator[ServiceRow]:
    """The licence of each product that ends first; permanent ones do not end."""
    first: dict[str, date] = {}
    for licence in licences:
        if ends := expiration(licence.expiration_date):
            first[licence.product_id] = min(ends.date(), first.get(licence.product_id, date.max))
    for product, until in first.items():
        days = (until - today).days
        yield ServiceRow(product, "licence", "", "", "", until, days, _state("licence", days))


def _certificate(seen: Seen, today: date, zone: ZoneInfo) -> ServiceRow:
    until = seen.not_after.astimezone(zone).date() if seen.not_after else None
    days = (until - today).days if until else None
    state: State = "unknown" if days is None else _state("certificate", days)
    return ServiceRow(seen.address, "certificate", "", "", "", until, days, state, seen.words)
