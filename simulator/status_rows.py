"""Rows of the status API, drawn from the world at a moment."""

from typing import Final

from simulator import people
from simulator.background import (
    CONNECTORS,
    Alarm,
    Registration,
    boot_time,
    derived,
    last_contact,
    last_pushed,
    mixed,
)
from simulator.capacity import NodeState
from simulator.estate import (
    LICENSE_PORTS,
    LOCATIONS,
    MANAGER_NAME,
    PSTN_ADDRESSES,
    ROOM_COUNT,
    Location,
)
from simulator.plan import Leg
from simulator.rows import QUALITIES, SOFTWARE, Row, Timestamp, View
from simulator.timing import api_time
from simulator.world import Backplane, Call, Conference


class ConferenceRow(Row):
    """A running conference."""

    direct_media_available: bool
    guests_muted: bool
    id: str
    is_locked: bool
    is_started: bool
    name: str
    resource_uri: str
    service_type: str
    start_time: Timestamp
    tag: str


def conference(record: Conference, view: View) -> ConferenceRow:
    """The row of a running conference."""
    bits = int(record.id[:8], 16)
    return ConferenceRow(
        direct_media_available=bits % 40 == 0,
        guests_muted=record.service_type == "lecture",
        id=record.id,
        is_locked=bits % 29 == 0 and record.service_type == "conference",
        is_started=record.is_started,
        name=record.name,
        resource_uri=view.uri("status/v1/conference", record.id),
        service_type=record.service_type,
        start_time=api_time(record.started),
        tag=record.tag,
    )


class ConferenceShardRow(Row):
    """The part of a conference on one node."""

    conference: str
    guests_muted: bool
    id: str
    is_direct: bool
    is_locked: bool
    is_started: bool
    node: str
    resource_uri: str
    service_type: str
    start_time: Timestamp
    system_location: str
    tag: str
    transcoding_enabled: bool


def conference_shards(record: Conference, view: View) -> list[ConferenceShardRow]:
    """One row for each node that handles media of the conference."""
    whole = conference(record, view)
    rows = []
    for node in record.hosting:
        identity = f"{record.id[:-12]}{derived(record.id + node.installed.address) % (1 << 48):012x}"
        rows.append(
            ConferenceShardRow(
                conference=record.name,
                guests_muted=whole.guests_muted,
                id=identity,
                is_direct=False,
                is_locked=whole.is_locked,
                is_started=whole.is_started,
                node=node.installed.address,
                resource_uri=view.uri("status/v1/conference_shard", identity),
                service_type=record.service_type,
                start_time=whole.start_time,
                system_location=node.installed.location,
                tag=record.tag,
                transcoding_enabled=True,
            )
        )
    return rows


class ParticipantRow(Row):
    """A call leg that is connected now."""

    bandwidth: int | None
    call_direction: str
    call_quality: str
    call_tag: str
    call_uuid: str
    conference: str
    connect_time: Timestamp | None
    conversation_id: str
    destination_alias: str
    display_name: str
    encryption: str
    has_media: bool
    id: str
    idp_uuid: str
    is_client_muted: bool
    is_direct: bool
    is_disconnect_supported: bool
    is_idp_authenticated: bool
    is_mute_supported: bool
    is_muted: bool
    is_on_hold: bool
    is_presentation_supported: bool
    is_presenting: bool
    is_recording: bool
    is_streaming: bool
    is_transcribing: bool
    is_transfer_supported: bool
    license_count: int
    license_type: str
    media_node: str
    parent_id: str
    participant_alias: str
    protocol: str
    proxy_node: str
    remote_address: str
    remote_port: int
    resource_uri: str
    role: str
    rx_bandwidth: int | None
    service_tag: str
    service_type: str
    signalling_node: str
    source_alias: str
    system_location: str
    transcoding_enabled: bool
    tx_bandwidth: int | None
    vendor: str


_BANDWIDTHS: Final = {"none": 0, "audio": 64, "sd": 576, "hd": 1728, "fullhd": 3381}


def bandwidth(leg: Leg) -> int | None:
    """The most bandwidth of the call, kbit/s; none for a leg without media."""
    return _BANDWIDTHS[leg.kind] or None


def remote_address(leg: Leg) -> str:
    """Where the call comes from: the telephony trunk, or an address out of documentation ranges and private
    ones."""
    if leg.telephone:
        return PSTN_ADDRESSES[leg.bits & 1]
    third, fourth = leg.bits >> 3 & 0xFF, (leg.bits >> 11) % 254 + 1
    return f"10.{100 + leg.bits % 90}.{third}.{fourth}" if leg.chair else f"198.51.100.{fourth}"


def caller(leg: Leg) -> tuple[str, str, str]:
    """Display name, alias and vendor of whoever is on the leg; the two legs of a person have the same
    name."""
    bits = derived(leg.conversation) >> 96 if leg.protocol == "API" or not leg.has_media else leg.bits >> 4
    if leg.protocol == "WebRTC":
        bits = derived(leg.conversation) >> 96
    agents = people.USER_AGENTS["PSTN" if leg.telephone else leg.protocol]
    agent = agents[(bits >> 5) % len(agents)]
    if leg.telephone:
        number = people.telephone(bits)
        return number, f"sip:{number}@{PSTN_ADDRESSES[leg.bits & 1]}", agent
    if leg.protocol == "RTMP":
        return "Streaming", "rtmps://streaming.vdx.example/live", agent
    return people.person(bits), people.alias_of(bits), agent


def service_and_role(call: Call, now: float) -> tuple[str, str, float]:
    """The service and role that the participant has now, and until when: PIN screen, waiting room,
    conference."""
    service_type = call.meeting.service_type
    pin_until = (call.joined or 0.0) + call.leg.pin_seconds
    if now < pin_until:
        return "ivr", "unknown", pin_until
    if service_type in {"two_stage_dialing", "test_call"}:
        return service_type, "unknown", float("inf")
    if call.waiting:
        return "waiting_room", "guest", float("inf")
    return service_type, "chair" if call.leg.chair or service_type == "gateway" else "guest", float("inf")


def participant(call: Call, view: View) -> tuple[ParticipantRow, float]:
    """The row of a connected call, and until when it stays as it is."""
    leg, media, signalling = call.leg, call.media, call.signalling
    if media is None or signalling is None:
        raise ValueError("the call is not connected")
    now = view.now
    quality, quality_until = call.quality(now)
    service_type, role, service_until = service_and_role(call, now)
    name, alias, vendor = caller(leg)
    limit = bandwidth(leg)
    bits = leg.bits
    row = ParticipantRow(
        bandwidth=limit,
        call_direction="out" if leg.outgoing else "in",
        call_quality=QUALITIES[quality],
        call_tag="",
        call_uuid=leg.id,
        conference=call.meeting.conference,
        connect_time=api_time(call.joined or now),
        conversation_id=leg.conversation,
        destination_alias=alias if leg.outgoing else call.meeting.alias,
        display_name=name,
        encryption="Off" if leg.telephone else "On",
        has_media=leg.has_media,
        id=leg.id,
        idp_uuid="",
        is_client_muted=bits % 5 == 0 and leg.has_media,
        is_direct=False,
        is_disconnect_supported=True,
        is_idp_authenticated=False,
        is_mute_supported=leg.has_media,
        is_muted=call.meeting.service_type == "lecture" and not leg.chair,
        is_on_hold=False,
        is_presentation_supported=leg.kind not in {"audio", "none"},
        is_presenting=leg.chair and bits % 23 == 0,
        is_recording=False,
        is_streaming=leg.protocol == "RTMP",
        is_transcribing=False,
        is_transfer_supported=leg.protocol != "RTMP",
        license_count=leg.license_count,
        license_type="port" if leg.license_count else "nolicense",
        media_node=media.installed.address,
        parent_id="",
        participant_alias=alias,
        protocol=leg.protocol,
        proxy_node="",
        remote_address=remote_address(leg),
        remote_port=(bits >> 20) % 25_000 + 40_000,
        resource_uri=view.uri("status/v1/participant", leg.id),
        role=role,
        rx_bandwidth=limit,
        service_tag=call.meeting.tag,
        service_type=service_type,
        signalling_node=signalling.installed.address,
        source_alias=call.meeting.alias if leg.outgoing else alias,
        system_location=call.location,
        transcoding_enabled=True,
        tx_bandwidth=limit,
        vendor=vendor,
    )
    return row, min(quality_until, service_until)


class MediaStreamRow(Row):
    """A media stream of a call or a backplane that is connected now."""

    end_time: Timestamp | None
    id: str
    node: str
    rx_bitrate: int
    rx_codec: str
    rx_fps: float
    rx_jitter: float
    rx_packet_loss: float
    rx_packets_lost: int
    rx_packets_received: int
    rx_resolution: str
    rx_windowed_packet_loss: float
    start_time: Timestamp
    tx_bitrate: int
    tx_codec: str
    tx_fps: float
    tx_jitter: float
    tx_packet_loss: float
    tx_packets_lost: int
    tx_packets_sent: int
    tx_resolution: str
    tx_windowed_packet_loss: float
    type: str


class StreamFigures:
    """The figures of one media stream over its life, the same live and in history."""

    __slots__ = ("bitrate", "codec", "fps", "loss", "number", "packets", "resolution", "type")

    def __init__(  # noqa: PLR0917
        self, number: int, kind: str, bits: int, seconds: float, quality: int, protocol: str
    ) -> None:
        audio = number == 0
        self.number = number
        self.type = "audio" if audio else "video" if number == 1 else "presentation"
        wobble = 0.8 + (bits >> 7 & 63) / 160
        self.bitrate = int((48 if audio else _BANDWIDTHS[kind] * 0.7) * wobble)
        video = "VP8" if protocol in {"WebRTC", "GMS/GHM"} else "X-H264UC" if protocol == "MSSIP" else "H264"
        sound = {"WebRTC": "opus", "SIP": "MP4A-LATM_128", "H323": "G722", "TEAMS": "SILK", "MSSIP": "SIREN"}
        self.codec = sound.get(protocol, "opus") if audio else video
        if audio and kind == "audio" and protocol == "SIP":
            self.codec = "PCMA"
        self.fps = 0.0 if audio else 5.0 if number == 2 else (25.0, 30.0)[bits & 1]
        self.resolution = "" if audio else {"sd": "640x360", "fullhd": "1920x1080"}.get(kind, "1280x720")
        # Midway in each class of loss: under 1 % good, 3 % ok, 10 % bad, above that terrible.
        self.loss = round((0.1, 0.2, 1.9, 6.0, 14.0)[quality] * (0.6 + (bits >> 3 & 31) / 60), 4)
        self.packets = int(seconds * (50 if audio else 40 + self.bitrate / 12))


def stream_numbers(leg: Leg) -> range:
    """Streams of a call: audio, with video, and presentation for some."""
    if not leg.has_media:
        return range(0)
    return range(1) if leg.kind == "audio" else range(3 if leg.bits % 9 == 0 else 2)


def _stream(figures: StreamFigures, node: NodeState, started: float, bits: int) -> MediaStreamRow:
    jitter = round(1 + (bits >> 5 & 31) / 8 + figures.loss, 2)
    return MediaStreamRow(
        end_time=None,
        id=str(figures.number),
        node=node.installed.address,
        rx_bitrate=figures.bitrate,
        rx_codec=figures.codec,
        rx_fps=figures.fps,
        rx_jitter=jitter,
        rx_packet_loss=figures.loss,
        rx_packets_lost=int(figures.packets * figures.loss / 100),
        rx_packets_received=figures.packets,
        rx_resolution=figures.resolution,
        rx_windowed_packet_loss=figures.loss,
        start_time=api_time(started),
        tx_bitrate=figures.bitrate,
        tx_codec=figures.codec,
        tx_fps=figures.fps,
        tx_jitter=jitter,
        tx_packet_loss=round(figures.loss / 2, 4),
        tx_packets_lost=int(figures.packets * figures.loss / 200),
        tx_packets_sent=figures.packets,
        tx_resolution=figures.resolution,
        tx_windowed_packet_loss=round(figures.loss / 2, 4),
        type=figures.type,
    )


def participant_streams(call: Call, view: View) -> list[MediaStreamRow]:
    """The media streams of a connected call."""
    leg, media, joined = call.leg, call.media, call.joined
    if media is None or joined is None:
        raise ValueError("the call is not connected")
    quality, _ = call.quality(view.now)
    return [
        _stream(
            StreamFigures(number, leg.kind, leg.bits, view.now - joined, quality, leg.protocol),
            media,
            joined,
            leg.bits,
        )
        for number in stream_numbers(leg)
    ]


class BackplaneRow(Row):
    """A connection between two nodes of a conference."""

    conference: str
    connect_time: Timestamp
    id: str
    media_node: str
    protocol: str
    proxy_node: str
    remote_conference_name: str
    remote_media_node: str
    remote_node_name: str
    resource_uri: str
    service_tag: str
    system_location: str
    type: str


def backplane(record: Backplane, view: View) -> BackplaneRow:
    """The row of a backplane."""
    return BackplaneRow(
        conference=record.conference.name,
        connect_time=api_time(record.started),
        id=record.id,
        media_node=record.media.installed.address,
        protocol="INTERNAL",
        proxy_node="",
        remote_conference_name=record.conference.name,
        remote_media_node=record.remote.installed.address,
        remote_node_name=record.remote.installed.name,
        resource_uri=view.uri("status/v1/backplane", record.id),
        service_tag=record.conference.tag,
        system_location=record.media.installed.location,
        type=record.type,
    )


def backplane_streams(record: Backplane, view: View) -> list[MediaStreamRow]:
    """The media streams of a backplane: audio and video between the two nodes."""
    bits = int(record.id[:8], 16)
    seconds = view.now - record.started
    return [
        _stream(StreamFigures(number, "hd", bits, seconds, 1, "WebRTC"), record.media, record.started, bits)
        for number in range(2)
    ]


class WorkerVmRow(Row):
    """A Conferencing Node; it has no address here, that is in the configuration."""

    boot_time: Timestamp
    configuration_id: int
    cpu_capabilities: str
    cpu_count: int
    cpu_model: str
    deploy_error: str
    deploy_progress: int
    deploy_status: str
    hypervisor: str
    id: int
    last_attempted_contact: Timestamp | None
    last_reported: Timestamp | None
    last_updated: Timestamp | None
    maintenance_mode: bool
    maintenance_mode_reason: str
    max_audio_calls: int
    max_direct_participants: int
    max_full_hd_calls: int
    max_hd_calls: int
    max_media_tokens: int
    max_sd_calls: int
    media_load: int
    media_tokens_used: int
    name: str
    node_type: str
    resource_uri: str
    signaling_count: int
    sync_status: str
    system_location: str
    total_ram: int
    upgrade_status: str
    version: str


def media_load(node: NodeState) -> int:
    """Per cent of the node's media tokens in use; a node in maintenance reports 100."""
    return 100 if node.maintenance else min(100, round(100 * node.tokens_used / node.max_tokens))


def worker_vm(node: NodeState, view: View) -> WorkerVmRow:
    """The row of a node. A lost node is still tried by the manager, but gets no configuration."""
    installed, now = node.installed, view.now
    contact = last_contact(installed.id, now)
    seen = now if node.lost_since is None else node.lost_since
    return WorkerVmRow(
        boot_time=api_time(node.restored or boot_time(installed.id, now)),
        configuration_id=installed.id,
        cpu_capabilities="AVX512",
        cpu_count=installed.cpu_count,
        cpu_model="Intel(R) Xeon(R) Gold 6248 CPU @ 2.50GHz",
        deploy_error="",
        deploy_progress=100,
        deploy_status="deploy_succeeded",
        hypervisor="VMware",
        id=installed.id,
        last_attempted_contact=api_time(contact),
        last_reported=api_time(last_contact(installed.id, seen)),
        last_updated=api_time(last_pushed(installed.id, seen)),
        maintenance_mode=bool(node.maintenance),
        maintenance_mode_reason=node.maintenance,
        max_audio_calls=node.max_calls("audio"),
        max_direct_participants=node.max_calls("hd") * 10,
        max_full_hd_calls=node.max_calls("fullhd"),
        max_hd_calls=node.max_calls("hd"),
        max_media_tokens=node.max_tokens,
        max_sd_calls=node.max_calls("sd"),
        media_load=media_load(node),
        media_tokens_used=node.tokens_used,
        name=installed.name,
        node_type="CONFERENCING",
        resource_uri=view.uri("status/v1/worker_vm", installed.id),
        signaling_count=node.signalled,
        sync_status="SYNCED" if node.lost_since is None else "NOT_SYNCED",
        system_location=installed.location,
        total_ram=installed.cpu_count * 1024 * 1024,
        upgrade_status="IDLE",
        version=SOFTWARE[view.version],
    )


class StatisticsRow(Row):
    """The statistics of a node or a location: one figure."""

    media_load: float


def worker_vm_statistics(node: NodeState, view: View) -> list[StatisticsRow]:  # noqa: ARG001
    """The media load of a node, per cent."""
    exact = 100.0 if node.maintenance else min(100.0, 100 * node.tokens_used / node.max_tokens)
    return [StatisticsRow(media_load=round(exact, 2))]


class SystemLocationRow(Row):
    """A system location: the sums of its nodes that answer."""

    id: int
    max_audio_calls: int
    max_connections: str
    max_full_hd_calls: int
    max_hd_calls: int
    max_media_tokens: int
    max_sd_calls: int
    media_load: float
    media_tokens_used: int
    name: str
    resource_uri: str


def system_location(location: Location, view: View) -> SystemLocationRow:
    """The row of a location."""
    nodes = [node for node in view.world.placement.by_location[location.name] if node.lost_since is None]
    loads = [media_load(node) for node in nodes]
    return SystemLocationRow(
        id=location.id,
        max_audio_calls=sum(node.max_calls("audio") for node in nodes),
        max_connections=f"CONFERENCING: {len(nodes)}",
        max_full_hd_calls=sum(node.max_calls("fullhd") for node in nodes),
        max_hd_calls=sum(node.max_calls("hd") for node in nodes),
        max_media_tokens=sum(node.max_tokens for node in nodes),
        max_sd_calls=sum(node.max_calls("sd") for node in nodes),
        media_load=round(sum(loads) / len(loads), 2) if loads else 0.0,
        media_tokens_used=sum(node.tokens_used for node in nodes),
        name=location.name,
        resource_uri=view.uri("status/v1/system_location", location.id),
    )


def system_location_statistics(location: Location, view: View) -> list[StatisticsRow]:
    """The media load of a location, per cent."""
    return [StatisticsRow(media_load=system_location(location, view).media_load)]


class ManagementVmRow(Row):
    """The Management Node."""

    configuration_id: int
    id: int
    last_attempted_contact: Timestamp | None
    last_updated: Timestamp | None
    name: str
    primary: bool
    resource_uri: str
    sync_status: str
    upgrade_status: str
    version: str


def management_vm(view: View) -> ManagementVmRow:
    """The row of the Management Node."""
    return ManagementVmRow(
        configuration_id=1,
        id=1,
        last_attempted_contact=api_time(last_contact(1, view.now)),
        last_updated=api_time(last_pushed(1, view.now)),
        name=MANAGER_NAME,
        primary=True,
        resource_uri=view.uri("status/v1/management_vm", 1),
        sync_status="SYNCED",
        upgrade_status="IDLE",
        version=SOFTWARE[view.version],
    )


class LicensingRow(Row):
    """Pexip's own count of licences; the only row of its resource, without id or address."""

    audio_count: int
    audio_total: int
    customlayouts_active: bool
    ghm_count: int
    ghm_total: int
    googletrustedjoin_active: bool
    otj_count: int
    otj_total: int
    port_count: int
    port_total: int
    scheduling_count: int
    scheduling_total: int
    system_count: int
    system_total: int
    teams_count: int
    teams_total: int
    telehealth_count: int
    telehealth_total: int
    vmr_count: int
    vmr_total: int
    zoomtrustedjoin_active: bool


UNLIMITED: Final = 2_147_483_646
"""A licence record without limit."""


def licensing(view: View) -> LicensingRow:
    """The licences in use. Teams and Meet count their outbound legs; rooms are unlimited."""
    protocols = [call.leg.protocol for call in view.world.calls.values()]
    scale = view.world.scale
    return LicensingRow(
        audio_count=0,
        audio_total=0,
        customlayouts_active=True,
        ghm_count=protocols.count("GMS/GHM"),
        ghm_total=int(100 * scale),
        googletrustedjoin_active=False,
        otj_count=0,
        otj_total=0,
        port_count=view.world.license_ports,
        port_total=int(LICENSE_PORTS * scale),
        scheduling_count=0,
        scheduling_total=0,
        system_count=0,
        system_total=1,
        teams_count=protocols.count("TEAMS"),
        teams_total=int(200 * scale),
        telehealth_count=0,
        telehealth_total=0,
        vmr_count=ROOM_COUNT - 2,
        vmr_total=UNLIMITED,
        zoomtrustedjoin_active=False,
    )


class AlarmRow(Row):
    """An alarm that is raised."""

    acknowledged: bool
    details: str
    id: int
    identifier: int
    instance: str
    level: str
    name: str
    node: str
    resource_uri: str
    time_raised: Timestamp


def alarm(record: Alarm, view: View) -> AlarmRow:
    """The row of a raised alarm."""
    return AlarmRow(
        acknowledged=False,
        details=record.details,
        id=record.id,
        identifier=record.identifier,
        instance=record.instance,
        level=record.level,
        name=record.name,
        node=record.node,
        resource_uri=view.uri("status/v1/alarm", record.id),
        time_raised=api_time(record.raised),
    )


class RegistrationAliasRow(Row):
    """A registered device."""

    alias: str
    id: int
    is_natted: bool
    node: str
    protocol: str
    push_token: str
    registration_id: str
    remote_address: str
    resource_uri: str
    start_time: Timestamp
    username: str
    vendor: str


def registration_alias(record: Registration, view: View) -> RegistrationAliasRow:
    """The row of a registration."""
    bits = record.bits
    protocol = "H323" if bits % 5 == 0 else "SIP"
    agents = people.USER_AGENTS[protocol]
    identity = f"{mixed(bits, record.span.number):08x}-0000-4000-a000-{record.device:012x}"
    return RegistrationAliasRow(
        alias=f"enhed{record.device:04}@{record.organisation}.vdx.example",
        id=record.id,
        is_natted=bits % 7 == 0,
        node=view.world.placement.signalling(record.location, bits).installed.address,
        protocol=protocol,
        push_token="",
        registration_id=identity,
        remote_address=f"10.{100 + bits % 90}.{bits >> 7 & 255}.{(bits >> 15) % 254 + 1}",
        resource_uri=view.uri("status/v1/registration_alias", record.id),
        start_time=api_time(record.span.start),
        username=f"enhed{record.device:04}",
        vendor=agents[bits % len(agents)],
    )


class TeamsNodeRow(Row):
    """An instance of the Teams Connector."""

    call_count: int
    eventhub_id: str
    heartbeat_time: Timestamp
    id: str
    instance_status: str
    ip_address: str
    max_calls: int
    media_load: int
    name: str
    private_ip_address: str
    resource_uri: str
    scaleset_id: str
    start_time: Timestamp
    state: str


CALLS_PER_CONNECTOR: Final = 16


def teamsnodes(view: View) -> list[TeamsNodeRow]:
    """The Teams Connector: at least two instances, as many as the Teams calls need at 15 calls each."""
    calls = sum(1 for call in view.world.calls.values() if call.leg.protocol == "TEAMS")
    count = max(CONNECTORS, -(-calls // (CALLS_PER_CONNECTOR - 1)))
    rows = []
    for number in range(count):
        bits = derived(f"connector {number}")
        identity = f"{bits >> 96:08x}-0000-4000-a000-{number:012x}"
        share = calls // count + (number < calls % count)
        rows.append(
            TeamsNodeRow(
                call_count=share,
                eventhub_id=f"eventhub-{number}",
                heartbeat_time=api_time(view.now // 15 * 15),
                id=identity,
                instance_status="Active",
                ip_address=f"203.0.113.{10 + number % 200}",
                max_calls=CALLS_PER_CONNECTOR,
                media_load=round(100 * share / CALLS_PER_CONNECTOR),
                name=f"vdx-teams-{number + 1:02}",
                private_ip_address=f"10.250.0.{10 + number % 200}",
                resource_uri=view.uri("status/v1/teamsnode", identity),
                scaleset_id="vdx-teams",
                start_time=api_time(boot_time(1000 + number, view.now)),
                state="active",
            )
        )
    return rows


LOCATION_ROWS: Final = {str(location.id): location for location in LOCATIONS}
