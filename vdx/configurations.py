"""What is known of the copies of a device's configuration: nothing of its text, and nobody's name."""

from datetime import datetime
from typing import Final, Literal, TypeAlias

import msgspec

Window: TypeAlias = Literal["inside", "outside", "none"]
WINDOWS: Final[tuple[Window, ...]] = ("inside", "outside", "none")
"""Where a change lay: in a window of config_backup.change_windows, in none of them, or none are set."""


class Change(msgspec.Struct, frozen=True):
    """A revision in the history of a device's configuration."""

    revision: str
    """The commit's hash, in hexadecimal."""
    time: datetime
    """When it was changed, by the device's account; where the device does not tell, when it was found."""
    found: datetime
    """When it was found."""
    added: int
    """Lines that came with it."""
    removed: int
    """Lines that went with it."""
    lines: int
    """Lines that the normalised configuration has since."""
    window: Window | None
    """None for the first copy of a device, which is no change."""


class Backup(msgspec.Struct, frozen=True):
    """How copying a device's configuration goes, and what has changed. Times are UTC."""

    device: str
    site: str = ""
    tried: datetime | None = None
    """When the last copy was tried."""
    succeeded: datetime | None = None
    """When the last good copy was taken."""
    fault: str = ""
    """Why the last copy failed, in a sentence; empty when it was good."""
    seconds: float | None = None
    """How long the last try took."""
    startup_differs: bool | None = None
    """Whether what runs is other than what the device would start with; None where it has only one."""
    changes: tuple[Change, ...] = ()
    """All revisions, the latest first; the last one is the first copy."""

    @property
    def up(self) -> bool | None:
        """Whether the last copy succeeded; None before the first."""
        return None if self.tried is None else not self.fault

    @property
    def lines(self) -> int | None:
        """Lines of the last good copy, normalised."""
        return self.changes[0].lines if self.changes else None

    @property
    def last_change(self) -> datetime | None:
        """When the configuration last changed; None where neither the device nor two copies tell."""
        latest = self.changes[0] if self.changes else None
        return latest.time if latest and (latest.window or latest.time != latest.found) else None

    def counted(self, window: Window) -> int:
        """Changes that lay so."""
        return sum(change.window == window for change in self.changes)
