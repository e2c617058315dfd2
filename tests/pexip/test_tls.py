"""Whom the client trusts, and how it says that it does not."""

import asyncio
import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from tests.pexip.conftest import QUICK, SECRET, Observed, answer, listening
from vdx.pexip import resources
from vdx.pexip.authentication import BasicAuthentication
from vdx.pexip.client import ManagementNode
from vdx.pexip.errors import PexipConfigurationError, TLSFault

NOW = datetime.now(UTC)


class Authority:
    """A certificate authority of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, folder.name)])
        self.file = folder / "ca.pem"
        builder = self._builder(self.name, NOW + timedelta(days=30))
        certificate = (
            builder.public_key(self.key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self.key.public_key()), critical=False)
            .sign(self.key, hashes.SHA256())
        )
        self.file.write_bytes(certificate.public_bytes(Encoding.PEM))

    def _builder(self, subject: x509.Name, until: datetime) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW - timedelta(days=60))
            .not_valid_after(until)
        )

    def server(self, address: str = "127.0.0.1", *, valid_days: int = 10) -> ssl.SSLContext:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "manager")])
        certificate = (
            self._builder(subject, NOW + timedelta(days=valid_days))
            .public_key(key.public_key())
            .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(address))]), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False
            )
            .sign(self.key, hashes.SHA256())
        )
        file = self.folder / "server.pem"
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        file.write_bytes(private + certificate.public_bytes(Encoding.PEM))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


async def empty_list(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(answer())
    await writer.drain()


async def code_of_read(
    server: ssl.SSLContext | None, observed: Observed, *, ca_file: Path | None, verify: bool = True
) -> str:
    """What the observer was told of one reading; raises what the reading raises."""
    async with (
        listening(empty_list, ssl=server) as port,
        ManagementNode(
            f"https://127.0.0.1:{port}",
            BasicAuthentication("monitor", SECRET),
            ca_file=ca_file,
            verify=verify,
            observe=observed,
            retry=QUICK,
            timeout=2.0,
        ) as node,
    ):
        await node.read(resources.CONFERENCE)
    return observed.requests[-1][1]


async def test_a_certificate_of_the_given_authority_is_trusted(
    authority: Authority, observed: Observed
) -> None:
    assert await code_of_read(authority.server(), observed, ca_file=authority.file) == "200"


async def test_an_unknown_authority_names_the_ca_file(authority: Authority, observed: Observed) -> None:
    with pytest.raises(TLSFault, match=r"not signed by a known authority: set pexip\.ca_file"):
        await code_of_read(authority.server(), observed, ca_file=None)
    assert observed.requests == [("conference", "tls")]


async def test_another_authority_is_not_trusted(
    authority: Authority, observed: Observed, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = Authority(tmp_path_factory.mktemp("other"))
    with pytest.raises(TLSFault, match=r"pexip\.ca_file"):
        await code_of_read(authority.server(), observed, ca_file=other.file)


async def test_an_expired_certificate_says_so(authority: Authority, observed: Observed) -> None:
    with pytest.raises(TLSFault, match=r"certificate of 127\.0\.0\.1 has expired: renew it") as caught:
        await code_of_read(authority.server(valid_days=-1), observed, ca_file=authority.file)
    assert "\n" not in str(caught.value)
    assert observed.requests == [("conference", "tls")]


async def test_a_certificate_for_another_host_names_the_url(authority: Authority, observed: Observed) -> None:
    with pytest.raises(TLSFault, match=r"is not for 127\.0\.0\.1: set pexip\.url"):
        await code_of_read(authority.server("127.0.0.9"), observed, ca_file=authority.file)


async def test_a_port_without_tls_names_the_url(observed: Observed) -> None:
    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()
        await reader.read(2000)
        writer.close()

    server = await asyncio.start_server(plain, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        async with ManagementNode(
            f"https://127.0.0.1:{port}", BasicAuthentication("monitor", SECRET), retry=QUICK
        ) as node:
            with pytest.raises(TLSFault, match=r"no TLS connection to 127\.0\.0\.1: .*pexip\.url"):
                await node.read(resources.CONFERENCE)


async def test_verification_can_be_switched_off(authority: Authority, observed: Observed) -> None:
    server = authority.server("127.0.0.9", valid_days=-1)
    assert await code_of_read(server, observed, ca_file=None, verify=False) == "200"


@pytest.mark.parametrize(("content", "reason"), [(None, "cannot be read"), ("no", "holds no certificate")])
def test_an_unusable_ca_file_is_refused(tmp_path: Path, content: str | None, reason: str) -> None:
    file = tmp_path / "authority.pem"
    if content is not None:
        file.write_text(content)
    with pytest.raises(PexipConfigurationError, match=rf"pexip\.ca_file {reason}"):
        ManagementNode("https://manager.example", BasicAuthentication("monitor", SECRET), ca_file=file)
