"""What can go wrong with the Management Node: each error one readable line that ends with the mend.

No message holds a credential, a field's value, an answer's body or a person's name or address.
"""

# ruff: noqa: N818 - the class names say what happened; every one of them is a PexipError

from typing import ClassVar


class PexipConfigurationError(ValueError):
    """A setting is unusable before any request is sent: the URL, the CA file, a credential's form."""


class PexipError(Exception):
    """The base of every error of a request.

    `resource` is the resource's name, `code` the HTTP status or 0 without an answer, `retry_after` the
    seconds the node asks to wait. `transient` is true where another attempt can succeed.
    """

    transient: bool = False

    def __init__(
        self, message: str, *, resource: str = "", code: int = 0, retry_after: float | None = None
    ) -> None:
        super().__init__(f"{resource}: {message}" if resource else message)
        self.resource = resource
        self.code = code
        self.retry_after = retry_after


class Unauthorized(PexipError):
    """401, or a token that is refused: who we say we are is not accepted."""


class Forbidden(PexipError):
    """403: the role of the account has no right to read the resource."""


class NotFound(PexipError):
    """404: the URL is not a Management Node's, the version lacks the resource, or the record has gone."""


class RateLimited(PexipError):
    """429: more requests than the node allows, all its clients together."""

    transient = True


class ServerFault(PexipError):
    """5xx: the node, or the web server in front of it, failed. Transient for 500, 502, 503 and 504."""

    TRANSIENT_CODES: ClassVar[frozenset[int]] = frozenset({500, 502, 503, 504})

    def __init__(
        self, message: str, *, resource: str = "", code: int = 0, retry_after: float | None = None
    ) -> None:
        super().__init__(message, resource=resource, code=code, retry_after=retry_after)
        self.transient = code in self.TRANSIENT_CODES


class Unreachable(PexipError):
    """A network fault: refused, unknown name, timeout, reset, or an answer that broke off."""

    transient = True


class TLSFault(PexipError):
    """The certificate is not trusted, has expired or is for another name, or the port does not speak TLS."""


class UnexpectedAnswer(PexipError):
    """An answer that no Management Node gives: a proxy's page, a redirect, JSON without records."""


class BudgetExhausted(PexipError):
    """The request budget has no room before the deadline; nothing was sent."""


class DeadlineExceeded(PexipError):
    """The deadline came before the answer."""
