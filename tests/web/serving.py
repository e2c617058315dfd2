"""A live page on a free loopback port, in a thread with its own event loop."""

import asyncio
import socket
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Self

import uvicorn

from app.web.application import LivePage
from app.web.curve import Point
from app.web.network.pages import NetworkPages
from app.web.page import Page
from tests.web.sample import Platform, figures
from vdx.capacity import Usage
from vdx.settings import Settings
from vdx.snapshot import Snapshot


class Served:
    """Serves a live page; `publish` hands it polls from any thread."""

    def __init__(
        self,
        settings: Settings,
        history: Callable[[], Sequence[Point]] = list,
        port: int = 0,
        *,
        beside: Callable[[Page], NetworkPages] | None = None,
    ) -> None:
        self.settings = settings
        self.page = LivePage(settings, history)
        self.beside = beside(self.page.page) if beside else None
        self._socket = socket.create_server(("127.0.0.1", port))
        self.port = self._socket.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"
        self._loop = asyncio.new_event_loop()
        config = uvicorn.Config(
            self.page.application(routes=self.beside.routes if self.beside else ()),
            log_level="warning",
            lifespan="on",
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._server.serve(sockets=[self._socket]))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Ends the streams and the server, and waits for it."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self.page.close)
            if self.beside is not None:
                self._loop.call_soon_threadsafe(self.beside.close)
            self._server.should_exit = True
            self._thread.join(10)
        assert not self._thread.is_alive()

    def publish(self, snapshot: Snapshot, usage: Usage) -> None:
        """Publishes on the server's loop and waits until it is done."""

        async def run() -> None:
            self.page.publish(snapshot, usage)

        asyncio.run_coroutine_threadsafe(run(), self._loop).result(5)

    def poll(self, platform: Platform) -> None:
        """Publishes what the platform is at this moment."""
        self.publish(*figures(platform, self.settings, datetime.now(UTC)))
