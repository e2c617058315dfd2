"""The UDP socket that traps come to, and what the kernel says of it."""

import errno
import os
import socket
from pathlib import Path
from typing import Final

from vdx.settings import SettingsError

_SETTING: Final = "traps.listen"
_BUFFER: Final = 4 * 1024 * 1024
"""Bytes that may wait to be read. The kernel gives at most net.core.rmem_max."""

_TABLES: Final = (Path("/proc/net/udp"), Path("/proc/net/udp6"))


def bind(listen: str) -> socket.socket:
    """A socket on address:port; on [::] it takes IPv4 as well. Raises SettingsError with the mend."""
    host, _, port = listen.rpartition(":")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host.strip("[]"), int(port), type=socket.SOCK_DGRAM, flags=socket.AI_PASSIVE
        )[0]
    except OSError:
        raise SettingsError(
            f"{_SETTING}: {listen}: {host} is no address or host name; write an address"
        ) from None
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        listener.bind(address)
        listener.setblocking(False)
    except OSError as error:
        listener.close()
        raise SettingsError(f"{_SETTING}: {listen} {_reason(error)}") from None
    return listener


def _reason(error: OSError) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return "is in use by another program, such as snmptrapd; stop it or choose another port"
        case errno.EADDRNOTAVAIL:
            return "is not an address of this machine; choose one that is, or 0.0.0.0 for all"
        case errno.EACCES:
            return (
                "may not be used by this user; give the service the right to ports below 1024, "
                "AmbientCapabilities=CAP_NET_BIND_SERVICE in its systemd unit, or choose a port from 1024 up"
            )
        case _:
            return f"cannot be used: {error.strerror}; choose another address"


def kernel_drops(listener: socket.socket) -> int | None:
    """Datagrams that the kernel dropped for want of room; None where it does not tell."""
    try:
        inode = os.fstat(listener.fileno()).st_ino
        tables = [path.read_text(encoding="ascii") for path in _TABLES if path.exists()]
    except OSError:
        return None
    return next((drops for table in tables if (drops := find_drops(table, inode)) is not None), None)


def find_drops(table: str, inode: int) -> int | None:
    """The last column of the row of a socket, in the form of /proc/net/udp (proc(5))."""
    rows = (line.split() for line in table.splitlines()[1:])
    return next((int(row[-1]) for row in rows if len(row) >= 13 and row[9] == str(inode)), None)
