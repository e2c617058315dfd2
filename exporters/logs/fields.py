"""The fields of a message, parsed when one is asked for."""

import re
from typing import Any, Final

import msgspec

from exporters.logs.source import NXOS
from vdx.logs.line import Line

_QUOTED: Final = re.compile(r'([A-Za-z][\w.-]*)="((?:[^"\\]|\\.)*)"')
_PAIRS: Final = re.compile(r"""([A-Za-z][\w.-]*)=(?:"((?:[^"\\]|\\.)*)"|([^\s"']+))""")
_JSON: Final = msgspec.json.Decoder(dict[str, Any])
_SAME: Final = {
    "formattedmessage": "message",
    "loggername": "logger_name",
    "threadname": "thread_name",
    "throwable": "stack_trace",
}
"""Names of Logback's own encoder -> those of logstash-logback-encoder."""


class Fields:
    """The fields of one message by the form of its source, with names in lower case.

    `text` is the whole message, and `app` the line's tag where the message has no such field. A message that
    cannot be parsed has no others.
    """

    def __init__(self, line: Line, kind: str) -> None:
        self._line = line
        self._kind = kind
        self._found: dict[str, Any] | None = None

    def get(self, name: str) -> str:
        """The text of a field; empty where there is none."""
        if name == "text":
            return self._line.message
        if self._found is None:
            self._found = _parsed(self._line.message, self._kind)
        value = self._found.get(name)
        if value is None:
            return self._line.app if name == "app" else ""
        return value if isinstance(value, str) else str(value)


def _parsed(message: str, kind: str) -> dict[str, Any]:
    match kind:
        case "pexip":
            return _pexip(message)
        case "fortigate" | "audit":
            return {name.lower(): quoted or plain for name, quoted, plain in _PAIRS.findall(message)}
        case "vdx-api":
            return _logback(message)
        case "nxos" if found := NXOS.search(message):
            return {"facility": found[1], "mnemonic": found[3], "message": found[4]}
    return {}


def _pexip(message: str) -> dict[str, str]:
    if "\\" in message:
        return {name.lower(): value.replace('\\"', '"') for name, value in _QUOTED.findall(message)}
    # Without escapes every second part is a value: several times as fast as the pattern.
    parts = message.split('"')
    names = [before[before.rfind(" ") + 1 : -1].lower() for before in parts[:-1:2]]
    return dict(zip(names, parts[1::2], strict=True))


def _logback(message: str) -> dict[str, Any]:
    try:
        content = _JSON.decode(message)
    except msgspec.DecodeError:
        return {}
    mapped = content.pop("mdc", None)
    if isinstance(mapped, dict):
        content = mapped | content
    return {_SAME.get(name := key.lower(), name): value for key, value in content.items()}
