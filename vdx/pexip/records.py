"""The Management Node's records, typed.

Field names and types are those of the platform's own schema pages (`/admin/platform/schema/`).
Every field but the key has a default, so that a record of an older or newer version decodes:
unknown keys are ignored, missing ones take the default. Values of an enumeration stay plain
strings, so that one that is not known yet passes through. Times are UTC; the platform sends
them without a zone, and `Record` adds it.

Fields that may name a person and that no figure needs (`display_name`, `idp_uuid`, `vendor`, which holds
names of devices) are not decoded.
"""

from datetime import UTC, datetime
from typing import ClassVar

import msgspec
from msgspec.structs import force_setattr


class Record(msgspec.Struct, frozen=True, gc=False):
    """A row of a resource. Its `times` are UTC, whatever zone they came with.

    Old versions send the text "None" where an address is missing; in `addresses` it becomes "".
    """

    times: ClassVar[tuple[str, ...]] = ()
    addresses: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        for name in self.times:
            time = getattr(self, name)
            if time is not None and time.tzinfo is not UTC:
                force_setattr(self, name, _utc(time) if time.tzinfo else time.replace(tzinfo=UTC))
        for name in self.addresses:
            if getattr(self, name) == "None":
                force_setattr(self, name, "")


def _utc(time: datetime) -> datetime:
    try:
        return time.astimezone(UTC)
    except OverflowError:
        raise ValueError("the time lies outside the calendar") from None


class Conference(Record, frozen=True, gc=False):
    """status/conference: one running instance of a service, over all its nodes."""

    times: ClassVar[tuple[str, ...]] = ("start_time",)

    id: str
    name: str = ""
    service_type: str = ""
    start_time: datetime | None = None
    is_locked: bool = False
    is_started: bool = False
    guests_muted: bool = False
    direct_media_available: bool = False
    tag: str = ""


class ConferenceShard(Record, frozen=True, gc=False):
    """status/conference_shard: the part of a conference that one node (`node`, its address) hosts."""

    times: ClassVar[tuple[str, ...]] = ("start_time",)

    id: str
    conference: str = ""
    node: str = ""
    system_location: str = ""
    service_type: str = ""
    start_time: datetime | None = None
    is_started: bool = False
    is_locked: bool = False
    is_direct: bool = False
    transcoding_enabled: bool = False
    tag: str = ""


class Participant(Record, frozen=True, gc=False):
    """status/participant: one call leg. Nodes are addresses, bandwidths kbit/s.

    `license_count` is the number of licences of `license_type` that the leg holds.
    """

    times: ClassVar[tuple[str, ...]] = ("connect_time",)
    addresses: ClassVar[tuple[str, ...]] = ("proxy_node",)

    id: str
    conference: str = ""
    service_type: str = ""
    service_tag: str = ""
    system_location: str = ""
    protocol: str = ""
    call_direction: str = ""
    call_quality: str = "0_unknown"
    call_uuid: str = ""
    conversation_id: str = ""
    role: str = ""
    encryption: str = ""
    connect_time: datetime | None = None
    license_count: int = 0
    license_type: str = ""
    media_node: str = ""
    signalling_node: str = ""
    proxy_node: str = ""
    source_alias: str = ""
    destination_alias: str = ""
    participant_alias: str = ""
    remote_address: str = ""
    bandwidth: int | None = None
    rx_bandwidth: int | None = None
    tx_bandwidth: int | None = None
    has_media: bool = False
    is_direct: bool = False
    is_on_hold: bool = False
    is_presenting: bool = False
    is_recording: bool = False
    is_streaming: bool = False
    transcoding_enabled: bool = False


class MediaStream(Record, frozen=True, gc=False):
    """status/participant/<id>/media_stream: bitrates kbit/s, jitter ms, losses percent."""

    times: ClassVar[tuple[str, ...]] = ("start_time", "end_time")

    id: str
    type: str = ""
    node: str = ""
    start_time: datetime | None = None
    end_time: datetime | None = None
    rx_bitrate: int = 0
    tx_bitrate: int = 0
    rx_codec: str = ""
    tx_codec: str = ""
    rx_fps: float = 0.0
    tx_fps: float = 0.0
    rx_jitter: float = 0.0
    tx_jitter: float = 0.0
    rx_packet_loss: float = 0.0
    tx_packet_loss: float = 0.0
    rx_windowed_packet_loss: float = 0.0
    tx_windowed_packet_loss: float = 0.0
    rx_packets_received: int = 0
    tx_packets_sent: int = 0
    rx_packets_lost: int = 0
    tx_packets_lost: int = 0
    rx_resolution: str = ""
    tx_resolution: str = ""


class Backplane(Record, frozen=True, gc=False):
    """status/backplane: the media link of one conference between two nodes (addresses)."""

    times: ClassVar[tuple[str, ...]] = ("connect_time",)
    addresses: ClassVar[tuple[str, ...]] = ("proxy_node",)

    id: str
    conference: str = ""
    type: str = ""
    protocol: str = ""
    media_node: str = ""
    remote_media_node: str = ""
    proxy_node: str = ""
    remote_node_name: str = ""
    remote_conference_name: str = ""
    system_location: str = ""
    service_tag: str = ""
    connect_time: datetime | None = None


class SystemLocation(Record, frozen=True, gc=False):
    """status/system_location: `media_load` is the average percent over the location's nodes."""

    id: int
    name: str = ""
    media_load: float = 0.0
    max_audio_calls: int = 0
    max_sd_calls: int = 0
    max_hd_calls: int = 0
    max_full_hd_calls: int = 0
    max_media_tokens: int = 0
    media_tokens_used: int = 0


class WorkerVM(Record, frozen=True, gc=False):
    """status/worker_vm: a Conferencing Node. `media_load` percent, `total_ram` KB.

    It has no address of its own: `configuration_id` leads to configuration/worker_vm.
    `last_reported` exists on older versions only.
    """

    times: ClassVar[tuple[str, ...]] = (
        "boot_time",
        "last_attempted_contact",
        "last_updated",
        "last_reported",
    )

    id: int
    configuration_id: int = 0
    name: str = ""
    node_type: str = ""
    system_location: str = ""
    version: str = ""
    boot_time: datetime | None = None
    last_attempted_contact: datetime | None = None
    last_updated: datetime | None = None
    last_reported: datetime | None = None
    sync_status: str = ""
    deploy_status: str = ""
    upgrade_status: str = ""
    maintenance_mode: bool = False
    maintenance_mode_reason: str = ""
    cpu_count: int = 0
    cpu_model: str = ""
    cpu_capabilities: str = ""
    hypervisor: str = ""
    total_ram: int = 0
    media_load: int = 0
    media_tokens_used: int = 0
    max_media_tokens: int = 0
    max_audio_calls: int = 0
    max_sd_calls: int = 0
    max_hd_calls: int = 0
    max_full_hd_calls: int = 0
    max_direct_participants: int = 0
    signaling_count: int = 0


class ManagementVM(Record, frozen=True, gc=False):
    """status/management_vm: a Management Node."""

    times: ClassVar[tuple[str, ...]] = ("last_attempted_contact", "last_updated")

    id: int
    configuration_id: int = 0
    name: str = ""
    primary: bool = False
    version: str = ""
    sync_status: str = ""
    upgrade_status: str = ""
    last_attempted_contact: datetime | None = None
    last_updated: datetime | None = None


class Licensing(Record, frozen=True, gc=False):
    """status/licensing: the platform's own licence counts; a list of exactly one record, without an id.

    A count that is null, or that the version does not have, is None: none in use would be another thing.
    """

    port_count: int | None = None
    port_total: int | None = None
    audio_count: int | None = None
    audio_total: int | None = None
    vmr_count: int | None = None
    vmr_total: int | None = None
    teams_count: int | None = None
    teams_total: int | None = None
    ghm_count: int | None = None
    ghm_total: int | None = None
    otj_count: int | None = None
    otj_total: int | None = None
    scheduling_count: int | None = None
    scheduling_total: int | None = None
    system_count: int | None = None
    system_total: int | None = None
    telehealth_count: int | None = None
    telehealth_total: int | None = None
    customlayouts_active: bool = False
    googletrustedjoin_active: bool = False
    zoomtrustedjoin_active: bool = False


class Alarm(Record, frozen=True, gc=False):
    """status/alarm: an alarm that is raised; it disappears when lowered. `node` is an address."""

    times: ClassVar[tuple[str, ...]] = ("time_raised",)

    id: int
    identifier: int = 0
    name: str = ""
    level: str = ""
    details: str = ""
    instance: str = ""
    node: str = ""
    time_raised: datetime | None = None
    acknowledged: bool = False


class RegistrationAlias(Record, frozen=True, gc=False):
    """status/registration_alias: a device that is registered at a node (`node`, an address)."""

    times: ClassVar[tuple[str, ...]] = ("start_time",)

    id: int
    registration_id: str = ""
    node: str = ""
    protocol: str = ""
    is_natted: bool = False
    start_time: datetime | None = None


class TeamsNode(Record, frozen=True, gc=False):
    """status/teamsnode: a Teams Connector instance; it handles at most `max_calls` calls."""

    times: ClassVar[tuple[str, ...]] = ("heartbeat_time", "start_time")

    id: str
    name: str = ""
    ip_address: str = ""
    private_ip_address: str = ""
    scaleset_id: str = ""
    instance_status: str = ""
    state: str = ""
    call_count: int = 0
    max_calls: int = 0
    media_load: int = 0
    heartbeat_time: datetime | None = None
    start_time: datetime | None = None


class SystemLocationConfiguration(Record, frozen=True, gc=False):
    """configuration/system_location; related records are URIs."""

    id: int
    name: str = ""
    description: str = ""
    overflow_location1: str | None = None
    overflow_location2: str | None = None
    transcoding_location: str | None = None
    mtu: int = 1500
    dns_servers: tuple[str, ...] = ()
    ntp_servers: tuple[str, ...] = ()
    syslog_servers: tuple[str, ...] = ()
    event_sinks: tuple[str, ...] = ()


class WorkerVMConfiguration(Record, frozen=True, gc=False):
    """configuration/worker_vm: where a node's addresses are. Secrets of the record are not decoded."""

    id: int
    name: str = ""
    hostname: str = ""
    domain: str = ""
    address: str = ""
    secondary_address: str | None = None
    static_nat_address: str | None = None
    ipv6_address: str | None = None
    system_location: str | None = None
    node_type: str = ""
    maintenance_mode: bool = False
    maintenance_mode_reason: str = ""
    media_priority_weight: int | None = None
    deployment_type: str = ""
    enable_ssh: str = ""
    snmp_mode: str = ""
    vm_cpu_count: int = 0
    vm_system_memory: int = 0
    description: str = ""


class ManagementVMConfiguration(Record, frozen=True, gc=False):
    """configuration/management_vm. Secrets of the record are not decoded."""

    id: int
    name: str = ""
    hostname: str = ""
    domain: str = ""
    address: str = ""
    static_nat_address: str | None = None
    primary: bool = False
    mtu: int = 1500
    snmp_mode: str = ""
    dns_servers: tuple[str, ...] = ()
    ntp_servers: tuple[str, ...] = ()
    syslog_servers: tuple[str, ...] = ()
    event_sinks: tuple[str, ...] = ()


class LicenceConfiguration(Record, frozen=True, gc=False):
    """configuration/licence: an entitlement. `expiration_date` is `permanent` or dd-Mon-yyyy;
    2147483646 in a count means unlimited."""

    fulfillment_id: str | int
    entitlement_id: str = ""
    fulfillment_type: str = ""
    product_id: str = ""
    license_type: str = ""
    features: str = ""
    status: str | int = ""
    concurrent: int = 0
    concurrent_overdraft: int = 0
    activatable: int = 0
    activatable_overdraft: int = 0
    hybrid: int = 0
    hybrid_overdraft: int = 0
    start_date: str = ""
    expiration_date: str = ""


class EventSinkConfiguration(Record, frozen=True, gc=False):
    """configuration/event_sink; its user name and password are not decoded."""

    times: ClassVar[tuple[str, ...]] = ("restart_date", "updated_at")

    id: int
    name: str = ""
    description: str = ""
    url: str = ""
    verify_tls_certificate: bool = False
    version: int = 1
    bulk_support: bool = False
    restart_date: datetime | None = None
    updated_at: datetime | None = None
