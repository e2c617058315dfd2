"""What an agent shows: objects in order, each an encoded value or a function of time that makes one."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping

from simulator.network.ber import NO_SUCH_INSTANCE, NO_SUCH_OBJECT, Oid

Value = bytes | Callable[[float], bytes]
"""An encoded value, or what makes one from the time in Unix seconds."""

Objects = Iterator[tuple[Oid, Value]]
"""Object identifiers with their values, in any order."""


def scalars(group: Oid, values: Mapping[int, Value]) -> Objects:
    """Objects without an index: the number below the group, and the value."""
    for number, value in values.items():
        yield (*group, number, 0), value


def row(entry: Oid, index: Oid | int, columns: Mapping[int, Value]) -> Objects:
    """A row of a table: the number of the column below the entry, and the value."""
    suffix = (index,) if isinstance(index, int) else index
    for column, value in columns.items():
        yield (*entry, column, *suffix), value


def moving(encoder: Callable[[float], bytes], figure: Callable[[float], float]) -> Value:
    """A value that moves: a figure of time, encoded."""
    return lambda now: encoder(figure(now))


class View:
    """Objects in the order of GETNEXT.

    `endless` is a column that goes on for ever after its last row, `stuck` one whose last row is followed by
    its first: what buggy agents do to those who walk.
    """

    def __init__(
        self,
        objects: Iterable[tuple[Oid, Value]],
        *,
        endless: Oid | None = None,
        stuck: Oid | None = None,
    ) -> None:
        self._values = dict(objects)
        self._order = sorted(self._values)
        self._endless, self._stuck = endless, stuck
        self._last_endless, self._last_stuck = self._last(endless), self._last(stuck)

    def __iter__(self) -> Iterator[Oid]:
        """The object identifiers in their order."""
        return iter(self._order)

    def get(self, name: Oid, now: float) -> bytes:
        """The value of an object, or the exception that stands for it.

        noSuchInstance when there are others beside it, else noSuchObject. No MIB is known here, so that in a
        table with an index of several parts it may be the wrong one of the two.
        """
        value = self._values.get(name)
        if value is None:
            parent = name[:-1]
            place = bisect_right(self._order, parent)
            beside = self._order[place] if place < len(self._order) else ()
            known = len(beside) == len(name) and beside[:-1] == parent
            return NO_SUCH_INSTANCE if known else NO_SUCH_OBJECT
        return value if isinstance(value, bytes) else value(now)

    def following(self, name: Oid, now: float) -> tuple[Oid, bytes] | None:
        """The next object and its value; None at the end."""
        if name == self._last_stuck and self._stuck is not None:
            name = self._stuck
        elif self._goes_on(name) and self._last_endless is not None:
            return (*name[:-1], name[-1] + 1), self.get(self._last_endless, now)
        place = bisect_right(self._order, name)
        if place == len(self._order):
            return None
        found = self._order[place]
        value = self._values[found]
        return found, value if isinstance(value, bytes) else value(now)

    def _last(self, column: Oid | None) -> Oid | None:
        if column is None:
            return None
        below = [name for name in self._order if name[: len(column)] == column]
        return below[-1] if below else None

    def _goes_on(self, name: Oid) -> bool:
        return (
            self._endless is not None
            and self._last_endless is not None
            and name >= self._last_endless
            and name[: len(self._endless)] == self._endless
        )
