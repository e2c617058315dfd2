"""The Management Node's records of what has ended.

The names of the history API differ from those of status: `start_time` for `connect_time`, `remote_alias`
and `local_alias` for the aliases, and `conference` is a URI. Personal fields that the history miner
pseudonymises are decoded, and `vendor`, of which it keeps the kind of device; `display_name`, `idp_uuid` and
`call_tag` are not.
"""

from datetime import datetime
from typing import ClassVar

from vdx.pexip.records import Record


def _last_segment(uri: str) -> str:
    return uri.rstrip("/").rpartition("/")[2]


class HistoryConference(Record, frozen=True, gc=False):
    """history/conference: one ended instance of a service. `duration` seconds.

    `participant_count` counts call legs; who reconnects counts again. `participants` are their URIs.
    """

    times: ClassVar[tuple[str, ...]] = ("start_time", "end_time")

    id: str
    name: str = ""
    service_type: str = ""
    tag: str = ""
    start_time: datetime | None = None
    end_time: datetime | None = None
    duration: int | None = None
    participant_count: int = 0
    instant_message_count: int = 0
    direct_media_available: bool = False
    participants: tuple[str, ...] = ()

    @property
    def participant_ids(self) -> list[str]:
        """The `id` of each call leg of the conference."""
        return list(map(_last_segment, self.participants))


class HistoryMediaStream(Record, frozen=True, gc=False):
    """A media stream of an ended call leg or backplane: bitrates kbit/s, losses percent."""

    times: ClassVar[tuple[str, ...]] = ("start_time", "end_time")

    id: int
    stream_id: str = ""
    stream_type: str = ""
    node: str = ""
    start_time: datetime | None = None
    end_time: datetime | None = None
    rx_bitrate: int | None = None
    tx_bitrate: int | None = None
    rx_codec: str = ""
    tx_codec: str = ""
    rx_fps: float | None = None
    tx_fps: float | None = None
    rx_packet_loss: float | None = None
    tx_packet_loss: float | None = None
    rx_packets_received: int | None = None
    tx_packets_sent: int | None = None
    rx_packets_lost: int | None = None
    tx_packets_lost: int | None = None
    rx_resolution: str = ""
    tx_resolution: str = ""


class HistoryParticipant(Record, frozen=True, gc=False):
    """history/participant: one ended call leg, with the same `id` as in status.

    `start_time` is None for a call that never connected. `bucketed_call_quality` counts the 20-second
    windows that were unknown, good, ok, bad, terrible; `historic_call_quality` has one 0 … 4 per window.
    Some versions leave both out.
    """

    times: ClassVar[tuple[str, ...]] = ("start_time", "end_time")
    addresses: ClassVar[tuple[str, ...]] = ("proxy_node",)

    id: str
    conference: str | None = None
    conference_name: str = ""
    start_time: datetime | None = None
    end_time: datetime | None = None
    duration: int | None = None
    disconnect_reason: str = ""
    call_uuid: str = ""
    conversation_id: str = ""
    call_direction: str = ""
    call_quality: str = "0_unknown"
    encryption: str = ""
    protocol: str = ""
    role: str = ""
    vendor: str = ""
    local_alias: str = ""
    remote_alias: str = ""
    remote_address: str = ""
    bandwidth: int | None = None
    rx_bandwidth: int | None = None
    tx_bandwidth: int | None = None
    has_media: bool = False
    is_streaming: bool = False
    is_direct: bool = False
    is_idp_authenticated: bool = False
    transcoding_enabled: bool = False
    license_count: int = 0
    license_type: str = ""
    media_node: str = ""
    signalling_node: str = ""
    proxy_node: str = ""
    service_tag: str = ""
    service_type: str = ""
    system_location: str = ""
    media_streams: tuple[HistoryMediaStream, ...] = ()
    bucketed_call_quality: tuple[int, ...] = ()
    historic_call_quality: tuple[int, ...] = ()

    @property
    def conference_id(self) -> str | None:
        """The `id` of the conference record; None while the conference still runs."""
        return _last_segment(self.conference) if self.conference else None


class HistoryBackplane(Record, frozen=True, gc=False):
    """history/backplane: an ended media link between two nodes. `duration` seconds."""

    times: ClassVar[tuple[str, ...]] = ("start_time", "end_time")
    addresses: ClassVar[tuple[str, ...]] = ("proxy_node",)

    id: str
    conference: str | None = None
    conference_name: str = ""
    type: str = ""
    protocol: str = ""
    start_time: datetime | None = None
    end_time: datetime | None = None
    duration: int | None = None
    disconnect_reason: str = ""
    media_node: str = ""
    remote_media_node: str = ""
    remote_node_name: str = ""
    remote_conference_name: str = ""
    proxy_node: str = ""
    service_tag: str = ""
    system_location: str = ""
    media_streams: tuple[HistoryMediaStream, ...] = ()

    @property
    def conference_id(self) -> str | None:
        """The `id` of the conference record; None while the conference still runs."""
        return _last_segment(self.conference) if self.conference else None


class HistoryAlarm(Record, frozen=True, gc=False):
    """history/alarm: an alarm that was lowered."""

    times: ClassVar[tuple[str, ...]] = ("time_raised", "time_lowered")

    id: int
    identifier: int = 0
    name: str = ""
    level: str = ""
    details: str = ""
    instance: str = ""
    node: str = ""
    time_raised: datetime | None = None
    time_lowered: datetime | None = None


class WorkerVMStatusEvent(Record, frozen=True, gc=False):
    """history/workervm_status_event: a Conferencing Node changed its state."""

    times: ClassVar[tuple[str, ...]] = ("time_changed",)

    id: int
    event_type: str = ""
    state: str = ""
    context: str = ""
    details: str = ""
    time_changed: datetime | None = None
    workervm_address: str = ""
    workervm_configuration_id: int | None = None
    workervm_configuration_name: str = ""
    workervm_configuration_location_name: str = ""
