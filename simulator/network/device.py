"""What all devices have in common: a name, a clock, an uptime, and faults of the agent itself."""

import gc
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any, ClassVar, Final

from simulator.network.ber import Oid, oid, text
from simulator.network.view import Objects, View

ADDRESS: Final = "127.0.0.1"
DATAGRAM: Final = 1472
"""Bytes of a UDP datagram that an Ethernet frame of 1500 bytes carries."""

_NUMBERS: Final = count(1)


class Part:
    """Something whose fields may be set at any time; what agents show follows at the next request.

    A collection in a field is a tuple, so that it is set and not changed unseen.
    """

    changes: ClassVar[int] = 0
    """Another number after each change of a field in any part."""

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        Part.changes = next(_NUMBERS)


@dataclass(kw_only=True)
class Device(Part, ABC):
    """A device and its agent.

    The fields from `silent` on are faults: nothing is answered while `silent`; `latency` are seconds before
    each answer; no answer is longer than `largest_answer` bytes, and a GETBULK that could bring more than
    `most_varbinds` is answered with tooBig; `missing` are subtrees that are not there; columns in `garbage`
    hold text where numbers belong; the column `endless` goes on for ever, and in the column `stuck` the first
    row follows the last.
    """

    kind: ClassVar[str]
    name: str
    site: str = ""
    clock: Callable[[], float]
    """The time in Unix seconds."""
    community: str = "public"
    booted: float
    """When it last started, in Unix seconds."""
    boots: int = 7
    """How often it started in its life."""
    silent: bool = False
    latency: float = 0.0
    largest_answer: int = DATAGRAM
    most_varbinds: int | None = None
    missing: tuple[str, ...] = ()
    garbage: tuple[str, ...] = ()
    endless: str | None = None
    stuck: str | None = None
    silent_until: float = 0.0
    """The agent is silent until then, in Unix seconds: a reboot takes its time."""
    _reboot_after: int | None = field(default=None, init=False)

    @abstractmethod
    def objects(self) -> Objects:
        """All objects of the device as it is, whatever the faults."""

    def uptime(self, now: float) -> float:
        """Seconds since it started."""
        return max(0.0, now - self.booted)

    def reboot(self, *, seconds: float = 0.0) -> None:
        """Start again: silent for so many seconds, then with counters and uptime from 0."""
        now = self.clock()
        self.silent_until = now + seconds
        self.booted = now + seconds
        self.boots += 1
        self._reboot_after = None

    def reboot_after(self, packets: int) -> None:
        """Reboot when so many more requests are answered, in the middle of a walk for instance."""
        self._reboot_after = packets

    def count_packet(self) -> None:
        """A request was answered."""
        if self._reboot_after is not None:
            self._reboot_after -= 1
            if self._reboot_after <= 0:
                self.reboot()

    def answers(self, now: float) -> bool:
        """Whether the agent answers at all."""
        return not self.silent and now >= self.silent_until

    def view(self) -> View:
        """What the agent shows, with the faults."""
        missing, garbage = _subtrees(self.missing), _subtrees(self.garbage)
        spoiled = text("garbage")
        shown = (
            (name, spoiled if garbage and _within(name, garbage) else value)
            for name, value in self.objects()
            if not (missing and _within(name, missing))
        )
        with _no_collection():
            return View(
                shown,
                endless=oid(self.endless) if self.endless else None,
                stuck=oid(self.stuck) if self.stuck else None,
            )


@contextmanager
def _no_collection() -> Iterator[None]:
    # A view of 10,000 interfaces has 300,000 objects and no garbage; to look for some quadruples its time.
    before = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if before:
            gc.enable()


def _subtrees(names: Iterable[str]) -> tuple[Oid, ...]:
    return tuple(oid(name) for name in names)


def _within(name: Oid, subtrees: tuple[Oid, ...]) -> bool:
    return any(name[: len(subtree)] == subtree for subtree in subtrees)
