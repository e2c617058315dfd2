"""Jobs and targets out of the settings; each mistake names itself and its mend."""

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from exporters.estate.target import jobs, own_jobs
from vdx.settings import (
    DeviceSettings,
    EstateJob,
    Settings,
    SettingsError,
    SNMPCredentials,
    SNMPSettings,
    SyslogSettings,
    load,
)


def settings(**estate: dict[str, Any]) -> Settings:
    return Settings(estate={name: EstateJob(**job) for name, job in estate.items()})


def test_a_target_has_the_port_of_its_kind_unless_it_says_another() -> None:
    (job,) = jobs(
        settings(db={"kind": "mysqld", "targets": ("db1", "db2:9999", "[2001:db8::1]", "10.0.0.1")})
    )
    assert job.targets == ("db1:9104", "db2:9999", "[2001:db8::1]:9104", "10.0.0.1:9104")
    assert job.url("db1:9104") == "http://db1:9104/metrics"
    assert job.parameters("db1:9104") == {}


def test_blackbox_and_vmware_are_asked_about_their_targets() -> None:
    found = jobs(
        settings(
            web={"kind": "blackbox", "exporter": "probe1", "targets": ("https://www.example.org/",)},
            ping={"kind": "blackbox", "exporter": "probe1:9999", "module": "icmp", "targets": ("fw1",)},
            esx={"kind": "vmware", "exporter": "127.0.0.1", "targets": ("vcenter.example.org",)},
        )
    )
    asked = [(job.url(target), job.parameters(target)) for job in found for target in job.targets]
    assert asked == [
        ("http://probe1:9115/probe", {"module": "http_2xx", "target": "https://www.example.org/"}),
        ("http://probe1:9999/probe", {"module": "icmp", "target": "fw1"}),
        ("http://127.0.0.1:9272/metrics", {"target": "vcenter.example.org"}),
    ]


def test_scheme_and_path_of_a_kind_can_be_others() -> None:
    (job,) = jobs(settings(k={"kind": "kubelet", "targets": ("w1",), "path": "/metrics/cadvisor"}))
    assert job.url("w1:10250") == "https://w1:10250/metrics/cadvisor"


PROBES = {"kind": "blackbox", "exporter": "probe1"}


@pytest.mark.parametrize(
    ("job", "words"),
    [
        ({"kind": "nod", "targets": ("a",)}, "estate.x.kind: there is no kind 'nod'; did you mean node?"),
        (
            {"kind": "node", "targets": ("http://a:9100/",)},
            "estate.x.targets: 'http://a:9100/' is no address; write",
        ),
        ({"kind": "node", "targets": ("a:0",)}, "'a:0' is no address"),
        ({"kind": "node", "targets": ("a:70000",)}, "'a:70000' is no address"),
        ({"kind": "node", "targets": ("a..b",)}, "'a..b' is no address"),
        ({"kind": "node", "targets": ("a b",)}, "'a b' is no address"),
        ({"kind": "node", "targets": ("a\n",)}, "'a\\n' is no address"),
        (
            {"kind": "node", "targets": ("a", "a:9100")},
            "estate.x.targets: a:9100 stands in estate.x too; name it once",
        ),
        (
            {"kind": "node", "targets": ("a",), "exporter": "b"},
            "estate.x.exporter: node is no exporter of others",
        ),
        (
            {"kind": "node", "targets": ("a",), "path": "metrics"},
            "estate.x.path: 'metrics' does not begin with /",
        ),
        (
            {"kind": "vmware", "targets": ("a",)},
            "estate.x.exporter: it is empty; write where the vmware exporter is",
        ),
        (PROBES | {"targets": ("www.example.org",)}, "'www.example.org' is no URL; write it as https://"),
        (PROBES | {"targets": ("https://a/ b",)}, "'https://a/ b' is no URL"),
        (
            PROBES | {"targets": ("https://a/",), "exporter": "http://probe1"},
            "estate.x.exporter: 'http://probe1' is no",
        ),
        (PROBES | {"targets": ("https://a/",), "module": "tcp_connect"}, "'https://a/' is no address"),
    ],
)
def test_a_mistake_names_itself_and_the_mend(job: dict[str, Any], words: str) -> None:
    with pytest.raises(SettingsError) as caught:
        jobs(settings(x=job))
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_password_in_a_target_is_refused_and_not_repeated() -> None:
    job = {"kind": "blackbox", "exporter": "probe1", "targets": ("https://me:hemmelig@www.example.org/",)}
    with pytest.raises(SettingsError) as caught:
        jobs(settings(x=job))
    assert "hemmelig" not in str(caught.value)


def test_every_mistake_is_told_at_once() -> None:
    wrong = {"kind": "nod", "targets": ("a",)}
    same = {"kind": "node", "targets": ("a",)}
    with pytest.raises(SettingsError) as caught:
        jobs(settings(x=wrong, y=same, z=same))
    assert len(str(caught.value).splitlines()) == 2
    assert "estate.z.targets: a:9100 stands in estate.y too" in str(caught.value)


@pytest.mark.parametrize("name", ["vdx", "vdx-network", "../passwd", "a b", ""])
def test_a_section_s_name_is_a_name_of_a_file_that_is_not_taken(name: str) -> None:
    wanted = Settings(estate={name: EstateJob(kind="node", targets=("a",))})
    with pytest.raises(SettingsError, match=re.escape(repr(name))):
        jobs(wanted)


@given(st.text(max_size=20))
def test_any_target_is_an_address_of_one_line_or_refused(text: str) -> None:
    try:
        (job,) = jobs(settings(x={"kind": "node", "targets": (text,)}))
    except SettingsError:
        return
    (target,) = job.targets
    assert re.fullmatch(r"[\x21-\x7e]+:\d+", target)
    assert not set("/@?#\\\"'") & set(target)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("kind = 'node'\ntargets = []", "estate.x: targets is empty; name at least one"),
        ("kind = 'node'\ntargets = ['a']\nusername = 'u'", "username and password_file go together"),
        (
            "kind = 'node'\ntargets = ['a']\nusername = 'u'\npassword_file = 'p'\ntoken_file = 't'",
            "username and token_file are two ways to log in",
        ),
        ("kind = 'node'\ntargets = ['a']\nport = 1", "estate.x.port: there is no such setting"),
    ],
)
def test_a_section_that_cannot_be_is_refused_with_the_settings(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "vdx.toml"
    file.write_text(f"[estate.x]\n{text}\n")
    with pytest.raises(SettingsError, match=re.escape(words)):
        load(file)


def test_the_suite_s_own_exporters_are_among_the_jobs_where_there_is_work_for_them() -> None:
    assert [job.name for job in own_jobs(Settings())] == ["vdx"]
    credentials = {"public": SNMPCredentials(community=SecretStr("x"))}
    polled = Settings(
        snmp=SNMPSettings(listen="0.0.0.0:9116", credentials=credentials),
        devices={"fw": DeviceSettings(address="192.0.2.1", kind="fortigate", snmp="public")},
    )
    (status, network) = own_jobs(polled)
    assert status.url(status.targets[0]) == "http://127.0.0.1:9870/metrics"
    assert network.targets == ("127.0.0.1:9116",)
    collecting = Settings(syslog=SyslogSettings(tcp="0.0.0.0:514"))
    assert [job.name for job in own_jobs(collecting)] == ["vdx", "vdx-logs"]
