"""Kinds of message that no rule knows: warnings and errors, masked, and grouped by what they share."""

import re
import sqlite3
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec
from drain3.drain import Drain  # type: ignore[import-untyped]

from exporters.logs.fields import Fields
from vdx.logs.line import Line

MOST: Final = 500
"""Kinds that are kept; beyond them those that were seen longest ago are forgotten."""
_MOST_WORDS: Final = 30
_MASK: Final = "<*>"
_SPOKEN: Final = re.compile(r"[A-Z]?[a-zæøå]+[.,:;!?)]?|[(]?[a-zæøå]+|[A-Z_]{2,}[.,:;]?")
"""A word of plain text: letters alone. All else is masked: numbers, addresses, quoted values, identifiers."""


class Kind(msgspec.Struct, frozen=True):
    """A kind of message."""

    text: str
    """What its messages have in common, without anything that may be personal."""
    source: str
    first: float
    """When it was first seen, in Unix time."""
    last: float
    count: int
    """How many of the samples were of it."""


def masked(line: Line, source: str) -> str:
    """What a line says, without numbers, addresses, identifiers and names.

    A capitalised word may be a name: it is kept at the beginning of the text alone, unless another follows.
    """
    found = Fields(line, source)
    match source:
        case "pexip":
            head, text = found.get("name"), found.get("message")
        case "fortigate":
            head, text = f"{found.get('type')}/{found.get('subtype')}", found.get("logdesc")
        case "vdx-api":
            head, text = found.get("logger_name"), found.get("message")
        case "nxos":
            head, text = f"{found.get('facility')}-{found.get('mnemonic')}", found.get("message")
        case _:
            head, text = line.app, line.message
    words = text[:2000].split()[:_MOST_WORDS]
    is_sentence = len(words) < 2 or not words[1][0].isupper()
    said = (_word(word, number == 0 and is_sentence) for number, word in enumerate(words))
    return " ".join((_head(head), *said))


def _head(text: str) -> str:
    return text if re.fullmatch(r"[A-Za-z][\w./$-]{0,79}", text) else _MASK


def _word(word: str, may_be_capital: bool) -> str:
    fits = _SPOKEN.fullmatch(word) and len(word) <= 30
    return word if fits and (may_be_capital or not word[0].isupper() or word.isupper()) else _MASK


class Kinds:
    """The kinds that are known. Changes are computed first and taken when they are stored."""

    def __init__(self, known: Mapping[int, Kind]) -> None:
        """`known` are those that were stored, by their numbers."""
        self.known = dict(known)
        self._drain = Drain(sim_th=0.5, max_clusters=MOST)
        self._numbers: dict[int, int] = {}
        for number, kind in sorted(known.items()):
            cluster, _ = self._drain.add_log_message(kind.text)
            self._numbers.setdefault(cluster.cluster_id, number)

    def changes(self, samples: Iterable[tuple[str, Line]], now: float) -> dict[int, Kind]:
        """Number -> kind, as they are with some more samples, each with its source."""
        changed: dict[int, Kind] = {}
        for source, line in samples:
            cluster, _ = self._drain.add_log_message(masked(line, source))
            number = self._numbers.get(cluster.cluster_id)
            if number is None:
                number = max((0, *self.known, *changed)) + 1
                self._numbers[cluster.cluster_id] = number
            before = changed.get(number) or self.known.get(number) or Kind("", source, now, now, 0)
            changed[number] = msgspec.structs.replace(
                before, text=cluster.get_template(), last=now, count=before.count + 1
            )
        return changed

    def surplus(self, changed: Mapping[int, Kind]) -> list[int]:
        """The numbers of those that are more than MOST with the changes: the ones seen longest ago."""
        known = {**self.known, **changed}
        return sorted(known, key=lambda number: known[number].last, reverse=True)[MOST:]

    def take(self, changed: Mapping[int, Kind], gone: Iterable[int]) -> None:
        """Has the changes hold from here on, without those that are gone."""
        left_out = frozenset(gone)
        known = {**self.known, **changed}
        self.known = {number: kind for number, kind in known.items() if number not in left_out}
        self._numbers = {
            cluster: number for cluster, number in self._numbers.items() if number not in left_out
        }


def load(connection: sqlite3.Connection) -> dict[int, Kind]:
    """The kinds that are stored."""
    return {number: Kind(*rest) for number, *rest in connection.execute("SELECT * FROM kinds")}


def store(connection: sqlite3.Connection, changed: Mapping[int, Kind], gone: Iterable[int]) -> None:
    """Stores kinds that have changed and removes others, within the caller's transaction."""
    connection.executemany(
        "REPLACE INTO kinds VALUES (?, ?, ?, ?, ?, ?)",
        [
            (number, kind.text, kind.source, kind.first, kind.last, kind.count)
            for number, kind in changed.items()
        ],
    )
    connection.executemany("DELETE FROM kinds WHERE number = ?", [(number,) for number in gone])
