"""Rows of the configuration API. What the estate does not decide has Pexip's default."""

from typing import Final

import msgspec

from simulator.capacity import NodeState
from simulator.estate import (
    DOMAIN,
    LICENSE_PORTS,
    LOCATIONS,
    MANAGER_ADDRESS,
    MANAGER_NAME,
    Location,
    Room,
)
from simulator.rows import Row, Timestamp, ToMany, ToOne, View
from simulator.status_rows import UNLIMITED
from simulator.timing import api_time

_CREATED: Final = 1_592_467_200.0  # 2020-06-18, the year in which the platform was taken into use
_SITES: Final = {location.name: location.id for location in LOCATIONS}


class SystemLocationRow(Row):
    """A system location as configured."""

    bdpm_pin_checks_enabled: str
    bdpm_scan_quarantine_enabled: str
    client_stun_servers: ToMany
    client_turn_servers: ToMany
    description: str
    dns_servers: ToMany
    event_sinks: ToMany
    h323_gatekeeper: ToOne | None
    http_proxy: ToOne | None
    id: int
    live_captions_dial_out_1: ToOne | None
    live_captions_dial_out_2: ToOne | None
    live_captions_dial_out_3: ToOne | None
    local_mssip_domain: str
    media_qos: int
    mssip_proxy: ToOne | None
    mtu: int
    name: str
    ntp_servers: ToMany
    overflow_location1: ToOne | None
    overflow_location2: ToOne | None
    policy_server: ToOne | None
    resource_uri: str
    signalling_qos: int
    sip_proxy: ToOne | None
    snmp_network_management_system: ToOne | None
    stun_server: ToOne | None
    syslog_servers: ToMany
    teams_proxy: ToOne | None
    transcoding_location: ToOne | None
    turn_server: ToOne | None
    use_relay_candidates_only: bool


def system_location(location: Location, view: View) -> SystemLocationRow:
    """The configuration of a location."""
    overflow = [view.uri("configuration/v1/system_location", _SITES[name]) for name in location.overflow]
    return SystemLocationRow(
        bdpm_pin_checks_enabled="GLOBAL",
        bdpm_scan_quarantine_enabled="GLOBAL",
        client_stun_servers=[],
        client_turn_servers=[],
        description="Central" if location.central else "Decentral",
        dns_servers=[view.uri("configuration/v1/dns_server", 1)],
        event_sinks=[],
        h323_gatekeeper=None,
        http_proxy=None,
        id=location.id,
        live_captions_dial_out_1=None,
        live_captions_dial_out_2=None,
        live_captions_dial_out_3=None,
        local_mssip_domain="",
        media_qos=46,
        mssip_proxy=None,
        mtu=1500,
        name=location.name,
        ntp_servers=[view.uri("configuration/v1/ntp_server", 1)],
        overflow_location1=overflow[0] if overflow else None,
        overflow_location2=overflow[1] if len(overflow) > 1 else None,
        policy_server=None,
        resource_uri=view.uri("configuration/v1/system_location", location.id),
        signalling_qos=24,
        sip_proxy=None,
        snmp_network_management_system=view.uri("configuration/v1/snmp_network_management_system", 1),
        stun_server=None,
        syslog_servers=[view.uri("configuration/v1/syslog_server", 1)],
        teams_proxy=None,
        transcoding_location=None,
        turn_server=None,
        use_relay_candidates_only=False,
    )


class WorkerVmRow(Row):
    """A Conferencing Node as configured; here is its address."""

    address: str
    alternative_fqdn: str
    cloud_bursting: bool
    deployment_type: str
    description: str
    domain: str
    enable_distributed_database: bool
    enable_ssh: str
    gateway: str
    hostname: str
    id: int
    ipv6_address: str | None
    ipv6_gateway: str | None
    maintenance_mode: bool
    maintenance_mode_reason: str
    managed: bool
    media_priority_weight: int
    name: str
    netmask: str
    node_type: str
    password: str
    resource_uri: str
    secondary_address: str | None
    secondary_netmask: str | None
    service_manager: bool
    service_policy: bool
    signalling: bool
    snmp_authentication_password: str
    snmp_community: str
    snmp_mode: str
    snmp_privacy_password: str
    snmp_system_contact: str
    snmp_system_location: str
    snmp_username: str
    ssh_authorized_keys: ToMany
    ssh_authorized_keys_use_cloud: bool
    static_nat_address: str | None
    static_routes: ToMany
    system_location: ToOne
    tls_certificate: ToOne | None
    tls_client_certificate: ToOne | None
    transcoding: bool
    vm_cpu_count: int
    vm_system_memory: int


def worker_vm(node: NodeState, view: View) -> WorkerVmRow:
    """The configuration of a node."""
    installed = node.installed
    network = installed.address.rpartition(".")[0]
    return WorkerVmRow(
        address=installed.address,
        alternative_fqdn="",
        cloud_bursting=False,
        deployment_type="MANUAL-PROVISION-ONLY",
        description=f"On {installed.hypervisor_host}",
        domain=DOMAIN,
        enable_distributed_database=True,
        enable_ssh="GLOBAL",
        gateway=f"{network}.1",
        hostname=installed.name,
        id=installed.id,
        ipv6_address=None,
        ipv6_gateway=None,
        maintenance_mode=bool(node.maintenance),
        maintenance_mode_reason=node.maintenance,
        managed=False,
        media_priority_weight=0,
        name=installed.name,
        netmask="255.255.255.0",
        node_type="CONFERENCING",
        password="",
        resource_uri=view.uri("configuration/v1/worker_vm", installed.id),
        secondary_address=None,
        secondary_netmask=None,
        service_manager=True,
        service_policy=True,
        signalling=True,
        snmp_authentication_password="",
        snmp_community="public",
        snmp_mode="STANDARD",
        snmp_privacy_password="",
        snmp_system_contact="drift@vdx.example",
        snmp_system_location=installed.location,
        snmp_username="",
        ssh_authorized_keys=[],
        ssh_authorized_keys_use_cloud=True,
        static_nat_address=None,
        static_routes=[],
        system_location=view.uri("configuration/v1/system_location", _SITES[installed.location]),
        tls_certificate=view.uri("configuration/v1/tls_certificate", 1),
        tls_client_certificate=None,
        transcoding=True,
        vm_cpu_count=installed.cpu_count,
        vm_system_memory=40960,
    )


class ManagementVmRow(Row):
    """The Management Node as configured."""

    address: str
    alternative_fqdn: str
    description: str
    dns_servers: ToMany
    domain: str
    enable_ssh: str
    event_sinks: ToMany
    gateway: str
    hostname: str
    http_proxy: ToOne | None
    id: int
    initializing: bool
    mtu: int
    name: str
    netmask: str
    ntp_servers: ToMany
    primary: bool
    resource_uri: str
    snmp_authentication_password: str
    snmp_community: str
    snmp_mode: str
    snmp_network_management_system: ToOne | None
    snmp_privacy_password: str
    snmp_system_contact: str
    snmp_system_location: str
    snmp_username: str
    static_nat_address: str | None
    static_routes: ToMany
    syslog_servers: ToMany
    tls_certificate: ToOne | None


def management_vm(view: View) -> ManagementVmRow:
    """The configuration of the Management Node."""
    return ManagementVmRow(
        address=MANAGER_ADDRESS,
        alternative_fqdn=f"{MANAGER_NAME}.{DOMAIN}",
        description="",
        dns_servers=[view.uri("configuration/v1/dns_server", 1)],
        domain=DOMAIN,
        enable_ssh="GLOBAL",
        event_sinks=[],
        gateway="10.200.0.1",
        hostname=MANAGER_NAME,
        http_proxy=None,
        id=1,
        initializing=False,
        mtu=1500,
        name=MANAGER_NAME,
        netmask="255.255.255.0",
        ntp_servers=[view.uri("configuration/v1/ntp_server", 1)],
        primary=True,
        resource_uri=view.uri("configuration/v1/management_vm", 1),
        snmp_authentication_password="",
        snmp_community="public",
        snmp_mode="STANDARD",
        snmp_network_management_system=view.uri("configuration/v1/snmp_network_management_system", 1),
        snmp_privacy_password="",
        snmp_system_contact="drift@vdx.example",
        snmp_system_location="Central Vest",
        snmp_username="",
        static_nat_address=None,
        static_routes=[],
        syslog_servers=[view.uri("configuration/v1/syslog_server", 1)],
        tls_certificate=view.uri("configuration/v1/tls_certificate", 1),
    )


class LicenceRow(Row):
    """A licence record; its key is the fulfilment id."""

    activatable: int
    activatable_overdraft: int
    concurrent: int
    concurrent_overdraft: int
    entitlement_id: str
    expiration_date: str
    features: str
    fulfillment_id: str
    fulfillment_type: str
    hybrid: int
    hybrid_overdraft: int
    license_type: str
    offline_mode: bool
    product_id: str
    repair: int
    resource_uri: str
    server_chain: str
    start_date: str
    status: str
    trust_flags: int
    vendor_dictionary: str


def licences(view: View) -> list[LicenceRow]:
    """The licences of VDX: ports without a wall, and rooms without limit."""
    counts = (("port", int(LICENSE_PORTS * view.world.scale)), ("vmr", UNLIMITED))
    return [
        LicenceRow(
            activatable=0,
            activatable_overdraft=0,
            concurrent=count,
            concurrent_overdraft=UNLIMITED,
            entitlement_id=f"VDX-{number:04}",
            expiration_date="permanent",
            features=f"Pexip Infinity {name}",
            fulfillment_id=f"FID-{number:06}",
            fulfillment_type="TRUSTED",
            hybrid=0,
            hybrid_overdraft=0,
            license_type=name,
            offline_mode=False,
            product_id=f"Infinity-{name}",
            repair=0,
            resource_uri=view.uri("configuration/v1/licence", f"FID-{number:06}"),
            server_chain="",
            start_date="18-jun-2020",
            status="ENABLED",
            trust_flags=1,
            vendor_dictionary="",
        )
        for number, (name, count) in enumerate(counts, 1)
    ]


class EventName(msgspec.Struct):
    """An event that a sink lets through."""

    name: str


class EventSinkRow(Row):
    """An event sink as configured."""

    bulk_support: bool
    description: str
    events: list[EventName]
    filter_events: bool
    id: int
    name: str
    password: str
    resource_uri: str
    restart_date: Timestamp | None
    updated_at: Timestamp
    url: str
    username: str
    verify_tls_certificate: bool
    version: int


def event_sinks(view: View) -> list[EventSinkRow]:
    """One event sink, assigned to no location."""
    return [
        EventSinkRow(
            bulk_support=True,
            description="",
            events=[],
            filter_events=False,
            id=1,
            name="vdx-test-sink",
            password="",
            resource_uri=view.uri("configuration/v1/event_sink", 1),
            restart_date=None,
            updated_at=api_time(_CREATED),
            url="https://sink.vdx.example/events",
            username="",
            verify_tls_certificate=True,
            version=2,
        )
    ]


class ConferenceAliasRow(Row):
    """An alias of a configured service."""

    alias: str
    conference: ToOne
    creation_time: Timestamp
    description: str
    id: int
    resource_uri: str
    view_order: int


def conference_alias(room: Room, view: View) -> ConferenceAliasRow:
    """The alias of a service."""
    return ConferenceAliasRow(
        alias=room.alias,
        conference=view.uri("configuration/v1/conference", room.id),
        creation_time=api_time(_CREATED + room.id * 3600),
        description="",
        id=room.id,
        resource_uri=view.uri("configuration/v1/conference_alias", room.id),
        view_order=0,
    )


class ConferenceRow(Row):
    """A configured service."""

    aliases: list[ConferenceAliasRow]
    allow_guests: bool
    automatic_participants: ToMany
    call_type: str
    creation_time: Timestamp
    crypto_mode: str | None
    description: str
    direct_media: str
    enable_chat: str
    guest_pin: str
    guest_view: str
    guests_can_present: bool
    host_view: str
    id: int
    ivr_theme: ToOne | None
    max_callrate_in: int | None
    max_callrate_out: int | None
    max_pixels_per_second: str | None
    mute_all_guests: bool
    name: str
    participant_limit: int | None
    pin: str
    primary_owner_email_address: str
    resource_uri: str
    scheduled_conferences: ToMany
    scheduled_conferences_count: int
    service_type: str
    sync_tag: str
    tag: str


def conference(room: Room, view: View) -> ConferenceRow:
    """The configuration of a service."""
    lecture = room.service_type == "lecture"
    return ConferenceRow(
        aliases=[conference_alias(room, view)],
        allow_guests=True,
        automatic_participants=[],
        call_type="video",
        creation_time=api_time(_CREATED + room.id * 3600),
        crypto_mode=None,
        description="",
        direct_media="never",
        enable_chat="default",
        guest_pin="",
        guest_view="one_main_seven_pips",
        guests_can_present=not lecture,
        host_view="one_main_seven_pips",
        id=room.id,
        ivr_theme=None,
        max_callrate_in=None,
        max_callrate_out=None,
        max_pixels_per_second=None,
        mute_all_guests=lecture,
        name=room.name,
        participant_limit=None,
        pin="",
        primary_owner_email_address="",
        resource_uri=view.uri("configuration/v1/conference", room.id),
        scheduled_conferences=[],
        scheduled_conferences_count=0,
        service_type=room.service_type,
        sync_tag="",
        tag=room.tag,
    )
