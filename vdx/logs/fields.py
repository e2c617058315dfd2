"""What search wants of a message: the kind of its sender, the calls it is about, its own time, its fields."""

import re
from datetime import UTC, datetime
from typing import Final

_NXOS: Final = re.compile(r"%[A-Z0-9_]+(?:-SLOT\d+)?-[0-7]-[A-Z0-9_]+: ")
_CALLS: Final = re.compile(
    r"(?:[Cc]all|[Pp]articipant|[Cc]onversation)[-_]?(?:[Ii][Dd]|[Uu]uid|UUID)\"?[=:]\s?\"?"
    r"([^\s\"\\^,}]{1,200})"
)
_INNER: Final = re.compile(r"\W{0,4}(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d),(\d{3})")
_STAMP: Final = re.compile(r'"@timestamp"\s?:\s?"([^"]{10,40})"')
_PAIRS: Final = re.compile(r'([A-Za-z][\w.-]*)="((?:[^"\\]|\\.)*)"')


def source_of(app: str, message: str) -> str:
    """The kind of the sender: pexip, fortigate, nxos, vdx-api, audit, nginx or other."""
    if 'Level="' in message and 'Name="' in message:
        return "pexip"
    if "logid=" in message and "devid=" in message:
        return "fortigate"
    if "msg=audit(" in message:
        return "audit"
    if message.lstrip().startswith("{") and ('"logger_name"' in message or '"loggerName"' in message):
        return "vdx-api"
    if app == "nginx":
        return "nginx"
    return "nxos" if _NXOS.search(message) else "other"


def call_ids(message: str) -> list[str]:
    """The ids of calls, participants and conversations that a message names, in lower case, each once."""
    return list(dict.fromkeys(found.lower() for found in _CALLS.findall(message)))


def fields(message: str) -> dict[str, str]:
    """The pairs `key="value"` of a message. Keys are in lower case, since Pexip's case is not stable."""
    return {key.lower(): value for key, value in _PAIRS.findall(message)}


def moment(text: str) -> datetime | None:
    """A time by RFC 3339, as UTC; None for what is none, or has no zone."""
    try:
        found = datetime.fromisoformat(text)
        return None if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def inner_time(message: str) -> datetime | None:
    """When the message itself says that it was written; Pexip's inner time is UTC and has no zone."""
    if (found := _INNER.match(message)) is not None:
        return moment(f"{found[1]}T{found[2]}.{found[3]}+00:00")
    stamp = _STAMP.search(message)
    return None if stamp is None else moment(stamp[1])
