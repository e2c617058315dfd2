"""What the log must not hold is replaced by `***`: secrets and personal data."""

import re
from typing import Final

from vdx.own_log import known_secrets

MASK: Final = "***"

_NAMED: Final = (
    r"password|passwd|passphrase|pwd|secret|token|api[_-]?key|private[_-]?key|community|credentials?"
)
_VALUE: Final = r"(?:\"[^\"\n]*\"|'[^'\n]*'|[^\s,;&\"']+)"
_PATTERNS: Final = (
    (re.compile(r"(?i)(authorization[\"']?\s*[:=]\s*)[^\r\n]+"), rf"\g<1>{MASK}"),
    (re.compile(r"(?i)\b(bearer\s+)[^\s\"',;]{6,}"), rf"\g<1>{MASK}"),
    (re.compile(r"(://)[^/\s@\"']+@"), rf"\g<1>{MASK}@"),
    (re.compile(rf"(?i)(?<![a-z])((?:{_NAMED})[\"']?\s*=\s*){_VALUE}"), rf"\g<1>{MASK}"),
    # Not behind a slash, a dot or a dash: that is the path of a file or the name of a setting.
    (re.compile(rf"(?i)(?<![\w/.-])((?:{_NAMED})[\"']?:\s+){_VALUE}"), rf"\g<1>{MASK}"),
    (re.compile(r"[\w.+%-]+@[\w-]+(?:\.[\w-]+)+"), MASK),
    (re.compile(r"(?<![\w.])\+?\d{8,}(?!\w)"), MASK),
    (re.compile(r"(?<![\w.:-])(?:(?:\+|00)\d{2} ?)?\d{2} \d{2} \d{2} \d{2}(?![\w:])"), MASK),
)
"""Authorization headers, bearer tokens, user names and passwords in URLs, named secrets, e-mail addresses and
aliases of that form, telephone numbers of 8 digits or more, together or in pairs."""


def redact(text: str) -> str:
    """The text without known secrets and without what looks like a secret or personal data."""
    text = _without_known(text)
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return _without_known(text)


def _without_known(text: str) -> str:
    """Repeated, since what stands around a mask can be a secret with it; each turn is shorter."""
    pattern = known_secrets.pattern()
    while pattern is not None and pattern.search(text):
        text = pattern.sub(MASK, text)
    return text
