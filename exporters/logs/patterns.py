"""RE2: patterns whose time is linear in the text, and all patterns of all rules in one pass."""

from collections.abc import Sequence
from typing import Any, Final, Protocol

import re2  # type: ignore[import-untyped]

_MEMORY: Final = 64 << 20
"""Bytes that the automaton of a set may take."""


class PatternError(ValueError):
    """It is no RE2 pattern; the text says why."""


class Match(Protocol):
    """What was found."""

    def __getitem__(self, group: int) -> str | None: ...


class Pattern(Protocol):
    """A pattern that is ready."""

    @property
    def groups(self) -> int: ...
    def search(self, text: str) -> Match | None: ...
    def fullmatch(self, text: str) -> Match | None: ...


def _options() -> Any:
    options = re2.Options()
    options.log_errors = False
    return options


def compiled(pattern: str) -> Pattern:
    """The pattern, ready. Raises PatternError."""
    try:
        ready: Pattern = re2.compile(pattern, _options())
    except re2.error as error:
        reason = error.args[0] if error.args else ""
        raise PatternError(reason.decode() if isinstance(reason, bytes) else str(reason)) from None
    return ready


def literal(text: str) -> str:
    """The pattern for a text as it stands."""
    escaped: str = re2.escape(text)
    return escaped


class PatternSet:
    """Many patterns, looked for at once."""

    def __init__(self, patterns: Sequence[str]) -> None:
        options = _options()
        options.never_capture = True
        options.max_mem = _MEMORY
        self._set: Any = re2.Set.SearchSet(options)
        for pattern in patterns:
            self._set.Add(pattern)
        self._is_empty = not patterns
        if patterns:
            self._set.Compile()

    def found(self, text: str) -> list[int]:
        """The numbers of the patterns that are in a text, in order."""
        if self._is_empty:
            return []
        numbers: list[int] | None = self._set.Match(text)
        return sorted(numbers) if numbers else []
