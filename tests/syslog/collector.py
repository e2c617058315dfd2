"""A private rsyslogd with the configuration that the suite makes, on free loopback ports."""

import contextlib
import shutil
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from tests.databases import free_port
from vdx.logs.collector import configuration
from vdx.logs.files import open_files
from vdx.logs.line import Line, decoder
from vdx.settings import SyslogSettings

RSYSLOGD = shutil.which("rsyslogd", path="/usr/sbin:/sbin:/usr/bin") or "rsyslogd"
TRANSPORTS = ("udp", "tcp", "relp")
"""Those that need no certificate."""


def validate(folder: Path, text: str) -> subprocess.CompletedProcess[str]:
    """What `rsyslogd -N1` says of a configuration."""
    file = folder / "validated.conf"
    file.write_text(text, encoding="utf-8")
    return subprocess.run(
        [RSYSLOGD, "-N1", "-f", str(file), "-i", str(folder / "validated.pid")],
        check=False,
        capture_output=True,
        text=True,
        timeout=30,
    )


class Collector:
    """rsyslogd in a folder of its own; `archive` is where its lines go, `ports` where it listens."""

    def __init__(self, folder: Path, *transports: str, **settings: object) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.archive = folder / "archive"
        self.archive.mkdir(exist_ok=True)
        self.ports = {transport: free_port() for transport in transports or TRANSPORTS}
        listen = {transport: f"127.0.0.1:{port}" for transport, port in self.ports.items()}
        self.settings = SyslogSettings.model_validate(listen | {"directory": self.archive} | settings)
        self.file = folder / "rsyslog.conf"
        self.file.write_text(configuration(self.settings, self.archive), encoding="utf-8")
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process id of rsyslogd, which must run."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Starts it and waits until it listens."""
        pid_file = self.folder / "pid"
        pid_file.unlink(missing_ok=True)
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [RSYSLOGD, "-n", "-f", str(self.file), "-i", str(pid_file)], stdout=log, stderr=log
            )
        deadline = time.monotonic() + 15
        while not (pid_file.exists() and all(map(self._listens, self.ports))):
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                pytest.fail("rsyslogd does not start: " + (self.folder / "log").read_text(), pytrace=False)
            time.sleep(0.02)

    def _listens(self, transport: str) -> bool:
        table = "udp" if transport == "udp" else "tcp"
        wanted = f"0100007F:{self.ports[transport]:04X}"
        states = {"07", "0A"}
        for row in Path("/proc/net", table).read_text().splitlines()[1:]:
            columns = row.split()
            if columns[1] == wanted and columns[3] in states:
                return True
        return False

    def stop(self) -> None:
        """Ends it in good order: what it has received is written."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
                raise
            finally:
                self._process = None

    def kill(self) -> None:
        """Ends it at once, as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def texts(self) -> list[bytes]:
        """The lines of the archive as they are, oldest first; one without its end is none."""
        whole = b"".join(path.read_bytes() for path in open_files(self.archive))
        return whole.split(b"\n")[:-1]

    def lines(self) -> list[Line]:
        """The lines of the archive, oldest first. Raises msgspec.DecodeError for a broken one."""
        return [decoder.decode(text) for text in self.texts()]

    def messages(self) -> list[str]:
        """The messages of the archive; broken lines are left out."""
        messages = []
        for text in self.texts():
            with contextlib.suppress(msgspec.DecodeError):
                messages.append(decoder.decode(text).message)
        return messages

    def wait_for(self, count: int, seconds: float = 15.0) -> list[Line]:
        """The lines of the archive as soon as there are so many; fails when there are not in time."""
        deadline = time.monotonic() + seconds
        while len(self.texts()) < count:
            if time.monotonic() > deadline:
                pytest.fail(
                    f"{len(self.texts())} lines of {count}: {(self.folder / 'log').read_text()[-500:]}"
                )
            time.sleep(0.05)
        return self.lines()


@contextlib.contextmanager
def collecting(folder: Path, *transports: str, **settings: object) -> Iterator[Collector]:
    """A collector that runs until the end of the block; without transports, all that need no certificate."""
    collector = Collector(folder, *transports, **settings)
    try:
        collector.start()
        yield collector
    finally:
        collector.kill()


def rfc5424(number: int, host: str = "conf01", app: str = "pexip") -> bytes:
    """A numbered line of RFC 5424, without its end."""
    stamp = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return f"<134>1 {stamp} {host} {app} - - - number {number:08d}".encode()
