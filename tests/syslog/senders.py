"""Senders of syslog, and the certificates for those that show one."""

import contextlib
import socket
import ssl
from collections import deque
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


class Authority:
    """A certificate authority in a folder of its own; `file` is its certificate."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "authority")])
        self.file = folder / "authority.pem"
        certificate = self._certificate(self._name, self._key.public_key(), authority=True, days=10)
        self.file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))

    def issue(self, name: str, days: int = 10) -> tuple[Path, Path]:
        """A certificate that ends in so many days, and its key, as files."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        certificate = self._certificate(subject, key.public_key(), authority=False, days=days)
        files = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        files[1].write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return files

    def settings(self) -> dict[str, object]:
        """The settings of a collector that has a certificate of this authority."""
        certificate, key = self.issue("collector.test")
        return {
            "tls_certificate_file": certificate,
            "tls_key_file": key,
            "tls_ca_file": self.file,
        }

    def _certificate(
        self, subject: x509.Name, key: ec.EllipticCurvePublicKey, *, authority: bool, days: int
    ) -> x509.Certificate:
        end = datetime.now(UTC) + timedelta(days=days)
        name = subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(end - timedelta(days=400))
            .not_valid_after(end)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(str(name))]), critical=False)
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .sign(self._key, hashes.SHA256())
        )


def client_context(authority: Path, identity: tuple[Path, Path] | None) -> ssl.SSLContext:
    """TLS of a sender that trusts an authority and shows a certificate, if any."""
    context = ssl.create_default_context(cafile=str(authority))
    context.check_hostname = False
    if identity is not None:
        context.load_cert_chain(*map(str, identity))
    return context


def send_udp(port: int, lines: Iterable[bytes]) -> None:
    """Each line as a datagram."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for line in lines:
            sender.sendto(line, ("127.0.0.1", port))


def send_tcp(port: int, lines: Iterable[bytes], context: ssl.SSLContext | None = None) -> None:
    """Each line with its end, over TCP, or over TLS with a context. Raises OSError."""
    with socket.create_connection(("127.0.0.1", port), 10) as plain:
        if context is None:
            plain.sendall(b"".join(line + b"\n" for line in lines))
            return
        with context.wrap_socket(plain) as sender:
            for line in lines:
                sender.sendall(line + b"\n")
            # rsyslog ends the connection without a word, once it has read all.
            with contextlib.suppress(ssl.SSLEOFError):
                sender.unwrap()


class RelpSender:
    """Sends over RELP; at most `window` lines, those in `unacknowledged`, wait for their answer."""

    def __init__(self, port: int, context: ssl.SSLContext | None = None, window: int = 128) -> None:
        self._port = port
        self._context = context
        self._window = window
        self._number = 0
        self.unacknowledged: deque[tuple[int, bytes]] = deque()

    def connect(self) -> None:
        """Opens a session. Raises OSError."""
        self._socket: socket.socket = socket.create_connection(("127.0.0.1", self._port), 10)
        if self._context is not None:
            self._socket = self._context.wrap_socket(self._socket)
        self._answers = self._read()
        self._number = 0
        self._command(b"open", b"relp_version=0\nrelp_software=test\ncommands=syslog")
        next(self._answers)

    def send(self, lines: Iterable[bytes]) -> int:
        """Sends until the session breaks or all is acknowledged; how many were. What was left from a session
        before goes first.
        """
        acknowledged = 0
        waiting = [line for _, line in self.unacknowledged]
        self.unacknowledged.clear()
        try:
            for line in self._all(waiting, lines):
                self.unacknowledged.append((self._number + 1, line))
                self._command(b"syslog", line)
                while len(self.unacknowledged) >= self._window:
                    acknowledged += self._acknowledge()
            while self.unacknowledged:
                acknowledged += self._acknowledge()
        except OSError:
            self._socket.close()
        return acknowledged

    def close(self) -> None:
        """Ends the session."""
        self._command(b"close", b"")
        self._socket.close()

    def _all(self, waiting: list[bytes], lines: Iterable[bytes]) -> Iterator[bytes]:
        yield from waiting
        yield from lines

    def _acknowledge(self) -> int:
        number = next(self._answers)
        assert self.unacknowledged[0][0] == number
        self.unacknowledged.popleft()
        return 1

    def _command(self, name: bytes, data: bytes) -> int:
        self._number += 1
        self._socket.sendall(b"%d %s %d%s\n" % (self._number, name, len(data), b" " + data if data else b""))
        return self._number

    def _read(self) -> Iterator[int]:
        """The numbers of what was acknowledged. Raises OSError when the session breaks."""
        buffer = b""
        while True:
            while buffer.count(b" ") < 2:
                buffer += self._receive()
            number, _, rest = buffer.partition(b" ")
            _, _, rest = rest.partition(b" ")
            digits = len(rest) - len(rest.lstrip(b"0123456789"))
            while digits == len(rest):
                rest += self._receive()
                digits = len(rest) - len(rest.lstrip(b"0123456789"))
            size = digits + int(rest[:digits]) + (rest[digits : digits + 1] == b" ")
            while len(rest) <= size:
                rest += self._receive()
            buffer = rest[size + 1 :]
            if number != b"0":
                yield int(number)

    def _receive(self) -> bytes:
        received = self._socket.recv(65536)
        if not received:
            raise ConnectionResetError("the collector closed the session")
        return received
