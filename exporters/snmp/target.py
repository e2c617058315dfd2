"""/snmp?target=ADDRESS&module=NAME&auth=NAME: what snmp_exporter answers, for a Prometheus set up for it.

Only devices of the inventory, and the networks of snmp.targets, are asked: whoever may call this could
otherwise have credentials sent anywhere.
"""

import asyncio
import ipaddress
import time
from collections import OrderedDict
from typing import Final

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from exporters.exposition import CONTENT_TYPE, Family, Renderer
from exporters.snmp.access import Access, access
from exporters.snmp.agent import Agent
from exporters.snmp.faults import AgentError
from exporters.snmp.library import Modules
from exporters.snmp.memory import Memory
from exporters.snmp.module import Module, ModuleError
from exporters.snmp.reading import read
from exporters.snmp.telling import Teller
from vdx import metrics
from vdx.settings import DeviceSettings, Settings, SettingsError

MOST_SESSIONS: Final = 500
"""Targets whose session and labels are kept; the one that was asked least lately goes first."""
MOST_AT_ONCE: Final = 50
SECONDS: Final = 10.0
"""How long a target may take, where Prometheus does not say how long it waits."""
MARGIN_SECONDS: Final = 0.5
"""Left of Prometheus's time for the answer to travel."""
DEFAULT_MODULE: Final = "if_mib"


class RequestError(Exception):
    """The request is wrong; one line that says how to write it."""


class _Session:
    def __init__(self, agent: Agent, module: Module) -> None:
        self.agent = agent
        self.module = module
        self.memory = Memory()
        self.teller = Teller(module)
        self.renderer = Renderer()
        self.alone = asyncio.Lock()

    async def text(self, seconds: float) -> bytes:
        """One poll as text. Raises AgentError."""
        started = time.monotonic()
        packets, retries, values = self.agent.packets, self.agent.retries, self.agent.values
        try:
            reading = await read(self.agent, self.module, self.memory, seconds)
        except AgentError:
            self.agent.close()
            raise
        if reading.faults:
            raise next(iter(reading.faults.values()))
        walked = time.monotonic() - started
        told = self.teller.tell(reading)
        own: list[Family] = [
            (metrics.SNMP_SCRAPE_WALK, {(): walked}),
            (metrics.SNMP_SCRAPE_DURATION, {(): time.monotonic() - started}),
            (metrics.SNMP_SCRAPE_PACKETS, {(): self.agent.packets - packets}),
            (metrics.SNMP_SCRAPE_RETRIES, {(): self.agent.retries - retries}),
            (metrics.SNMP_SCRAPE_VALUES, {(): self.agent.values - values}),
        ]
        return self.renderer.render([*told.families, *own])


class Targets:
    """Answers requests for any target that may be asked."""

    def __init__(self, settings: Settings, modules: Modules) -> None:
        self._settings = settings
        self._modules = modules
        self._networks = [ipaddress.ip_network(network, strict=False) for network in settings.snmp.targets]
        self._sessions: OrderedDict[tuple[Access, str], _Session] = OrderedDict()
        self._at_once = asyncio.Semaphore(MOST_AT_ONCE)

    @property
    def route(self) -> Route:
        """The route of the application."""
        return Route("/snmp", self._answer)

    async def _answer(self, request: Request) -> Response:
        query = request.query_params
        try:
            session = self._find(query.get("target", ""), query.getlist("module"), query.get("auth", ""))
            seconds = _seconds(request.headers.get("x-prometheus-scrape-timeout-seconds", ""))
        except (RequestError, SettingsError) as error:
            return PlainTextResponse(f"{error}\n", 400)
        try:
            async with asyncio.timeout(seconds), self._at_once, session.alone:
                text = await session.text(seconds)
        except TimeoutError:
            return PlainTextResponse(f"not done in {seconds:g} s; raise scrape_timeout\n", 500)
        except AgentError as error:
            return PlainTextResponse(f"{error}\n", 500)
        return Response(text, headers={"Content-Type": CONTENT_TYPE})

    def _find(self, target: str, names: list[str], auth: str) -> _Session:
        """The session for a request. Raises RequestError and SettingsError."""
        host, port = _split(target)
        found = self._device(host, port)
        if found is None and not self._is_open(host):
            raise RequestError(
                f"target {target!r} is neither a device of the settings nor in snmp.targets; add it to one"
            )
        wanted = [name for part in names for name in part.split(",") if name]
        module = self._module(wanted or [found.kind if found else DEFAULT_MODULE])
        credentials = auth or (found.snmp if found else "")
        if credentials not in self._settings.snmp.credentials:
            known = ", ".join(self._settings.snmp.credentials) or "none"
            raise RequestError(f"auth {auth!r} is not among snmp.credentials; there are: {known}")
        way = access(
            found.address if found else host,
            port or (found.snmp_port if found else 161),
            self._settings.snmp.credentials[credentials],
            f"snmp.credentials.{credentials}",
        )
        return self._session(way, module)

    def _device(self, host: str, port: int | None) -> DeviceSettings | None:
        """The device of this name, or at this address: credentials go to no other port of it."""
        devices = self._settings.devices
        if port is None and host in devices:
            return devices[host]
        at_host = (device for device in devices.values() if device.address.lower() == host.lower())
        return next((device for device in at_host if port in (None, device.snmp_port)), None)

    def _is_open(self, host: str) -> bool:
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            return False
        return any(address in network for network in self._networks)

    def _module(self, names: list[str]) -> Module:
        try:
            return self._modules.joined(names)
        except ModuleError as error:
            raise RequestError(f"module: {error}") from None

    def _session(self, way: Access, module: Module) -> _Session:
        key = way, module.name
        session = self._sessions.pop(key, None) or _Session(Agent(way, self._settings.snmp), module)
        self._sessions[key] = session
        while len(self._sessions) > MOST_SESSIONS:
            self._sessions.popitem(last=False)
        return session


def _split(target: str) -> tuple[str, int | None]:
    """Address and port of `10.0.0.1`, `10.0.0.1:161`, `[::1]:161` or `udp://10.0.0.1`; RequestError."""
    plain = target.removeprefix("udp://")
    if not plain:
        raise RequestError("target is missing: /snmp?target=10.0.0.1&module=if_mib&auth=NAME")
    host, _, port = plain.rpartition(":") if plain.count(":") == 1 or "]:" in plain else (plain, "", "")
    if not port:
        return plain.strip("[]"), None
    if not port.isdigit() or not 0 < int(port) < 65536:
        raise RequestError(f"target {target!r}: {port!r} is no port; write address:port")
    return host.strip("[]"), int(port)


def _seconds(header: str) -> float:
    try:
        return max(MARGIN_SECONDS, float(header) - MARGIN_SECONDS)
    except ValueError:
        return SECONDS
