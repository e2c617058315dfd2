"""Parts that several kinds of devices have: power supplies, fans and temperatures."""

from dataclasses import dataclass

from simulator.network.device import Part
from simulator.network.motion import wobble


@dataclass(kw_only=True)
class PowerSupply(Part):
    """A power supply."""

    name: str
    failed: bool = False


@dataclass(kw_only=True)
class Fan(Part):
    """A fan, or a tray of fans; `rpm` while it turns."""

    name: str
    rpm: int = 8000
    failed: bool = False

    def speed(self, now: float) -> int:
        """Revolutions per minute."""
        return 0 if self.failed else self.rpm + round(self.rpm * 0.02 * wobble(self.name, now))


@dataclass(kw_only=True)
class Temperature(Part):
    """A temperature, in degrees Celsius, with the device's own thresholds; above them it warns."""

    name: str
    celsius: float
    warning: float
    critical: float

    def reading(self, now: float) -> float:
        """What is read: within one degree of `celsius`."""
        return self.celsius + wobble(self.name, now)
