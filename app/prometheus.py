"""Prometheus beside `vdx up`: Debian's program with a generated configuration, for curves at once."""

import asyncio
import contextlib
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from loguru import logger

from exporters.estate.configuration import scrape_configs
from exporters.estate.target import Job
from vdx.settings import PrometheusSettings

PROGRAM: Final = "prometheus"
RULES: Final = Path(__file__).parents[1] / "alerts" / "rules"
STOP_SECONDS: Final = 10.0


def configuration(jobs: Sequence[Job], interval_seconds: int) -> str:
    """prometheus.yml that scrapes the jobs and loads the alert rules. JSON is valid YAML."""
    pace = {
        "scrape_interval": f"{interval_seconds}s",
        "scrape_timeout": f"{min(10, interval_seconds)}s",
        "evaluation_interval": f"{interval_seconds}s",
    }
    content = {"global": pace, "rule_files": [str(RULES / "*.yml")], "scrape_configs": scrape_configs(jobs)}
    return json.dumps(content, indent=2)


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
