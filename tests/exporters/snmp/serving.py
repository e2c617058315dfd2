"""Programs that answer for agents over HTTP: Debian's snmp_exporter, and a Prometheus that asks."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import httpx
import pytest

from tests.databases import free_port

CONFIGURATION: Final = Path(__file__).with_name("snmp_exporter.yml")
"""Asks with the community of these tests."""


@contextmanager
def running_program(package: str, *arguments: str, ready: str) -> Iterator[subprocess.Popen[bytes]]:
    """A server of a Debian package, from when `ready` answers to the end of the block."""
    program = shutil.which(package)
    if program is None:
        pytest.fail(f"{package} is not installed; install the Debian package {package}", pytrace=False)
    with subprocess.Popen(
        [program, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as process:
        try:
            for _ in range(200):
                if process.poll() is not None and process.stderr:
                    pytest.fail(f"{package} ended: {process.stderr.read().decode()[-500:]}", pytrace=False)
                try:
                    if httpx.get(ready, trust_env=False, timeout=2).status_code == 200:
                        break
                except httpx.TransportError:
                    time.sleep(0.05)
            else:
                pytest.fail(f"{package} does not answer at {ready}", pytrace=False)
            yield process
        finally:
            process.terminate()
            process.communicate(timeout=20)


@contextmanager
def running_snmp_exporter() -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Debian's snmp_exporter: its /snmp, and the process."""
    address = f"127.0.0.1:{free_port()}"
    with running_program(
        "prometheus-snmp-exporter",
        f"--config.file={CONFIGURATION}",
        f"--web.listen-address={address}",
        "--log.level=error",
        ready=f"http://{address}/metrics",
    ) as process:
        yield f"http://{address}/snmp", process


@contextmanager
def running_prometheus(folder: Path, configuration: str) -> Iterator[str]:
    """A Prometheus with a configuration; gives its address."""
    address = f"127.0.0.1:{free_port()}"
    (folder / "prometheus.yml").write_text(configuration)
    with running_program(
        "prometheus",
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address={address}",
        "--log.level=error",
        ready=f"http://{address}/-/ready",
    ):
        yield f"http://{address}"
