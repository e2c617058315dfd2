"""One message to many listeners: each gets the latest, and whoever is slow misses what was in between."""

import asyncio
from collections.abc import AsyncGenerator


class Broadcast:
    """Holds one message at a time, so a slow listener costs no memory. Used on one event loop."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._number = 0
        self._message = ""
        self._closed = False
        self._wake: set[asyncio.Event] = set()

    @property
    def full(self) -> bool:
        """True when there are as many listeners as allowed."""
        return len(self._wake) >= self._most

    def __len__(self) -> int:
        """Listeners."""
        return len(self._wake)

    def send(self, message: str) -> None:
        """Replaces the message and wakes the listeners."""
        self._number += 1
        self._message = message
        for event in self._wake:
            event.set()

    def close(self) -> None:
        """Ends every listener, present and later."""
        self._closed = True
        for event in self._wake:
            event.set()

    async def listen(self, beat_seconds: float) -> AsyncGenerator[str, None]:
        """The message at once, then whenever it changes, and again after `beat_seconds` without a change."""
        event = asyncio.Event()
        self._wake.add(event)
        try:
            while not self._closed:
                event.clear()
                number = self._number
                yield self._message
                if number != self._number or self._closed:
                    continue
                try:
                    async with asyncio.timeout(beat_seconds):
                        await event.wait()
                except TimeoutError:
                    continue
        finally:
            self._wake.discard(event)
