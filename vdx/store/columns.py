"""Column types that mean the same on SQLite and MySQL."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, DateTime, Dialect, Float, Integer, LargeBinary, SmallInteger
from sqlalchemy.dialects import mysql
from sqlalchemy.types import TypeDecorator, TypeEngine

_EPOCH = datetime.fromtimestamp(0, UTC)


class UTCDateTime(TypeDecorator[datetime]):
    """A time in UTC: DATETIME without a zone on MySQL, on SQLite a count since 1970 (8 bytes, not 26).

    The count is in seconds, or in the fraction of it that has `digits` decimals: 3 for milliseconds, 6 for
    microseconds. Values are aware datetimes.
    """

    impl = DateTime
    cache_ok = True

    def __init__(self, digits: int = 0) -> None:
        super().__init__()
        self.digits = digits

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """The type that the database itself knows."""
        if dialect.name == "sqlite":
            return dialect.type_descriptor(BigInteger())
        return dialect.type_descriptor(mysql.DATETIME(fsp=self.digits or None))

    @property
    def _unit(self) -> timedelta:
        return timedelta(microseconds=10 ** (6 - self.digits))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """To the database, cut to the unit: MySQL would round."""
        if value is None:
            return None
        count = (value.astimezone(UTC) - _EPOCH) // self._unit
        if dialect.name == "sqlite":
            return count
        return (_EPOCH + count * self._unit).replace(tzinfo=None)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """From the database."""
        if value is None:
            return None
        if dialect.name == "sqlite":
            return _EPOCH + int(value) * self._unit
        assumed: datetime = value
        return assumed.replace(tzinfo=UTC)


def binary(length: int) -> LargeBinary:
    """Exactly `length` bytes."""
    return LargeBinary(length).with_variant(mysql.BINARY(length), "mysql")


def tiny() -> SmallInteger:
    """A whole number from 0 to 255: one byte on MySQL."""
    return SmallInteger().with_variant(mysql.TINYINT(unsigned=True), "mysql")


def small() -> SmallInteger:
    """A whole number from 0 to 65,535: two bytes on MySQL."""
    return SmallInteger().with_variant(mysql.SMALLINT(unsigned=True), "mysql")


def medium() -> Integer:
    """A whole number from 0 to 16,777,215: three bytes on MySQL."""
    return Integer().with_variant(mysql.MEDIUMINT(unsigned=True), "mysql")


def small_key() -> SmallInteger:
    """A key of two bytes that the database counts up; SQLite counts up INTEGER only."""
    return SmallInteger().with_variant(Integer(), "sqlite")


def real() -> Float[float]:
    """A number of four bytes on MySQL, which gives 6 digits of it, and of eight on SQLite."""
    return Float(24).with_variant(mysql.FLOAT(), "mysql")
