"""What can go wrong with the database: one readable line each, without a password, a value or a person."""

import sqlite3

from pymysql.err import DataError as MySQLDataError
from pymysql.err import IntegrityError as MySQLIntegrityError
from sqlalchemy.exc import DBAPIError

_ABOUT_THE_CONNECTION = frozenset(
    {1040, 1042, 1043, 1044, 1045, 1049, 1129, 1130, 1142, 1203, 1205, 1213, 1226, 1290, 1698, 1836}
)
"""Server errors whose text names hosts, accounts and databases, but never a value
(https://dev.mysql.com/doc/mysql-errors/8.0/en/server-error-reference.html)."""
_ABOUT_A_VALUE = frozenset({1292, 1366, 1411})
"""A wrong value that PyMySQL does not class as a DataError."""


class StoreError(Exception):
    """The database cannot do what is asked; the message is one line that ends with the mend."""


def _code(error: BaseException | None) -> int:
    code = error.args[0] if error is not None and error.args else 0
    return code if isinstance(code, int) else 0


def is_data_fault(error: Exception) -> bool:
    """True where the rows are at fault and another attempt cannot succeed; False where the database is away.

    An error that did not come from the database is a fault of the rows too.
    """
    if isinstance(error, StoreError | OSError):
        return False
    if not isinstance(error, DBAPIError):
        return True
    cause = error.orig
    kinds = (MySQLDataError, MySQLIntegrityError, sqlite3.DataError, sqlite3.IntegrityError)
    return isinstance(cause, kinds) or _code(cause) in _ABOUT_A_VALUE


def reason(error: Exception) -> str:
    """Why the database refused, in one line without SQL, values or credentials."""
    if isinstance(error, StoreError):
        return str(error)
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, sqlite3.Error):
        return str(cause)
    if isinstance(cause, OSError):
        return cause.strerror or type(cause).__name__
    code = _code(cause)
    if cause is not None and (code in _ABOUT_THE_CONNECTION or 2000 <= code < 3000) and len(cause.args) > 1:
        return " ".join(str(cause.args[1]).split())
    kind = type(cause).__name__
    return f"{kind} {code}" if code else kind


def origin(error: BaseException) -> str:
    """Where in the code an error arose: its file and line, without its text."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "" if trace is None else f"({trace.tb_frame.f_code.co_name}:{trace.tb_lineno})"
