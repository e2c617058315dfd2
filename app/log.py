"""The log: a readable line for each event on standard error, and where settings say so, to a syslog server.

What goes out is redacted here, at the last place: docs/running.md tells what is left out.
"""

import atexit
import logging
import sys
from typing import TYPE_CHECKING, Final

from loguru import logger

from vdx.own_log.message import message
from vdx.own_log.redaction import redact
from vdx.own_log.sender import Sender
from vdx.settings import OwnLogSettings

if TYPE_CHECKING:
    from loguru import Message

FORMAT: Final = "<dim>{time:YYYY-MM-DD HH:mm:ss!UTC}Z</dim> <level>{level: <7}</level> {message}"


class _Forward(logging.Handler):
    """Hands records of the standard logging on to loguru."""

    def emit(self, record: logging.LogRecord) -> None:
        logger.opt(exception=record.exc_info).log(
            record.levelname if record.levelname in ("WARNING", "ERROR", "CRITICAL") else "INFO",
            record.getMessage(),
        )


class _Syslog:
    """A sink of loguru that never waits."""

    def __init__(self, settings: OwnLogSettings) -> None:
        self._app = settings.app
        self._sender = Sender(settings.syslog, settings.transport)
        atexit.register(self.stop)

    def write(self, text: "Message") -> None:
        """Puts a line into the queue."""
        record = text.record
        self._sender.put(
            message(
                redact(str(text)),
                level=record["level"].no,
                time=record["time"],
                app=self._app,
                process=record["process"].id,
                module=record["name"] or "",
                event=record["function"],
            )
        )

    def stop(self) -> None:
        """Sends what waits, and ends."""
        atexit.unregister(self.stop)
        self._sender.stop()


def _write(text: str) -> None:
    """To standard error, whatever it is by then: a live display puts itself in its place."""
    sys.stderr.write(redact(text))


def configure(*, verbose: bool = False) -> None:
    """Sends warnings of libraries and all of the suite's lines to standard error.

    Values of variables are never printed with a traceback (`diagnose`), since they may be personal.
    """
    logger.remove()
    logger.add(
        _write,
        level="DEBUG" if verbose else "INFO",
        format=FORMAT,
        colorize=sys.stderr.isatty(),
        diagnose=False,
        backtrace=False,
    )
    logging.basicConfig(handlers=[_Forward()], level=logging.WARNING, force=True)


def send(settings: OwnLogSettings) -> None:
    """Sends INFO, WARNING and ERROR to the syslog server of the settings, where there is one."""
    if settings.syslog:
        logger.add(_Syslog(settings), level="INFO", format="{message}", diagnose=False, backtrace=False)
