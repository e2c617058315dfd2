"""Ends a long-running command in good order."""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager

from loguru import logger


@contextmanager
def signals(stop: asyncio.Event) -> Iterator[None]:
    """SIGINT, SIGTERM and a closed terminal set `stop`; a second signal ends the process at once."""
    loop = asyncio.get_running_loop()

    def ask(number: signal.Signals) -> None:
        if stop.is_set():
            logger.warning("stopped by force")
            raise SystemExit(1)
        logger.info("{}: stopping", number.name)
        stop.set()

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    for number in numbers:
        loop.add_signal_handler(number, ask, number)
    try:
        yield
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)
