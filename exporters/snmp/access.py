"""The way to an SNMP agent: its address, and what it takes to be answered."""

from typing import Final, TypeAlias

import msgspec
from gufo.snmp import Aes128Key, Aes256Key, KeyExpansion, Sha1Key, Sha256Key, Sha512Key, User
from gufo.snmp._fast import SnmpV2cClientSocket, SnmpV3ClientSocket

from vdx.settings import SNMPCredentials

Socket: TypeAlias = SnmpV2cClientSocket | SnmpV3ClientSocket

_AUTHENTICATION: Final = {"SHA-1": Sha1Key, "SHA-256": Sha256Key, "SHA-512": Sha512Key}
_PRIVACY: Final = {"AES-128": Aes128Key, "AES-256": Aes256Key}
_EXPANSION: Final = {"cisco": KeyExpansion.Cisco, "blumenthal": KeyExpansion.Blumenthal}


class Access(msgspec.Struct, frozen=True, kw_only=True):
    """Where an agent is, and how it is asked: a community (v2c) or a user with two keys (v3)."""

    address: str
    port: int = 161
    community: str = ""
    username: str = ""
    authentication: str = "SHA-256"
    authentication_key: str = ""
    privacy: str = "AES-128"
    privacy_key: str = ""
    key_expansion: str = "cisco"

    @property
    def is_v3(self) -> bool:
        """True for a user with keys, False for a community."""
        return bool(self.username)

    def __repr__(self) -> str:
        return f"Access({self.address}:{self.port})"


def access(address: str, port: int, credentials: SNMPCredentials, setting: str) -> Access:
    """The way to an agent, with its secrets read. Raises SettingsError, naming `setting`."""
    if not credentials.username:
        return Access(address=address, port=port, community=credentials.read("community", setting))
    return Access(
        address=address,
        port=port,
        username=credentials.username,
        authentication=credentials.authentication,
        authentication_key=credentials.read("authentication_key", setting),
        privacy=credentials.privacy,
        privacy_key=credentials.read("privacy_key", setting),
        key_expansion=credentials.key_expansion,
    )


def open_socket(way: Access, address: str) -> Socket:
    """A socket towards `address`, which is a number; for v3 still without the user's keys."""
    place = f"[{address}]:{way.port}" if ":" in address else f"{address}:{way.port}"
    if not way.is_v3:
        return SnmpV2cClientSocket(place, way.community, 0, 0, 0, 0)
    nobody = User.default()
    return SnmpV3ClientSocket(
        place,
        b"",
        nobody.name,
        nobody.get_auth_alg(),
        nobody.get_auth_key(),
        nobody.get_priv_alg(),
        nobody.get_priv_key(),
        0,
        0,
        0,
        0,
    )


def set_keys(opened: SnmpV3ClientSocket, way: Access) -> None:
    """Gives a socket whose agent's engine is known the user and its keys."""
    user = User(
        way.username,
        auth_key=_AUTHENTICATION[way.authentication](way.authentication_key.encode()),
        priv_key=_PRIVACY[way.privacy](way.privacy_key.encode()),
        key_expansion=_EXPANSION[way.key_expansion],
    )
    opened.set_keys(
        user.name, user.get_auth_alg(), user.get_auth_key(), user.get_priv_alg(), user.get_priv_key()
    )
