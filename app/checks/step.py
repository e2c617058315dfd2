"""A step of `vdx check`."""

from enum import StrEnum

import msgspec


class Outcome(StrEnum):
    """How a step ended."""

    GOOD = "good"
    ADVICE = "advice"
    FAULT = "fault"


class Step(msgspec.Struct, frozen=True):
    """One thing that was looked at, what was seen, and what to do."""

    name: str
    outcome: Outcome
    words: str


def good(name: str, words: str) -> Step:
    """It is as it should be."""
    return Step(name, Outcome.GOOD, words)


def advice(name: str, words: str) -> Step:
    """It works, and could be better."""
    return Step(name, Outcome.ADVICE, words)


def fault(name: str, words: str) -> Step:
    """It does not work."""
    return Step(name, Outcome.FAULT, words)
