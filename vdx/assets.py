"""Hardware and how long it has service.

Service lasts through the end of the day that the register names, by the clock on the wall in Denmark.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

import msgspec

from vdx.days import midnight


class Asset(msgspec.Struct, frozen=True):
    """A piece of hardware. What the register does not say is empty."""

    name: str
    service_until: date
    """The last day with service."""
    device: str = ""
    """The device of the settings that it is; both members of a FortiGate pair are the same device."""
    model: str = ""
    serial: str = ""
    bought: date | None = None
    location: str = ""


class Register(msgspec.Struct, frozen=True):
    """The rows that are right, in the order of the file, and a line for each fault of those left out."""

    assets: tuple[Asset, ...] = ()
    faults: tuple[str, ...] = ()


class State(StrEnum):
    """How near the end of service is. The names of the middle ones are the tiers of the alerts."""

    ENDED = "ended"
    WITHIN_30_DAYS = "30 days"
    WITHIN_90_DAYS = "90 days"
    WITHIN_180_DAYS = "180 days"
    GOOD = "good"


class Comparison(msgspec.Struct, frozen=True):
    """The register beside what the devices say of themselves."""

    matches: Mapping[str, bool] = {}
    """Asset -> whether its serial number was read where the register has it; without those not known."""
    unseen: tuple[str, ...] = ()
    """Assets with a serial number that no device has."""
    unregistered: tuple[tuple[str, str], ...] = ()
    """Device and serial number of what is in no row of the register."""


class Row(msgspec.Struct, frozen=True):
    """A line of the page on hardware life."""

    asset: str
    device: str
    model: str
    serial: str
    site: str
    service_until: date
    days_left: int
    state: State
    serial_matches: bool | None
    """None where no device has told its serial number."""


def serial_key(serial: str) -> str:
    """A serial number for comparison: devices and invoices differ in capitals and spaces."""
    return "".join(serial.split()).upper()


def service_end(asset: Asset, zone: ZoneInfo) -> datetime:
    """The instant at which service is over: the midnight after its last day, in UTC."""
    return midnight(asset.service_until + timedelta(days=1), zone)


def days_left(asset: Asset, now: datetime, zone: ZoneInfo) -> int:
    """Days from today to the last day with service: 0 on that day, below 0 when it is over."""
    return (asset.service_until - now.astimezone(zone).date()).days


def state(days: int) -> State:
    """How near the end of service is with so many days left."""
    if days < 0:
        return State.ENDED
    tiers = ((30, State.WITHIN_30_DAYS), (90, State.WITHIN_90_DAYS), (180, State.WITHIN_180_DAYS))
    return next((name for most, name in tiers if days <= most), State.GOOD)


def compare(register: Register, serials_by_device: Mapping[str, Collection[str]]) -> Comparison:
    """The serial numbers of the register beside those that devices have told.

    An asset with a device must be there; one without may be anywhere. Of a device that has told nothing,
    nothing is known.
    """
    told = {
        device: {serial_key(serial) for serial in serials} for device, serials in serials_by_device.items()
    }
    seen = set().union(*told.values())
    matches: dict[str, bool] = {}
    for asset in register.assets:
        if not asset.serial:
            continue
        if told.get(asset.device):
            matches[asset.name] = serial_key(asset.serial) in told[asset.device]
        elif not asset.device and serial_key(asset.serial) in seen:
            matches[asset.name] = True
    known = {serial_key(asset.serial) for asset in register.assets}
    return Comparison(
        matches,
        tuple(
            asset.name for asset in register.assets if asset.serial and serial_key(asset.serial) not in seen
        ),
        tuple(
            (device, serial)
            for device, serials in sorted(serials_by_device.items())
            for serial in sorted(serials)
            if serial_key(serial) not in known
        ),
    )


def rows(assets: Iterable[Asset], now: datetime, zone: ZoneInfo, comparison: Comparison) -> list[Row]:
    """The lines of the page, what ends first at the top."""
    lines = []
    for asset in sorted(assets, key=lambda asset: (asset.service_until, asset.name)):
        days = days_left(asset, now, zone)
        lines.append(
            Row(
                asset=asset.name,
                device=asset.device,
                model=asset.model,
                serial=asset.serial,
                site=asset.location,
                service_until=asset.service_until,
                days_left=days,
                state=state(days),
                serial_matches=comparison.matches.get(asset.name),
            )
        )
    return lines
