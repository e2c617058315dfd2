"""What a FortiGate and a Nexus show of their configuration: made up, in the form of the real ones.

A FortiGate encrypts its secrets with another salt at each look; a Nexus keeps them as they are, and its
time moves.
"""

import base64
import hashlib
import secrets
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Final, TypeAlias
from zoneinfo import ZoneInfo

_ZONE: Final = ZoneInfo("Europe/Copenhagen")
_PUBLIC_KEY: Final = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGJhY2t1cCBhY2NvdW50IG9mIHRoZSBzdGFuZC1p"


def sealed(secret: str) -> str:
    """A secret as FortiOS shows it: other text each time, of the same length."""
    salt = secrets.token_bytes(8)
    return base64.b64encode(salt + hashlib.sha512(salt + secret.encode()).digest()).decode()


def _private_key(secret: str) -> str:
    body = "\n".join(sealed(secret)[:64] for _ in range(4))
    return f"-----BEGIN ENCRYPTED PRIVATE KEY-----\n{body}\n-----END ENCRYPTED PRIVATE KEY-----"


class Firewall:
    """A FortiGate's configuration. Address objects and secrets can be changed."""

    kind = "fortigate"

    def __init__(self, hostname: str = "fw1", policies: int = 40) -> None:
        self.hostname = hostname
        self.secret = "a pre-shared key"  # noqa: S105 - made up
        self.community = "fw-community"
        self.addresses = {f"host-{number}": f"10.1.0.{number}" for number in range(1, 21)}
        self.policies = policies
        self.editor = "admin"
        self.version = 118_000_000

    def edit(self, name: str, value: str, by: str = "admin") -> None:
        """Somebody sets the address of an object."""
        self.addresses[name] = value
        self.editor = by
        self.version += 1

    def prompt(self) -> str:
        """What stands before the cursor."""
        return f"{self.hostname} # "

    def answer(self, command: str) -> list[str] | None:
        """The lines that a command writes; None for a command that is not known."""
        return list(self._show()) if command == "show" else None

    def unknown(self, command: str) -> list[str]:
        """What is said to a command that is not known."""
        return [f"Unknown action 0: {command.partition(' ')[0]}", "Command fail. Return code -61"]

    def _show(self) -> Iterator[str]:
        yield f"#config-version=FG22E1-7.0.12-FW-build0523-230606:opmode=0:vdom=0:user={self.editor}"
        yield f"#conf_file_ver={self.version}{secrets.randbelow(1000):03}"
        yield "#buildno=0523"
        yield "#global_vdom=1"
        yield from (
            "config system global",
            f'    set hostname "{self.hostname}"',
            "    set timezone 28",
            "end",
        )
        yield "config system admin"
        for name in ("admin", "vdx-watch"):
            yield f'    edit "{name}"'
            yield '        set accprofile "super_admin"'
            yield f"        set password ENC SH2{sealed(self.secret + name)}"
            yield f'        set ssh-public-key1 "{_PUBLIC_KEY}"'
            yield "    next"
        yield "end"
        yield "config system snmp community"
        yield from ("    edit 1", f'        set name "{self.community}"', "        config hosts")
        yield from (
            "            edit 1",
            "                set ip 10.9.9.9 255.255.255.255",
            "            next",
        )
        yield from ("        end", "    next", "end")
        yield from ("config vpn certificate local", '    edit "Fortinet_SSL"')
        yield f"        set password ENC {sealed(self.secret)}"
        yield from f'        set private-key "{_private_key(self.secret)}"'.split("\n")
        yield from ("    next", "end")
        yield from (
            "config vpn ipsec phase1-interface",
            '    edit "to-region"',
            '        set interface "wan1"',
        )
        yield f"        set psksecret ENC {sealed(self.secret)}"
        yield from ("    next", "end")
        yield "config firewall address"
        for name, address in self.addresses.items():
            yield from (f'    edit "{name}"', f"        set subnet {address} 255.255.255.255", "    next")
        yield "end"
        yield "config firewall policy"
        for number in range(1, self.policies + 1):
            yield from (
                f"    edit {number}",
                f'        set name "policy-{number}"',
                '        set srcintf "lan"',
            )
            yield from ("        set action accept", '        set service "HTTPS"', "    next")
        yield "end"


class Switch:
    """A Nexus's configuration. VLANs and secrets can be changed, and saved as what it starts with."""

    kind = "nexus"

    def __init__(
        self,
        hostname: str = "nexus1",
        interfaces: int = 48,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.hostname = hostname
        self.clock = clock
        self.community = "switch-community"
        self.password_hash = "$5$BLMHEB$ZvJZSEPLbTjWqRhGPzQ5dNCYmHbP2zQJnF1lX6TCZC3"  # noqa: S105 - made up
        self.vlans = {number: f"VLAN-{number}" for number in range(100, 130)}
        self.interfaces = interfaces
        self.changed = clock()
        self.saved: list[str] | None = None
        self.saved_at = clock()
        self.save()

    def edit(self, number: str, name: str, by: str = "admin") -> None:  # noqa: ARG002 - NX-OS names nobody
        """Somebody names a VLAN."""
        self.vlans[int(number)] = name
        self.changed = self.clock()

    def save(self) -> None:
        """`copy running-config startup-config`."""
        self.saved, self.saved_at = list(self._body()), self.clock()

    def prompt(self) -> str:
        """What stands before the cursor."""
        return f"{self.hostname}# "

    def answer(self, command: str) -> list[str] | None:
        """The lines that a command writes; None for a command that is not known."""
        if command == "show running-config":
            return [*self._head(command), "", *self._body(), ""]
        if command == "show startup-config":
            if self.saved is None:
                return ["No startup configuration"]
            saved = f"!Startup config saved at: {_clock(self.saved_at)}"
            return [*self._head(command), saved, "", *self.saved, ""]
        return None

    def unknown(self, command: str) -> list[str]:  # noqa: ARG002 - NX-OS does not repeat it
        """What is said to a command that is not known."""
        return ["                ^", "% Invalid command at '^' marker."]

    def _head(self, command: str) -> Iterator[str]:
        yield from ("", f"!Command: {command}")
        yield f"!Running configuration last done at: {_clock(self.changed)}"
        yield f"!Time: {_clock(self.clock())}"

    def _body(self) -> Iterator[str]:
        yield from ("version 9.3(10) Bios:version 05.45 ", f"hostname {self.hostname}", "")
        yield from ("feature lldp", "feature lacp", "")
        yield f"username admin password 5 {self.password_hash}  role network-admin"
        yield from ("username vdx-watch password 5 !  role network-operator", "ip domain-lookup")
        yield f"snmp-server user admin network-admin auth md5 0x{'5d' * 16} priv 0x{'5d' * 16} localizedkey"
        yield f"snmp-server host 10.9.9.9 traps version 2c {self.community}"
        yield f"snmp-server community {self.community} group network-operator"
        yield from ("ntp server 10.9.9.1 use-vrf management", "")
        yield from ("vlan 1," + ",".join(map(str, self.vlans)), "")
        for number, name in self.vlans.items():
            yield from (f"vlan {number}", f"  name {name}")
        yield ""
        for number in range(1, self.interfaces + 1):
            yield from (f"interface Ethernet1/{number}", "  switchport mode trunk", "  no shutdown", "")
        yield from ("line console", "line vty", "boot nxos bootflash:/nxos.9.3.10.bin ")


Configuration: TypeAlias = Firewall | Switch


def _clock(moment: datetime) -> str:
    """A time as NX-OS writes it, in the zone of the switch."""
    local = moment.astimezone(_ZONE)
    return f"{local:%a %b} {local.day:2} {local:%H:%M:%S %Y}"
