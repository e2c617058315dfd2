"""A simulator on a Tuesday at 10:10 in Denmark, shared by tests that only read."""

from collections.abc import Iterator

import pytest

from simulator.testing import RunningSimulator, running

TUESDAY = "2026-11-17T09:10:00"


@pytest.fixture(scope="session")
def tuesday() -> Iterator[RunningSimulator]:
    """Read only: do not move its clock nor break it."""
    with running(time=TUESDAY) as simulator:
        yield simulator


@pytest.fixture
def fresh() -> Iterator[RunningSimulator]:
    """A simulator of one's own on an early morning, when little goes on."""
    with running(time="2026-11-17T06:20:00") as simulator:
        yield simulator
