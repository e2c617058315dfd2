"""Decoding and authenticating notifications with pysnmp, one datagram at a time, without a socket of its own.

pysnmp's errors, caches and timers stay in here.
"""

import hashlib
import platform
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, Literal, TypeAlias

from pyasn1.type import univ  # type: ignore[import-untyped]
from pysnmp.carrier.asyncio.dispatch import AsyncioDispatcher  # type: ignore[import-untyped]
from pysnmp.carrier.base import AbstractTransport  # type: ignore[import-untyped]
from pysnmp.entity import config  # type: ignore[import-untyped]
from pysnmp.entity.engine import SnmpEngine  # type: ignore[import-untyped]
from pysnmp.entity.rfc3413.ntfrcv import NotificationReceiver  # type: ignore[import-untyped]
from pysnmp.proto import errind  # type: ignore[import-untyped]
from pysnmp.proto.rfc1902 import IpAddress, OctetString  # type: ignore[import-untyped]

from exporters.snmp.traps.header import Header, MalformedError
from exporters.snmp.traps.reading import Value, Varbind
from exporters.snmp.traps.users import User, read_user
from vdx.settings import SNMPCredentials

Address: TypeAlias = tuple[Any, ...]

_DOMAIN: Final = (1, 3, 6, 1, 6, 1, 1)
_TICK_SECONDS: Final = 1.0
_ENTERPRISE: Final = bytes.fromhex("80004fb805")
"""The beginning of an engine id that pysnmp's makers own and that goes on with octets (RFC 3411)."""

_EPOCH: Final = 1_577_836_800
"""2020-01-01. Our engine's boots count seconds from there, so that they grow from start to start without
being kept anywhere."""


class RefusedError(Exception):
    """A notification is not taken. `reason` is a value of the label of the dropped."""

    def __init__(self, reason: Literal["size", "credentials", "engine"]) -> None:
        super().__init__(reason)
        self.reason: Final = reason


def make_receiver(
    credentials: Mapping[str, SNMPCredentials], name: str, send: Callable[[bytes, Address], None]
) -> "Receiver":
    """A receiver of all communities and users of the settings. Raises SettingsError."""
    named = {each: f"snmp.credentials.{each}" for each in credentials}
    return Receiver(
        {each: own.read("community", named[each]) for each, own in credentials.items() if not own.username},
        {each: read_user(own, named[each]) for each, own in credentials.items() if own.username},
        name,
        send,
    )


class _Answers(AbstractTransport):  # type: ignore[misc]
    """Where pysnmp puts what it answers to informs."""

    def __init__(self, send: Callable[[bytes, Address], None]) -> None:
        self._send = send

    def send_message(self, outgoingMessage: bytes, transportAddress: Address) -> None:  # noqa: N803
        self._send(outgoingMessage, transportAddress)


class Receiver:
    """One SNMP engine that takes notifications of the given communities and users.

    To be made, used and closed in one event loop. `name` tells our engine from others on this machine.
    """

    def __init__(
        self,
        communities: Mapping[str, str],
        users: Mapping[str, User],
        name: str,
        send: Callable[[bytes, Address], None],
    ) -> None:
        self._communities = {community.encode() for community in communities.values()}
        self._users = dict(users)
        self._usernames = {user.name.encode() for user in users.values()}
        self._engines: set[bytes] = set()
        self._varbinds: list[Varbind] | None = None
        self._failure: object = None
        self.engine_id: Final = (
            _ENTERPRISE + hashlib.sha256(f"{platform.node()} {name}".encode()).digest()[:8]
        )
        self._engine = self._make(send)
        for index, community in communities.items():
            config.add_v1_system(self._engine, index, community)
        for user in users.values():
            self._add(user, self.engine_id)

    def _make(self, send: Callable[[bytes, Address], None]) -> SnmpEngine:
        engine = SnmpEngine()
        # Set here, since the constructor would keep the boots in a folder that all users may write to.
        engine_id, boots = engine.get_mib_builder().import_symbols(
            "__SNMP-FRAMEWORK-MIB", "snmpEngineID", "snmpEngineBoots"
        )
        engine_id.syntax = engine_id.syntax.clone(self.engine_id)
        boots.syntax = boots.syntax.clone(int(time.time()) - _EPOCH)
        dispatcher = AsyncioDispatcher()
        dispatcher.set_timer_resolution(_TICK_SECONDS)
        engine.register_transport_dispatcher(dispatcher)
        dispatcher.register_transport(_DOMAIN, _Answers(send))
        engine.observer.register_observer(self._failed, "rfc3412.prepareDataElements:sm-failure")
        NotificationReceiver(engine, self._notified)
        return engine

    def close(self) -> None:
        """Ends the engine's timer."""
        self._engine.close_dispatcher()

    def knows(self, engine_id: bytes) -> bool:
        """Whether users of this engine can be authenticated."""
        return engine_id == self.engine_id or engine_id in self._engines

    def learn(self, engine_id: bytes, names: Iterable[str]) -> None:
        """From here on users of these credentials are known at the engine of a device."""
        self._engines.add(engine_id)
        for name in names:
            if name in self._users:
                self._add(self._users[name], engine_id)

    def forget(self, engine_id: bytes, names: Iterable[str]) -> None:
        """The opposite of `learn`."""
        self._engines.discard(engine_id)
        for name in names:
            if name in self._users:
                config.delete_v3_user(self._engine, self._users[name].name, OctetString(engine_id))

    def _add(self, user: User, engine_id: bytes) -> None:
        config.add_v3_user(
            self._engine,
            user.name,
            user.authentication,
            user.authentication_key,
            user.privacy,
            user.privacy_key,
            securityEngineId=OctetString(engine_id),
            authKeyType=config.USM_KEY_TYPE_MASTER,
            privKeyType=config.USM_KEY_TYPE_MASTER,
        )

    def check(self, header: Header) -> None:
        """Raises RefusedError where the head of a message names no community or user that is known.

        A user has to sign and encrypt; pysnmp by itself would take messages that are neither.
        """
        if header.version != "v3":
            known = header.community in self._communities
        else:
            known = header.is_discovery or (header.is_private and header.username in self._usernames)
        if not known:
            raise RefusedError("credentials")

    def receive(self, datagram: bytes, address: Address, header: Header) -> list[Varbind] | None:
        """The varbinds of a notification; an inform is answered.

        None for a message that only prepares an inform. Raises RefusedError and MalformedError.
        """
        self.check(header)
        self._varbinds = self._failure = None
        try:
            self._engine.message_dispatcher.receive_message(self._engine, _DOMAIN, address, datagram)
        except Exception as error:
            # pysnmp and pyasn1 raise what they like at hostile input, RecursionError among it.
            raise MalformedError(f"pysnmp cannot read it ({type(error).__name__})") from None
        if self._varbinds is not None:
            return self._varbinds
        if header.is_discovery:
            return None
        if self._failure is errind.notInTimeWindow and header.engine_id == self.engine_id:
            if header.is_reportable:
                return None
            raise RefusedError("engine")
        if self._failure is not None:
            raise RefusedError("credentials")
        raise MalformedError("it is no notification")

    def _failed(self, _engine: SnmpEngine, _point: str, variables: dict[str, Any], _context: object) -> None:
        self._failure = variables["statusInformation"].get("errorIndication", True)

    def _notified(
        self,
        _engine: SnmpEngine,
        _state: int,
        _context_engine: object,
        _context_name: object,
        varbinds: list[tuple[Any, Any]],
        _context: object,
    ) -> None:
        self._varbinds = [(str(oid), _plain(value)) for oid, value in varbinds]


def _plain(value: Any) -> Value:
    if isinstance(value, IpAddress):
        return str(value.prettyPrint())
    if isinstance(value, univ.OctetString):
        return bytes(value)
    if isinstance(value, univ.Integer):
        return int(value)
    return str(value) if isinstance(value, univ.ObjectIdentifier) else ""
