"""The suite's own log: to the console and to a syslog server, redacted, without waiting for anybody."""

import contextlib
import re
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from loguru import logger

from app import log
from tests.databases import free_port
from tests.system.commands import run_vdx
from vdx.own_log import known_secrets, message
from vdx.own_log.message import MOST_BYTES
from vdx.own_log.sender import QUEUE, Sender
from vdx.settings import OwnLogSettings
from vdx.telemetry import process_registry

RFC5424 = re.compile(
    r"<(\d{1,3})>1 (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z) (\S+) (\S+) (\d+) - "
    r'\[vdx@32473 module="([^"]*)" event="([^"]*)"\] (.*)'
)


class Receiver:
    """A syslog server that keeps messages."""

    def __init__(self, transport: str, port: int = 0) -> None:
        self.messages: list[str] = []
        kind = socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM
        self.socket = socket.socket(socket.AF_INET, kind)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(("127.0.0.1", port))
        self.address = "{}:{}".format(*self.socket.getsockname())
        self._connections: list[socket.socket] = []
        work = self._datagrams if transport == "udp" else self._streams
        if transport == "tcp":
            self.socket.listen()
        self._thread = threading.Thread(target=work, daemon=True)
        self._thread.start()

    def _datagrams(self) -> None:
        with contextlib.suppress(OSError):
            while data := self.socket.recv(65536):
                self.messages.append(data.decode())

    def _streams(self) -> None:
        with contextlib.suppress(OSError):
            connection, _ = self.socket.accept()
            self._connections.append(connection)
            with connection, connection.makefile("rb") as stream:
                while length := b"".join(iter(lambda: stream.read(1).strip(), b"")):
                    self.messages.append(stream.read(int(length)).decode())

    def close(self) -> None:
        for one in (*self._connections, self.socket):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        self._thread.join(5)


@pytest.fixture(params=["udp", "tcp"])
def receiver(request: pytest.FixtureRequest) -> Iterator[Receiver]:
    one = Receiver(request.param)
    yield one
    one.close()


@pytest.fixture(autouse=True)
def _restored(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(known_secrets, "_known", set())
    monkeypatch.setattr(known_secrets, "_pattern", None)
    monkeypatch.setattr(log, "logging", _NoLogging)
    yield
    logger.remove()
    logger.add(sys.stderr)


class _NoLogging:
    """The standard logging of the test process stays pytest's."""

    WARNING = 30
    Handler = object

    @staticmethod
    def basicConfig(**_: object) -> None:  # noqa: N802 - the name is the standard library's
        pass


def wait(holds: Callable[[], bool], seconds: float = 5) -> None:
    end = time.monotonic() + seconds
    while not holds() and time.monotonic() < end:
        time.sleep(0.01)
    assert holds()


def transport_of(receiver: Receiver) -> str:
    return "udp" if receiver.socket.type == socket.SOCK_DGRAM else "tcp"


def settings_of(receiver: Receiver, app: str = "vdx-watch") -> OwnLogSettings:
    return OwnLogSettings.model_validate(
        {"syslog": receiver.address, "transport": transport_of(receiver), "app": app}
    )


def test_a_line_arrives_as_rfc_5424_with_its_severity_and_where_it_came_from(receiver: Receiver) -> None:
    log.configure()
    log.send(settings_of(receiver, "watcher"))
    logger.debug("left out")
    logger.info("møde: {}", 1)
    logger.warning("two\nlines")
    logger.error("three")
    wait(lambda: len(receiver.messages) == 3)
    found = [RFC5424.fullmatch(text) for text in receiver.messages]
    assert all(found), receiver.messages
    parts = [match.groups() for match in found if match]
    assert [(int(part[0]) // 8, int(part[0]) % 8) for part in parts] == [(16, 6), (16, 4), (16, 3)]
    assert [part[7] for part in parts] == ["møde: 1", "two | lines", "three"]
    assert {(part[3], part[5]) for part in parts} == {("watcher", "tests.app.test_log")}
    assert parts[0][6] == "test_a_line_arrives_as_rfc_5424_with_its_severity_and_where_it_came_from"
    sent = datetime.strptime(parts[0][1], "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
    assert abs((datetime.now(UTC) - sent).total_seconds()) < 30


def test_secrets_and_persons_come_out_neither_in_lines_nor_in_exceptions(
    receiver: Receiver, capsys: pytest.CaptureFixture[str]
) -> None:
    known_secrets.register("correct-horse-battery")
    log.configure()
    log.send(settings_of(receiver))
    logger.info("the password is correct-horse-battery, said anna@example.org")
    try:
        raise RuntimeError("refused: correct-horse-battery of +4512345678")  # noqa: TRY301
    except RuntimeError:
        logger.exception("it failed")
    wait(lambda: len(receiver.messages) == 2)
    for out in ("".join(receiver.messages), capsys.readouterr().err):
        assert "RuntimeError" in out
        assert "the password is ***, said ***" in out
        for hidden in ("correct-horse-battery", "anna@", "12345678"):
            assert hidden not in out


def test_the_console_has_a_line_with_time_and_level_and_no_syslog(
    capsys: pytest.CaptureFixture[str],
) -> None:
    log.configure()
    log.send(OwnLogSettings())
    logger.warning("something")
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ WARNING something\n", capsys.readouterr().err)


def test_nobody_waits_for_a_server_that_is_away_and_what_is_dropped_is_counted() -> None:
    before = process_registry().get_sample_value("vdx_log_lines_dropped_total") or 0
    one = Sender(f"127.0.0.1:{free_port()}", "tcp")
    begun = time.monotonic()
    for _ in range(QUEUE + 500):
        one.put(b"x")
    assert time.monotonic() - begun < 1
    one.stop()
    assert process_registry().get_sample_value("vdx_log_lines_dropped_total") == before + QUEUE + 500


def test_lines_wait_for_a_tcp_server_that_comes_back_and_its_absence_is_told_once(log: list[str]) -> None:
    port = free_port()
    one = Sender(f"127.0.0.1:{port}", "tcp")
    for number in range(20):
        one.put(b"line %d" % number)
    wait(lambda: any("cannot be reached" in words for words in log))
    receiver = Receiver("tcp", port)
    wait(lambda: len(receiver.messages) == 20)
    one.stop()
    receiver.close()
    assert receiver.messages == [f"line {number}" for number in range(20)]
    assert sum("cannot be reached" in words for words in log) == 1


def test_the_last_lines_are_sent_before_the_process_ends(receiver: Receiver) -> None:
    one = Sender(receiver.address, "udp" if transport_of(receiver) == "udp" else "tcp")
    for number in range(100):
        one.put(b"line %d" % number)
    one.stop()
    wait(lambda: len(receiver.messages) == 100)


def test_a_message_is_cut_at_a_whole_character() -> None:
    made = message.message(
        "é" * MOST_BYTES, level=20, time=datetime.now(UTC), app="a", process=1, module='m"]', event="e"
    )
    assert MOST_BYTES - 2 <= len(made) <= MOST_BYTES
    assert made.decode().endswith("é")
    assert r'module="m\"\]"' in made.decode()


def test_a_command_sends_its_lines_where_the_settings_say(tmp_path: Path) -> None:
    receiver = Receiver("udp")
    (tmp_path / "token").write_text("token-that-nobody-sees")
    (tmp_path / "vdx.toml").write_text(
        f'[log]\nsyslog = "{receiver.address}"\napp = "shipper"\n'
        f'[humio]\nurl = "http://127.0.0.1:{free_port()}"\ntoken_file = "token"\n'
    )
    done = run_vdx("logs", "ship", "--once", folder=tmp_path)
    assert done.returncode == 1, done.stderr
    wait(lambda: any("data/logs: No such file" in text for text in receiver.messages))
    receiver.close()
    assert " shipper " in receiver.messages[0]


@pytest.mark.parametrize("section", ['syslog = "nowhere"', 'transport = "tls"', 'app = "two words"'])
def test_a_wrong_setting_of_the_log_is_told(tmp_path: Path, section: str) -> None:
    (tmp_path / "vdx.toml").write_text(f"[log]\n{section}\n")
    done = run_vdx("logs", "ship", "--once", folder=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("vdx: log.")
