"""What kind of device a call came from, out of what it calls itself.

The platform's `vendor` field is whatever a device sends: a browser's user agent, a product with its version,
sometimes the name that its owner gave it. Only a kind and a known product are kept of it, so that it names
nobody and stays countable.
"""

import re
from functools import lru_cache
from typing import Final

_KNOWN: Final[tuple[tuple[str, str], ...]] = (
    ("teams connector", "gateway/Microsoft Teams"),
    ("google meet", "gateway/Google Meet"),
    ("uccapi", "gateway/Skype for Business"),
    ("skype", "gateway/Skype for Business"),
    ("lync", "gateway/Skype for Business"),
    ("streaming", "streaming/Pexip"),
    ("rtmp", "streaming/RTMP"),
    ("infinity connect desktop", "app/Pexip desktop"),
    ("pexip connect for ", "app/Pexip mobile"),
    ("infinity connect mobile", "app/Pexip mobile"),
    ("sbc", "phone/session border controller"),
    ("asterisk", "phone/Asterisk"),
    ("freepbx", "phone/Asterisk"),
    ("cisco", "room/Cisco"),
    ("tandberg", "room/Cisco"),
    ("polycom", "room/Poly"),
    ("polyg", "room/Poly"),
    ("poly", "room/Poly"),
    ("yealink", "room/Yealink"),
    ("lifesize", "room/Lifesize"),
    ("huawei", "room/Huawei"),
    ("logitech", "room/Logitech"),
    ("avaya", "room/Avaya"),
    ("sony", "room/Sony"),
    ("starleaf", "room/StarLeaf"),
    ("edg/", "browser/Edge"),
    ("firefox", "browser/Firefox"),
    ("chrome", "browser/Chrome"),
    ("safari", "browser/Safari"),
    ("infinity connect", "browser/other"),
    ("mozilla", "browser/other"),
)
"""Part of the vendor field in lower case -> kind and product; the first that is found counts, so that rooms
come before the browsers that some of them are built on. The field's
values: docs.pexip.com (participant status), user agents that vendors publish."""

_PROTOCOLS: Final = {
    "webrtc": "browser/other",
    "teams": "gateway/Microsoft Teams",
    "gms/ghm": "gateway/Google Meet",
    "mssip": "gateway/Skype for Business",
    "rtmp": "streaming/RTMP",
    "api": "app/control",
}
_OTHER: Final = "other/unknown"
_TELEPHONE: Final = "phone/telephone"
_STREAMING: Final = "streaming/RTMP"
_UUID: Final = re.compile(r"(_breakout_|[\s_.-]+)?[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", re.IGNORECASE)


@lru_cache(maxsize=10_000)
def device(vendor: str, protocol: str) -> str:
    """Kind and product, `browser/Chrome` for instance; by the protocol where the vendor is unknown.

    The kinds are those of `vdx.usage.DEVICES`.
    """
    text = vendor.lower()
    for part, found in _KNOWN:
        if part in text:
            return found
    return _PROTOCOLS.get(protocol.lower(), _OTHER)


def telephone() -> str:
    """The device of a call that came over the telephony trunk."""
    return _TELEPHONE


def streaming() -> str:
    """The device of a leg that streams or records the meeting."""
    return _STREAMING


def room_name(conference: str) -> str:
    """The name of the room that a conference ran in.

    A gateway call is named by its rule and an id of its own, a breakout room by its parent and one
    (docs.pexip.com, conference status); without the id, calls by the same way belong together.
    """
    return _UUID.sub("", conference) or conference
