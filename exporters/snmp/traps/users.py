"""The v3 users whose traps are taken, in pysnmp's terms."""

from typing import Final

import msgspec
from pysnmp.entity import config  # type: ignore[import-untyped]
from pysnmp.proto.rfc1902 import OctetString  # type: ignore[import-untyped]

from vdx.settings import SNMPCredentials

_AUTHENTICATION: Final = {
    "SHA-1": config.USM_AUTH_HMAC96_SHA,
    "SHA-256": config.USM_AUTH_HMAC192_SHA256,
    "SHA-512": config.USM_AUTH_HMAC384_SHA512,
}
_PRIVACY: Final = {
    ("AES-128", "cisco"): config.USM_PRIV_CFB128_AES,
    ("AES-128", "blumenthal"): config.USM_PRIV_CFB128_AES,
    ("AES-256", "cisco"): config.USM_PRIV_CFB256_AES,
    ("AES-256", "blumenthal"): config.USM_PRIV_CFB256_AES_BLUMENTHAL,
}


class User(msgspec.Struct, frozen=True):
    """A v3 user with the hashes of its pass phrases, which are slow to make."""

    name: str
    authentication: tuple[int, ...]
    authentication_key: OctetString
    privacy: tuple[int, ...]
    privacy_key: OctetString

    def __repr__(self) -> str:
        return "User()"


def read_user(credentials: SNMPCredentials, setting: str) -> User:
    """The user of some credentials. Raises SettingsError, naming `setting`."""
    authentication = _AUTHENTICATION[credentials.authentication]
    privacy = _PRIVACY[credentials.privacy, credentials.key_expansion]
    return User(
        credentials.username,
        authentication,
        config.AUTH_SERVICES[authentication].hash_passphrase(
            OctetString(credentials.read("authentication_key", setting).encode())
        ),
        privacy,
        config.PRIV_SERVICES[privacy].hash_passphrase(
            authentication, OctetString(credentials.read("privacy_key", setting).encode())
        ),
    )
