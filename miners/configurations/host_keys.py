"""The keys of devices' SSH servers: pinned at the first contact, and no other is taken afterwards."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import asyncssh

from miners.configurations.errors import BackupError, Reason

ALGORITHMS: Final = (
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "rsa-sha2-512",
    "rsa-sha2-256",
    "ssh-rsa",
)
"""What a device may prove its key with. ssh-rsa, which signs with SHA-1, comes last, for old images."""
_SSH_PORT: Final = 22


class HostKeys:
    """A file of keys in the form of OpenSSH's known_hosts. A pair of devices needs a line for each."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def of(self, address: str, port: int) -> list[asyncssh.SSHKey]:
        """The keys that are pinned; none before the first contact. Raises BackupError."""
        try:
            known = asyncssh.import_known_hosts(self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return []
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else "a line of it is malformed"
            raise BackupError(Reason.HOST_KEY, f"cannot read {self.path}: {reason}") from None
        keys: Sequence[asyncssh.SSHKey] = asyncssh.match_known_hosts(known, _host(address, port), "", None)[0]
        return list(keys)

    def pin(self, address: str, port: int, key: asyncssh.SSHKey) -> None:
        """Take this key and no other from now on. Raises BackupError."""
        line = f"{_host(address, port)} {key.export_public_key().decode().strip()}\n"
        try:
            descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            with os.fdopen(descriptor, "a", encoding="utf-8") as file:
                file.write(line)
        except OSError as error:
            raise BackupError(
                Reason.STORAGE, f"cannot write {self.path}: {error.strerror}; check its folder and rights"
            ) from None


class PinnedClient(asyncssh.SSHClient):
    """Takes the pinned key of a device; the first one too, and pins it where `pins` is set.

    After a refusal `fault` tells why.
    """

    def __init__(self, keys: HostKeys, device: str, address: str, port: int, *, pins: bool) -> None:
        self._keys = keys
        self._device, self._address, self._port = device, address, port
        self._pins = pins
        self._pinned = keys.of(address, port)
        self.fault: BackupError | None = None

    @property
    def first(self) -> bool:
        """True where no key was pinned."""
        return not self._pinned

    def algorithms(self) -> list[str]:
        """What the key may be proved with: the pinned ones first, so that the device shows the same key."""
        pinned = {name.decode() for key in self._pinned for name in key.sig_algorithms}
        return sorted(ALGORITHMS, key=lambda name: name not in pinned)

    def validate_host_public_key(
        self,
        host: str,  # noqa: ARG002 - asyncssh passes all by position
        addr: str,  # noqa: ARG002
        port: int,  # noqa: ARG002
        key: asyncssh.SSHKey,
    ) -> bool:
        """Whether the device is the one that it was; before anything secret is sent to it."""
        if key in self._pinned:
            return True
        if self._pinned:
            self.fault = BackupError(
                Reason.HOST_KEY,
                f"{self._device} shows the key {key.get_fingerprint()}, and "
                f"{self._pinned[0].get_fingerprint()} is pinned. Where the device was replaced or "
                f"reinstalled, remove the line {_host(self._address, self._port)} from {self._keys.path}; "
                "otherwise somebody may stand in between, and nothing was sent to them",
            )
            return False
        try:
            if self._pins:
                self._keys.pin(self._address, self._port, key)
        except BackupError as fault:
            self.fault = fault
        return self.fault is None


def _host(address: str, port: int) -> str:
    return address if port == _SSH_PORT else f"[{address}]:{port}"
