"""The words of reports in Danish and English: headings, and the notes that go with figures."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Language(StrEnum):
    """The language of headings, notes and pictures; JSON and Parquet have the same names in both."""

    DANISH = "da"
    ENGLISH = "en"


WORDS: Final[Mapping[str, tuple[str, str]]] = {
    # statistics
    "begin": ("Fra", "From"),
    "hours": ("Timer", "Hours"),
    "unit": ("Enhed", "Unit"),
    "meetings": ("Møder", "Meetings"),
    "legs": ("Deltagelser", "Call legs"),
    "started_legs": ("Påbegyndte deltagelser", "Call legs begun"),
    "completed": ("Afsluttede deltagelser", "Call legs completed"),
    "failed": ("Mislykkede opkald", "Failed calls"),
    "refused_license": ("Afvist, licenser", "Refused, licences"),
    "refused_capacity": ("Afvist, kapacitet", "Refused, capacity"),
    "control_legs": ("Uden lyd og billede", "Without media"),
    "incoming": ("Indgående", "Incoming"),
    "outgoing": ("Udgående", "Outgoing"),
    "participant_minutes": ("Deltagerminutter", "Participant-minutes"),
    "participant_hours": ("Deltagertimer", "Participant-hours"),
    "port_minutes": ("Portminutter", "Port-minutes"),
    "average_ports": ("Porte, gennemsnit", "Ports, average"),
    "peak_ports": ("Porte, højest", "Ports, peak"),
    "peak_at": ("Højest kl.", "Peak at"),
    "sampled_ports": ("Porte, højeste måling", "Ports, highest sample"),
    "quality_good_percent": ("God kvalitet, %", "Good quality, %"),
    "quality_ok_percent": ("Acceptabel kvalitet, %", "OK quality, %"),
    "quality_bad_percent": ("Dårlig kvalitet, %", "Bad quality, %"),
    "quality_terrible_percent": ("Meget dårlig kvalitet, %", "Terrible quality, %"),
    "quality_unknown_percent": ("Ukendt kvalitet, %", "Unknown quality, %"),
    "poor_percent": ("Dårlig, %", "Bad, %"),
    "good_percent": ("God, %", "Good, %"),
    "ok_percent": ("Acceptabel, %", "OK, %"),
    "unknown_percent": ("Ukendt, %", "Unknown, %"),
    "quality_good": ("God kvalitet", "Good quality"),
    "quality_ok": ("Acceptabel kvalitet", "OK quality"),
    "quality_bad": ("Dårlig kvalitet", "Bad quality"),
    "quality_terrible": ("Meget dårlig kvalitet", "Terrible quality"),
    "quality_unknown": ("Ukendt kvalitet", "Unknown quality"),
    "protocol_webrtc": ("WebRTC", "WebRTC"),
    "protocol_sip": ("SIP", "SIP"),
    "protocol_h323": ("H.323", "H.323"),
    "protocol_mssip": ("Skype for Business", "Skype for Business"),
    "protocol_teams": ("Teams", "Teams"),
    "protocol_meet": ("Google Meet", "Google Meet"),
    "protocol_rtmp": ("RTMP", "RTMP"),
    "protocol_other": ("Anden protokol", "Other protocol"),
    "device_browser": ("Browser", "Browser"),
    "device_app": ("App", "App"),
    "device_room": ("Mødelokale", "Meeting room device"),
    "device_phone": ("Telefon", "Telephone"),
    "device_gateway": ("Gateway", "Gateway"),
    "device_streaming": ("Streaming", "Streaming"),
    "device_other": ("Andet udstyr", "Other device"),
    "_before": ("{}, før", "{}, before"),
    "_change_percent": ("{}, ændring %", "{}, change %"),
    # records
    "date": ("Dato", "Date"),
    "started": ("Start", "Started"),
    "ended": ("Slut", "Ended"),
    "seconds": ("Sekunder", "Seconds"),
    "call": ("Opkalds-id", "Call id"),
    "meeting": ("Møde-id", "Meeting id"),
    "organisation": ("Organisation", "Organisation"),
    "organisation_path": ("Organisationssti", "Organisation path"),
    "rule": ("Tilhør afgjort ved", "Assigned by"),
    "service_tag": ("Projekt", "Project"),
    "service_type": ("Tjeneste", "Service"),
    "room": ("Møderum", "Room"),
    "participant": ("Deltager", "Participant"),
    "dialled": ("Kaldt alias", "Dialled"),
    "direction": ("Retning", "Direction"),
    "host": ("Vært", "Host"),
    "protocol": ("Protokol", "Protocol"),
    "device": ("Udstyr", "Device"),
    "location": ("Lokation", "Location"),
    "media_node": ("Medieknude", "Media node"),
    "network": ("Netværk", "Network"),
    "licence_ports": ("Licensporte", "Licence ports"),
    "has_media": ("Lyd eller billede", "Media"),
    "encrypted": ("Krypteret", "Encrypted"),
    "outcome": ("Udfald", "Outcome"),
    "disconnect_reason": ("Årsag til afslutning", "Disconnect reason"),
    "quality": ("Kvalitet", "Quality"),
    "bad_windows_percent": ("Dårlige perioder, %", "Bad windows, %"),
    "received_loss_percent": ("Pakketab modtaget, %", "Loss received, %"),
    "sent_loss_percent": ("Pakketab sendt, %", "Loss sent, %"),
    "received_bandwidth": ("Båndbredde modtaget, kbit/s", "Bandwidth received, kbit/s"),
    "sent_bandwidth": ("Båndbredde sendt, kbit/s", "Bandwidth sent, kbit/s"),
    "audio_codec": ("Lyd-codec", "Audio codec"),
    "video_codec": ("Video-codec", "Video codec"),
    "height": ("Billedhøjde, linjer", "Picture height, lines"),
    # titles
    "title": ("Brug af VDX: {scope}, {period}", "Usage of VDX: {scope}, {period}"),
    "platform": ("hele platformen", "the whole platform"),
    "and_units": ("{} med alle enheder", "{} with all units"),
    "project": ("projekt {}", "project {}"),
    "at_location": ("lokation {}", "location {}"),
    "itself": ("{} selv", "{} itself"),
    "unassigned": ("Uden organisation", "No organisation"),
    "total": ("I alt", "Total"),
    "now": ("Perioden", "Period"),
    "earlier": ("Perioden før ({})", "Before ({})"),
    "change": ("Ændring, %", "Change, %"),
    "records": ("{} opkald", "{} calls"),
    # notes
    "open_calls": (
        "Opkald, der stadig er i gang, er ikke talt med.",
        "Calls that are still connected are not in it.",
    ),
    "pending": (
        "Tallene for {} dage er ved at blive beregnet: {}.",
        "Figures of {} days are being computed: {}.",
    ),
    "pending_one": (
        "Tallene for {1} er ved at blive beregnet.",
        "Figures of {1} are being computed.",
    ),
    "gaps": (
        "Historikken mangler opkald i {} tidsrum, i alt {} minutter; tallene er for lave.",
        "History lacks the calls of {} stretches of time, {} minutes in all; the figures are too low.",
    ),
    "read_until": ("Historikken er læst til {}.", "History has been read up to {}."),
    "never_read": (
        "Der er ingen historik endnu; start vdx history-miner.",
        "There is no history yet; start vdx history-miner.",
    ),
    "present": (
        "Hvem der taler hen over midnat, tæller i møder og deltagelser på begge dage.",
        "Who talks over midnight counts in the meetings and call legs of both days.",
    ),
    "shared_meetings": (
        "Et møde mellem flere enheder tæller hos hver af dem.",
        "A meeting between units counts with each of them.",
    ),
    "unfinished": (
        "Perioden er ikke slut, men sammenlignes med en hel.",
        "The period is not over, and it is compared with a whole one.",
    ),
    "hours_forgotten": (
        "Timetal ældre end {} dage er slettet; vælg dage.",
        "Figures by the hour are kept for {} days; take days.",
    ),
    "nothing": ("Der er ingen opkald i perioden.", "There are no calls in the period."),
    # picture
    "ports_axis": ("Licensporte", "Licence ports"),
    "pool": ("Licenser: {}", "Licences: {}"),
    "pale": ("{}; lys: kun en del af perioden", "{}; pale: part of it alone"),
    "above": ("{}; orange: over licenserne", "{}; orange: above the licences"),
    "peak_of_day": ("Højeste samtidige brug pr. dag", "Peak use at once, by day"),
    "peak_of_hour": ("Højeste samtidige brug pr. time", "Peak use at once, by hour"),
    "peak_of_week": ("Højeste samtidige brug pr. uge", "Peak use at once, by week"),
    "peak_of_month": ("Højeste samtidige brug pr. måned", "Peak use at once, by month"),
    "quality_axis": ("Kvalitet, % af opkald", "Quality, % of calls"),
    "hours_of_day": ("Deltagertimer pr. dag", "Participant-hours by day"),
    "hours_of_hour": ("Deltagertimer pr. time", "Participant-hours by hour"),
    "hours_of_week": ("Deltagertimer pr. uge", "Participant-hours by week"),
    "hours_of_month": ("Deltagertimer pr. måned", "Participant-hours by month"),
    "good": ("God", "Good"),
    "ok": ("Acceptabel", "OK"),
    "bad": ("Dårlig", "Bad"),
    "terrible": ("Meget dårlig", "Terrible"),
    "unknown": ("Ukendt", "Unknown"),
    "highest": ("{} kl. {}", "{} at {}"),
}
"""Name -> the words in Danish and in English."""

MONTHS: Final[Mapping[Language, tuple[str, ...]]] = {
    Language.DANISH: (
        "jan.",
        "feb.",
        "mar.",
        "apr.",
        "maj",
        "juni",
        "juli",
        "aug.",
        "sep.",
        "okt.",
        "nov.",
        "dec.",
    ),
    Language.ENGLISH: (
        "Jan",
        "Feb",
        "Mar",
        "Apr",
        "May",
        "Jun",
        "Jul",
        "Aug",
        "Sep",
        "Oct",
        "Nov",
        "Dec",
    ),
}
WEEKDAYS: Final[Mapping[Language, tuple[str, ...]]] = {
    Language.DANISH: ("man.", "tir.", "ons.", "tor.", "fre.", "lør.", "søn."),
    Language.ENGLISH: ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
}


def word(name: str, language: Language, *values: object, **named: object) -> str:
    """The words by a name, with values where they have places for them."""
    words = WORDS[name][language is Language.ENGLISH]
    return words.format(*values, **named) if values or named else words


def heading(name: str, language: Language) -> str:
    """The heading of a column, also of one that compares."""
    for suffix in ("_before", "_change_percent"):
        if name.endswith(suffix):
            return word(suffix, language, word(name.removesuffix(suffix), language))
    return word(name, language)


def number(value: float | None, language: Language, decimals: int = 0) -> str:
    """A number as people of that language write it; empty where there is none."""
    if value is None:
        return ""
    text = f"{value:,.{decimals}f}"
    return text.translate(_DANISH) if language is Language.DANISH else text


_DANISH: Final = str.maketrans(",.", ".,")
