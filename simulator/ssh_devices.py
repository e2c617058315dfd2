"""A FortiGate and a Nexus that let one in over SSH, on loopback: with pagers, banners and faults."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Final, TypeAlias

import asyncssh

from simulator.device_configurations import Configuration

Process: TypeAlias = "asyncssh.SSHServerProcess[str]"

MORE: Final = "--More-- "
ODD_MORE: Final = "<--- more: any key goes on --->"
_PAGE: Final = 23
_BANNER: Final = "### Authorised staff only ###\r\nAll that you do is recorded. Welcome to fw1 #\r\n"


@dataclass
class Faults:
    """What is wrong with a device; change it while the device runs."""

    odd_pager: bool = False
    """It asks for the next page as no FortiGate or Nexus does."""
    chunk: int = 0
    """It sends so many characters at once."""
    delay: float = 0.0
    """Seconds between them."""
    cut_after: int | None = None
    """It cuts the connection after so many lines of a configuration,"""
    cuts: int = 1_000_000
    """so many times."""
    silent_after: int | None = None
    """It says no more after so many lines of a configuration."""
    empty: bool = False
    """Its configuration is empty."""
    half: bool = False
    """It shows the first half of its configuration, and is at its prompt again."""
    headless: bool = False
    """It leaves out the first lines of its configuration."""
    no_right: bool = False
    """The account may not use its commands."""
    no_shell: bool = False
    """It lets one in and ends the session at once."""


class Device:
    """A device: its configuration, its account, its host key and its faults."""

    def __init__(
        self,
        configuration: Configuration,
        *,
        username: str = "vdx-watch",
        password: str = "let me in",  # noqa: S107 - of a stand-in on loopback
        client_key: asyncssh.SSHKey | None = None,
        banner: bool = False,
        host_key_algorithm: str = "ssh-ed25519",
    ) -> None:
        self.configuration = configuration
        self.username = username
        self.password = password
        self.client_key = client_key
        self.banner = banner
        self.faults = Faults()
        self.tries = 0
        self.logins = 0
        self.port = 0
        self.host_key = asyncssh.generate_private_key(host_key_algorithm)
        self._listener: asyncssh.SSHAcceptor | None = None

    async def start(self) -> None:
        """Lets others in, at the port that it had before or a free one."""
        self._listener = await asyncssh.listen(
            "127.0.0.1",
            self.port,
            server_factory=lambda: _Doorman(self),
            server_host_keys=[self.host_key],
            process_factory=self._serve,
            line_editor=False,
            encoding="utf-8",
            errors="surrogateescape",
            reuse_address=True,
        )
        self.port = self._listener.get_port()

    async def stop(self) -> None:
        """Closes the door."""
        if self._listener is not None:
            self._listener.close()
            await self._listener.wait_closed()
            self._listener = None

    async def replace_host_key(self) -> None:
        """As after a reinstallation: another key at the same address."""
        await self.stop()
        self.host_key = asyncssh.generate_private_key("ssh-ed25519")
        await self.start()

    async def _serve(self, process: Process) -> None:
        self.logins += 1
        if not self.faults.no_shell:
            with contextlib.suppress(asyncssh.Error, asyncssh.BreakReceived, OSError, _LeftError):
                await _Terminal(self, process).run()
        process.exit(0)


class _Doorman(asyncssh.SSHServer):
    """Lets in the device's account."""

    def __init__(self, device: Device) -> None:
        self._device = device

    def begin_auth(self, username: str) -> bool:  # noqa: ARG002 - everybody has to prove who they are
        return True

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        self._device.tries += 1
        return (username, password) == (self._device.username, self._device.password)

    def public_key_auth_supported(self) -> bool:
        return self._device.client_key is not None

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        known = self._device.client_key
        return (
            known is not None and username == self._device.username and known.public_data == key.public_data
        )


class _LeftError(Exception):
    """Whoever sat at the terminal has gone."""


class _Terminal:
    """One login: types back what one types, and shows answers page by page."""

    def __init__(self, device: Device, process: Process) -> None:
        self._device = device
        self._process = process
        self._typed = ""
        self._page = _PAGE

    async def run(self) -> None:
        """Serves commands until `exit`."""
        if self._device.banner:
            await self._write(f"{_BANNER}(Press 'a' to accept):")
            while await self._key() != "a":
                pass
            await self._write("\r\n")
        configuration = self._device.configuration
        while True:
            await self._write(configuration.prompt())
            command = await self._line()
            if command == "exit":
                return
            if command.startswith("terminal length ") and configuration.kind == "nexus":
                self._page = int(command.rpartition(" ")[2])
                continue
            answer = None if self._device.faults.no_right else configuration.answer(command)
            if answer is not None:
                await self._show(answer)
            elif command:
                await self._show(configuration.unknown(command))

    async def _show(self, lines: list[str]) -> None:
        faults = self._device.faults
        lines = lines[: len(lines) // 2] if faults.half else lines[10 if faults.headless else 0 :]
        lines = [] if faults.empty else lines
        page = self._page
        for number, line in enumerate(lines):
            if number == faults.cut_after and faults.cuts > 0:
                faults.cuts -= 1
                self._process.get_extra_info("connection").abort()
                raise _LeftError
            if number == faults.silent_after:
                await asyncio.Event().wait()
            if self._page and page == 0:
                page = await self._next_page()
                if page == 0:
                    return
            await self._write(f"{line}\r\n")
            page -= 1

    async def _next_page(self) -> int:
        """Lines until it asks again; 0 when the rest is not wanted."""
        if self._device.faults.odd_pager:
            await self._write(ODD_MORE)
            while await self._key() != "\x1b":
                pass
            return self._page
        await self._write(MORE)
        key = await self._key()
        await self._write("\r" + " " * len(MORE) + "\r")
        return {" ": self._page, "q": 0}.get(key, 1)

    async def _key(self) -> str:
        while not self._typed:
            self._typed = await self._process.stdin.read(1024)
            if not self._typed:
                raise _LeftError
        key, self._typed = self._typed[0], self._typed[1:]
        return key

    async def _line(self) -> str:
        line = ""
        while (key := await self._key()) not in "\r\n":
            line += key
        await self._write(f"{line}\r\n")
        return line.strip()

    async def _write(self, text: str) -> None:
        faults = self._device.faults
        size = faults.chunk or len(text)
        for begin in range(0, len(text), size):
            self._process.stdout.write(text[begin : begin + size])
            await self._process.stdout.drain()
            if faults.delay:
                await asyncio.sleep(faults.delay)


@asynccontextmanager
async def ssh_devices(*devices: Device) -> AsyncIterator[tuple[Device, ...]]:
    """Devices that run while the block runs; each has its `port` on 127.0.0.1."""
    async with contextlib.AsyncExitStack() as stack:
        for device in devices:
            await device.start()
            stack.push_async_callback(device.stop)
        yield devices


@contextmanager
def running(*devices: Device) -> Iterator[tuple[Device, ...]]:
    """The same in a thread, for those who are in no event loop."""
    ready = threading.Event()
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    async def work() -> None:
        async with ssh_devices(*devices):
            ready.set()
            await stop.wait()

    def serve() -> None:
        with contextlib.closing(loop):
            loop.run_until_complete(work())

    thread = threading.Thread(target=serve, name="ssh-devices", daemon=True)
    thread.start()
    if not ready.wait(20):
        raise RuntimeError("the SSH devices did not start")
    try:
        yield devices
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
