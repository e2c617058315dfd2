"""What all API rows share: their base class, the types of their fields, and the profiles of Pexip
versions."""

from dataclasses import dataclass
from typing import Annotated, Final

import msgspec

from simulator.world import World

Timestamp = Annotated[str, "datetime"]
ToOne = Annotated[str, "to_one"]
ToMany = Annotated[list[str], "to_many"]

QUALITIES: Final = ("0_unknown", "1_good", "2_ok", "3_bad", "4_terrible")


class Row(msgspec.Struct, kw_only=True, gc=False):
    """A row of a resource. Fields stand in alphabetical order, the order in which Pexip writes them."""


@dataclass(frozen=True, slots=True)
class View:
    """The world at a moment, as the rows are drawn from it."""

    world: World
    now: float
    version: str

    def uri(self, path: str, identity: object) -> str:
        """The server-relative address of a row, `path` being `status/v1/conference` for instance."""
        return f"/api/admin/{path}/{identity}/"


HIDDEN: Final[dict[str, dict[str, frozenset[str]]]] = {
    "current": {
        "status/worker_vm": frozenset({"deploy_error", "deploy_progress", "last_reported"}),
        "history/participant": frozenset({"bucketed_call_quality", "historic_call_quality"}),
    },
    "v24": {
        "status/worker_vm": frozenset({"max_direct_participants", "maintenance_mode_reason"}),
        "status/participant": frozenset(
            {
                "idp_uuid",
                "is_client_muted",
                "is_direct",
                "is_idp_authenticated",
                "is_recording",
                "is_transcribing",
            }
            | {"rx_bandwidth", "tx_bandwidth", "transcoding_enabled"}
        ),
        "status/conference": frozenset({"direct_media_available"}),
        "status/conference_shard": frozenset({"is_direct", "transcoding_enabled"}),
        "status/licensing": frozenset(
            {"customlayouts_active", "googletrustedjoin_active", "zoomtrustedjoin_active"}
            | {"telehealth_count", "telehealth_total"}
        ),
        "history/conference": frozenset({"direct_media_available"}),
        "history/participant": frozenset(
            {"idp_uuid", "is_direct", "is_idp_authenticated", "transcoding_enabled"}
        ),
    },
}
"""Fields that a version does not show, by resource. `v24` is the era of the oldest captured data; which of
the later fields it lacked is in part an inference."""

SOFTWARE: Final = {"current": "39 (82180.0.0)", "v24": "24 (55691.0.0)"}
"""Version text of each profile."""
