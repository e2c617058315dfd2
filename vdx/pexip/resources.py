"""The resources of the Management Node that VDX Watch reads, each with the type of its records."""

from typing import Any, Final, Generic, TypeVar

import msgspec

from vdx.pexip import history, records
from vdx.pexip.records import Record

T = TypeVar("T", bound=Record)


class Resource(msgspec.Struct, Generic[T], frozen=True):
    """One list of records.

    `name` is its name in metrics and messages: the API's own for status, with the API in front for the
    others. `key` is the field that identifies a record, None where the list is exactly one record.
    `live_paging` is true where records come and go while the pages are read.
    """

    name: str
    path: str
    record: type[T]
    key: str | None = "id"
    live_paging: bool = True


def _status(path: str, record: type[T], key: str | None = "id") -> Resource[T]:
    return Resource(path, f"/api/admin/status/v1/{path}/", record, key)


def _configuration(path: str, record: type[T], key: str = "id") -> Resource[T]:
    return Resource(
        f"configuration/{path}", f"/api/admin/configuration/v1/{path}/", record, key, live_paging=False
    )


def _history(path: str, record: type[T]) -> Resource[T]:
    return Resource(f"history/{path}", f"/api/admin/history/v1/{path}/", record)


CONFERENCE: Final = _status("conference", records.Conference)
CONFERENCE_SHARD: Final = _status("conference_shard", records.ConferenceShard)
PARTICIPANT: Final = _status("participant", records.Participant)
BACKPLANE: Final = _status("backplane", records.Backplane)
SYSTEM_LOCATION: Final = _status("system_location", records.SystemLocation)
WORKER_VM: Final = _status("worker_vm", records.WorkerVM)
MANAGEMENT_VM: Final = _status("management_vm", records.ManagementVM)
LICENSING: Final = _status("licensing", records.Licensing, key=None)
ALARM: Final = _status("alarm", records.Alarm)
REGISTRATION_ALIAS: Final = _status("registration_alias", records.RegistrationAlias)
TEAMSNODE: Final = _status("teamsnode", records.TeamsNode)

STATUS: Final[tuple[Resource[Any], ...]] = (
    CONFERENCE,
    CONFERENCE_SHARD,
    PARTICIPANT,
    BACKPLANE,
    SYSTEM_LOCATION,
    WORKER_VM,
    MANAGEMENT_VM,
    LICENSING,
    ALARM,
    REGISTRATION_ALIAS,
    TEAMSNODE,
)
"""The status resources of one poll."""

SYSTEM_LOCATION_CONFIGURATION: Final = _configuration("system_location", records.SystemLocationConfiguration)
WORKER_VM_CONFIGURATION: Final = _configuration("worker_vm", records.WorkerVMConfiguration)
MANAGEMENT_VM_CONFIGURATION: Final = _configuration("management_vm", records.ManagementVMConfiguration)
LICENCE_CONFIGURATION: Final = _configuration("licence", records.LicenceConfiguration, key="fulfillment_id")
EVENT_SINK_CONFIGURATION: Final = _configuration("event_sink", records.EventSinkConfiguration)

HISTORY_CONFERENCE: Final = _history("conference", history.HistoryConference)
HISTORY_PARTICIPANT: Final = _history("participant", history.HistoryParticipant)
HISTORY_BACKPLANE: Final = _history("backplane", history.HistoryBackplane)
HISTORY_ALARM: Final = _history("alarm", history.HistoryAlarm)
HISTORY_WORKERVM_STATUS_EVENT: Final = _history("workervm_status_event", history.WorkerVMStatusEvent)

HISTORY: Final[tuple[Resource[Any], ...]] = (
    HISTORY_PARTICIPANT,
    HISTORY_CONFERENCE,
    HISTORY_BACKPLANE,
    HISTORY_ALARM,
    HISTORY_WORKERVM_STATUS_EVENT,
)
"""The history resources that are kept."""


def media_stream(participant: str) -> Resource[records.MediaStream]:
    """The media streams of one participant. `participant` is its `id`, quoted for a path."""
    return Resource(
        "participant/media_stream",
        f"/api/admin/status/v1/participant/{participant}/media_stream/",
        records.MediaStream,
    )
