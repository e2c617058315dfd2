"""A month of VDX, mined while the miner is killed 20 times and the database 10 times, all by SIGKILL.

`python -m benchmarks.history_month [--days 30] [--kills 20] [--outages 10]` takes some 10 minutes for the
month. What the database holds afterwards is compared with the stand-in's truth: every call leg, conference
and backplane, the exact peak of every hour and day, and the totals by every road.
"""

import argparse
import sys
import tempfile
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, func, select

from simulator.testing import running
from tests.databases import running_mariadb
from tests.miners.history_truth import Truth
from tests.system.history_kills import mine_through
from vdx.store.database import open_engine
from vdx.store.history_tables import history_participant, usage_day, usage_hour
from vdx.usage import COUNTS, PRESENT, TIMES, Scope

STEP = timedelta(hours=3)
ZONE = ZoneInfo("Europe/Copenhagen")


def peaks(truth: Truth) -> dict[datetime, int]:
    """The peak of licence ports in each hour, counted call by call."""
    events: list[tuple[datetime, int, int]] = []
    for leg in truth.legs.values():
        if leg.started is not None and leg.ports and leg.ended > leg.started:
            events += [(leg.started, 1, leg.ports), (leg.ended, 0, -leg.ports)]
    found: dict[datetime, int] = defaultdict(int)
    held = 0
    hour: datetime | None = None
    for at, _, change in sorted(events):
        this = at.replace(minute=0, second=0, microsecond=0)
        while hour is not None and hour < this:
            hour += timedelta(hours=1)
            found[hour] = max(found[hour], held)
        hour = this
        held += change
        found[hour] = max(found[hour], held)
    return found


def seen_by_the_platform(truth: Truth, begin: datetime, end: datetime) -> int:
    """The most licence ports by the platform's own series between two instants."""
    held = most = 0
    for seconds, ports in truth.ports:
        at = datetime.fromtimestamp(seconds, UTC)
        if at >= end:
            break
        held = ports if at < begin else held
        most = max(most, ports) if at >= begin else most
    return max(most, held)


def compare_peaks(connection: Connection, truth: Truth, since: datetime) -> tuple[int, int, int]:
    """Hours and days compared, and how many differ: from the calls, and from the platform's own series."""
    counted = peaks(truth)
    table = usage_hour
    query = select(table.c.begin, table.c.peak_ports).where(
        table.c.scope == Scope.PLATFORM, table.c.begin >= since
    )
    hours = dict(connection.execute(query).all())
    wrong = sum(counted.get(hour, 0) != ports for hour, ports in hours.items())
    wrong += sum(1 for hour, ports in counted.items() if hour >= since and ports and hour not in hours)
    days: dict[datetime, int] = defaultdict(int)
    for hour, ports in counted.items():
        midnight = datetime.combine(hour.astimezone(ZONE).date(), datetime.min.time(), ZONE).astimezone(UTC)
        days[midnight] = max(days[midnight], ports)
    table = usage_day
    query = select(table.c.begin, table.c.peak_ports).where(
        table.c.scope == Scope.PLATFORM, table.c.begin >= since
    )
    stored = dict(connection.execute(query).all())
    for day, ports in stored.items():
        following = (day.astimezone(ZONE) + timedelta(days=1)).astimezone(UTC)
        wrong += days[day] != ports
        if truth.ports and day.timestamp() > truth.ports[0][0]:
            wrong += seen_by_the_platform(truth, day, following) != ports
    return len(hours), len(stored), wrong


def compare_roads(connection: Connection) -> int:
    """How many totals differ: by location, by organisation, by hour, by day and by record."""
    names = [name for name in (*COUNTS, *TIMES) if name not in PRESENT]
    totals = {}
    for table in (usage_hour, usage_day):
        for scope in (Scope.PLATFORM, Scope.LOCATION, Scope.ORGANISATION):
            sums = [func.sum(table.c[name]) for name in names]
            row = connection.execute(select(*sums).where(table.c.scope == scope)).one()
            totals[table.name, scope] = tuple(int(value or 0) for value in row)
    legs = history_participant
    completed = connection.scalar(select(func.count()).where(legs.c.started.is_not(None), legs.c.has_media))
    first = totals[usage_day.name, Scope.PLATFORM]
    wrong = sum(total != first for total in totals.values())
    return wrong + (first[names.index("completed")] != completed)


def main() -> None:
    """Runs it and prints the result; ends with 1 where anything differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--outages", type=int, default=10)
    given = parser.parse_args()
    begin = (datetime.now(UTC) - timedelta(days=given.days)).replace(
        hour=2, minute=0, second=0, microsecond=0
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "miner").mkdir()
        with (
            running(seed=1, time=begin) as simulator,
            running_mariadb(folder) as server,
            server.database() as database,
        ):
            outcome = mine_through(
                server,
                server.url(database),
                simulator,
                folder / "miner",
                steps=given.days * 8,
                step=STEP,
                kills=given.kills,
                outages=given.outages,
                tell=lambda words: print(words, file=sys.stderr),
            )
            engine = open_engine(outcome.settings)
            with engine.connect() as connection:
                hours, days, wrong = compare_peaks(connection, outcome.truth, begin + timedelta(days=1))
                roads = compare_roads(connection)
            engine.dispose()
    print(
        f"{given.days} days, {outcome.legs:,} call legs, {len(outcome.truth.conferences):,} conferences; "
        f"{outcome.kills} kills of the miner, {outcome.outages} of the database; {outcome.seconds:.0f} s"
    )
    print(
        "rows against the truth:",
        "; ".join(outcome.differences) or "equal, each leg, conference and backplane",
    )
    print(f"exact peaks of {hours} hours and {days} days against the truth: {wrong} differ")
    print(f"totals by location, organisation, hour, day and record: {roads} differ")
    sys.exit(1 if outcome.differences or wrong or roads else 0)


if __name__ == "__main__":
    main()
