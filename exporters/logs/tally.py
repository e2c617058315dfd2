"""What lines add to the counts: computed of a batch, apart from what was counted before."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from exporters.logs.fields import Fields
from exporters.logs.patterns import PatternSet
from exporters.logs.rule import Compiled
from exporters.logs.source import severity, source
from vdx.logs.line import Line

GRAVE: Final = frozenset({"emergency", "alert", "critical", "error", "warning"})
SAMPLES: Final = 200
"""Unknown lines of a batch that are looked at as kinds of message."""

Event = tuple[str, str, str]
"""Rule, class, host."""
Lines = tuple[str, str, str]
"""Host, source, severity."""


class Tally(msgspec.Struct):
    """What a batch adds."""

    lines: Counter[Lines]
    events: Counter[Event]
    values: dict[Event, float]
    times: dict[Event, str]
    """When the last event was received, of rules of the kind event."""
    hosts: dict[tuple[str, str], str]
    """Host and source -> when the last line was received."""
    addresses: dict[str, str]
    """Address -> when the last line was received."""
    unknown: list[tuple[str, Line]]
    """Samples of warnings and errors that no rule knows, with their source."""
    unknown_lines: int = 0
    rejected: int = 0


def empty() -> Tally:
    """A tally of nothing."""
    return Tally(Counter(), Counter(), {}, {}, {}, {}, [])


class Matcher:
    """All rules as one automaton."""

    def __init__(self, rules: Sequence[Compiled]) -> None:
        self._rules = rules
        self._set = PatternSet([rule.gate for rule in rules])

    def match(self, message: str, kind: str) -> list[Compiled]:
        """The rules of a source whose `contains` or `pattern` is in a message."""
        numbers = self._set.found(message)
        return [rule for number in numbers if (rule := self._rules[number]).rule.source == kind]

    def tally(self, lines: Iterable[Line | None]) -> Tally:
        """What lines add; None among them is a line that was rejected."""
        result = empty()
        counted, hosts, addresses = result.lines, result.hosts, result.addresses
        for line in lines:
            if line is None:
                result.rejected += 1
                continue
            kind = source(line)
            grave = severity(line, kind)
            host = line.host
            counted[host, kind, grave] += 1
            hosts[host, kind] = addresses[line.address] = line.received
            is_known = False
            if matches := self.match(line.message, kind):
                found = Fields(line, kind)
                for rule in matches:
                    is_known |= self._count(result, rule, line, found)
            if grave in GRAVE and not is_known:
                result.unknown_lines += 1
                if len(result.unknown) < SAMPLES:
                    result.unknown.append((kind, line))
        return result

    def _count(self, result: Tally, rule: Compiled, line: Line, found: Fields) -> bool:
        """Counts a line by a rule; True where the rule knows what kind of message it is."""
        if not rule.holds(found):
            return False
        key = rule.rule.name, rule.class_of(found), line.host
        result.events[key] += 1
        if rule.rule.kind == "gauge":
            number = rule.number(found)
            if number is not None:
                result.values[key] = number
        elif rule.rule.kind == "event":
            result.times[key] = line.received
        return not rule.rule.general
