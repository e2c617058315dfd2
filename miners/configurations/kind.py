"""What has to be known of a kind of device in order to copy its configuration."""

import re
from collections.abc import Callable
from datetime import datetime

import msgspec


class Question(msgspec.Struct, frozen=True):
    """Something that the device asks at the end of what it has written, such as for a key at a full page."""

    pattern: re.Pattern[str]
    """Finds the question in its line, which is then left out."""
    answer: str
    """What is typed."""


class Secret(msgspec.Struct, frozen=True):
    """Where a configuration holds something that must not be shown."""

    pattern: re.Pattern[str]
    """Each group of it is a secret; the rest of the match tells where it stands."""
    within: re.Pattern[str] | None = None
    """The only part of the configuration in which it is one."""
    sealed_anew: bool = False
    """True where the device encrypts it with another salt whenever it is shown, so that the text tells
    nothing about whether the secret has changed."""


class Told(msgspec.Struct, frozen=True):
    """What the device itself tells of its last change."""

    who: str = ""
    """The account that made it; a person's name. Empty where the device does not tell."""
    when: datetime | None = None
    """UTC; None where the device does not tell."""


class Kind(msgspec.Struct, frozen=True):
    """A kind of device, `devices.NAME.kind` in the settings."""

    prompt: re.Pattern[str]
    """The whole of a line, stripped, at whose end the device waits for a command."""
    configuration: str
    """The command that shows what runs."""
    missing: Callable[[str], str]
    """What a configuration lacks to be whole, such as `a last line \\`end\\``; empty when it is whole."""
    told: Callable[[str, datetime, str], Told]
    """What a configuration tells of its last change, of the text, when it was taken and by which account."""
    volatile: re.Pattern[str]
    """Finds lines that change by themselves."""
    secrets: tuple[Secret, ...]
    """Where the secrets are."""
    prepare: tuple[str, ...] = ()
    """Commands that concern this login alone, such as to switch paging off."""
    startup: str = ""
    """The command that shows what the device would start with; empty where it has only one configuration."""
    no_startup: re.Pattern[str] | None = None
    """Finds that there is nothing to start with."""
    pagers: tuple[Question, ...] = ()
    """How the device asks for the next page. They begin their line, or a configuration could hold one."""
    banners: tuple[Question, ...] = ()
    """What the device may ask at the login."""
