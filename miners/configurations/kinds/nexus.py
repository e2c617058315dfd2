"""Nexus switches (NX-OS). Commands, volatile lines and secrets: Oxidized's model nxos.rb.

NX-OS keeps secrets as the text that it shows, hashed or in one of its types, so that a change is seen.
"""

import re
from datetime import datetime

from miners.configurations.kind import Kind, Question, Secret, Told

_CLOCK = "%a %b %d %H:%M:%S %Y"
_NOW = re.compile(r"^!Time: *(.+?)\s*$", re.MULTILINE)
_DONE = re.compile(r"^!Running configuration last done at: *(.+?)\s*$", re.MULTILINE)


def _missing(text: str) -> str:
    return "" if re.search(r"^version \S", text, re.MULTILINE) else "a line `version`"


def _told(text: str, taken: datetime, account: str) -> Told:  # noqa: ARG001 - NX-OS names nobody
    """Both times are the device's own, whatever its zone; their distance counts back from `taken`."""
    now, done = _NOW.search(text), _DONE.search(text)
    if now is None or done is None:
        return Told()
    try:
        distance = datetime.strptime(now[1], _CLOCK) - datetime.strptime(done[1], _CLOCK)  # noqa: DTZ007
    except ValueError:
        return Told()
    return Told(when=taken - distance)


KIND = Kind(
    prompt=re.compile(r"[\w.@()-]+[#>]"),
    prepare=("terminal length 0",),
    configuration="show running-config",
    startup="show startup-config",
    no_startup=re.compile(r"^No startup configuration", re.MULTILINE),
    missing=_missing,
    told=_told,
    pagers=(Question(re.compile(r"^--More--"), " "),),
    volatile=re.compile(r"^!(Command|Time|Running configuration last done at|Startup config saved at):"),
    secrets=tuple(
        Secret(re.compile(pattern, re.MULTILINE))
        for pattern in (
            r"^snmp-server community (\S+)",
            r"^snmp-server user \S+.*? auth \S+ (\S+)",
            r"^snmp-server user \S+.*? priv (?:(?:des|aes-\d+) )?(\S+)",
            r"^snmp-server host \S+ (?:(?:traps|informs) )?version (?:1|2c) (\S+)",
            r"^snmp-server mib community-map (\S+)",
            r"^ntp authentication-key \d+ md5 (\S+)",
            r"\b(?:password|secret) \d+ (\S+)",
            r'(?<![\w-])key \d+ ("[^"\n]*"|\S+)',
            r"\bkey-string (?:\d+ )?(\S+)",
            r"\bmessage-digest-key \d+ md5 (?:\d+ )?(\S+)",
        )
    ),
)
