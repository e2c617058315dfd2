"""Ended call legs at record level: who took part in which meeting, when and in which quality.

A call leg belongs to the period that it ended in, so that the records of several periods add up. They are
read a day at a time and some thousand at once, so that memory does not grow with the period, and each
query by itself: a row of history never changes, and whoever takes the records slowly keeps nothing open.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    FromClause,
    Select,
    and_,
    bindparam,
    func,
    null,
    or_,
    select,
)

from vdx.capacity import QUALITIES, has_licence_port
from vdx.days import midnight
from vdx.organisations import Rule, Tree
from vdx.store.history_tables import history_participant, identity, term
from vdx.store.tables import location, node
from vdx.usage import Outcome

PAGE: Final = 5000
"""Records in memory at once, some 20 MB of them."""

PSEUDONYM_BYTES: Final = 6
"""How much of the keyed hash stands for a person or a room: 12 hexadecimal digits. Of a million people two
share it with a chance of 1 in 500."""

_WINDOW: Final = timedelta(days=1)


class CallRecord(NamedTuple):
    """An ended call leg. `COLUMNS` has the meaning of each field."""

    date: date
    started: datetime | None
    ended: datetime
    seconds: float | None
    call: str
    meeting: str
    organisation: str
    organisation_path: str
    rule: str
    service_tag: str
    service_type: str
    room: str
    participant: str
    dialled: str
    direction: str
    host: bool
    protocol: str
    device: str
    location: str
    media_node: str
    network: str
    licence_ports: int
    has_media: bool
    encrypted: bool
    outcome: str
    disconnect_reason: str
    quality: str
    bad_windows_percent: int | None
    received_loss_percent: float
    sent_loss_percent: float
    received_bandwidth: int
    sent_bandwidth: int
    audio_codec: str
    video_codec: str
    height: int | None


COLUMNS: Final[Mapping[str, str]] = {
    "date": "the local day on which it ended",
    "started": "when it connected, local time with its offset from UTC; empty where it never did",
    "ended": "when it ended, or failed; local time with its offset from UTC",
    "seconds": "how long it was connected; empty where it never was",
    "call": "the id of the call leg on the platform",
    "meeting": "the id of the conference that it took part in; empty where none is known",
    "organisation": "whose it is; empty where it belongs to none",
    "organisation_path": "the organisation with all above it, as they stood when the day began: A / B / C",
    "rule": "why it is theirs: what of the call an organisation claims; or unassigned",
    "service_tag": "the project",
    "service_type": "what was called: conference, gateway, two_stage_dialing, test_call …",
    "room": "the meeting room, as a pseudonym or by its name",
    "participant": "who was at the other end, as a pseudonym or by the alias",
    "dialled": "the alias on the platform's side: what was dialled, of a call that came in",
    "direction": "in where the participant called, out where the platform did",
    "host": "whether the participant was a host of the meeting",
    "protocol": "as the platform names it: WebRTC, SIP, H323, MSSIP, TEAMS …",
    "device": "kind and product of the participant's device",
    "location": "the system location",
    "media_node": "the Conferencing Node that carried the media",
    "network": "the network that the participant called from: /24 of IPv4, /48 of IPv6",
    "licence_ports": "licence ports that it held",
    "has_media": "whether it had sound or picture; a leg without is no person's",
    "encrypted": "whether its media were encrypted",
    "outcome": "completed, or why it never connected: failed, refused_license, refused_capacity",
    "disconnect_reason": "what the platform gives as the reason of the end, without names and numbers",
    "quality": "the platform's verdict on the whole call: good, ok, bad, terrible or unknown",
    "bad_windows_percent": "share of its 20-second windows that were bad or terrible; empty without any",
    "received_loss_percent": "packets lost on the way from the participant, of all its streams",
    "sent_loss_percent": "packets lost on the way to the participant, of all its streams",
    "received_bandwidth": "kbit/s that the platform received",
    "sent_bandwidth": "kbit/s that the platform sent",
    "audio_codec": "the codec of the sound that the platform received",
    "video_codec": "the codec of the picture that the platform received",
    "height": "lines of the largest picture; empty where there was none",
}
"""Field of a record -> its meaning."""


class Lookups(NamedTuple):
    """The texts that numbers in a record stand for: of terms by kind, of locations and nodes."""

    terms: Mapping[str, Mapping[int, str]]
    port_licenses: frozenset[int]
    locations: Mapping[int, str]
    nodes: Mapping[int | None, str]


def records(
    connection: Connection,
    tree: Tree,
    zone: ZoneInfo,
    start: datetime,
    end: datetime,
    *,
    organisations: frozenset[int] | None = None,
    tag: int | None = None,
    place: int | None = None,
    identities: bool = False,
    page: int = PAGE,
) -> Iterator[list[CallRecord]]:
    """The call legs that ended from `start` to before `end`, in order of their end, up to `page` at once.

    `organisations` are the ids whose calls are wanted, `tag` and `place` the ids of a service tag and of a
    location. With `identities` people and rooms have the names that are stored; without, or where none is,
    a pseudonym. Raises SQLAlchemyError where the database is away.
    """
    query = _query(identities=identities)
    table = history_participant
    if organisations is not None:
        query = query.where(table.c.organisation_id.in_(_literal(organisations)))
    if tag is not None:
        query = query.where(table.c.service_tag_id == tag)
    if place is not None:
        query = query.where(table.c.location_id == place)
    reader = _Reader(read_lookups(connection), tree, zone)
    while start < end:
        stop = min(start + _WINDOW, end)
        for rows in _pages(connection, query, start, stop, page):
            yield [reader(row) for row in rows]
        start = stop


def _literal(ids: frozenset[int]) -> BindParameter[Any]:
    """Numbers as part of the statement: databases limit how many parameters it has."""
    return bindparam("ids", sorted(ids), expanding=True, literal_execute=True)


def _pages(
    connection: Connection, query: Select[Any], start: datetime, end: datetime, page: int
) -> Iterator[list[Any]]:
    """Pages by the primary key, so that each goes on where the one before ended."""
    table = history_participant
    after: bytes | None = None
    while True:
        wanted = query.where(table.c.ended >= start, table.c.ended < end).limit(page)
        if after is not None:
            wanted = wanted.where(or_(table.c.ended > start, table.c.id > after))
        rows = list(connection.execute(wanted))
        if rows:
            yield rows
            start, after = rows[-1].ended, rows[-1].id
        if len(rows) < page:
            return


_PEOPLE: Final = {"room": "room_id", "participant": "remote_id", "dialled": "local_id"}
"""Field of a record -> the column that numbers its identity."""
_MANY: Final = {"tag": "service_tag_id", "network": "network_id"}
"""Kinds of terms of which there can be too many for memory -> the column that numbers them."""
_FEW: Final = ("protocol", "service_type", "license_type", "codec", "device", "reason")
_READ: Final = (
    "ended",
    "id",
    "started",
    "conference_id",
    "organisation_id",
    "rule",
    "service_type_id",
    "outgoing",
    "host",
    "protocol_id",
    "device_id",
    "location_id",
    "media_node_id",
    "license_type_id",
    "license_count",
    "has_media",
    "encrypted",
    "outcome",
    "disconnect_reason_id",
    "quality",
    "bad_percent",
    "rx_loss",
    "tx_loss",
    "rx_bandwidth",
    "tx_bandwidth",
    "audio_codec_id",
    "video_codec_id",
    "height",
)


def _query(*, identities: bool) -> Select[Any]:
    """All that a record needs of a call leg, in the order in which `_Reader` takes it.

    The database looks up identities and texts of which there are many, by their key.
    """
    table = history_participant
    source: FromClause = table
    columns: list[ColumnElement[Any]] = [table.c[name] for name in _READ]
    for kind, column in _MANY.items():
        text = term.alias(kind)
        source = source.outerjoin(text, and_(text.c.kind == kind, text.c.id == table.c[column]))
        columns.append(func.coalesce(text.c.name, "").label(f"{kind}_name"))
    for field, column in _PEOPLE.items():
        who = identity.alias(field)
        source = source.outerjoin(who, who.c.id == table.c[column])
        columns.append(who.c.hash.label(f"{field}_hash"))
        columns.append((who.c.name if identities else null()).label(f"{field}_name"))
    return select(*columns).select_from(source).order_by(table.c.ended, table.c.id)


def read_lookups(connection: Connection) -> Lookups:
    """Reads the texts that numbers stand for, of the kinds of which there are few."""
    terms: dict[str, dict[int, str]] = {kind: {0: ""} for kind in _FEW}
    for kind, key, name in connection.execute(select(term).where(term.c.kind.in_(_FEW))):
        terms[kind][key] = name
    holding = frozenset(key for key, name in terms["license_type"].items() if has_licence_port(name))
    nodes: dict[int | None, str] = {None: ""}
    nodes.update(connection.execute(select(node.c.id, node.c.name)).all())
    places = dict(connection.execute(select(location.c.id, location.c.name)).all())
    return Lookups(terms, holding, places, nodes)


def uuid_text(key: bytes | None) -> str:
    """Sixteen bytes as a UUID is written; empty for none."""
    if key is None:
        return ""
    text = key.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def who(key: bytes | None, name: str | None) -> str:
    """The name of an identity, or the pseudonym where there is none; empty for nobody."""
    if name:
        return name
    return "" if key is None else key[:PSEUDONYM_BYTES].hex()


class _Reader:
    """Makes records of rows. It remembers the path of each organisation on the day it is at."""

    def __init__(self, lookups: Lookups, tree: Tree, zone: ZoneInfo) -> None:
        self._lookups = lookups
        self._tree = tree
        self._zone = zone
        self._day = date.min
        self._begin = datetime.min.replace(tzinfo=UTC)
        self._paths: dict[int, tuple[str, str]] = {}
        self._names = {key: one.name for key, one in tree.organisations.items()}
        self._rules = {rule.value: rule.name.lower() for rule in Rule}

    def _path(self, organisation: int, day: date) -> tuple[str, str]:
        """The name of an organisation, and its path as the day began."""
        if day != self._day:
            self._day, self._begin = day, midnight(day, self._zone)
            self._paths = {0: ("", "")}
        found = self._paths.get(organisation)
        if found is None:
            above = self._tree.ancestors(organisation, self._begin)
            names = [self._names.get(key, "?") for key in above]
            found = self._paths[organisation] = names[0], " / ".join(reversed(names))
        return found

    def __call__(self, row: Any) -> CallRecord:
        (
            ended,
            key,
            started,
            conference,
            organisation,
            rule,
            service_type,
            outgoing,
            host,
            protocol,
            device,
            place,
            media_node,
            license_type,
            license_count,
            has_media,
            encrypted,
            outcome,
            reason,
            quality,
            bad_percent,
            received_loss,
            sent_loss,
            received_bandwidth,
            sent_bandwidth,
            audio_codec,
            video_codec,
            height,
            tag,
            network,
            room,
            room_name,
            remote,
            remote_name,
            local,
            local_name,
        ) = row
        lookups = self._lookups
        terms = lookups.terms
        end = ended.astimezone(self._zone)
        day = end.date()
        name, path = self._path(organisation, day)
        return CallRecord(
            day,
            None if started is None else started.astimezone(self._zone),
            end,
            None if started is None else round((ended - started).total_seconds(), 3),
            uuid_text(key),
            uuid_text(conference),
            name,
            path,
            self._rules.get(rule, ""),
            tag,
            terms["service_type"].get(service_type, ""),
            who(room, room_name),
            who(remote, remote_name),
            who(local, local_name),
            "out" if outgoing else "in",
            host,
            terms["protocol"].get(protocol, ""),
            terms["device"].get(device, ""),
            lookups.locations.get(place, ""),
            lookups.nodes.get(media_node, ""),
            network,
            license_count if license_type in lookups.port_licenses else 0,
            has_media,
            encrypted,
            _OUTCOMES[outcome],
            terms["reason"].get(reason, ""),
            QUALITIES[quality],
            bad_percent,
            received_loss / 100,
            sent_loss / 100,
            received_bandwidth,
            sent_bandwidth,
            terms["codec"].get(audio_codec, ""),
            terms["codec"].get(video_codec, ""),
            height or None,
        )


_OUTCOMES: Final = tuple(outcome.name.lower() for outcome in Outcome)
