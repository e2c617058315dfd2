"""Which addresses may be asked, and whom we trust there."""

import ssl
from ipaddress import ip_address
from pathlib import Path

import httpx

from vdx.pexip.errors import PexipConfigurationError


def secure_url(text: str, what: str = "pexip.url") -> httpx.URL:
    """`text` as a URL that credentials may be sent to: https, or http to this machine itself.

    Raises `PexipConfigurationError`, which names `what` and does not repeat the text, as a malformed
    URL can hold a password.
    """
    try:
        url = httpx.URL(text)
    except (httpx.InvalidURL, TypeError):
        url = httpx.URL("")
    if url.scheme not in ("http", "https") or not url.host:
        raise PexipConfigurationError(f"{what} is not a URL: write https://manager.example.org")
    if url.userinfo:
        raise PexipConfigurationError(
            f"{what} holds a user name or password: move them to pexip.username and pexip.password"
        )
    if url.scheme == "http" and not _is_loopback(url.host):
        raise PexipConfigurationError(
            f"{what} is plain http, which would send the credentials in the clear: write https://"
        )
    return url


def base_url(text: str) -> httpx.URL:
    """The Management Node's URL: as `secure_url`, with nothing after the host and port."""
    url = secure_url(text)
    if url.path not in ("", "/") or url.query or url.fragment:
        raise PexipConfigurationError(
            "pexip.url has something after the host: write only https://manager.example.org"
        )
    return url


def tls_context(ca_file: Path | None, verify: bool) -> ssl.SSLContext:
    """Whom to trust: only the authorities in `ca_file`, or those of the operating system without one.

    With `verify` false anyone is trusted. Raises `PexipConfigurationError` for an unusable `ca_file`.
    """
    try:
        context = ssl.create_default_context(cafile=ca_file)
    except OSError as error:
        reason = "holds no certificate in PEM" if isinstance(error, ssl.SSLError) else "cannot be read"
        raise PexipConfigurationError(
            f"pexip.ca_file {reason}: give the path of the authority's certificate in PEM"
        ) from None
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
