"""Why a copy of a configuration could not be taken or kept."""

from enum import StrEnum


class Reason(StrEnum):
    """The kinds of faults, as the metric config_backup_errors_total tells them."""

    UNREACHABLE = "unreachable"
    """No connection, or one that was cut."""
    LOGIN = "login"
    """The device refuses the account."""
    HOST_KEY = "host-key"
    """The device shows another key than the one that is pinned."""
    PAGER = "pager"
    """The device waits for a key that nobody knows."""
    INCOMPLETE = "incomplete"
    """What came is empty, or is not a whole configuration."""
    TIMEOUT = "timeout"
    """The device fell silent, or the time was up."""
    TOO_LONG = "too-long"
    """An answer without end."""
    SETTINGS = "settings"
    """A password or key that cannot be read."""
    STORAGE = "storage"
    """The copy was taken and could not be kept."""
    PROGRAM = "program"
    """A fault of this program."""


class BackupError(Exception):
    """A copy failed. The text says what is wrong and the mend, and holds nothing of the configuration."""

    def __init__(self, reason: Reason, words: str, *, passing: bool = False) -> None:
        super().__init__(words)
        self.reason = reason
        self.passing = passing
        """True where the same try may succeed a little later."""
