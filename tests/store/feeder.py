"""A process that stores polls until it is killed: `python -m tests.store.feeder FOLDER URL FIRST [away]`.

It prints the number of each poll that is in the database or in the spool.
"""

import itertools
import sys
from pathlib import Path

from loguru import logger
from sqlalchemy import Connection, Engine

from tests.store import worlds
from vdx.store import Store, StoreError
from vdx.store import store as store_module
from vdx.telemetry import Telemetry


def _away(engine: Engine) -> Connection:
    raise StoreError("the database is away")


def main() -> None:
    """Feeds for ever."""
    directory, url, first, *away = sys.argv[1:]
    logger.remove()
    if away:
        store_module.connect = _away  # type: ignore[attr-defined]
    store = Store(worlds.settings(url, Path(directory)), Telemetry())
    store.start()
    for number in itertools.count(int(first)):
        try:
            store.write_now(*worlds.poll(number, worlds.changing_legs(number)))
        except StoreError as error:
            if "kept in the spool" not in str(error):
                raise
        print(number, flush=True)


if __name__ == "__main__":
    main()
