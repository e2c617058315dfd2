"""Identifiers as 16 bytes, and keyed hashes that stand for names and aliases."""

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


def identifier(text: str) -> bytes:
    """The 16 bytes of a UUID; of any other text, the start of its SHA-256."""
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
    if settings.privacy.key_file is not None:
        return Pseudonyms(read_secret("privacy.key_file", settings.privacy.key_file).encode())
    path = settings.data.directory / KEY_FILE
    if not path.exists():
        _make_key(path)
    return Pseudonyms(read_secret("data.directory", path).encode())


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
