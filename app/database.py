"""The embedded database is made ready by whoever starts; a server's tables are its operator's."""

from loguru import logger

from vdx.settings import Settings
from vdx.store import StoreError, upgrade


def prepare_embedded(settings: Settings) -> None:
    """Makes or renews the SQLite file's tables; a server's are renewed by its operator: vdx db upgrade."""
    if settings.database.url is not None:
        return
    try:
        upgrade(settings)
    except StoreError as error:
        logger.error("{}; what is read waits until then", error)
