"""Invented people and their equipment. No name, alias or address here belongs to anybody."""

from typing import Final

from simulator.estate import DOMAIN

GIVEN_NAMES: Final = [
    "Askild",
    "Birla",
    "Dagny",
    "Ebbeline",
    "Fritjof",
    "Gyrit",
    "Halvdan",
    "Idony",
    "Joakine",
    "Kjelda",
    "Leonarda",
    "Mogna",
    "Nørre",
    "Oddvin",
    "Palna",
    "Regnar",
    "Sigfrida",
    "Torbera",
    "Ulvhild",
    "Vagna",
    "Yrsalin",
    "Æskil",
    "Ørnulf",
    "Åsgerd",
]
FAMILY_NAMES: Final = [
    "Agerlund",
    "Birkemose",
    "Dalgårdsen",
    "Egeskovby",
    "Fjordmark",
    "Græsholt",
    "Hedelykke",
    "Isager-Vang",
    "Klitbjerg",
    "Lyngkær",
    "Mosevang",
    "Nordlyst",
    "Overdrev",
    "Pilegrøft",
    "Rugmark",
    "Skovhusby",
    "Tjørnelund",
    "Uglebjerg",
    "Vandmose",
    "Østerhede",
    "Ålekær",
]

USER_AGENTS: Final[dict[str, tuple[str, ...]]] = {
    "WebRTC": (
        "Pexip Infinity Connect/2.0.0-25227.0.0 (Windows NT 10.0; Win64; x64) chrome/124.0.0.0",
        "Pexip Infinity Connect/2.0.0-25227.0.0 (Macintosh; Intel Mac OS X 10_15_7) safari/17.4",
        "Pexip Infinity Connect/2.0.0-25227.0.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) safari/17.4",
        "Pexip Infinity Connect/2.0.0-25227.0.0 (Linux; Android 14) chrome/124.0.0.0",
    ),
    "API": ("Pexip Infinity Connect/2.0.0-25227.0.0 (Windows NT 10.0; Win64; x64) chrome/124.0.0.0",),
    "SIP": ("Cisco/CE 11.14.2.3", "TANDBERG/529 (ce9.15.18.5)", "PolyG7500/4.1.0", "Yealink MeetingEye 600"),
    "H323": ("Polycom/RealPresence Group 500 6.2.2", "TANDBERG/257 (TE4.1.5.398842)"),
    "MSSIP": ("UCCAPI/16.0.17328.20124 OC/16.0.17328.20124 (Skype for Business)",),
    "TEAMS": ("Pexip Teams Connector/35.0",),
    "GMS/GHM": ("Google Meet",),
    "RTMP": ("Pexip Streaming Service",),
    "PSTN": ("Oracle SBC/9.2",),
}
"""Protocol (PSTN apart from other SIP) -> values of the participant's vendor field."""


def person(bits: int) -> str:
    """An invented display name, chosen by random bits."""
    return f"{GIVEN_NAMES[bits % 24]} {FAMILY_NAMES[bits // 24 % 21]}"


def alias_of(bits: int) -> str:
    """The invented address of the person chosen by the same bits."""
    name = person(bits).lower().translate(_ASCII)
    return f"{name}{bits // 504 % 900 + 100}@{DOMAIN}"


def telephone(bits: int) -> str:
    """A telephone number in a range that Denmark has not given out (no number begins with 0)."""
    return f"+450{bits % 9_000_000 + 1_000_000}"


_ASCII: Final = str.maketrans({"æ": "ae", "ø": "oe", "å": "aa", " ": "."})
