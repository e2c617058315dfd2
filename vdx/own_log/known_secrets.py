"""The secrets that this process has read, so that the log can leave them out."""

import json
import re
from typing import Final
from urllib.parse import quote, unquote, urlsplit

SHORTEST: Final = 4
"""Characters; a shorter secret cannot be told from ordinary text."""
_LONGEST_KNOWN: Final = 20_000

_known: set[str] = set()
_pattern: re.Pattern[str] | None = None


def register(secret: str) -> None:
    """Makes a secret known, each of its lines, and the password in it where it is a URL."""
    lines = [line.strip() for line in secret.splitlines() if not line.startswith("-----")]
    for text in {secret.strip(), *lines, _password(secret)}:
        if SHORTEST <= len(text) <= _LONGEST_KNOWN:
            _known.update(_forms(text))
    global _pattern  # noqa: PLW0603 - the process has one log
    longest_first = sorted(_known, key=lambda text: (-len(text), text))
    _pattern = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None


def pattern() -> re.Pattern[str] | None:
    """Finds any known secret in any of its written forms; None while none is known."""
    return _pattern


def _forms(text: str) -> set[str]:
    """As it is, and as a URL, JSON or Python writes it."""
    forms = {text, quote(text, safe=""), json.dumps(text)[1:-1], repr(text)[1:-1]}
    return {form for form in forms if len(form) >= SHORTEST}


def _password(text: str) -> str:
    try:
        return unquote(urlsplit(text.strip()).password or "")
    except ValueError:
        return ""
