"""The log: one readable line per event on standard error, colour in a terminal only."""

import logging
import sys

from loguru import logger

FORMAT = "<dim>{time:YYYY-MM-DD HH:mm:ss!UTC}Z</dim> <level>{level: <7}</level> {message}"


class _Forward(logging.Handler):
    """Hands records of the standard logging on to loguru."""

    def emit(self, record: logging.LogRecord) -> None:
        logger.opt(exception=record.exc_info).log(
            record.levelname if record.levelname in ("WARNING", "ERROR", "CRITICAL") else "INFO",
            record.getMessage(),
        )


def _write(message: str) -> None:
    """To standard error, whatever it is by then: a live display puts itself in its place."""
    sys.stderr.write(message)


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
