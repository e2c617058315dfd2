"""Rows of the history API, drawn from ended calls and conferences."""

from typing import Final

from simulator import status_rows as status
from simulator.background import Alarm, Registration
from simulator.rows import QUALITIES, Row, Timestamp, ToMany, ToOne, View
from simulator.status_rows import StreamFigures
from simulator.timing import api_time
from simulator.world import Backplane, Call, Conference, NodeEvent


class ConferenceRow(Row):
    """A conference that has ended."""

    direct_media_available: bool
    duration: int
    end_time: Timestamp
    id: str
    instant_message_count: int
    name: str
    participant_count: int
    participants: ToMany
    resource_uri: str
    service_type: str
    start_time: Timestamp
    tag: str


def conference(record: Conference, view: View) -> ConferenceRow:
    """The row of an ended conference."""
    end = record.ended or record.started
    return ConferenceRow(
        direct_media_available=int(record.id[:8], 16) % 40 == 0,
        duration=int(end - record.started),
        end_time=api_time(end),
        id=record.id,
        instant_message_count=int(record.id[:4], 16) % 4 if len(record.calls) > 2 else 0,
        name=record.name,
        participant_count=len(record.calls),
        participants=[view.uri("history/v1/participant", call.leg.id) for call in record.calls],
        resource_uri=view.uri("history/v1/conference", record.id),
        service_type=record.service_type,
        start_time=api_time(record.started),
        tag=record.tag,
    )


class MediaStreamRow(Row):
    """A media stream of an ended call."""

    end_time: Timestamp
    id: int
    node: str
    participant: ToOne
    resource_uri: str
    rx_bitrate: int
    rx_codec: str
    rx_fps: float
    rx_packet_loss: float
    rx_packets_lost: int
    rx_packets_received: int
    rx_resolution: str
    start_time: Timestamp
    stream_id: str
    stream_type: str
    tx_bitrate: int
    tx_codec: str
    tx_fps: float
    tx_packet_loss: float
    tx_packets_lost: int
    tx_packets_sent: int
    tx_resolution: str


class BackplaneMediaStreamRow(Row):
    """A media stream of an ended backplane."""

    backplane: ToOne
    end_time: Timestamp
    id: int
    node: str
    resource_uri: str
    rx_bitrate: int
    rx_codec: str
    rx_fps: float
    rx_packet_loss: float
    rx_packets_lost: int
    rx_packets_received: int
    rx_resolution: str
    start_time: Timestamp
    stream_id: str
    stream_type: str
    tx_bitrate: int
    tx_codec: str
    tx_fps: float
    tx_packet_loss: float
    tx_packets_lost: int
    tx_packets_sent: int
    tx_resolution: str


STREAMS_PER_LEG: Final = 4
"""Media stream ids of a leg begin at four times its ordinal number."""


def average_quality(windows: list[int]) -> int:
    """The quality of a whole call: the average over its known windows, rounded; unknown when there are
    none."""
    known = [window for window in windows if window]
    return round(sum(known) / len(known)) if known else 0


def call_quality(call: Call) -> int:
    """The quality of a whole ended call."""
    return average_quality(call.quality_windows(call.ended or 0.0))


def participant_stream(call: Call, number: int, quality: int, view: View) -> MediaStreamRow:
    """One media stream of an ended call of that quality."""
    leg = call.leg
    if call.joined is None or call.ended is None or call.media is None:
        raise ValueError("a failed call has no media streams")
    figures = StreamFigures(number, leg.kind, leg.bits, call.ended - call.joined, quality, leg.protocol)
    identity = stream_id(call, number)
    return MediaStreamRow(
        end_time=api_time(call.ended),
        id=identity,
        node=call.media.installed.address,
        participant=view.uri("history/v1/participant", leg.id),
        resource_uri=view.uri("history/v1/media_stream", identity),
        rx_bitrate=figures.bitrate,
        rx_codec=figures.codec,
        rx_fps=figures.fps,
        rx_packet_loss=figures.loss,
        rx_packets_lost=int(figures.packets * figures.loss / 100),
        rx_packets_received=figures.packets,
        rx_resolution=figures.resolution,
        start_time=api_time(call.joined),
        stream_id=str(number),
        stream_type=figures.type,
        tx_bitrate=figures.bitrate,
        tx_codec=figures.codec,
        tx_fps=figures.fps,
        tx_packet_loss=round(figures.loss / 2, 4),
        tx_packets_lost=int(figures.packets * figures.loss / 200),
        tx_packets_sent=figures.packets,
        tx_resolution=figures.resolution,
    )


def stream_id(call: Call, number: int) -> int:
    """The id of a call's media stream."""
    return call.leg.ordinal * STREAMS_PER_LEG + number


def past_stream_numbers(call: Call) -> range:
    """The streams of an ended call; a failed one has none."""
    return range(0) if call.joined is None or call.media is None else status.stream_numbers(call.leg)


def participant_streams(call: Call, view: View) -> list[MediaStreamRow]:
    """The media streams of an ended call."""
    numbers = past_stream_numbers(call)
    quality = call_quality(call) if numbers else 0
    return [participant_stream(call, number, quality, view) for number in numbers]


def backplane_stream(record: Backplane, number: int, view: View) -> BackplaneMediaStreamRow:
    """One media stream of an ended backplane."""
    bits = int(record.id[:8], 16)
    end = record.ended or record.started
    figures = StreamFigures(number, "hd", bits, end - record.started, 1, "WebRTC")
    identity = bits * 2 + number
    return BackplaneMediaStreamRow(
        backplane=view.uri("history/v1/backplane", record.id),
        end_time=api_time(end),
        id=identity,
        node=record.media.installed.address,
        resource_uri=view.uri("history/v1/backplane_media_stream", identity),
        rx_bitrate=figures.bitrate,
        rx_codec=figures.codec,
        rx_fps=figures.fps,
        rx_packet_loss=figures.loss,
        rx_packets_lost=int(figures.packets * figures.loss / 100),
        rx_packets_received=figures.packets,
        rx_resolution=figures.resolution,
        start_time=api_time(record.started),
        stream_id=str(number),
        stream_type=figures.type,
        tx_bitrate=figures.bitrate,
        tx_codec=figures.codec,
        tx_fps=figures.fps,
        tx_packet_loss=round(figures.loss / 2, 4),
        tx_packets_lost=int(figures.packets * figures.loss / 200),
        tx_packets_sent=figures.packets,
        tx_resolution=figures.resolution,
    )


def backplane_streams(record: Backplane, view: View) -> list[BackplaneMediaStreamRow]:
    """The media streams of an ended backplane: audio and video."""
    return [backplane_stream(record, number, view) for number in range(2)]


class ParticipantRow(Row):
    """A call that has ended, or that failed (then without a start)."""

    av_id: str
    bandwidth: int | None
    bucketed_call_quality: list[int]
    call_direction: str
    call_quality: str
    call_tag: str
    call_uuid: str
    conference: ToOne | None
    conference_name: str
    conversation_id: str
    disconnect_reason: str
    display_name: str
    duration: int
    encryption: str
    end_time: Timestamp
    has_media: bool
    historic_call_quality: list[int]
    id: str
    idp_uuid: str
    is_direct: bool
    is_idp_authenticated: bool
    is_streaming: bool
    license_count: int
    license_type: str
    local_alias: str
    media_node: str
    media_streams: list[MediaStreamRow]
    parent_id: str
    presentation_id: str
    protocol: str
    proxy_node: str
    remote_address: str
    remote_alias: str
    remote_port: int
    resource_uri: str
    role: str
    rx_bandwidth: int | None
    service_tag: str
    service_type: str
    signalling_node: str
    start_time: Timestamp | None
    system_location: str
    transcoding_enabled: bool
    tx_bandwidth: int | None
    vendor: str


def participant(call: Call, view: View) -> ParticipantRow:
    """The row of an ended call; its conference is null until that has ended as well."""
    leg = call.leg
    end = call.ended or 0.0
    windows = call.quality_windows(end)
    service_type, role, _ = status.service_and_role(call, end)
    name, alias, vendor = status.caller(leg)
    limit = status.bandwidth(leg)
    failed = call.joined is None
    written = call.conference is not None and call.conference.written
    return ParticipantRow(
        av_id="",
        bandwidth=limit,
        bucketed_call_quality=[windows.count(quality) for quality in range(5)],
        call_direction="out" if leg.outgoing else "in",
        call_quality=QUALITIES[average_quality(windows)],
        call_tag="",
        call_uuid=leg.id,
        conference=view.uri("history/v1/conference", call.conference.id)
        if call.conference and written
        else None,
        conference_name=call.meeting.conference,
        conversation_id=leg.conversation,
        disconnect_reason=call.reason,
        display_name=name,
        duration=0 if call.joined is None else int(end - call.joined),
        encryption="Off" if leg.telephone else "On",
        end_time=api_time(end),
        has_media=leg.has_media,
        historic_call_quality=windows,
        id=leg.id,
        idp_uuid="",
        is_direct=False,
        is_idp_authenticated=False,
        is_streaming=leg.protocol == "RTMP",
        license_count=0 if failed else leg.license_count,
        license_type="port" if leg.license_count and not failed else "nolicense",
        local_alias=call.meeting.alias,
        media_node=call.media.installed.address if call.media else "",
        media_streams=participant_streams(call, view),
        parent_id="",
        presentation_id="",
        protocol=leg.protocol,
        proxy_node="",
        remote_address=status.remote_address(leg),
        remote_alias=alias,
        remote_port=(leg.bits >> 20) % 25_000 + 40_000,
        resource_uri=view.uri("history/v1/participant", leg.id),
        role=role,
        rx_bandwidth=limit,
        service_tag=call.meeting.tag,
        service_type=service_type,
        signalling_node=call.signalling.installed.address if call.signalling else "",
        start_time=None if call.joined is None else api_time(call.joined),
        system_location=call.location,
        transcoding_enabled=True,
        tx_bandwidth=limit,
        vendor=vendor,
    )


class BackplaneRow(Row):
    """A backplane that has ended."""

    conference: ToOne | None
    conference_name: str
    disconnect_reason: str
    duration: int
    end_time: Timestamp
    id: str
    media_node: str
    media_streams: list[BackplaneMediaStreamRow]
    protocol: str
    proxy_node: str
    remote_conference_name: str
    remote_media_node: str
    remote_node_name: str
    resource_uri: str
    service_tag: str
    start_time: Timestamp
    system_location: str
    type: str


def backplane(record: Backplane, view: View) -> BackplaneRow:
    """The row of an ended backplane."""
    end = record.ended or record.started
    whole = record.conference
    return BackplaneRow(
        conference=view.uri("history/v1/conference", whole.id) if whole.written else None,
        conference_name=whole.name,
        disconnect_reason="Call disconnected",
        duration=int(end - record.started),
        end_time=api_time(end),
        id=record.id,
        media_node=record.media.installed.address,
        media_streams=backplane_streams(record, view),
        protocol="INTERNAL",
        proxy_node="",
        remote_conference_name=whole.name,
        remote_media_node=record.remote.installed.address,
        remote_node_name=record.remote.installed.name,
        resource_uri=view.uri("history/v1/backplane", record.id),
        service_tag=whole.tag,
        start_time=api_time(record.started),
        system_location=record.media.installed.location,
        type=record.type,
    )


class AlarmRow(Row):
    """An alarm that has been lowered."""

    details: str
    id: int
    identifier: int
    instance: str
    level: str
    name: str
    node: str
    resource_uri: str
    time_lowered: Timestamp | None
    time_raised: Timestamp


def alarm(record: Alarm, view: View) -> AlarmRow:
    """The row of a lowered alarm."""
    return AlarmRow(
        details=record.details[:250],
        id=record.id,
        identifier=record.identifier,
        instance=record.instance,
        level=record.level,
        name=record.name,
        node=record.node,
        resource_uri=view.uri("history/v1/alarm", record.id),
        time_lowered=None if record.lowered is None else api_time(record.lowered),
        time_raised=api_time(record.raised),
    )


class WorkerVmStatusEventRow(Row):
    """A change of a node's state."""

    context: str
    details: str
    event_type: str
    id: int
    resource_uri: str
    state: str
    time_changed: Timestamp
    workervm_address: str
    workervm_configuration_id: int
    workervm_configuration_location_name: str
    workervm_configuration_name: str


def workervm_status_event(record: NodeEvent, view: View) -> WorkerVmStatusEventRow:
    """The row of a node's change."""
    installed = record.node.installed
    return WorkerVmStatusEventRow(
        context="",
        details=record.details,
        event_type=record.event_type,
        id=record.id,
        resource_uri=view.uri("history/v1/workervm_status_event", record.id),
        state=record.state,
        time_changed=api_time(record.at),
        workervm_address=installed.address,
        workervm_configuration_id=installed.id,
        workervm_configuration_location_name=installed.location,
        workervm_configuration_name=installed.name,
    )


class RegistrationAliasRow(Row):
    """A registration that has ended."""

    alias: str
    end_time: Timestamp
    id: int
    is_natted: bool
    node: str
    protocol: str
    registration_id: str
    remote_address: str
    resource_uri: str
    start_time: Timestamp
    username: str
    vendor: str


def registration_alias(record: Registration, view: View) -> RegistrationAliasRow:
    """The row of an ended registration."""
    live = status.registration_alias(record, view)
    return RegistrationAliasRow(
        alias=live.alias,
        end_time=api_time(record.span.end),
        id=live.id,
        is_natted=live.is_natted,
        node=live.node,
        protocol=live.protocol,
        registration_id=live.registration_id,
        remote_address=live.remote_address,
        resource_uri=view.uri("history/v1/registration_alias", live.id),
        start_time=live.start_time,
        username=live.username,
        vendor=live.vendor,
    )
