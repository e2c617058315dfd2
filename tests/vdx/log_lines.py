"""Lines and files of an archive for tests."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from vdx.logs.files import open_file

HOUR: Final = datetime(2026, 3, 4, 8, tzinfo=UTC)


def line(received: datetime, message: str, **more: Any) -> str:
    """A line as rsyslog's template writes it, with its end."""
    stamp = f"{received.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}Z"
    record = {
        "received": stamp,
        "time": stamp,
        "host": "conf01",
        "address": "192.0.2.1",
        "facility": 16,
        "severity": 6,
        "app": "pexip",
        "transport": "tcp",
        "message": message,
        **more,
    }
    return json.dumps(record) + "\n"


def write(folder: Path, lines: Iterable[str], hour: datetime = HOUR) -> Path:
    """Appends lines to the open file of an hour."""
    path = open_file(folder, hour)
    with path.open("a", encoding="utf-8") as file:
        file.writelines(lines)
    return path


def numbered(count: int, hour: datetime = HOUR, first: int = 0) -> list[str]:
    """Lines a millisecond apart, with the messages `line 0`, `line 1`, …"""
    numbers = range(first, first + count)
    return [line(hour + timedelta(milliseconds=number), f"line {number}") for number in numbers]
