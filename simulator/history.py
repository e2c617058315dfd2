"""What the Management Node remembers: 10,000 conferences with all their participants, the oldest going
first."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from simulator.world import Backplane, Call, Conference

KEPT_CONFERENCES: Final = 10_000
"""Conference instances kept, with their participants (docs.pexip.com, api_history)."""


class History:
    """Ended conferences and calls, in the order in which they were written."""

    def __init__(self) -> None:
        self.conferences: dict[str, Conference] = {}
        self.participants: dict[str, Call] = {}
        self.backplanes: dict[str, Backplane] = {}
        self._failed: deque[Call] = deque()

    def write(self, record: Conference | Call) -> None:
        """Write an ended call, or an ended conference, and forget the oldest conference above the number
        kept."""
        calls = getattr(record, "calls", None)
        if calls is None:
            call: Call = record  # type: ignore[assignment]
            self.participants[call.leg.id] = call
            if call.conference is None:
                self._failed.append(call)
            return
        conference: Conference = record  # type: ignore[assignment]
        conference.written = True
        self.conferences[conference.id] = conference
        for member in calls:
            member.history_row = None
        for backplane in conference.past_backplanes:
            self.backplanes[backplane.id] = backplane
        if len(self.conferences) > KEPT_CONFERENCES:
            self.forget(next(iter(self.conferences)))

    def forget(self, identity: str) -> None:
        """Forget a conference and all that belongs to it."""
        conference = self.conferences.pop(identity)
        for call in conference.calls:
            self.participants.pop(call.leg.id, None)
        for backplane in conference.past_backplanes:
            self.backplanes.pop(backplane.id, None)
        while self._failed and (self._failed[0].ended or 0.0) < (conference.ended or 0.0):
            self.participants.pop(self._failed.popleft().leg.id, None)

    def prepend(self, older: History) -> None:
        """Put the records of an earlier time before these, as many as are kept."""
        self.conferences = older.conferences | self.conferences
        self.participants = older.participants | self.participants
        self.backplanes = older.backplanes | self.backplanes
        self._failed = older._failed + self._failed
        for identity in list(self._surplus()):
            self.forget(identity)

    def _surplus(self) -> Iterator[str]:
        surplus = len(self.conferences) - KEPT_CONFERENCES
        return (identity for identity, _ in zip(self.conferences, range(surplus), strict=False))
