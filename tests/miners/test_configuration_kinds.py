"""What is made of a configuration: no secret shows, nothing that changes by itself counts, all else stays."""

import string
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from miners.configurations.kind import Told
from miners.configurations.kinds import kind, names
from miners.configurations.normal import normalised
from simulator.device_configurations import Firewall, Switch

KEY = b"a key of the tests"
NOW = datetime(2026, 11, 24, 8, 15, tzinfo=UTC)

STABLE = [
    ("fortigate", '    set password "{}"'),
    ("fortigate", "    set psksecret {}"),
    ("fortigate", "        set md5-key 1 {}"),
    ("fortigate", '    set group-password "with a \\" in it {}"'),
    ("fortigate", 'config system snmp community\n    edit 1\n        set name "{}"\n    next\nend'),
    ("nexus", "username admin password 5 {}  role network-admin"),
    ("nexus", "snmp-server community {} group network-operator"),
    ("nexus", "snmp-server user admin network-admin auth md5 {} priv 0x1 localizedkey"),
    ("nexus", "snmp-server user admin network-admin auth sha 0x1 priv aes-128 {} localizedkey"),
    ("nexus", "snmp-server host 10.0.0.1 traps version 2c {}  udp-port 2162"),
    ("nexus", "snmp-server mib community-map {} context one"),
    ("nexus", 'tacacs-server host 10.0.0.1 key 7 "{}"'),
    ("nexus", "  key-string 7 {}"),
    ("nexus", "  ip ospf message-digest-key 1 md5 3 {}"),
    ("nexus", "ntp authentication-key 1 md5 {} 7"),
    ("nexus", "    password 3 {}"),
]
"""Kind, and a line whose secret is the same text each time that it is shown."""

SEALED = [
    "    set password ENC {}",
    "    set psksecret ENC {}",
    '    set private-key "-----BEGIN ENCRYPTED PRIVATE KEY-----\n{}\n-----END ENCRYPTED PRIVATE KEY-----"',
    '    set private-key "-----BEGIN RSA PRIVATE KEY-----\nDEK: A-B\n{}\n-----END RSA PRIVATE KEY-----"',
    "#private-encryption-key={}",
]
"""Lines of a FortiGate whose secret is other text each time."""

PLAIN = [
    ("fortigate", '    set name "policy-1"'),
    ("fortigate", "    set password-expire 30"),
    ("fortigate", '    set ssh-public-key1 "ssh-ed25519 AAAA"'),
    ("fortigate", '    set comment "ends with end"'),
    ("fortigate", "config system snmp community\nend\nconfig firewall policy\n    set name x\nend"),
    ("nexus", "snmp-server host 10.0.0.1 use-vrf management"),
    ("nexus", "snmp-server host 10.0.0.1 traps version 3 priv user"),
    ("nexus", "ntp server 10.0.0.1 key 1"),
    ("nexus", "key chain one"),
    ("nexus", "  key 1"),
]
"""Kind, and what is no secret."""

TOKENS = st.text(string.ascii_letters + string.digits + "+/=$", min_size=8, max_size=60)


@pytest.mark.parametrize(("name", "line"), STABLE)
def test_a_secret_does_not_show_and_its_change_does(name: str, line: str) -> None:
    one, same, other = (
        normalised(line.format(text), kind(name), KEY) for text in ("geheim1", "geheim1", "geheim2")
    )
    assert "geheim" not in one
    assert one == same
    assert one != other
    assert one != normalised(line.format("geheim1"), kind(name), b"another key")


@pytest.mark.parametrize("line", SEALED)
@settings(deadline=None)  # the cores are shared
@given(first=TOKENS, second=TOKENS)
def test_a_secret_that_is_sealed_anew_makes_no_change(line: str, first: str, second: str) -> None:
    fortigate = kind("fortigate")
    text = normalised(line.format(first), fortigate, KEY)
    assert text == normalised(line.format(second), fortigate, KEY)
    assert first not in text


@pytest.mark.parametrize(("name", "text"), PLAIN)
def test_what_is_no_secret_stays_as_it_is(name: str, text: str) -> None:
    assert normalised(text, kind(name), KEY) == f"{text}\n"


def test_all_of_a_configuration_stays_but_what_is_volatile_or_secret() -> None:
    for device in (Firewall(), Switch()):
        lines = device.answer("show" if device.kind == "fortigate" else "show running-config") or []
        text = normalised("\n".join(lines), kind(device.kind), KEY)
        for gone in ("conf_file_ver", "config-version", "!Time", "!Command", "last done", "ENC SH2", "$5$"):
            assert gone not in text
        kept = [
            line.rstrip() for line in lines if not any(word in line for word in ("#", "!", "ENC", "-----"))
        ]
        found = set(text.split("\n"))
        missing = {line for line in kept if line not in found}
        assert all(
            "community" in line or "auth" in line or "set name" in line for line in missing if len(line) < 64
        )


def _pieces(name: str) -> st.SearchStrategy[str]:
    lines = [line for kind_name, line in (*STABLE, *PLAIN) if kind_name == name]
    lines += SEALED if name == "fortigate" else ["!Time: Tue Nov 24 09:14:44 2026", "version 9.3(10)"]
    written = st.builds(lambda line, token: line.replace("{}", token), st.sampled_from(lines), TOKENS)
    free = st.text(string.printable, max_size=30)
    return st.lists(written | free, max_size=12).map("\n".join)


@settings(deadline=None)  # the cores are shared
@given(st.data(), st.sampled_from(names()))
def test_to_normalise_again_changes_nothing(data: st.DataObject, name: str) -> None:
    once = normalised(data.draw(_pieces(name)), kind(name), KEY)
    assert normalised(once, kind(name), KEY) == once


@pytest.mark.parametrize(
    ("name", "text", "missing"),
    [
        ("fortigate", "config system global\nend\n", ""),
        ("fortigate", "config system global\n    set hostname fw1\n", "a last line `end`"),
        ("fortigate", 'set comment "the end', "a last line `end`"),
        ("nexus", "\n!Command: show running-config\nversion 9.3(10)\n", ""),
        ("nexus", "% Permission denied for the role\n", "a line `version`"),
    ],
)
def test_a_configuration_is_whole_by_the_rule_of_its_kind(name: str, text: str, missing: str) -> None:
    assert kind(name).missing(text) == missing


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        (
            "fortigate",
            "#config-version=FG22E1-7.0.12-FW-build0523:opmode=0:vdom=0:user=anna b\n",
            Told("anna b"),
        ),
        ("fortigate", "#config-version=FG22E1-7.0.12-FW-build0523:opmode=0:vdom=0:user=backup\n", Told()),
        ("fortigate", "config system global\nend\n", Told()),
        (
            "nexus",
            "!Running configuration last done at: Tue Nov  3 09:14:44 2026\n"
            "!Time: Tue Nov 24 09:14:44 2026\n",
            Told(when=NOW - timedelta(days=21)),
        ),
        ("nexus", "!Time: Tue Nov 24 09:14:44 2026\n", Told()),
        ("nexus", "!Running configuration last done at: never\n!Time: Tue Nov 24 09:14:44 2026\n", Told()),
    ],
)
def test_what_a_device_tells_of_its_last_change(name: str, text: str, told: Told) -> None:
    assert kind(name).told(text, NOW, "backup") == told


def test_every_kind_has_a_prompt_that_no_line_of_a_configuration_is() -> None:
    for device in (Firewall(), Switch()):
        prompt = kind(device.kind).prompt
        assert prompt.fullmatch(device.prompt().strip())
        lines = device.answer("show" if device.kind == "fortigate" else "show running-config") or []
        assert [line for line in lines if prompt.fullmatch(line.strip())] == []
