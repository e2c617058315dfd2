"""How well something is. Each state is told by a word and a shape as well as by a colour."""

from collections.abc import Iterable
from typing import Final, Literal

State = Literal["good", "notice", "warning", "critical", "unknown"]

RANK: Final[dict[State, int]] = {"good": 0, "notice": 1, "unknown": 2, "warning": 3, "critical": 4}
"""State -> how urgently it calls for a look."""

NEARLY_FULL: Final = 0.9
"""Share of a limit from which it is close."""


def worst(states: Iterable[State]) -> State:
    """The most urgent of some states; `good` when there are none."""
    return max(states, key=RANK.__getitem__, default="good")


def of_ratio(ratio: float | None, full: State = "critical") -> State:
    """The state of a share of a limit: `full` above 1, `warning` from 0.9, `unknown` without a figure."""
    if ratio is None:
        return "unknown"
    if ratio > 1:
        return full
    return "warning" if ratio >= NEARLY_FULL else "good"
