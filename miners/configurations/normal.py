"""The normalised text of a configuration: what is left when nothing changes by itself and no secret shows."""

import hmac
import re
from typing import Final

from miners.configurations.kind import Kind, Secret

_MARK: Final = "<secret"
_DIGITS: Final = 12


def normalised(text: str, kind: Kind, key: bytes) -> str:
    """The text without volatile lines, trailing spaces and secrets; normalising it again changes nothing.

    A secret that the device seals anew at each look becomes `<secret>`, so that nothing tells when it
    changes. Any other becomes `<secret:1f2e3d4c5b6a>`, the start of its HMAC-SHA-256 under `key`: it changes
    with the secret, and tells nothing about it to those who have not the key.
    """
    lines = (line.rstrip() for line in text.split("\n") if not kind.volatile.search(line))
    kept = "\n".join(lines).strip("\n") + "\n"
    for secret in kind.secrets:
        kept = _covered(kept, secret, key)
    return kept


def _covered(text: str, secret: Secret, key: bytes) -> str:
    def cover(match: re.Match[str]) -> str:
        covered, start = match[0], match.start()
        for group in range(len(match.groups()), 0, -1):
            begin, end = match.span(group)
            if begin >= 0 and not match[group].lstrip().startswith(_MARK):
                mark = _mark(match[group], secret, key)
                covered = covered[: begin - start] + mark + covered[end - start :]
        return covered

    if secret.within is None:
        return secret.pattern.sub(cover, text)
    return secret.within.sub(lambda part: secret.pattern.sub(cover, part[0]), text)


def _mark(value: str, secret: Secret, key: bytes) -> str:
    if secret.sealed_anew:
        return f"{_MARK}>"
    digest = hmac.digest(key, value.encode(errors="surrogatepass"), "sha256").hex()
    return f"{_MARK}:{digest[:_DIGITS]}>"
