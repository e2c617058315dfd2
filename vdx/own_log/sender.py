"""Sends syslog messages from a thread of its own, so that whoever writes the log never waits."""

import contextlib
import queue
import socket
import threading
import time
from typing import Final, Literal

from loguru import logger

QUEUE: Final = 1000
"""Messages that may wait; those beyond are dropped and counted."""
TIMEOUT: Final = 5.0
"""Seconds to connect or to send."""
FIRST_PAUSE: Final = 0.5
LONGEST_PAUSE: Final = 30.0
DRAIN: Final = 2.0
"""Seconds that waiting messages get at the end."""

_dropped = 0
_counting: Final = threading.Lock()


def dropped() -> int:
    """Lines of the log that did not reach the syslog server, in this process."""
    return _dropped


def _drop(lines: int) -> None:
    global _dropped  # noqa: PLW0603 - a figure of the process
    with _counting:
        _dropped += lines


class Sender:
    """A queue with a thread behind it. UDP: a datagram for each; TCP: octet counting (RFC 6587, 3.4.1)."""

    def __init__(self, address: str, transport: Literal["udp", "tcp"]) -> None:
        """`address` is host:port. Nothing is raised when nobody is there."""
        host, _, port = address.rpartition(":")
        self._address = host.strip("[]"), int(port)
        self._stream = transport == "tcp"
        self._queue: queue.Queue[bytes | None] = queue.Queue(QUEUE)
        self._socket: socket.socket | None = None
        self._stopping = threading.Event()
        self._told = False
        self._thread = threading.Thread(target=self._run, name="own-log", daemon=True)
        self._thread.start()

    def put(self, message: bytes) -> None:
        """Takes a message at once, or drops it."""
        try:
            self._queue.put_nowait(message)
        except queue.Full:
            _drop(1)

    def stop(self) -> None:
        """Ends the thread; what waits gets DRAIN seconds."""
        self._stopping.set()
        with contextlib.suppress(queue.Full):
            self._queue.put_nowait(None)
        self._thread.join(DRAIN + TIMEOUT)

    def _run(self) -> None:
        deadline = float("inf")
        while True:
            if self._stopping.is_set():
                deadline = min(deadline, time.monotonic() + DRAIN)
                if self._queue.empty() or time.monotonic() > deadline:
                    break
            message = self._queue.get()
            if message is not None and not self._delivered(message, deadline):
                _drop(1)
        _drop(self._queue.qsize())
        self._close()

    def _delivered(self, message: bytes, deadline: float) -> bool:
        """Sends a message: over UDP once, over TCP until it is sent or the process ends."""
        pause = FIRST_PAUSE
        while True:
            try:
                self._send(message)
            except OSError as error:
                self._close()
                self._tell(error)
                if not self._stream or self._stopping.is_set() or time.monotonic() > deadline:
                    return False
                self._stopping.wait(pause)
                pause = min(LONGEST_PAUSE, 2 * pause)
            else:
                if self._told:
                    self._told = False
                    logger.info("log: the syslog server takes lines again")
                return True

    def _send(self, message: bytes) -> None:
        if self._socket is None:
            self._socket = self._connected()
        self._socket.sendall(b"%d %s" % (len(message), message) if self._stream else message)

    def _connected(self) -> socket.socket:
        if self._stream:
            return socket.create_connection(self._address, TIMEOUT)
        family, kind, protocol, _, address = socket.getaddrinfo(*self._address, type=socket.SOCK_DGRAM)[0]
        datagrams = socket.socket(family, kind, protocol)
        datagrams.settimeout(TIMEOUT)
        datagrams.connect(address)
        return datagrams

    def _close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _tell(self, error: OSError) -> None:
        """Once until it is mended."""
        if not self._told:
            self._told = True
            words = error.strerror or type(error).__name__
            logger.warning(
                "log: the syslog server {}:{} cannot be reached: {}; check log.syslog. Lines beyond {} are "
                "dropped",
                *self._address,
                words,
                QUEUE,
            )
