"""History mined while processes are killed: the miner and the database, by SIGKILL, at random moments."""

import random
import subprocess
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple

from sqlalchemy.exc import SQLAlchemyError

from simulator.estate import PSTN_ADDRESSES
from simulator.testing import RunningSimulator
from tests.databases import MariaDB
from tests.miners.history_truth import Truth, differences, moment
from tests.system.commands import VDX, environment, run_vdx
from tests.system.watching import vdx_settings
from vdx.pexip.resources import HISTORY_BACKPLANE, HISTORY_CONFERENCE, HISTORY_PARTICIPANT
from vdx.settings import Settings
from vdx.store import upgrade
from vdx.store.database import open_engine
from vdx.store.history_progress import watermarks

BEHIND: Final = timedelta(hours=2)
"""How far the platform may be ahead of the miner before it waits: well within the ring."""
LIFETIME: Final = (1.0, 7.0)
"""Seconds that a miner lives before it is killed; it takes about one to start."""
AWAY: Final = (0.3, 3.0)
"""Seconds that the database is away."""


class Outcome(NamedTuple):
    """What was struck, and how the database differs from the truth afterwards."""

    kills: int
    outages: int
    legs: int
    seconds: float
    differences: list[str]
    settings: Settings
    truth: Truth


class Miner:
    """The history miner as a process that is started again whenever it was killed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._log = (folder / "miner.log").open("ab")
        self.start()

    def start(self) -> None:
        """Starts it, anew where it runs."""
        self.process = subprocess.Popen(
            [VDX, "history-miner"],
            cwd=self._folder,
            env=environment(VDX_SERVER__LISTEN="127.0.0.1:0"),
            stdout=self._log,
            stderr=self._log,
        )

    def kill(self) -> None:
        """Ends it as if the machine had died."""
        self.process.kill()
        self.process.wait()

    def close(self) -> None:
        """Ends it for good."""
        self.kill()
        self._log.close()


def write_settings(folder: Path, simulator: RunningSimulator, url: str) -> Settings:
    """A vdx.toml for the stand-in and that database, and the same as settings; the tables are made."""
    addresses = ", ".join(f'"{address}"' for address in PSTN_ADDRESSES)
    (folder / "vdx.toml").write_text(
        f'[pexip]\nurl = "{simulator.url}"\nusername = "{simulator.username}"\n'
        f'password = "{simulator.password}"\n'
        f'[database]\nurl = "{url}"\n[history]\ninterval_seconds = 5\n'
        f'[pstn]\naddresses = [{addresses}]\n[data]\ndirectory = "{folder / "data"}"\n'
    )
    settings = vdx_settings(folder / "data", database=url)
    upgrade(settings)
    return settings


def mined_until(settings: Settings) -> dict[str, datetime]:
    """How far each resource is mined; nothing where the database is away."""
    engine = open_engine(settings)
    try:
        with engine.connect() as connection:
            return watermarks(connection)
    except SQLAlchemyError:
        return {}
    finally:
        engine.dispose()


def _follows(settings: Settings, truth: Truth, behind: timedelta) -> bool:
    """True where the miner is not far behind the last of all that ended."""
    until = mined_until(settings)
    ends = {
        HISTORY_PARTICIPANT.name: [leg.ended for leg in truth.legs.values()],
        HISTORY_CONFERENCE.name: [ended for _, ended, _ in truth.conferences.values()],
        HISTORY_BACKPLANE.name: [ended for _, ended, _ in truth.backplanes.values()],
    }
    return all(name in until and max(known) - until[name] < behind for name, known in ends.items() if known)


def mine_through(
    server: MariaDB,
    url: str,
    simulator: RunningSimulator,
    folder: Path,
    *,
    steps: int,
    step: timedelta,
    kills: int,
    outages: int,
    behind: timedelta = BEHIND,
    limit: float = 3600.0,
    seed: int = 1,
    tell: Callable[[str], None] = lambda _: None,
) -> Outcome:
    """Lets the platform live `steps` times `step` while the miner follows and is struck.

    The strikes are spread at random over the whole time, which is `limit` seconds at most. Afterwards the
    miner runs once undisturbed.
    """
    chance = random.Random(seed)
    settings = write_settings(folder, simulator, url)
    truth = Truth()
    truth.look(simulator.platform)  # the platform's past is made when it is first asked for
    begun = time.monotonic()
    strikes = ["kill"] * kills + ["outage"] * outages
    chance.shuffle(strikes)
    done = {"kill": 0, "outage": 0}
    miner = Miner(folder)
    next_strike = time.monotonic() + chance.uniform(*LIFETIME)
    try:
        taken = 0
        while taken < steps or strikes:
            # Strikes left over when the platform has stood still would strike nothing.
            late = len(strikes) * steps > (steps - taken) * (kills + outages)
            if taken < steps and not late and _follows(settings, truth, behind):
                simulator.step(step.total_seconds())
                truth.look(simulator.platform)
                taken += 1
                tell(
                    f"{moment(simulator.platform.now):%d %B %H:%M}, {len(truth.legs):,} legs, "
                    f"{done['kill']} kills, {done['outage']} outages"
                )
            if strikes and late and time.monotonic() >= next_strike:
                kind = strikes.pop()
                done[kind] += 1
                if kind == "outage":
                    server.kill()
                    time.sleep(chance.uniform(*AWAY))
                    server.start()
                else:
                    miner.kill()
                    miner.start()
                next_strike = time.monotonic() + chance.uniform(*LIFETIME)
            assert time.monotonic() - begun < limit, "the miner does not follow"
            assert miner.process.poll() is None, (folder / "miner.log").read_text()[-2000:]
            time.sleep(0.05)
    finally:
        miner.close()
    simulator.step(30)  # the last conferences are written
    truth.look(simulator.platform)
    last = run_vdx("history-miner", "--once", folder=folder)
    assert last.returncode == 0, last.stderr
    engine = open_engine(settings)
    with engine.connect() as connection:
        found = differences(truth, connection)
    engine.dispose()
    seconds = time.monotonic() - begun
    return Outcome(done["kill"], done["outage"], len(truth.legs), seconds, found, settings, truth)
