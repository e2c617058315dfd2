"""Every metric that VDX Watch publishes, declared once.

The exporter, docs/metrics.md and the tests all read this table. A name does not change after a release.
Labels never hold a person, an alias or a caller's address.
"""

from enum import StrEnum
from typing import Final

import msgspec


class Kind(StrEnum):
    """The metric types of the Prometheus text format that are in use."""

    GAUGE = "gauge"
    COUNTER = "counter"
    HISTOGRAM = "histogram"


class Metric(msgspec.Struct, frozen=True):
    """One metric family. `name` is the family's name as it is queried, with `_total` for counters."""

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()


METRICS: Final[dict[str, Metric]] = {}


def _declare(kind: Kind, name: str, help_text: str, *labels: str) -> Metric:
    if name in METRICS:
        raise ValueError(f"metric {name} is declared twice")
    METRICS[name] = metric = Metric(name, kind, help_text, labels)
    return metric


def _gauge(name: str, help_text: str, *labels: str) -> Metric:
    return _declare(Kind.GAUGE, name, help_text, *labels)


def _counter(name: str, help_text: str, *labels: str) -> Metric:
    return _declare(Kind.COUNTER, name, help_text, *labels)


def _histogram(name: str, help_text: str, *labels: str) -> Metric:
    return _declare(Kind.HISTOGRAM, name, help_text, *labels)


# The poll

UP = _gauge("pexip_up", "1 when the last poll of the Management Node succeeded, else 0.")
POLL_TIMESTAMP = _gauge("pexip_poll_timestamp_seconds", "When the snapshot was taken, in Unix time.")
POLL_DURATION = _gauge("pexip_poll_duration_seconds", "How long the poll of the snapshot took.")
RESOURCE_UP = _gauge(
    "pexip_resource_up", "1 when the last poll could read this resource, else 0.", "resource"
)

# Licences

LICENSE_PORTS_USED = _gauge(
    "pexip_license_ports_used",
    "Licence ports in use, calculated: the sum of license_count over participants of license_type port.",
)
LICENSE_PORTS_LIMIT = _gauge(
    "pexip_license_ports_limit", "Licence ports bought (licenses.ports). There is no wall: use may exceed it."
)
LICENSE_REPORTED_USED = _gauge(
    "pexip_license_reported_used", "Licences in use by Pexip's own licensing resource.", "license"
)
LICENSE_REPORTED_LIMIT = _gauge(
    "pexip_license_reported_limit",
    "Licences installed by Pexip's own licensing resource; 2147483646 means unlimited.",
    "license",
)
LOCATION_LICENSE_PORTS_USED = _gauge(
    "pexip_location_license_ports_used", "Licence ports in use, calculated, by location.", "location", "tier"
)
SERVICE_LICENSE_PORTS_USED = _gauge(
    "pexip_service_license_ports_used",
    "Licence ports in use, calculated, by type of service.",
    "service_type",
)
TAG_LICENSE_PORTS_USED = _gauge(
    "pexip_tag_license_ports_used",
    "Licence ports in use, calculated, by the service tag of the organisation; the smallest tags beyond "
    "metrics.service_tags are summed as other.",
    "service_tag",
)
LICENCE_EXPIRY = _gauge(
    "pexip_licence_expiration_timestamp_seconds",
    "When the first licence of this product ends, in Unix time; permanent ones have no series.",
    "product",
)

# Hardware

HARDWARE_PORTS_USED = _gauge(
    "pexip_hardware_ports_used",
    "720p ports in use: the load share of each node times its HD calls, summed.",
    "location",
    "tier",
)
HARDWARE_PORTS_LIMIT = _gauge(
    "pexip_hardware_ports_limit", "720p ports of the nodes that can take calls.", "location", "tier"
)
HARDWARE_PORTS_NOMINAL = _gauge(
    "pexip_hardware_ports_nominal", "720p ports of the whole platform by the plan (hardware.ports)."
)
DATA_CENTRE_HARDWARE_PORTS_USED = _gauge(
    "pexip_data_centre_hardware_ports_used", "720p ports in use in a data centre.", "data_centre"
)
DATA_CENTRE_HARDWARE_PORTS_LIMIT = _gauge(
    "pexip_data_centre_hardware_ports_limit",
    "720p ports of the nodes of a data centre that can take calls.",
    "data_centre",
)
DATA_CENTRE_OUT_HEADROOM = _gauge(
    "pexip_data_centre_out_headroom_ports",
    "720p ports left on the whole platform if this data centre were lost and the rest carried the present "
    "use; negative when it cannot.",
    "data_centre",
)
PSTN_LINES_USED = _gauge("pexip_pstn_lines_used", "Telephony legs in use (pstn.pattern, pstn.addresses).")
PSTN_LINES_LIMIT = _gauge("pexip_pstn_lines_limit", "Lines of the telephony trunk (pstn.lines).")

# Nodes and locations

NODE_UP = _gauge(
    "pexip_node_up", "1 when the node is reached by the platform, else 0.", "node", "location", "tier"
)
NODE_MAINTENANCE = _gauge(
    "pexip_node_maintenance_mode",
    "1 when the node is in maintenance mode, else 0.",
    "node",
    "location",
    "tier",
)
NODE_MEDIA_LOAD = _gauge(
    "pexip_node_media_load_ratio",
    "Media load of the node as it reports it, 0 to 1.",
    "node",
    "location",
    "tier",
)
NODE_TOKENS_USED = _gauge(
    "pexip_node_media_tokens_used", "Media tokens in use on the node.", "node", "location", "tier"
)
NODE_TOKENS_LIMIT = _gauge(
    "pexip_node_media_tokens_limit", "Media tokens of the node.", "node", "location", "tier"
)
NODE_HARDWARE_PORTS_USED = _gauge(
    "pexip_node_hardware_ports_used", "720p ports in use on the node.", "node", "location", "tier"
)
NODE_HARDWARE_PORTS_LIMIT = _gauge(
    "pexip_node_hardware_ports_limit",
    "720p ports of the node; 0 while it can take no calls.",
    "node",
    "location",
    "tier",
)
NODE_SIGNALLED_CALLS = _gauge(
    "pexip_node_signalled_calls", "Calls that the node signals.", "node", "location", "tier"
)
NODE_CONFERENCES = _gauge(
    "pexip_node_conferences", "Conferences of which the node hosts a part.", "node", "location", "tier"
)
NODE_PARTICIPANTS = _gauge(
    "pexip_node_participants", "Participants whose media the node handles.", "node", "location", "tier"
)
NODE_SYNCED = _gauge(
    "pexip_node_synced",
    "1 when the node's configuration is in sync with the Management Node, else 0.",
    "node",
    "location",
    "tier",
)
NODE_BOOT_TIME = _gauge(
    "pexip_node_boot_time_seconds", "When the node started, in Unix time.", "node", "location", "tier"
)
NODE_INFO = _gauge(
    "pexip_node_info",
    "Always 1; the node's version, kind, hypervisor and processor.",
    "node",
    "location",
    "tier",
    "version",
    "node_type",
    "hypervisor",
    "cpu_model",
)
MANAGER_INFO = _gauge(
    "pexip_management_node_info", "Always 1; a Management Node's version.", "node", "version"
)
LOCATION_MEDIA_LOAD = _gauge(
    "pexip_location_media_load_ratio",
    "Average media load of the location's nodes as it reports it, 0 to 1.",
    "location",
    "tier",
)
LOCATION_INFO = _gauge(
    "pexip_location_info", "Always 1; the location's tier and data centre.", "location", "tier", "data_centre"
)

# Conferences and participants

CONFERENCES = _gauge("pexip_conferences", "Conferences that are running.", "service_type")
CONFERENCES_BY_SIZE = _gauge(
    "pexip_conferences_by_size", "Conferences that are running, by number of participants.", "size"
)
CASCADED_CONFERENCES = _gauge("pexip_cascaded_conferences", "Conferences that run on more than one node.")
BACKPLANES = _gauge("pexip_backplanes", "Backplanes between the nodes of conferences.", "location", "tier")
PARTICIPANTS = _gauge(
    "pexip_participants",
    "Participants with media that are connected; backplanes and control-only legs are not counted.",
    "location",
    "tier",
    "protocol",
)
CONTROL_ONLY_LEGS = _gauge(
    "pexip_control_only_legs", "Call legs without media, which hold no licence.", "location", "tier"
)
PARTICIPANTS_BY_QUALITY = _gauge(
    "pexip_participants_by_quality",
    "Participants with media by the quality of their call: good, ok, bad, terrible or unknown.",
    "location",
    "tier",
    "quality",
)
PARTICIPANT_SECONDS = _counter(
    "pexip_participant_seconds_total",
    "Time that participants spent connected, by the quality of their call; sampled at each poll.",
    "location",
    "tier",
    "quality",
)
PARTICIPANTS_PRESENTING = _gauge("pexip_participants_presenting", "Participants who present.")
PARTICIPANTS_STREAMING = _gauge("pexip_participants_streaming", "Streaming or recording legs.")
REGISTRATIONS = _gauge("pexip_registrations", "Registered devices.", "protocol")
ALARMS = _gauge("pexip_alarms", "Alarms that are raised on the platform.", "name", "level")
TEAMS_NODE_CALLS = _gauge(
    "pexip_teams_connector_calls", "Calls of a Teams Connector instance.", "instance_name"
)
TEAMS_NODE_CALLS_LIMIT = _gauge(
    "pexip_teams_connector_calls_limit", "Calls that a Teams Connector instance can take.", "instance_name"
)
TEAMS_NODE_UP = _gauge(
    "pexip_teams_connector_up", "1 when the Teams Connector instance is active, else 0.", "instance_name"
)

# The miner itself

API_REQUESTS = _counter(
    "pexip_api_requests_total",
    "Requests sent to the Management Node, by resource and HTTP status (or the kind of network fault).",
    "resource",
    "code",
)
API_REQUEST_DURATION = _histogram(
    "pexip_api_request_duration_seconds", "Duration of requests to the Management Node.", "resource"
)
API_RETRIES = _counter("pexip_api_retries_total", "Requests that were sent again.", "resource")
API_BUDGET_LIMIT = _gauge(
    "pexip_api_budget_requests_limit", "Requests that the Management Node may be sent in 60 seconds."
)
API_BUDGET_USED = _gauge(
    "pexip_api_budget_requests_used", "Requests that were sent to the Management Node in the last 60 seconds."
)
POLLS = _counter("pexip_polls_total", "Polls of the Management Node that were begun.")
POLL_FAILURES = _counter("pexip_poll_failures_total", "Polls that could not read an essential resource.")
POLLS_SKIPPED = _counter(
    "pexip_polls_skipped_total", "Beats that were skipped because the poll before had not ended."
)
ROWS_REJECTED = _counter(
    "pexip_rows_rejected_total", "Rows of the Management Node that were lost to malformed values.", "resource"
)
STORE_UP = _gauge("vdx_store_up", "1 when the last write to the database succeeded, else 0.")
STORE_ROWS = _counter("vdx_store_rows_written_total", "Rows written to the database.", "table")
STORE_WRITE_DURATION = _histogram(
    "vdx_store_write_duration_seconds", "Duration of writing one cycle to the database."
)
STORE_QUEUE = _gauge("vdx_store_queue_cycles", "Cycles that wait to be written to the database.")
STORE_QUEUE_LIMIT = _gauge("vdx_store_queue_cycles_limit", "Cycles that may wait in memory.")
STORE_SPOOL_BYTES = _gauge(
    "vdx_store_spool_bytes", "Size of the local file that keeps cycles while the database is away."
)
STORE_SPOOL_LIMIT = _gauge("vdx_store_spool_bytes_limit", "Size that the local file may reach.")
STORE_SPOOL_CYCLES = _gauge("vdx_store_spool_cycles", "Cycles in the local file.")
STORE_DROPPED = _counter(
    "vdx_store_cycles_dropped_total",
    "Cycles that were lost because neither database nor spool could take them.",
)

# History

HISTORY_UP = _gauge("vdx_history_up", "1 when the last reading of history succeeded, else 0.")
HISTORY_LAG = _gauge(
    "vdx_history_lag_seconds",
    "How far history in the database is behind: since the last reading that came to the end, or, while it "
    "catches up, since the end of the last record read.",
    "resource",
)
HISTORY_RING = _gauge(
    "vdx_history_ring_seconds",
    "How far back the Management Node's own history goes: the age of its oldest conference.",
)
HISTORY_RING_CONFERENCES = _gauge(
    "vdx_history_ring_conferences", "Conferences that the Management Node remembers, 10,000 at most."
)
HISTORY_HEADROOM = _gauge(
    "vdx_history_ring_headroom_seconds",
    "Time between the oldest conference that the Management Node remembers and what has been read; below 0 "
    "records are lost.",
)
HISTORY_INTERVAL = _gauge(
    "vdx_history_interval_seconds", "Seconds until history is read again, by how fast the ring turns."
)
HISTORY_RECORDS = _counter(
    "vdx_history_records_total",
    "Records of history that were read, by what became of them: added, known, rejected or refused.",
    "resource",
    "outcome",
)
HISTORY_ODD = _counter(
    "vdx_history_odd_records_total", "Records of history that were set right by a rule.", "rule"
)
HISTORY_GAPS = _counter(
    "vdx_history_gaps_total", "Stretches of history that were forgotten before they were read."
)
HISTORY_GAP_SECONDS = _counter("vdx_history_gap_seconds_total", "The length of these stretches.")
HISTORY_LATE = _counter(
    "vdx_history_late_records_total",
    "Records that had come later than the overlap, found by counting the last day again.",
    "resource",
)
HISTORY_ROUND_DURATION = _histogram(
    "vdx_history_round_duration_seconds", "Duration of one round of reading and writing history."
)
HISTORY_UNASSIGNED = _gauge(
    "vdx_history_unassigned_ratio",
    "Share of the call legs that ended in the last 24 hours which belong to no organisation.",
)
HISTORY_UNLINKED = _gauge(
    "vdx_history_unlinked_legs", "Call legs that ended and whose conference still runs."
)
USAGE_PENDING = _gauge("vdx_usage_pending", "Days whose usage is yet to be computed.")
PEAK_DIFFERENCE = _gauge(
    "vdx_peak_difference_ports",
    "Licence ports by exact count of history less those that the polls saw: the difference of the peaks in "
    "the latest hour whose calls have all ended.",
)

# Organisations

ORGANISATION_SOURCE_UP = _gauge(
    "vdx_organisation_source_up",
    "1 when the source of the organisations could be read the last time, else 0; NaN where it has not been "
    "tried, or none is set.",
)
ORGANISATION_TREE_TIMESTAMP = _gauge(
    "vdx_organisation_tree_timestamp_seconds",
    "When the tree of organisations in use was read from its source, in Unix time; NaN where it never was.",
)
ORGANISATIONS = _gauge("vdx_organisations", "Organisations and units of them in the tree in use.")
ORGANISATION_FAULTS = _gauge(
    "vdx_organisation_faults",
    "Faults of the source of the organisations when it was last read, each set right by a rule.",
    "fault",
)
ORGANISATION_LICENSE_PORTS_USED = _gauge(
    "vdx_organisation_license_ports_used",
    "Licence ports in use, calculated, by the organisation at the top of the tree; (unassigned) belong to "
    "none, and the smallest beyond 200 are summed as (other).",
    "organisation",
)

# Network kit

SNMP_UP = _gauge(
    "snmp_up", "1 when the last poll of the device was answered, else 0.", "device", "site", "kind"
)
SNMP_POLL_DURATION = _gauge(
    "snmp_poll_duration_seconds", "How long the last poll of the device took.", "device", "site"
)
SNMP_POLL_TIMESTAMP = _gauge(
    "snmp_last_success_timestamp_seconds",
    "When the device was last polled with success, in Unix time; 0 when it never was.",
    "device",
    "site",
)
SNMP_INTERVAL = _gauge(
    "snmp_poll_interval_seconds", "Seconds from poll to poll of the device.", "device", "site"
)
SNMP_PACKETS = _counter("snmp_packets_total", "Packets sent to the device.", "device", "site")
SNMP_RETRIES = _counter("snmp_retries_total", "Packets sent to the device again.", "device", "site")
SNMP_ERRORS = _counter(
    "snmp_errors_total", "Polls or tables of the device that could not be read.", "device", "site", "fault"
)
SNMP_VALUES_REJECTED = _counter(
    "snmp_values_rejected_total", "Values of the wrong type, which have no series.", "device", "site"
)
SNMP_DEVICE_INFO = _gauge(
    "snmp_device_info",
    "1; what the device says it is. A pair that answers as one shows the serial number of each member in a "
    "series of its own.",
    "device",
    "site",
    "kind",
    "model",
    "serial",
    "version",
)
SNMP_COMPONENT_HEALTH = _gauge(
    "snmp_component_health",
    "State of a part of the device: 0 good, 1 warning, 2 critical, -1 unknown.",
    "device",
    "site",
    "component",
    "name",
)
SNMP_SENSOR_CELSIUS = _gauge("snmp_sensor_celsius", "A temperature.", "device", "site", "sensor")
SNMP_SENSOR_VOLTS = _gauge("snmp_sensor_volts", "A voltage.", "device", "site", "sensor")
SNMP_SENSOR_AMPERES = _gauge("snmp_sensor_amperes", "A current.", "device", "site", "sensor")
SNMP_SENSOR_WATTS = _gauge("snmp_sensor_watts", "A power.", "device", "site", "sensor")
SNMP_SENSOR_RPM = _gauge("snmp_sensor_rpm", "Revolutions of a fan in a minute.", "device", "site", "sensor")
SNMP_SENSOR_DBM = _gauge("snmp_sensor_dbm", "An optical power.", "device", "site", "sensor")

# /snmp of the SNMP exporter

SNMP_SCRAPE_WALK = _gauge("snmp_scrape_walk_duration_seconds", "How long asking the target took.")
SNMP_SCRAPE_DURATION = _gauge("snmp_scrape_duration_seconds", "How long asking and telling took.")
SNMP_SCRAPE_PACKETS = _gauge("snmp_scrape_packets_sent", "Packets sent to the target.")
SNMP_SCRAPE_RETRIES = _gauge("snmp_scrape_packets_retried", "Packets sent to the target again.")
SNMP_SCRAPE_VALUES = _gauge("snmp_scrape_pdus_returned", "Values that the target returned.")

# Configuration backup

CONFIG_BACKUP_UP = _gauge(
    "config_backup_up",
    "1 when the last copy of the device's configuration succeeded, else 0.",
    "device",
    "site",
)
CONFIG_BACKUP_SUCCESS = _gauge(
    "config_backup_last_success_timestamp_seconds",
    "When the last good copy was taken, in Unix time; absent where there never was one.",
    "device",
    "site",
)
CONFIG_BACKUP_CHANGE = _gauge(
    "config_backup_last_change_timestamp_seconds",
    "When the configuration last changed, in Unix time: by the device's account, or when it was found.",
    "device",
    "site",
)
CONFIG_BACKUP_DURATION = _gauge(
    "config_backup_duration_seconds", "How long the last try took, retries included.", "device", "site"
)
CONFIG_BACKUP_LINES = _gauge(
    "config_backup_lines",
    "Lines of the last good copy, without those that change by themselves.",
    "device",
    "site",
)
CONFIG_BACKUP_STARTUP_DIFFERS = _gauge(
    "config_backup_startup_differs",
    "1 when what runs is not what the device would start with, else 0; absent where a device has only one.",
    "device",
    "site",
)
CONFIG_BACKUP_CHANGES = _counter(
    "config_backup_changes_total",
    "Changes of the configuration in its whole history, by whether they lay in a change window.",
    "device",
    "site",
    "window",
)
CONFIG_BACKUP_ERRORS = _counter(
    "config_backup_errors_total", "Copies that failed, by why.", "device", "site", "reason"
)

# Traps

TRAP_LISTENER_UP = _gauge(
    "snmp_trap_listener_up", "1 while traps are received, else 0; absent where traps.listen is not set."
)
TRAPS = _counter(
    "snmp_traps_total",
    "Traps and informs that were received, by name; unknown are all that "
    "exporters/snmp/traps/catalogue.toml does not have. Their device is unknown where the sender is none of "
    "the settings.",
    "device",
    "site",
    "trap",
    "level",
)
TRAP_LAST = _gauge(
    "snmp_trap_last_timestamp_seconds",
    "When such a trap last came, in Unix time; absent until one comes.",
    "device",
    "site",
    "trap",
    "level",
)
TRAP_CLEARED = _gauge(
    "snmp_trap_cleared_timestamp_seconds",
    "When a trap last came that ends this one, in Unix time; absent until one comes.",
    "device",
    "site",
    "trap",
)
TRAPS_DROPPED = _counter(
    "snmp_traps_dropped_total",
    "Traps that were dropped: rate (more than traps.per_second of one device), load (more than all devices "
    "may cost), size (too large), credentials (a wrong community, user or key) or engine (a v3 engine that "
    "is not known).",
    "device",
    "site",
    "reason",
)
TRAPS_MALFORMED = _counter(
    "snmp_traps_malformed_total", "Datagrams that came to the trap port and are no trap.", "device", "site"
)
TRAP_SOCKET_DROPS = _counter(
    "snmp_trap_socket_drops_total",
    "Datagrams that the kernel dropped since they came faster than they were read; 0 where the kernel does "
    "not tell.",
)

# Hardware life

ASSET_SERVICE_END = _gauge(
    "asset_service_end_timestamp_seconds",
    "When the service of a piece of hardware is over, in Unix time: the end of its last day in Denmark.",
    "asset",
    "model",
    "serial",
    "site",
)
ASSET_DAYS_LEFT = _gauge(
    "asset_service_days_left",
    "Days from today to the last day with service: 0 on that day, below 0 when it is over.",
    "asset",
    "model",
    "serial",
    "site",
)
ASSET_SERIAL_MISMATCH = _gauge(
    "asset_serial_mismatch",
    "1 when the device tells another serial number than the register, else 0; absent where it tells none.",
    "asset",
)
ASSETS = _gauge("assets", "Pieces of hardware in the register.")
ASSET_SERIALS_UNREGISTERED = _gauge(
    "asset_serials_unregistered", "Serial numbers that devices tell and that are not in the register."
)
ASSET_REGISTER_UP = _gauge(
    "asset_register_up",
    "1 when the register of hardware could be read the last time, else 0, while the last good one stays.",
)
ASSET_REGISTER_FAULTS = _gauge(
    "asset_register_faults", "Faults in rows of the register, which are left out of it; the log tells each."
)
CERTIFICATE_NOT_AFTER = _gauge(
    "certificate_not_after_timestamp_seconds",
    "When the certificate that the server last showed ends, in Unix time, be it trusted or not.",
    "address",
)
CERTIFICATE_CHECK_UP = _gauge(
    "certificate_check_up", "1 when the server showed a certificate the last time, else 0.", "address"
)
# Humio

HUMIO_UP = _gauge("humio_up", "1 when Humio answered the last request, else 0; NaN before the first.")
HUMIO_PAUSED = _gauge(
    "humio_paused",
    "1 while Humio refuses the token or the address, so that hardly anything is sent, else 0.",
)
HUMIO_LAST_SUCCESS = _gauge(
    "humio_last_success_timestamp_seconds",
    "When Humio last took events, in Unix time; NaN where this process has handed on none.",
)
HUMIO_EVENTS = _counter("humio_events_total", "Log lines that Humio has taken.")
HUMIO_BATCHES = _counter("humio_batches_total", "Requests whose events Humio has taken.")
HUMIO_BYTES = _counter("humio_bytes_total", "Bytes that Humio has taken, before compression.")
HUMIO_SENT_BYTES = _counter(
    "humio_sent_bytes_total", "Bytes of the bodies of answered requests, as they were sent."
)
HUMIO_REQUESTS = _counter("humio_requests_total", "Requests sent to Humio, by how it answered.", "code")
HUMIO_RETRIES = _counter("humio_retries_total", "Requests that were sent to Humio again.")
HUMIO_UNPARSED = _counter(
    "humio_unparsed_lines_total",
    "Lines that have not the form of the archive; they are handed on as they are, with the host unparsed.",
)
HUMIO_DEAD_LETTERS = _counter(
    "humio_dead_letters_total",
    "Lines that were not handed on since Humio refuses each of them by itself, or they are too large for a "
    "request.",
    "reason",
)
HUMIO_DEAD_LETTER_BYTES = _gauge("humio_dead_letter_bytes", "Size of the files of dead letters.")
HUMIO_LAG_BYTES = _gauge("humio_lag_bytes", "Bytes of the archive that Humio has not taken yet.")
HUMIO_LAG_SECONDS = _gauge(
    "humio_lag_seconds", "Age of the oldest line that Humio has not taken yet; 0 where there is none."
)
HUMIO_ARCHIVE_FAULTS = _gauge(
    "humio_archive_faults",
    "How often this process found a file of the archive deleted before it was read, replaced, truncated, or "
    "unreadable, or a line too long.",
    "fault",
)

# Log archive

LOG_ARCHIVE_BYTES = _gauge("log_archive_bytes", "Size of the archive of log lines, open hours included.")
LOG_ARCHIVE_HOURS = _gauge("log_archive_hours", "Hours of which the archive has lines.")
LOG_ARCHIVE_OLDEST = _gauge(
    "log_archive_oldest_timestamp_seconds",
    "The beginning of the oldest hour in the archive, in Unix time; absent while it is empty.",
)
LOG_ARCHIVE_WAITING = _gauge(
    "log_archive_waiting_hours",
    "Hours that are over and not closed: lines still came, a reader has not passed them, or closing fails.",
)
LOG_ARCHIVE_DISK_FREE = _gauge(
    "log_archive_disk_free_ratio", "Share of the file system of the archive that is free, 0 to 1."
)
LOG_ARCHIVE_CLOSED = _counter(
    "log_archive_closed_total", "Open files that were closed; one that came late for an hour counts again."
)
LOG_ARCHIVE_UNPARSED = _counter(
    "log_archive_unparsed_lines_total",
    "Lines that were not in the form of the archive and are kept as they came, with the host unparsed.",
)
LOG_ARCHIVE_DROPPED = _counter(
    "log_archive_dropped_total",
    "Hours that were dropped: age (syslog.retention_days) or disk (syslog.disk_gigabytes).",
    "reason",
)
LOG_ARCHIVE_FAILURES = _counter(
    "log_archive_failures_total",
    "Rounds in which a file could not be closed, dropped or read; the log tells which and why.",
)

# Logs

LOG_EXPORTER_UP = _gauge(
    "log_exporter_up", "1 when the log archive could be read and what was counted could be kept, else 0."
)
LOG_LINES = _counter(
    "log_lines_total",
    "Lines of the log archive, by who wrote them. Hosts beyond logs.most_hosts are other.",
    "host",
    "source",
    "severity",
)
LOG_EVENTS = _counter(
    "log_events_total",
    "Lines that a rule knows; docs/log-rules.md tells the rules and their classes. A series begins with the "
    "first such line.",
    "rule",
    "source",
    "level",
    "class",
    "host",
)
LOG_EVENT_LAST = _gauge(
    "log_event_last_timestamp_seconds",
    "When the last line was received that a rule of the kind event knows, in Unix time.",
    "rule",
    "source",
    "level",
    "class",
    "host",
)
LOG_VALUE = _gauge(
    "log_value",
    "The last value in a line that a rule of the kind gauge knows.",
    "rule",
    "source",
    "class",
    "host",
)
LOG_HOST_LAST = _gauge(
    "log_host_last_timestamp_seconds",
    "When the last line of the host was received, in Unix time.",
    "host",
    "source",
)
LOG_HOST_SILENT = _gauge(
    "log_expected_host_silent",
    "1 when a host that should send lines has sent none for logs.silence_minutes, else 0; absent while the "
    "reader is too far behind to tell.",
    "host",
)
LOG_LINES_REJECTED = _counter(
    "log_lines_rejected_total", "Lines of the archive that are not in its form, and are counted nowhere else."
)
LOG_UNKNOWN_LINES = _counter("log_unknown_lines_total", "Warnings and errors that no rule knows.")
LOG_SAMPLED_LINES = _counter(
    "log_sampled_lines_total",
    "Warnings and errors that no rule knows and that were sorted into kinds of message.",
)
LOG_TEMPLATES = _gauge(
    "log_unknown_templates", "Kinds of message among the warnings and errors that no rule knows; at most 500."
)
LOG_TEMPLATES_NEW = _gauge(
    "log_new_templates_today", "Those of them that were first seen today, by the time of sla.time_zone."
)
LOG_FILE_FAULTS = _counter(
    "log_file_faults_total",
    "Files of the archive that were deleted before they were read, replaced, truncated or unreadable, and "
    "lines that were too long, since the start of the exporter.",
    "fault",
)
LOG_LAG_BYTES = _gauge("log_reader_lag_bytes", "Bytes of the archive that were not read yet.")
LOG_LAG_SECONDS = _gauge(
    "log_reader_lag_seconds", "Age of the oldest line that was not read yet; 0 where all were."
)
# Log collector

RSYSLOG_STATISTICS_TIMESTAMP = _gauge(
    "rsyslog_statistics_timestamp_seconds",
    "When rsyslog last wrote its counters, in Unix time; 0 where they cannot be read.",
)
RSYSLOG_ACTION_PROCESSED = _counter(
    "rsyslog_action_processed_total", "Messages that an action of rsyslog has taken.", "action"
)
RSYSLOG_ACTION_FAILED = _counter(
    "rsyslog_action_failed_total", "Messages that an action of rsyslog could not handle.", "action"
)
RSYSLOG_ACTION_SUSPENDED = _counter(
    "rsyslog_action_suspended_total",
    "How often an action of rsyslog was suspended, since its disk or server did not take messages.",
    "action",
)
RSYSLOG_ACTION_SUSPENDED_SECONDS = _counter(
    "rsyslog_action_suspended_seconds_total", "How long an action of rsyslog was suspended.", "action"
)
RSYSLOG_QUEUE_SIZE = _gauge("rsyslog_queue_size", "Messages that wait in a queue of rsyslog.", "queue")
RSYSLOG_QUEUE_LIMIT = _gauge(
    "rsyslog_queue_limit", "Messages that a queue of rsyslog holds; more are discarded.", "queue"
)
RSYSLOG_QUEUE_ENQUEUED = _counter(
    "rsyslog_queue_enqueued_total", "Messages that came into a queue of rsyslog.", "queue"
)
RSYSLOG_QUEUE_FULL = _counter(
    "rsyslog_queue_full_total", "How often a queue of rsyslog was full when a message came.", "queue"
)
RSYSLOG_QUEUE_DISCARDED = _counter(
    "rsyslog_queue_discarded_total", "Messages that rsyslog discarded since a queue was full.", "queue"
)
RSYSLOG_INPUT_SUBMITTED = _counter(
    "rsyslog_input_submitted_total", "Messages that rsyslog received, by transport.", "transport"
)
RSYSLOG_UDP_SOCKET_DROPS = _counter(
    "rsyslog_udp_socket_drops_total",
    "Datagrams that the kernel dropped at syslog.udp since they came faster than rsyslog read them.",
)

BUILD_INFO = _gauge("vdx_build_info", "Always 1; the version of VDX Watch.", "version")
LOG_LINES_DROPPED = _counter(
    "vdx_log_lines_dropped_total",
    "Lines of the suite's own log that did not reach the syslog server of log.syslog.",
)
