"""The curve of the time before this process, from the database."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from app.web.curve import SPAN, STEP, Point
from vdx.settings import Settings
from vdx.store.database import connect, open_engine
from vdx.store.queries import platform_samples
from vdx.store.tables import FIVE_MINUTES, RAW


def license_curve(settings: Settings) -> Callable[[], Sequence[Point]]:
    """A function that reads the last 24 hours of licence ports, oldest first: the peak of each 5 minutes,
    then the samples since. It blocks, and raises StoreError or SQLAlchemyError while the database is away.
    """

    def read() -> Sequence[Point]:
        now = datetime.now(UTC)
        engine = open_engine(settings)
        try:
            with connect(engine) as connection:
                peaks = platform_samples(connection, now - SPAN, now, by=FIVE_MINUTES)
                since = peaks[-1].time + STEP if peaks else now - timedelta(hours=1)
                recent = platform_samples(connection, since, now, by=RAW)
        finally:
            engine.dispose()
        return [(point.time, point.maximum.license_ports) for point in (*peaks, *recent)]

    return read
