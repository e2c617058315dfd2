"""A real rsyslogd with the suite's configuration: what is sent is archived, whole and once."""

import re
import socket
import ssl
import threading
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.syslog.collector import Collector, collecting, rfc5424
from tests.syslog.senders import Authority, RelpSender, client_context, send_tcp, send_udp
from vdx.logs.files import hour_of, open_files
from vdx.logs.line import Line

COUNT = 2000
NOW = "2025-03-04T08:00:01Z"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def collector(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[Collector]:
    """One with TLS, which lets in senders with names below vdx.test."""
    folder = tmp_path_factory.mktemp("collector")
    with collecting(
        folder, "udp", "tcp", "tls", tls_peers=("*.vdx.test",), **authority.settings()
    ) as running:
        yield running


@pytest.fixture
def archived(collector: Collector) -> "Archived":
    return Archived(collector)


class Archived:
    """What the collector archives from here on."""

    def __init__(self, collector: Collector) -> None:
        self.collector = collector
        self._before = len(collector.texts())

    def __call__(self, count: int) -> list[Line]:
        """So many lines, as soon as they are there."""
        return self.collector.wait_for(self._before + count)[self._before :]

    def of(self, *sent: bytes) -> list[Line]:
        """What becomes of these, sent over TCP each with its end."""
        send_tcp(self.collector.ports["tcp"], sent)
        return self(len(sent))


def numbers(lines: list[Line]) -> Counter[int]:
    """How often each number was archived."""
    return Counter(int(match[1]) for line in lines if (match := re.search(r"number (\d+)", line.message)))


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
def test_numbered_lines_are_archived_once(
    transport: str, collector: Collector, archived: Archived, authority: Authority
) -> None:
    lines = [rfc5424(number) for number in range(COUNT)]
    port = collector.ports[transport]
    if transport == "udp":
        send_udp(port, lines)
    elif transport == "tcp":
        send_tcp(port, lines)
    else:
        send_tcp(port, lines, client_context(authority.file, authority.issue("sender.vdx.test")))
    found = archived(COUNT)
    assert numbers(found) == Counter(range(COUNT))
    assert {line.transport for line in found} == {transport}


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])
def test_what_relp_acknowledged_survives_a_kill_and_the_rest_is_sent_again(
    secure: bool, tmp_path: Path, authority: Authority
) -> None:
    settings = authority.settings() | {"tls_peers": ("sender.vdx.test",)} if secure else {}
    context = client_context(authority.file, authority.issue("sender.vdx.test")) if secure else None
    window = 64
    with collecting(tmp_path, "relp", **settings) as collector:
        sender = RelpSender(collector.ports["relp"], context, window)
        sender.connect()

        def killing_in_the_middle(number: int) -> bytes:
            if number == COUNT // 2:
                collector.kill()
            return rfc5424(number)

        lines = map(killing_in_the_middle, range(COUNT))
        acknowledged = sender.send(lines)
        assert 0 < acknowledged < COUNT
        assert set(range(acknowledged)) <= set(numbers(collector.lines()))
        collector.start()
        sender.connect()
        sender.send(lines)
        sender.close()
        found = numbers(collector.lines())
    assert set(found) == set(range(COUNT))
    assert sum(found.values()) <= COUNT + window
    assert set(found.values()) <= {1, 2}


def test_an_orderly_stop_loses_nothing(tmp_path: Path) -> None:
    with collecting(tmp_path, "udp", "tcp") as collector:
        send_udp(collector.ports["udp"], [rfc5424(number) for number in range(500)])
        time.sleep(0.3)
        collector.stop()
        assert numbers(collector.lines()) == Counter(range(500))


def test_senders_wait_while_the_folder_of_the_archive_is_away(tmp_path: Path) -> None:
    collector = Collector(tmp_path, "tcp", "relp")
    text = collector.file.read_text()
    collector.file.write_text(text.replace('action.resumeInterval="5"', 'action.resumeInterval="1"'))
    away = tmp_path / "away"
    collector.archive.rename(away)
    try:
        collector.start()
        sender = RelpSender(collector.ports["relp"])
        sender.connect()
        send_tcp(collector.ports["tcp"], map(rfc5424, range(50)))
        threading.Timer(1, away.rename, [collector.archive]).start()
        assert sender.send(map(rfc5424, range(50, 100))) == 50
        assert collector.archive.exists()
        sender.close()
        assert numbers(collector.wait_for(100)) == Counter(range(100))
    finally:
        collector.kill()


def test_the_header_of_each_form_is_read(archived: Archived) -> None:
    modern, old, dated, noon, structured = archived.of(
        b'<131>1 2025-03-04T09:00:01.120+01:00 conf01 pexip 12 - - 2025-03-04 08:00:01,118 Level="ERROR"',
        b"<132>Mar  4 08:05:00 mgr01 pexip[77]: Connectivity lost",
        b"<132>Mar  4 08:05:00 2024 sw1 kernel: year after the time",
        b"<13>2025-03-04T12:00:00+01:00 web1 nginx: 10.0.0.1 GET /",
        b'<134>1 2025-03-04T08:00:01Z - - - - [x@1 a="b"] text',
    )
    assert (modern.host, modern.app, modern.facility, modern.severity) == ("conf01", "pexip", 16, 3)
    assert modern.time == "2025-03-04T08:00:01.120+00:00"
    assert modern.message == '2025-03-04 08:00:01,118 Level="ERROR"'
    assert (old.host, old.app, old.severity, old.message) == ("mgr01", "pexip", 4, "Connectivity lost")
    assert (dated.host, dated.app, dated.time[:19]) == ("sw1", "kernel", "2024-03-04T08:05:00")
    assert (noon.host, noon.app, noon.time[:19]) == ("web1", "nginx", "2025-03-04T11:00:00")
    assert (structured.host, structured.app, structured.message) == ("127.0.0.1", "", '[x@1 a="b"] text')


@pytest.mark.parametrize(
    ("severity", "text"),
    [
        (5, b'date=2025-03-04 time=08:10:00 devname="fw-01" type="event" tz="+0100"'),
        (5, b": 2025 Mar  4 08:11:00 UTC: %ETHPORT-5-IF_DOWN: Interface Ethernet1/33 is down"),
        (3, b'{"@timestamp":"2025-03-04T08:12:00.001Z","message":"a\\tb","level":"ERROR"}'),
        (6, b"hello world: no header"),
        (6, "Påmindelse: noget".encode()),
    ],
)
def test_a_line_without_a_header_is_kept_whole_under_its_address(
    severity: int, text: bytes, archived: Archived
) -> None:
    (line,) = archived.of(b"<%d>%s" % (184 + severity, text))
    assert (line.message.encode(), line.host, line.app) == (text, "127.0.0.1", "")
    assert (line.facility, line.severity) == (23, severity)
    assert line.time == line.received


@pytest.mark.parametrize(
    ("sent", "message"),
    [
        (b"\xff\xfe\x00\x01garbage \x80", "  #000#001garbage  "),
        (b"<134>\xff\xd8tag: text", "(a header that is not UTF-8)  text"),
        (b"<134>1 2025-03-04T08:00:01Z h\xffst app - - - text", "(a header that is not UTF-8) text"),
        (b"<134>1 2025-03-04T08:00:01Z h app - - - caf\xe9 \xc3\xb8", "caf  ø"),
        (b"<999>no such priority", "<999>no such priority"),
        (b"<134>1 2025-03-04T08:00:01Z h app - - - a\x00b", "a#000b"),
        (b'tab\t"quote" \\ back', 'tab\t"quote" \\ back'),
    ],
)
def test_what_is_broken_is_archived_as_text_and_does_no_harm(
    sent: bytes, message: str, archived: Archived
) -> None:
    broken, next_one = archived.of(sent, rfc5424(1))
    assert broken.message == message
    assert next_one.message == "number 00000001"


def test_a_host_name_with_slashes_never_becomes_a_path(archived: Archived) -> None:
    (line,) = archived.of(f"<134>1 {NOW} ../../../tmp/x app - - - text".encode())
    assert line.host == "../../../tmp/x"
    folder = archived.collector.archive
    assert {path.parent for path in archived.collector.folder.rglob("*.jsonl")} == {folder}


def test_the_file_is_that_of_the_hour_of_receipt_whatever_the_senders_clock(archived: Archived) -> None:
    before = datetime.now(UTC)
    late, early = archived.of(
        b"<134>1 2016-03-04T08:00:01Z h app - - - ten years slow",
        b"<134>1 2036-03-04T08:00:01Z h app - - - ten years fast",
    )
    assert (late.time[:4], early.time[:4]) == ("2016", "2036")
    for line in (late, early):
        assert before - timedelta(seconds=1) < datetime.fromisoformat(line.received) < datetime.now(UTC)
    files = list(open_files(archived.collector.archive))
    hours = [hour_of(path) for path in files]
    assert all(hour and abs(hour - before) < timedelta(hours=2) for hour in hours)
    assert [path.stat().st_mode & 0o777 for path in files] == [0o640] * len(files)


def test_a_line_of_64_kilobytes_is_kept_and_a_longer_one_is_split(archived: Archived) -> None:
    header = f"<134>1 {NOW} h app - - - ".encode()
    (whole,) = archived.of(header + b"x" * 64_000)
    assert whole.message == "x" * 64_000
    send_tcp(archived.collector.ports["tcp"], [header + b"y" * 100_000, rfc5424(7)])
    _, first, second, after = archived(4)
    # rsyslog 8.2302 drops the one byte at which it splits.
    assert first.message + second.message == "y" * 99_999
    assert after.message == "number 00000007"


def test_octet_counting_keeps_line_ends_and_a_line_without_end_is_kept(archived: Archived) -> None:
    framed = f"<134>1 {NOW} h app - - - two\nlines".encode()
    with socket.create_connection(("127.0.0.1", archived.collector.ports["tcp"])) as sender:
        sender.sendall(b"%d %s" % (len(framed), framed))
        sender.sendall(f"<134>1 {NOW} h app - - - without end".encode())
    assert [line.message for line in archived(2)] == ["two#012lines", "without end"]


@pytest.mark.parametrize("which", ["none", "another authority", "another name", "expired"])
def test_a_sender_with_a_wrong_certificate_is_kept_out_and_others_are_heard(
    which: str, archived: Archived, authority: Authority, tmp_path: Path
) -> None:
    identity = {
        "none": None,
        "another authority": Authority(tmp_path).issue("sender.vdx.test"),
        "another name": authority.issue("sender.other.test"),
        "expired": authority.issue("expired.vdx.test", days=-1),
    }[which]
    port = archived.collector.ports["tls"]
    with pytest.raises((ssl.SSLError, OSError)):
        # The refusal arrives while the sender goes on, since TLS 1.3 lets it send at once.
        send_tcp(
            port,
            (rfc5424(1, app="stranger") for _ in range(20_000)),
            client_context(authority.file, identity),
        )
    good = client_context(authority.file, authority.issue("sender.vdx.test"))
    send_tcp(port, [rfc5424(2)], good)
    assert [line.message for line in archived(1)] == ["number 00000002"]
    assert "stranger" not in {line.app for line in archived.collector.lines()}
