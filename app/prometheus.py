"""Prometheus beside `vdx up`: Debian's program with a generated configuration, for curves at once."""

import asyncio
import contextlib
import json
import shutil
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from loguru import logger

from vdx.settings import PrometheusSettings, ServerSettings

PROGRAM: Final = "prometheus"
STOP_SECONDS: Final = 10.0
LOOPBACK: Final = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "::1": "[::1]"}  # noqa: S104 - what to ask instead


def configuration(url: str, settings: ServerSettings, interval_seconds: int) -> str:
    """prometheus.yml that scrapes the exporter at `url` at the pace of the polls. JSON is valid YAML."""
    parts = urlsplit(url)
    job: dict[str, Any] = {
        "job_name": "vdx",
        "scheme": parts.scheme,
        "static_configs": [
            {"targets": [f"{LOOPBACK.get(parts.hostname or '', parts.hostname)}:{parts.port}"]}
        ],
    }
    if parts.scheme == "https":
        # The target is this very process, whose certificate is for another name than the address.
        job["tls_config"] = {"insecure_skip_verify": True}
    if settings.password_file is not None:
        job["basic_auth"] = {
            "username": settings.username,
            "password_file": str(settings.password_file.absolute()),
        }
    pace = {
        "scrape_interval": f"{interval_seconds}s",
        "scrape_timeout": f"{min(10, interval_seconds)}s",
        "evaluation_interval": f"{interval_seconds}s",
    }
    return json.dumps({"global": pace, "scrape_configs": [job]}, indent=2)


class Prometheus:
    """One Prometheus process; it keeps its blocks below `directory`."""

    def __init__(self, settings: PrometheusSettings, directory: Path, configuration: str) -> None:
        self._settings = settings
        self._directory = directory
        self._configuration = configuration
        self._process: asyncio.subprocess.Process | None = None
        self._watch: asyncio.Task[None] | None = None

    @staticmethod
    def program() -> str | None:
        """Where the program is, or None."""
        return shutil.which(PROGRAM)

    async def start(self) -> bool:
        """Starts it where the program is installed; says so, and gives False, where it is not."""
        program = self.program()
        if program is None:
            logger.warning("prometheus is not installed, so no curves are kept: apt-get install prometheus")
            return False
        self._directory.mkdir(parents=True, exist_ok=True)
        file = self._directory / "prometheus.yml"
        file.write_text(self._configuration, encoding="utf-8")
        self._process = await asyncio.create_subprocess_exec(
            program,
            f"--config.file={file}",
            f"--storage.tsdb.path={self._directory / 'blocks'}",
            f"--storage.tsdb.retention.time={self._settings.retention_days}d",
            f"--web.listen-address={self._settings.listen}",
            "--log.level=error",
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        self._watch = asyncio.create_task(self._report_end(self._process))
        return True

    async def _report_end(self, process: asyncio.subprocess.Process) -> None:
        last = ""
        if process.stderr is not None:
            async for line in process.stderr:
                last = line.decode(errors="replace").strip()
        code = await process.wait()
        if code:
            logger.error("prometheus ended with status {}: {}", code, last)

    async def stop(self) -> None:
        """Stops it, by force after a while."""
        if self._process is None or self._watch is None:
            return
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()
        try:
            await asyncio.wait_for(asyncio.shield(self._watch), STOP_SECONDS)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._watch
