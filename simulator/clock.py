"""The simulator's clock: the real time, a faster one, or one that moves only when told to."""

from time import monotonic, time


class Clock:
    """A clock in Unix seconds; with speed 0 it is manual."""

    def __init__(self, start: float | None = None, speed: float = 1.0) -> None:
        self._base = time() if start is None else start
        self._since = monotonic()
        self._speed = speed

    @property
    def speed(self) -> float:
        """Seconds that pass in a real second; 0 when the clock is manual."""
        return self._speed

    def now(self) -> float:
        """The present."""
        return self._base + (monotonic() - self._since) * self._speed

    def set(self, moment: float) -> None:
        """Make this moment the present."""
        self._base, self._since = moment, monotonic()

    def set_speed(self, speed: float) -> None:
        """Run so many times as fast from now on; 0 stops the clock."""
        self.set(self.now())
        self._speed = speed

    def advance(self, seconds: float) -> None:
        """Move the present forward."""
        self.set(self.now() + seconds)
