"""The simulator on a free loopback port in a thread of the test's process."""

import asyncio
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from time import monotonic, sleep
from typing import Any

import httpx
import msgspec

from simulator.authentication import OAuthClient, create_client
from simulator.server import Access, Server, create_app
from simulator.tastypie import PAGE_CAP
from simulator.truth import Truth
from simulator.virtual_platform import Moment, VirtualPlatform, seconds_of


class RunningSimulator:
    """A simulator that runs: its address, its accounts, and its control API as methods.

    `platform` is what it serves, to be looked at while the clock stands.
    """

    def __init__(self, url: str, access: Access, client: OAuthClient, platform: VirtualPlatform) -> None:
        self.url = url
        self.platform = platform
        self.username = access.username
        self.password = access.password
        self.oauth_client = client
        self.http = httpx.Client(
            base_url=url, auth=(access.username, access.password), timeout=60, trust_env=False
        )

    def get(self, path: str, **query: Any) -> Any:
        """The JSON of a resource, `path` being `status/v1/participant/` for instance."""
        answer = self.http.get(f"/api/admin/{path}", params=query)
        answer.raise_for_status()
        return answer.json()

    def truth(self) -> Truth:
        """What is true at the present."""
        return msgspec.json.decode(self.http.get("/simulator/truth").content, type=Truth)

    def license_series(
        self, begin: Moment | None = None, end: Moment | None = None
    ) -> list[tuple[float, int]]:
        """Exact changes of the licence ports: Unix seconds, and ports from then on."""
        bounds = {"from": begin, "to": end}
        query = {name: seconds_of(moment) for name, moment in bounds.items() if moment is not None}
        changes = self._done(self.http.get("/simulator/truth/series", params=query))["changes"]
        return [(at, ports) for at, ports in changes]

    def step(self, seconds: float = 30.0) -> float:
        """Move the clock forward; the present in Unix seconds."""
        return self.clock(advance=seconds)

    def clock(self, **order: Any) -> float:
        """Order the clock (`mode`, `time`, `advance`, `speed`); the present in Unix seconds."""
        return float(self._done(self.http.post("/simulator/clock", json=order))["timestamp"])

    def fault(self, name: str, **parameters: Any) -> Mapping[str, Any]:
        """Switch a fault on."""
        return self._done(self.http.post("/simulator/faults", json={"name": name, **parameters}))

    def faults(self) -> list[dict[str, Any]]:
        """The faults that are on."""
        active: list[dict[str, Any]] = self._done(self.http.get("/simulator/faults"))["active"]
        return active

    def clear(self, name: str | None = None) -> None:
        """Switch a fault off, or all."""
        self._done(self.http.delete("/simulator/faults", params={"name": name} if name else {}))

    def _done(self, answer: httpx.Response) -> dict[str, Any]:
        if answer.is_error:
            raise ValueError(answer.text)
        content: dict[str, Any] = answer.json()
        return content


@contextmanager
def running(
    *,
    seed: int = 1,
    time: Moment | None = None,
    manual: bool = True,
    speed: float = 1.0,
    activity: str = "",
    version: str = "current",
    scale: float = 1,
    page_cap: int = PAGE_CAP,
    rate_limit: int = 0,
) -> Iterator[RunningSimulator]:
    """Run a simulator; the clock is manual and requests are not counted unless wished otherwise."""
    platform = VirtualPlatform(
        seed, time=time, manual=manual, speed=speed, activity=activity, version=version, scale=scale
    )
    client = create_client()
    access = Access(clients={client.client_id: client}, page_cap=page_cap, rate_limit=rate_limit)
    server = Server(create_app(platform, access))
    thread = threading.Thread(target=lambda: asyncio.run(server.run()), name="simulator", daemon=True)
    thread.start()
    begun = monotonic()
    while not server.ready:
        if not thread.is_alive() or monotonic() - begun > 20:
            raise RuntimeError("the simulator did not start")
        sleep(0.005)
    simulator = RunningSimulator(server.url, access, client, platform)
    try:
        yield simulator
    finally:
        simulator.http.close()
        server.stop()
        thread.join(10)
