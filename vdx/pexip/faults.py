"""What httpx answers or raises, as this library's errors, each with the mend for an operator."""

import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

import httpx

from vdx.pexip.errors import (
    Forbidden,
    NotFound,
    PexipError,
    RateLimited,
    ServerFault,
    TLSFault,
    Unauthorized,
    UnexpectedAnswer,
    Unreachable,
)
from vdx.pexip.retry import retry_after_seconds

EXPIRED: Final = 10
"""OpenSSL's X509_V_ERR_CERT_HAS_EXPIRED."""

NAME_MISMATCHES: Final = frozenset({62, 64})
"""OpenSSL's X509_V_ERR_HOSTNAME_MISMATCH and X509_V_ERR_IP_ADDRESS_MISMATCH."""


_BY_STATUS: Final[dict[int, tuple[type[PexipError], str]]] = {
    401: (
        Unauthorized,
        "the Management Node refused the login (401): check {credentials}; where other resources answer, "
        "give the account's role the right to read this one",
    ),
    403: (
        Forbidden,
        "the account may not read this resource (403): give its role the right on the Management Node",
    ),
    404: (
        NotFound,
        "not found (404): check that pexip.url is the Management Node, not a Conferencing Node; "
        "a record may also have ended, or this version lack the resource",
    ),
    429: (
        RateLimited,
        "too many requests (429): poll less often, or find the other clients of this Management Node",
    ),
}

_BY_CLASS: Final[dict[int, tuple[type[PexipError], str]]] = {
    3: (
        UnexpectedAnswer,
        "redirected ({code}): set pexip.url to the Management Node's own https address, "
        "not to a proxy or a login page",
    ),
    5: (
        ServerFault,
        "the Management Node failed ({code}): see its status and support log; "
        "it may be restarting or upgrading",
    ),
}

_OTHER: Final = (
    UnexpectedAnswer,
    "the request was not understood ({code}): is pexip.url a Management Node, "
    "and is its version of Pexip Infinity supported?",
)


def status_error(response: httpx.Response, resource: str, credentials: str) -> PexipError | None:
    """The error of an answer that is not 200, else None. `credentials` names their settings."""
    code = response.status_code
    if code == 200:
        return None
    error, message = _BY_STATUS.get(code) or _BY_CLASS.get(code // 100, _OTHER)
    return error(
        message.format(code=code, credentials=credentials),
        resource=resource,
        code=code,
        retry_after=retry_after_seconds(response.headers.get("Retry-After"), datetime.now(UTC)),
    )


def network_error(error: httpx.RequestError, resource: str, host: str) -> PexipError:
    """The error of a request that got no complete answer from `host`."""
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return _certificate_error(cause, resource, host)
        if isinstance(cause, ssl.SSLEOFError | ssl.SSLZeroReturnError):
            break
        if isinstance(cause, ssl.SSLError):
            return TLSFault(
                f"no TLS connection to {host}: check that pexip.url names its https port", resource=resource
            )
        if isinstance(cause, socket.gaierror):
            return Unreachable(
                f"the name {host} is not known: check pexip.url and the DNS", resource=resource
            )
    if isinstance(error, httpx.TimeoutException):
        return Unreachable(
            f"{host} did not answer in time: check the network, the firewall and the Management Node's load",
            resource=resource,
        )
    if isinstance(error, httpx.ConnectError):
        return Unreachable(
            f"no connection to {host}: check pexip.url, the firewall, and that the Management Node runs",
            resource=resource,
        )
    return Unreachable(
        f"the connection to {host} broke before the answer was complete: check the network and the proxies "
        "in between",
        resource=resource,
    )


def is_tls_fault(error: httpx.RequestError) -> bool:
    """True when the TLS handshake, not the network, made the request fail."""
    return isinstance(network_error(error, "", ""), TLSFault)


def _certificate_error(cause: ssl.SSLCertVerificationError, resource: str, host: str) -> TLSFault:
    if cause.verify_code == EXPIRED:
        message = (
            f"the certificate of {host} has expired: renew it on the Management Node "
            "(or the authority's in pexip.ca_file, if it is that one)"
        )
    elif cause.verify_code in NAME_MISMATCHES:
        message = f"the certificate is not for {host}: set pexip.url to a name that is in the certificate"
    else:
        message = (
            f"the certificate of {host} is not signed by a known authority: "
            "set pexip.ca_file to the authority's certificate"
        )
    return TLSFault(message, resource=resource)


def _causes(error: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__
