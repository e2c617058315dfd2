"""From the Management Node's records of history to rows: pure, once the numbers of the texts are known.

Rows are made column by column, since that is several times faster than row by row: a table's rows are a
mapping of column name to a list of values of Python's own types. Malformed records are set right by a rule,
which is counted: `Odd` names them, docs/history.md explains them.
"""

import ipaddress
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from operator import attrgetter
from typing import Any, Final, cast

import msgspec
import numpy as np
from numpy.typing import NDArray

from vdx.capacity import BAD_QUALITIES, QUALITIES, TelephonyRule, quality_name
from vdx.claims import Claims
from vdx.devices import device, room_name, streaming, telephone
from vdx.pexip.history import (
    HistoryAlarm,
    HistoryBackplane,
    HistoryConference,
    HistoryParticipant,
    WorkerVMStatusEvent,
)
from vdx.pexip.records import Record
from vdx.store.identities import identifier
from vdx.store.tables import NAME_LENGTH
from vdx.store.texts import Identified
from vdx.usage import Outcome

Columns = Mapping[str, Sequence[Any]]

SMALL: Final = 65_535
TINY: Final = 255
LARGE: Final = 2**31 - 1
IPV4_PREFIX: Final = 24
IPV6_PREFIX: Final = 48
"""How much of an address is kept: the network that a site or a provider's customer has (RFC 6177)."""

_KNOWN_LICENSES: Final = frozenset({"port", "audio", "nolicense", ""})
"""Licence types that are documented or seen (status/participant)."""

_QUALITY: Final = {name: number for number, name in enumerate(QUALITIES)}
_FIRST_BAD: Final = min(_QUALITY[name] for name in BAD_QUALITIES)
_DIGITS: Final = re.compile(r"\d{3,}")
_PERSONAL: Final = re.compile(r"\S*@\S*|\+\d+|'[^']*'|\"[^\"]*\"")
_LINES: Final = re.compile(r"x(\d+)")


class Odd(StrEnum):
    """What can be wrong with a record that is kept all the same, or left out."""

    NO_END = "no_end"
    """No end, and none can be reckoned from start and duration: it is left out."""
    END_BEFORE_START = "end_before_start"
    """It ended before it began: it is kept with no length, at its end."""
    IN_THE_FUTURE = "in_the_future"
    """It ends later than the Management Node's present: it is kept, and reading does not jump there."""
    UNKNOWN_LICENSE = "unknown_license"
    """A licence type that nobody has named: it is kept, and holds no port."""
    TOO_MANY_TEXTS = "too_many_texts"
    """A text of a kind of which there are too many: it is kept without the text."""


class Span(msgspec.Struct, frozen=True):
    """When a record began and ended; it has no begin where it never connected."""

    started: datetime | None
    ended: datetime
    odd: Odd | None = None


def span(start: datetime | None, end: datetime | None, duration: int | None = None) -> Span | None:
    """The times of a record, set right; None where nobody can tell its end. `duration` seconds."""
    if end is None:
        if start is None or duration is None or duration < 0:
            return None
        end = start + timedelta(seconds=duration)
    if start is not None and start > end:
        return Span(end, end, Odd.END_BEFORE_START)
    return Span(start, end)


class Context(msgspec.Struct, frozen=True):
    """What is needed to make rows besides the records themselves.

    `nodes` maps an address to the name of its node. `license_reasons` and `capacity_reasons` tell of a
    failed call why it was refused. `today` is the day of the present, by which partitions are made.
    """

    nodes: Mapping[str, str]
    telephony: TelephonyRule
    claims: Claims
    license_reasons: re.Pattern[str]
    capacity_reasons: re.Pattern[str]
    today: date


class Numbers(msgspec.Struct, frozen=True):
    """The numbers of the texts of a batch: of terms by kind, of identities, locations and nodes by text."""

    terms: Mapping[str, Mapping[str, int]]
    identities: Mapping[str, Identified]
    locations: Mapping[str, int]
    nodes: Mapping[str, int]


class Texts(msgspec.Struct):
    """The texts that a batch of records needs numbers for."""

    terms: dict[str, set[str]] = {}
    identities: set[str] = set()
    locations: set[str] = set()
    nodes: set[str] = set()

    def add(self, kind: str, names: Iterable[str]) -> None:
        """Adds names of a kind of term."""
        self.terms.setdefault(kind, set()).update(names)


@lru_cache(maxsize=50_000)
def network(address: str) -> str:
    """The network of an address, which tells the site and not the person; empty where it is none."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return ""
    prefix = IPV4_PREFIX if parsed.version == 4 else IPV6_PREFIX
    return str(ipaddress.ip_network((parsed, prefix), strict=False))


@lru_cache(maxsize=10_000)
def reason(text: str) -> str:
    """A disconnect reason without what makes it one of a kind: numbers, addresses, quoted names.

    Endpoints send texts of their own (docs.pexip.com, disconnection_reasons).
    """
    return _DIGITS.sub("#", _PERSONAL.sub("…", text)).strip()[:100]


@lru_cache(maxsize=1000)
def lines(resolution: str) -> int:
    """The height of a picture, 720 of `1280x720`; 0 where there is none."""
    found = _LINES.search(resolution)
    return min(int(found[1][:6]), SMALL) if found else 0


def _picked(records: Iterable[Any], field: str) -> list[Any]:
    return list(map(attrgetter(field), records))


def _cut(number: int | None, most: int = SMALL) -> int:
    return 0 if number is None or number < 0 else min(number, most)


def _fitting(numbers: Iterable[int | None], most: int = SMALL) -> list[int]:
    """The numbers, none for nothing, cut to what their column holds."""
    return [
        number if number is not None and 0 <= number <= most else _cut(number, most) for number in numbers
    ]


def _optional(numbers: Iterable[float | None], most: int = LARGE) -> list[float | None]:
    """The same, where nothing stays nothing."""
    return [
        number if number is None or 0 <= number <= most else max(0, min(number, most)) for number in numbers
    ]


def _rounded(numbers: Iterable[float | None], unit: int, most: int) -> list[int | None]:
    """Measures as whole numbers of so many parts of one."""
    return [number if number is None else int(max(0.0, min(number * unit + 0.5, most))) for number in numbers]


def _device(leg: HistoryParticipant, context: Context) -> str:
    aliases = (leg.remote_alias, leg.local_alias)
    if context.telephony.is_telephony(leg.protocol, leg.remote_address, aliases):
        return telephone()
    if leg.is_streaming:
        return streaming()
    return device(leg.vendor, leg.protocol)


class NodeNumbers:
    """Address -> number of its node, None for no address."""

    def __init__(self, numbers: Mapping[str, int], names: Mapping[str, str]) -> None:
        self._numbers = numbers
        self._names = names
        self._known: dict[str, int | None] = {"": None}

    def __getitem__(self, address: str) -> int | None:
        try:
            return self._known[address]
        except KeyError:
            number = self._known[address] = self._numbers[self._names.get(address, address)]
            return number


def _nodes(context: Context, *addresses: Iterable[str]) -> set[str]:
    """The names of the nodes at these addresses; an address that no node has stands for itself."""
    found = set().union(*addresses) - {""}
    return {context.nodes.get(address, address) for address in found}


def _outcome(leg: HistoryParticipant, context: Context) -> Outcome:
    if leg.start_time is not None:
        return Outcome.COMPLETED
    if context.license_reasons.search(leg.disconnect_reason):
        return Outcome.REFUSED_LICENSE
    if context.capacity_reasons.search(leg.disconnect_reason):
        return Outcome.REFUSED_CAPACITY
    return Outcome.FAILED


def _bad_percent(leg: HistoryParticipant) -> int | None:
    """The share of the measured 20-second windows that were bad or terrible; None where none was measured."""
    counts = leg.bucketed_call_quality
    if len(counts) == len(QUALITIES):
        _, good, fair, bad, terrible = counts
        measured, troubled = good + fair + bad + terrible, bad + terrible
    else:
        windows = [window for window in leg.historic_call_quality if window]
        measured, troubled = len(windows), sum(window >= _FIRST_BAD for window in windows)
    return min(100, max(0, round(100 * troubled / measured))) if measured > 0 else None


class Streams:
    """The media streams of a page's legs in one list, and sums of them by leg."""

    def __init__(self, legs: Sequence[HistoryParticipant]) -> None:
        some = [leg.media_streams[: TINY + 1] for leg in legs]
        self.all = [stream for streams in some for stream in streams]
        self.counts = list(map(len, some))
        self.types = _picked(self.all, "stream_type")
        self.rx_codecs = _picked(self.all, "rx_codec")
        self.rx_resolutions = _picked(self.all, "rx_resolution")
        self.tx_resolutions = _picked(self.all, "tx_resolution")
        self._owners = np.repeat(np.arange(len(legs)), self.counts)

    def of_legs(self, values: Sequence[Any]) -> list[Any]:
        """A value of each leg, for each of its streams."""
        return [value for value, count in zip(values, self.counts, strict=True) for _ in range(count)]

    def _sums(self, field: str) -> NDArray[np.float64]:
        values = [max(0, packets or 0) for packets in _picked(self.all, field)]
        sums = np.bincount(self._owners, weights=values, minlength=len(self.counts))
        return sums.astype(np.float64)

    def loss(self, direction: str) -> list[int]:
        """The lost packets of all streams of a leg, received (rx) or sent (tx), in hundredths of a percent.

        What is received does not count what was lost, what is sent does.
        """
        lost = self._sums(f"{direction}_packets_lost")
        whole = (
            self._sums("rx_packets_received") + lost if direction == "rx" else self._sums("tx_packets_sent")
        )
        shares = 10_000 * np.divide(lost, whole, out=np.zeros_like(lost), where=whole > 0)
        return cast("list[int]", np.minimum(np.rint(shares), SMALL).astype(int).tolist())

    def heights(self) -> list[int]:
        """The lines of the largest picture of a leg."""
        known = {text: lines(text) for text in {*self.rx_resolutions, *self.tx_resolutions}}
        heights = [
            max(known[rx], known[tx]) for rx, tx in zip(self.rx_resolutions, self.tx_resolutions, strict=True)
        ]
        found = np.zeros(len(self.counts), dtype=np.int64)
        np.maximum.at(found, self._owners, heights)
        return found.tolist()

    def codecs(self, kind: str, numbers: Mapping[str, int]) -> list[int]:
        """What the first stream of a kind is received in, by leg."""
        found = [0] * len(self.counts)
        streams = zip(self._owners.tolist(), self.types, self.rx_codecs, strict=True)
        for owner, name, codec in streams:
            if name == kind and not found[owner]:
                found[owner] = numbers[codec]
        return found


class Participants:
    """Call legs that are about to be written: their texts first, then, with the numbers of those, rows."""

    def __init__(self, legs: Sequence[HistoryParticipant], context: Context) -> None:
        self._legs = legs
        self._context = context
        self._rooms = [room_name(leg.conference_name) for leg in legs]
        self._devices = [_device(leg, context) for leg in legs]
        self._reasons = list(map(reason, _picked(legs, "disconnect_reason")))
        self._networks = list(map(network, _picked(legs, "remote_address")))
        self._streams = Streams(legs)

    @property
    def texts(self) -> Texts:
        """The texts of the legs and of their media streams."""
        legs = self._legs
        streams = self._streams.all
        texts = Texts({}, set(), set(), set())
        texts.add("protocol", _picked(legs, "protocol"))
        texts.add("service_type", _picked(legs, "service_type"))
        texts.add("license_type", _picked(legs, "license_type"))
        texts.add("tag", _picked(legs, "service_tag"))
        texts.add("reason", self._reasons)
        texts.add("network", self._networks)
        texts.add("device", self._devices)
        texts.add("stream_type", self._streams.types)
        texts.add("codec", self._streams.rx_codecs)
        texts.add("codec", _picked(streams, "tx_codec"))
        texts.add("resolution", self._streams.rx_resolutions)
        texts.add("resolution", self._streams.tx_resolutions)
        texts.identities = set(self._rooms).union(_picked(legs, "remote_alias"), _picked(legs, "local_alias"))
        texts.locations = set(_picked(legs, "system_location"))
        fields = ("media_node", "signalling_node", "proxy_node")
        addresses = [_picked(legs, field) for field in fields]
        texts.nodes = _nodes(self._context, _picked(streams, "node"), *addresses)
        return texts

    def rows(
        self, keys: Sequence[bytes], spans: Sequence[Span], numbers: Numbers, odd: Counter[Odd]
    ) -> tuple[Columns, Columns]:
        """Rows of history_participant and of history_media_stream."""
        legs, context, terms = self._legs, self._context, numbers.terms
        known = numbers.identities
        nodes = NodeNumbers(numbers.nodes, context.nodes)
        rooms = [known[name] for name in self._rooms]
        remotes = [known[leg.remote_alias] for leg in legs]
        locals_ = [known[leg.local_alias] for leg in legs]
        tags = _picked(legs, "service_tag")
        decide = context.claims.decide
        decisions = [
            decide(tag, (remote.alias, local.alias), room.alias)
            for tag, remote, local, room in zip(tags, remotes, locals_, rooms, strict=True)
        ]
        licenses = _picked(legs, "license_type")
        odd[Odd.UNKNOWN_LICENSE] += sum(
            count for name, count in Counter(licenses).items() if name.lower() not in _KNOWN_LICENSES
        )
        conferences = {
            uri: identifier(leg.conference_id)
            for leg in legs
            if (uri := leg.conference) and leg.conference_id
        }
        rows = {
            "ended": [span.ended for span in spans],
            "id": keys,
            "started": [span.started for span in spans],
            "conference_id": [conferences.get(leg.conference or "") for leg in legs],
            "organisation_id": [decision.organisation_id for decision in decisions],
            "room_id": [room.id for room in rooms],
            "remote_id": [remote.id for remote in remotes],
            "local_id": [local.id for local in locals_],
            "service_tag_id": [terms["tag"][tag] for tag in tags],
            "network_id": [terms["network"][name] for name in self._networks],
            "location_id": [numbers.locations[leg.system_location] for leg in legs],
            "media_node_id": [nodes[leg.media_node] for leg in legs],
            "signalling_node_id": [nodes[leg.signalling_node] for leg in legs],
            "proxy_node_id": [nodes[leg.proxy_node] for leg in legs],
            "device_id": [terms["device"][name] for name in self._devices],
            "disconnect_reason_id": [terms["reason"][name] for name in self._reasons],
            "rx_bandwidth": _fitting(_picked(legs, "rx_bandwidth")),
            "tx_bandwidth": _fitting(_picked(legs, "tx_bandwidth")),
            "rx_loss": self._streams.loss("rx"),
            "tx_loss": self._streams.loss("tx"),
            "height": self._streams.heights(),
            "audio_codec_id": self._streams.codecs("audio", terms["codec"]),
            "video_codec_id": self._streams.codecs("video", terms["codec"]),
            "protocol_id": [terms["protocol"][leg.protocol] for leg in legs],
            "service_type_id": [terms["service_type"][leg.service_type] for leg in legs],
            "license_type_id": [terms["license_type"][name] for name in licenses],
            "license_count": _fitting(_picked(legs, "license_count"), TINY),
            "rule": [int(decision.rule) for decision in decisions],
            "outcome": [int(_outcome(leg, context)) for leg in legs],
            "quality": [_QUALITY.get(quality_name(leg.call_quality), 0) for leg in legs],
            "bad_percent": list(map(_bad_percent, legs)),
            "outgoing": [leg.call_direction == "out" for leg in legs],
            "host": [leg.role == "chair" for leg in legs],
            "has_media": _picked(legs, "has_media"),
            "encrypted": [leg.encryption.lower() == "on" for leg in legs],
        }
        return rows, self._stream_rows(keys, spans, numbers, nodes)

    def _stream_rows(
        self, keys: Sequence[bytes], spans: Sequence[Span], numbers: Numbers, nodes: NodeNumbers
    ) -> Columns:
        streams = self._streams.all
        codecs, resolutions = numbers.terms["codec"], numbers.terms["resolution"]
        types = numbers.terms["stream_type"]
        return {
            "ended": self._streams.of_legs([span.ended for span in spans]),
            "participant_id": self._streams.of_legs(keys),
            "number": [number for count in self._streams.counts for number in range(count)],
            "started": _picked(streams, "start_time"),
            "stopped": _picked(streams, "end_time"),
            "media_node_id": [nodes[stream.node] for stream in streams],
            "type_id": [types[name] for name in self._streams.types],
            "rx_codec_id": [codecs[name] for name in self._streams.rx_codecs],
            "tx_codec_id": [codecs[stream.tx_codec] for stream in streams],
            "rx_resolution_id": [resolutions[text] for text in self._streams.rx_resolutions],
            "tx_resolution_id": [resolutions[text] for text in self._streams.tx_resolutions],
            "rx_bitrate": _optional(_picked(streams, "rx_bitrate")),
            "tx_bitrate": _optional(_picked(streams, "tx_bitrate")),
            "rx_fps": _rounded(_picked(streams, "rx_fps"), 1, TINY),
            "tx_fps": _rounded(_picked(streams, "tx_fps"), 1, TINY),
            "rx_loss": _rounded(_picked(streams, "rx_packet_loss"), 100, SMALL),
            "tx_loss": _rounded(_picked(streams, "tx_packet_loss"), 100, SMALL),
            "rx_lost": _optional(_picked(streams, "rx_packets_lost")),
            "tx_lost": _optional(_picked(streams, "tx_packets_lost")),
            "rx_received": _optional(_picked(streams, "rx_packets_received")),
            "tx_sent": _optional(_picked(streams, "tx_packets_sent")),
        }


def conference_texts(conferences: Sequence[HistoryConference]) -> Texts:
    """The texts of these conferences."""
    texts = Texts({}, set(), set(), set())
    texts.add("service_type", _picked(conferences, "service_type"))
    texts.add("tag", _picked(conferences, "tag"))
    texts.identities = {room_name(conference.name) for conference in conferences}
    return texts


def conference_rows(
    conferences: Sequence[HistoryConference],
    keys: Sequence[bytes],
    spans: Sequence[Span],
    numbers: Numbers,
    context: Context,
) -> Columns:
    """Rows of history_conference."""
    rooms = [numbers.identities[room_name(conference.name)] for conference in conferences]
    decisions = [
        context.claims.decide(conference.tag, (room.alias,), room.alias)
        for conference, room in zip(conferences, rooms, strict=True)
    ]
    tags, services = numbers.terms["tag"], numbers.terms["service_type"]
    return {
        "ended": [span.ended for span in spans],
        "id": keys,
        "started": [span.started for span in spans],
        "room_id": [room.id for room in rooms],
        "service_tag_id": [tags[conference.tag] for conference in conferences],
        "organisation_id": [decision.organisation_id for decision in decisions],
        "rule": [int(decision.rule) for decision in decisions],
        "service_type_id": [services[conference.service_type] for conference in conferences],
        "participants": _fitting(_picked(conferences, "participant_count"), LARGE),
    }


def backplane_texts(backplanes: Sequence[HistoryBackplane], context: Context) -> Texts:
    """The texts of these backplanes."""
    texts = Texts({}, set(), set(), set())
    texts.add("protocol", _picked(backplanes, "protocol"))
    texts.add("backplane_type", _picked(backplanes, "type"))
    texts.add("reason", map(reason, _picked(backplanes, "disconnect_reason")))
    texts.locations = set(_picked(backplanes, "system_location"))
    texts.nodes = _nodes(context, _picked(backplanes, "media_node"), _picked(backplanes, "remote_media_node"))
    return texts


def backplane_rows(
    backplanes: Sequence[HistoryBackplane],
    keys: Sequence[bytes],
    spans: Sequence[Span],
    numbers: Numbers,
    context: Context,
) -> Columns:
    """Rows of history_backplane."""
    nodes = NodeNumbers(numbers.nodes, context.nodes)
    terms = numbers.terms
    return {
        "ended": [span.ended for span in spans],
        "id": keys,
        "started": [span.started for span in spans],
        "conference_id": [
            identifier(backplane.conference_id) if backplane.conference_id else None
            for backplane in backplanes
        ],
        "location_id": [numbers.locations[backplane.system_location] for backplane in backplanes],
        "media_node_id": [nodes[backplane.media_node] for backplane in backplanes],
        "remote_node_id": [nodes[backplane.remote_media_node] for backplane in backplanes],
        "type_id": [terms["backplane_type"][backplane.type] for backplane in backplanes],
        "protocol_id": [terms["protocol"][backplane.protocol] for backplane in backplanes],
        "disconnect_reason_id": [
            terms["reason"][reason(backplane.disconnect_reason)] for backplane in backplanes
        ],
    }


def _named(texts: Iterable[str], length: int = NAME_LENGTH) -> list[str]:
    return [text[:length] for text in texts]


def alarm_rows(
    alarms: Sequence[HistoryAlarm], keys: Sequence[int], spans: Sequence[Span], context: Context
) -> Columns:
    """Rows of history_alarm."""
    return {
        "lowered": [span.ended for span in spans],
        "id": keys,
        "raised": [span.started for span in spans],
        "name": _named(_picked(alarms, "name")),
        "level": _named(_picked(alarms, "level"), 32),
        "instance": _named(_picked(alarms, "instance")),
        "details": _named(_picked(alarms, "details")),
        "node": _named(context.nodes.get(alarm.node, alarm.node) for alarm in alarms),
    }


def node_event_rows(
    events: Sequence[WorkerVMStatusEvent], keys: Sequence[int], spans: Sequence[Span]
) -> Columns:
    """Rows of history_node_event."""
    return {
        "time": [span.ended for span in spans],
        "id": keys,
        "event_type": _named(_picked(events, "event_type"), 64),
        "state": _named(_picked(events, "state"), 64),
        "node": _named(event.workervm_configuration_name or event.workervm_address for event in events),
        "location": _named(_picked(events, "workervm_configuration_location_name")),
        "details": _named(_picked(events, "details")),
    }


def key_of(record: Record) -> bytes | int:
    """The key of a record in its table, besides its end."""
    if isinstance(record, HistoryAlarm | WorkerVMStatusEvent):
        return (record.id + 2**63) % 2**64 - 2**63
    if isinstance(record, HistoryConference | HistoryParticipant | HistoryBackplane):
        return identifier(record.id)
    raise TypeError(f"{type(record).__name__} is no record of history")


def span_of(record: Record) -> Span | None:
    """When a record of history began and ended; an alarm when it was raised and lowered."""
    if isinstance(record, HistoryAlarm):
        return span(record.time_raised, record.time_lowered)
    if isinstance(record, WorkerVMStatusEvent):
        return span(None, record.time_changed)
    if isinstance(record, HistoryConference | HistoryParticipant | HistoryBackplane):
        return span(record.start_time, record.end_time, record.duration)
    raise TypeError(f"{type(record).__name__} is no record of history")
