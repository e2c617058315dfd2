"""`vdx check`: from the settings to the last right, each step with its mend in plain words."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterable
from datetime import timedelta
from importlib.util import find_spec
from typing import Any, Final

from app.checks import estate
from app.checks.step import Step, advice, fault, good
from miners.connection import management_node
from miners.organisation_source import SourceError
from miners.organisations import read as read_organisations
from miners.status import CONFIGURATION_FIELDS, STATUS_FIELDS
from vdx.pexip import resources
from vdx.pexip.client import ManagementNode, Reading
from vdx.pexip.errors import PexipError, TLSFault, Unauthorized, Unreachable
from vdx.pexip.resources import HISTORY, Resource
from vdx.settings import ServerSettings, Settings
from vdx.snapshot import ESSENTIAL
from vdx.store import Schema
from vdx.store import check as check_store
from vdx.telemetry import Telemetry

SECONDS: Final = 15.0
"""How long one request may take, retries and all."""
SKEW: Final = timedelta(seconds=5)
"""Clocks that differ by more make durations of calls wrong by more than a glance forgives."""


async def check(settings: Settings) -> AsyncIterator[Step]:
    """The steps, each as soon as it is done. What rests on a step that failed is left out.

    Raises SettingsError when the settings name no Management Node, or none that could be asked.
    """
    async with management_node(settings.pexip, Telemetry()) as node:
        yield good("settings", "read, every key is known")
        async for step in _platform(node, settings):
            yield step
    if not settings.pstn.has_rule:
        yield advice("telephony", "no rule tells telephony apart: set pstn.addresses or pstn.pattern")
    yield await asyncio.to_thread(_database, settings)
    if settings.organisations.has_source:
        yield await asyncio.to_thread(_organisations, settings)
    elif settings.history.fetch:
        yield advice(
            "organisations",
            "no source, so calls belong to nobody: set organisations.file or organisations.url",
        )
    async for step in _network(settings):
        yield step
    for step in await estate.targets(settings):
        yield step
    for step in await estate.lifetimes(settings):
        yield step
    sections = {"server": settings.server, "web": settings.web}
    for step in _addresses(sections | ({"snmp": settings.snmp} if settings.devices else {})):
        yield step


async def _network(settings: Settings) -> AsyncIterator[Step]:
    if not settings.devices:
        return
    if find_spec("gufo") is None or find_spec("asyncssh") is None:
        yield fault("devices", "the network kit needs the extra network: pip install 'vdx-watch[network]'")
        return
    from app.checks.network import steps  # noqa: PLC0415 - needs the network extra

    async for step in steps(settings):
        yield step


async def _platform(node: ManagementNode, settings: Settings) -> AsyncIterator[Step]:
    first = await _read(node, resources.WORKER_VM, settings.pexip.page_size)
    if isinstance(first, (Unreachable, TLSFault, Unauthorized)):
        name = {Unreachable: "reachable", TLSFault: "TLS", Unauthorized: "login"}[type(first)]
        yield fault(name, str(first).removeprefix(f"{first.resource}: "))
        return
    yield good("reachable", f"{settings.pexip.url} answers")
    if not settings.pexip.verify:
        yield advice("TLS", "the certificate is not verified: set pexip.ca_file and pexip.verify = true")
    elif settings.pexip.url.startswith("https:"):
        yield good("TLS", "the certificate is trusted")
    history = HISTORY if settings.history.fetch else ()
    for resource in (*STATUS_FIELDS, *CONFIGURATION_FIELDS, *history):
        answer = first if resource is resources.WORKER_VM else await _read(node, resource, 1)
        yield _right(resource, answer)
    skew = node.clock_skew
    if skew is not None and abs(skew) > SKEW:
        yield advice(
            "clock",
            f"the Management Node's clock differs by {skew.total_seconds():+.0f} s: check NTP on both sides",
        )
    elif skew is not None:
        yield good("clock", "agrees with the Management Node's")
    locations = await _read(node, resources.SYSTEM_LOCATION, settings.pexip.page_size)
    if isinstance(locations, Reading):
        for step in _locations([location.name for location in locations.rows], settings):
            yield step


async def _read(node: ManagementNode, resource: Resource[Any], rows: int) -> Reading[Any] | PexipError:
    deadline = asyncio.get_running_loop().time() + SECONDS
    try:
        async for page in node.pages(resource, deadline=deadline, page_size=rows):
            return page
        return Reading([])
    except PexipError as error:
        return error


def _right(resource: Resource[Any], answer: Reading[Any] | PexipError) -> Step:
    name = f"right to {resource.name}"
    if isinstance(answer, PexipError):
        if resource.name in ESSENTIAL:
            return fault(name, str(answer))
        return advice(name, f"{answer}; the rest works without it")
    if answer.rejected:
        row = answer.rejected[0]
        return advice(name, f"readable, but {len(answer.rejected)} rows are malformed, first in {row.field}")
    return good(name, "readable")


def _locations(names: Iterable[str], settings: Settings) -> Iterable[Step]:
    known = set(names)
    if not settings.locations.central:
        listed = ", ".join(sorted(known)) or "none"
        yield advice(
            "locations", f"locations.central is empty, so every location is decentral; there are: {listed}"
        )
    grouped = {name for members in settings.locations.data_centres.values() for name in members}
    for setting, members in (
        ("locations.central", set(settings.locations.central)),
        ("locations.data_centres", grouped),
    ):
        unknown = sorted(members - known)
        if unknown:
            listed = ", ".join(sorted(known)) or "none"
            yield fault(setting, f"no such location: {', '.join(unknown)}; there are: {listed}")
        elif members:
            yield good(setting, f"{len(members)} locations, all known")


def _database(settings: Settings) -> Step:
    outcome = check_store(settings)
    if settings.database.url is None and outcome.schema in (Schema.NOT_MIGRATED, Schema.OLDER):
        return good("database", "an SQLite file in data.directory, which vdx makes ready when it starts")
    return (good if outcome.good else fault)("database", outcome.words)


def _organisations(settings: Settings) -> Step:
    try:
        examined = read_organisations(settings)
    except SourceError as error:
        return fault("organisations", str(error))
    words = f"{len(examined.organisations)} organisations, {len(examined.claims)} claims"
    if examined.faults:
        first = examined.faults[0].words
        return advice("organisations", f"{words}, {len(examined.faults)} faults; the first: {first}")
    return good("organisations", words)


def _addresses(sections: dict[str, ServerSettings]) -> Iterable[Step]:
    for name, section in sections.items():
        host, _, port = section.listen.rpartition(":")
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host.strip("[]"), int(port)))
            except OSError as error:
                yield advice(
                    f"{name}.listen",
                    f"{section.listen} cannot be opened ({error.strerror}): does vdx run already?",
                )
                continue
        open_to_others = host.strip("[]") not in ("127.0.0.1", "::1", "localhost")
        if open_to_others and not section.username:
            yield advice(
                f"{name}.listen",
                f"{section.listen} is open to others without a password: set {name}.username and "
                f"{name}.password_file",
            )
        else:
            yield good(f"{name}.listen", f"{section.listen} is free")
