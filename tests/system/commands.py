"""The installed `vdx` command as a child process."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import httpx

from tests.databases import free_port

VDX: Final = Path(sys.executable).parent / "vdx"


def environment(**variables: str) -> dict[str, str]:
    """The environment without the settings of whoever runs the tests."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("VDX_")}
    return {**clean, **variables}


def run_vdx(
    *arguments: str, folder: Path, variables: Mapping[str, str] | None = None, program: Path = VDX
) -> subprocess.CompletedProcess[str]:
    """Runs a command to its end."""
    return subprocess.run(
        [program, *arguments],
        cwd=folder,
        env=environment(**(variables or {})),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


class RunningVdx:
    """A command that goes on: what it has said so far, and how it ends."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.lines: list[str] = []
        self._threads = [
            threading.Thread(target=self._read, args=(stream,), daemon=True)
            for stream in (process.stdout, process.stderr)
            if stream is not None
        ]
        for thread in self._threads:
            thread.start()

    def _read(self, stream: Iterator[str]) -> None:
        self.lines.extend(line.rstrip() for line in stream)

    @property
    def said(self) -> str:
        """All that it wrote."""
        return "\n".join(self.lines)

    def wait_for(self, pattern: str, seconds: float = 30.0) -> str:
        """Waits until it has written something; gives the first group, or the whole match."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if found := re.search(pattern, self.said):
                return found.group(found.re.groups and 1)
            if self.process.poll() is not None:
                break
            time.sleep(0.02)
        raise AssertionError(f"{pattern!r} was not written; it wrote:\n{self.said}")

    def stop(self, number: signal.Signals = signal.SIGTERM, seconds: float = 30.0) -> int:
        """Sends a signal and gives the exit status."""
        self.process.send_signal(number)
        code = self.process.wait(seconds)
        for thread in self._threads:
            thread.join(5)
        return code


@contextlib.contextmanager
def running_vdx(
    *arguments: str, folder: Path, variables: Mapping[str, str] | None = None, program: Path = VDX
) -> Iterator[RunningVdx]:
    """A command that runs until the end of the block, on free loopback ports."""
    ports = {
        "VDX_SERVER__LISTEN": "127.0.0.1:0",
        "VDX_WEB__LISTEN": "127.0.0.1:0",
        "VDX_SNMP__LISTEN": "127.0.0.1:0",
        "VDX_PROMETHEUS__LISTEN": f"127.0.0.1:{free_port()}",
    }
    with subprocess.Popen(
        [program, *arguments],
        cwd=folder,
        env=environment(**{**ports, **(variables or {})}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        vdx = RunningVdx(process)
        try:
            yield vdx
        finally:
            if process.poll() is None:
                process.terminate()
                try:
                    process.wait(20)
                except subprocess.TimeoutExpired:
                    process.kill()


def until(url: str, pattern: str, seconds: float = 30.0) -> str:
    """Asks an address until its answer matches; gives the answer."""
    end = time.monotonic() + seconds
    text = ""
    while time.monotonic() < end:
        with contextlib.suppress(httpx.TransportError):
            text = httpx.get(url, trust_env=False, timeout=10).text
            if re.search(pattern, text, re.MULTILINE):
                return text
        time.sleep(0.1)
    raise AssertionError(f"{url} never answered {pattern!r}; last:\n{text[:2000]}")
