"""The collector's configuration: rsyslog takes every variant, and wrong settings are told."""

from itertools import product
from pathlib import Path

import pytest

from app.collector_configuration import EXAMPLE, example
from tests.syslog.collector import validate
from tests.syslog.senders import Authority
from tests.system.commands import run_vdx
from vdx.logs.collector import Humio, configuration
from vdx.settings import SettingsError, SyslogSettings

LISTEN = {"udp": "0.0.0.0:514", "tcp": "[::1]:514", "tls": "127.0.0.1:6514", "relp": "127.0.0.1:2514"}


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.mark.parametrize("wanted", [("udp",), ("tcp",), ("tls",), ("relp",), tuple(LISTEN)], ids="-".join)
@pytest.mark.parametrize("peers", [(), ("*.vdx.example", "fw-01")], ids=["any-peer", "named-peers"])
def test_rsyslog_takes_every_variant(
    wanted: tuple[str, ...], peers: tuple[str, ...], authority: Authority, tmp_path: Path
) -> None:
    listen = {transport: LISTEN[transport] for transport in wanted}
    token = tmp_path / "token"
    token.write_text("t0ken")
    for certificate, humio in product((False, True), (None, Humio("https://humio.example", token))):
        if "tls" in wanted and not certificate:
            continue
        settings = SyslogSettings.model_validate(
            listen | (authority.settings() if certificate else {}) | {"tls_peers": peers}
        )
        text = configuration(settings, tmp_path, humio)
        done = validate(tmp_path, text)
        assert (done.returncode, done.stderr.count("rsyslogd: ")) == (0, 2), done.stderr
        assert "t0ken" not in text


def test_a_collector_that_listens_on_nothing_is_refused(tmp_path: Path) -> None:
    result = run_vdx("logs", "collector-configuration", folder=tmp_path)
    assert (result.returncode, result.stdout) == (2, "")
    assert "set one of syslog.udp, tcp, tls and relp" in result.stderr


@pytest.mark.parametrize("name", ['a"b', "a\nb", "a\\b", "a$b", "a`b"])
def test_a_folder_that_rsyslog_would_misread_is_refused(name: str) -> None:
    with pytest.raises(SettingsError, match=r"syslog\.directory"):
        configuration(SyslogSettings(udp="127.0.0.1:514"), Path("/var/log") / name)


def test_the_command_writes_a_configuration_that_rsyslog_takes(tmp_path: Path) -> None:
    variables = {"VDX_SYSLOG__UDP": "127.0.0.1:5514", "VDX_SYSLOG__DIRECTORY": str(tmp_path)}
    output = tmp_path / "vdx.conf"
    result = run_vdx(
        "logs", "collector-configuration", "--output", str(output), folder=tmp_path, variables=variables
    )
    assert result.returncode == 0, result.stderr
    assert validate(tmp_path, output.read_text()).returncode == 0
    printed = run_vdx("logs", "collector-configuration", folder=tmp_path, variables=variables)
    assert printed.stdout == output.read_text()


@pytest.mark.parametrize(
    ("token", "words"),
    [(None, "humio.url and humio.token_file"), ("t0ken\n", "no line end or space"), ("", "is empty")],
)
def test_humio_without_what_it_needs_is_refused(token: str | None, words: str, tmp_path: Path) -> None:
    variables = {"VDX_SYSLOG__UDP": "127.0.0.1:5514"}
    if token is not None:
        file = tmp_path / "token"
        file.write_text(token)
        variables |= {"VDX_HUMIO__URL": "https://humio.example", "VDX_HUMIO__TOKEN_FILE": str(file)}
    result = run_vdx("logs", "collector-configuration", "--humio", folder=tmp_path, variables=variables)
    assert result.returncode == 2
    assert words in result.stderr
    assert "t0ken" not in result.stderr


def test_the_example_is_that_of_the_code() -> None:
    assert EXAMPLE.read_text(encoding="utf-8") == example(), "run python -m app.collector_configuration"
