"""Identifiers as 16 bytes, and keyed hashes that stand for names and aliases."""

import contextlib
import hashlib
import hmac
import os
import secrets
import uuid
from pathlib import Path
from typing import Final

from vdx.settings import Settings, SettingsError, read_secret

KEY_FILE: Final = "pseudonym.key"
BYTES: Final = 16
_LENGTH: Final = 36
"""Characters of a UUID as the platform writes it, which is read without the library's many checks."""


def identifier(text: str) -> bytes:
    """The 16 bytes of a UUID; of any other text, the start of its SHA-256."""
    if len(text) == _LENGTH and text[8] == text[13] == text[18] == text[23] == "-":
        with contextlib.suppress(ValueError):
            found = bytes.fromhex(text[:8] + text[9:13] + text[14:18] + text[19:23] + text[24:])
            if len(found) == BYTES:  # fromhex passes over spaces
                return found
    try:
        return uuid.UUID(text).bytes
    except ValueError:
        return hashlib.sha256(text.encode(errors="surrogatepass")).digest()[:BYTES]


class Pseudonyms:
    """Stands a keyed hash in the place of a name: the same name gives the same hash under one key.

    HMAC-SHA-256 (RFC 2104), cut to 16 bytes. Upper and lower case are told apart.
    """

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        self._key = key

    def of(self, name: str) -> bytes:
        """The 16 bytes that stand for `name`."""
        return hmac.digest(self._key, name.encode(errors="surrogatepass"), "sha256")[:BYTES]


def pseudonyms(settings: Settings) -> Pseudonyms:
    """With the key of privacy.key_file, or one that is made once, in data.directory, for this user only.

    Raises SettingsError when the key can neither be read nor made.
    """
    return all_pseudonyms(settings)[0]


def all_pseudonyms(settings: Settings) -> tuple[Pseudonyms, ...]:
    """With the present key, then with each that it took the place of: a line of the file for each.

    What was stored under a former key is recognised by it. Raises SettingsError, as `pseudonyms`.
    """
    if settings.privacy.key_file is not None:
        text = read_secret("privacy.key_file", settings.privacy.key_file)
    else:
        path = settings.data.directory / KEY_FILE
        if not path.exists():
            _make_key(path)
        text = read_secret("data.directory", path)
    return tuple(Pseudonyms(line.strip().encode()) for line in text.split("\n") if line.strip())


def _make_key(path: Path) -> None:
    """Writes a random key whole or not at all; another process that was first keeps its own."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(32))
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    except OSError as error:
        raise SettingsError(
            f"data.directory: cannot write {path}: {error.strerror}; name a folder that this user may write"
        ) from None
