"""Each shipped rule knows its line, and no rule lets a name or an address into a label."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporters.logs.fields import Fields
from exporters.logs.rule import OTHER, SHIPPED, RuleError, load, parse
from exporters.logs.source import source
from exporters.logs.tally import Matcher
from tests.exporters.logs.lines import (
    BGP_DOWN,
    DENIED,
    PEXIP_ATTEMPT,
    SIP_FAILURE,
    SLOW_CALL,
    fortigate,
    line,
    pexip,
)

RULES = {rule.rule.name: rule for rule in load(SHIPPED)}
MATCHER = Matcher(tuple(RULES.values()))
AUDIT = "type=USER_LOGIN msg=audit(1741075740.123:4411): pid=2210 uid=0 msg='op=login acct=\"admin\" res={}'"


def logback(message: str, level: str, app: str = "vdx-booking") -> str:
    return json.dumps({"message": message, "logger_name": "dk.vdx.App", "level": level, "app": app})


def nxos(tag: str, text: str = "text") -> str:
    return f": 2026 Nov 24 10:00:23 UTC: %{tag}: {text}"


CASES = [
    (PEXIP_ATTEMPT, {("pexip_join_attempted", "webrtc")}),
    (pexip("Participant has joined.", more='PROTOCOL="SIP"'), {("pexip_joined", "sip")}),
    (
        pexip("Participant failed to join conference.", more='Detail="Insufficient licenses"'),
        {("pexip_join_failed", "licence")},
    ),
    (
        pexip("Participant failed to join conference.", more='Detail="Insufficient capacity"'),
        {("pexip_join_failed", "capacity")},
    ),
    (
        pexip("Participant failed to join conference.", more='Reason="No node for placement"'),
        {("pexip_join_failed", "placement")},
    ),
    (pexip("PIN entry incorrect."), {("pexip_join_failed", "pin")}),
    (
        pexip("Participant failed to join conference.", more='Detail="Conference not found"'),
        {("pexip_join_failed", "routing")},
    ),
    (pexip("Participant failed to join conference."), {("pexip_join_failed", OTHER)}),
    *(
        (pexip("Participant has disconnected.", more=f'Detail="{detail}"'), {("pexip_disconnected", name)})
        for detail, name in (
            ("Timer expired awaiting token refresh", "timeout"),
            ("Call disconnected", "ended_by_participant"),
            ("Insufficient licenses", "licence"),
            ("Insufficient capacity", "capacity"),
            ("Disconnected by another participant", "ended_by_others"),
            ("Call rejected", "rejected"),
            ("Kari said goodbye", OTHER),
        )
    ),
    (
        pexip(
            "Connectivity lost to node.", "WARNING", "administrator.system.connectivity", 'Node="10.0.2.11"'
        ),
        {("pexip_connectivity_lost", "10.0.2.11")},
    ),
    (
        pexip(
            "Connectivity re-established.", "INFO", "administrator.system.connectivity", 'Node="10.0.2.11"'
        ),
        {("pexip_connectivity_found", "10.0.2.11")},
    ),
    (pexip("Maintenance mode enabled."), {("pexip_maintenance", "on")}),
    (pexip("Maintenance mode disabled."), {("pexip_maintenance", "off")}),
    (SIP_FAILURE, {("pexip_sip_failure", "tls")}),
    (pexip("ICE failed", "WARNING", "support.ice"), {("pexip_ice_failure", "")}),
    (pexip("Lost incoming video", name="support.media"), {("pexip_video_lost", "")}),
    (
        pexip("Stable call quality changed", name="support.media", more='Detail="audio=1 video=3"'),
        {("pexip_quality_changed", "bad")},
    ),
    (pexip("Configuration changed", name="administrator.configuration"), {("pexip_admin_action", "changed")}),
    (
        pexip("Login failed for user", "WARNING", "administrator.apps.login"),
        {("pexip_admin_login_failed", ""), ("pexip_admin_action", OTHER)},
    ),
    (pexip("Received SIP request", name="support.sip", more='Detail="INVITE sip:room.0042"'), set()),
    (fortigate("ha", "alert", "HA member lost"), {("fortigate_ha", "member_lost")}),
    (fortigate("ha", "information", "HA member lost"), set()),
    (
        fortigate("vpn", "error", "IPsec phase 1 error", 'status="negotiate_error" remip=198.51.100.4'),
        {("fortigate_vpn", "failed")},
    ),
    (
        fortigate("system", "information", "Admin login successful", 'user="ops" status="success"'),
        {("fortigate_admin_login", "good")},
    ),
    (
        fortigate("system", "alert", "Admin login failed", 'user="ops" status="failed"'),
        {("fortigate_admin_login", "failed")},
    ),
    (fortigate("ips", "alert", "", 'severity="high"', "utm"), {("fortigate_ips", "high")}),
    (
        fortigate("sdwan", "warning", "SDWAN SLA information warning", 'msg="Member out-of-sla."'),
        {("fortigate_sdwan", "out_of_sla")},
    ),
    (fortigate("system", "information", "Attribute configured"), {("fortigate_config_changed", "")}),
    (DENIED, {("fortigate_denied", "")}),
    (BGP_DOWN, {("nxos_bgp", "down")}),
    (nxos("BGP-5-ADJCHANGE", "neighbor 10.9.0.2 Up"), {("nxos_bgp", "up")}),
    (nxos("ETHPORT-5-IF_DOWN_LINK_FAILURE"), {("nxos_link", "down")}),
    (nxos("ETHPORT-5-IF_DOWN_ADMIN_DOWN"), {("nxos_link", "admin_down")}),
    (nxos("ETHPORT-5-IF_UP"), {("nxos_link", "up")}),
    (nxos("PLATFORM-2-PS_FAIL"), {("nxos_power_supply", "failed")}),
    (nxos("PLATFORM-5-PS_OK"), {("nxos_power_supply", "good")}),
    (nxos("PLATFORM-2-FAN_REMOVED"), {("nxos_fan", "failed")}),
    (nxos("PLATFORM-5-FAN_OK"), {("nxos_fan", "good")}),
    (nxos("MODULE-2-MOD_FAIL"), {("nxos_module", "failed")}),
    (nxos("PLATFORM-2-MOD_REMOVE"), {("nxos_module", "removed")}),
    (nxos("VSHD-5-VSHD_SYSLOG_CONFIG_I", "Configured from vty by ops"), {("nxos_config_changed", "")}),
    (
        nxos("AUTHPRIV-3-SYSTEM_MSG", "pam_aaa:Authentication failed for user ops"),
        {("nxos_login_failed", "")},
    ),
    (nxos("ETHPORT-3-IF_UNSUPPORTED_TRANSCEIVER"), {("nxos_transceiver", "")}),
    (nxos("TAHUSD-SLOT1-4-BUFFER_THRESHOLD_EXCEEDED"), {("nxos_buffer_percent", "")}),
    (logback("Booking created", "INFO"), {("vdx_api_lines", "vdx-booking")}),
    (
        logback("It broke", "ERROR", "Kari Nordmann"),
        {("vdx_api_lines", OTHER), ("vdx_api_error", OTHER)},
    ),
    (
        SLOW_CALL,
        {
            ("vdx_api_lines", "vdx-directory"),
            ("vdx_api_slow_call", "vdx-directory"),
            ("vdx_api_slow_call_milliseconds", "vdx-directory"),
        },
    ),
    (
        logback("HikariPool-1 - Connection is not available, request timed out after 30000ms", "WARN"),
        {("vdx_api_lines", "vdx-booking"), ("vdx_api_database_pool_empty", "vdx-booking")},
    ),
    (
        logback("Could not reach Pexip management node", "WARN"),
        {("vdx_api_lines", "vdx-booking"), ("vdx_api_pexip_unreachable", "vdx-booking")},
    ),
    (AUDIT.format("failed"), {("audit_login", "failed")}),
    (AUDIT.format("success"), {("audit_login", "good")}),
    ("type=ADD_USER msg=audit(1741075740.1:1): op=add", {("audit_account_changed", "")}),
    ("type=USER_CMD msg=audit(1741075740.1:1): cmd=ls", {("audit_command", "")}),
    ("Participant has joined. BGP-5-ADJCHANGE", set()),
]


def found(message: str) -> set[tuple[str, str]]:
    return {(rule, name) for rule, name, _ in MATCHER.tally([line(message)]).events}


@pytest.mark.parametrize(("message", "expected"), CASES, ids=map(str, range(len(CASES))))
def test_a_line_is_told_by_its_rules_alone(message: str, expected: set[tuple[str, str]]) -> None:
    assert found(message) == expected


def test_every_shipped_rule_is_tried() -> None:
    tried = {name for _, expected in CASES for name, _ in expected}
    assert tried == RULES.keys()


@given(st.text(max_size=80))
def test_a_label_is_one_of_the_values_that_the_rule_allows(text: str) -> None:
    quoted = text.replace("\\", "\\\\").replace('"', '\\"')
    for message in (
        pexip("Participant has disconnected.", more=f'Detail="{quoted}" Participant="{quoted}"'),
        pexip("Participant failed to join conference.", more=f'Detail="{quoted}"'),
        fortigate("ha", "alert", quoted),
        nxos("BGP-5-ADJCHANGE", text),
    ):
        for rule, name in found(message):
            classes = RULES[rule].rule.classes
            assert name == "" or classes is not None
            assert classes is None or name in {one.name for one in classes.values} | {OTHER}


def test_a_gauge_has_the_number_of_its_line() -> None:
    tally = MATCHER.tally([line(SLOW_CALL), line(SLOW_CALL.replace("1840", "70"))])
    assert list(tally.values.values()) == [70]


@given(st.text(), st.sampled_from(["pexip", "fortigate", "nxos", "vdx-api", "audit", "nginx", "other"]))
def test_any_text_can_be_taken_apart(text: str, kind: str) -> None:
    fields = Fields(line(text), kind)
    assert fields.get("text") == text
    assert isinstance(fields.get("message"), str)


@given(
    st.dictionaries(
        st.from_regex(r"[A-Z][a-z]{0,5}(-[A-Z][a-z]{0,5})?", fullmatch=True),
        st.text(st.characters(codec="utf-8", exclude_characters='"\\')),
        max_size=6,
    )
)
def test_values_of_pexip_are_read_alike_with_and_without_escapes(values: dict[str, str]) -> None:
    pairs = " ".join(f'{name}="{value}"' for name, value in values.items())
    plain, escaped = line(f"x {pairs}"), line(f'x {pairs} Last="\\""')
    for name, value in values.items():
        assert Fields(plain, "pexip").get(name.lower()) == value
        assert Fields(escaped, "pexip").get(name.lower()) == value


@pytest.mark.parametrize(
    ("message", "app", "expected"),
    [
        (PEXIP_ATTEMPT, "pexip", "pexip"),
        (DENIED, "", "fortigate"),
        (BGP_DOWN, "", "nxos"),
        (SLOW_CALL, "vdx-directory", "vdx-api"),
        ('{"sequenceNumber":0,"level":"WARN","formattedMessage":"Retrying"}', "x", "vdx-api"),
        (AUDIT, "audispd", "audit"),
        ('192.0.2.1 - - "GET / HTTP/1.1" 200', "nginx", "nginx"),
        ("100%-5-done: nothing", "cron", "other"),
        ("", "", "other"),
    ],
)
def test_a_line_is_of_the_system_that_wrote_it(message: str, app: str, expected: str) -> None:
    assert source(line(message, app=app)) == expected


GOOD = 'source = "other"\n[[rules]]\nname = "mine"\nmeaning = "m"\nkind = "counter"\nlevel = "info"\n'


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("rules = [", "docs/log-rules.md has the form"),
        (GOOD + 'contain = "x"', "unknown field `contain`"),
        (GOOD, "contains and pattern: set one of them"),
        (GOOD + 'contains = "x"\npattern = "y"', "contains and pattern: set one of them"),
        (GOOD + 'pattern = "("', "pattern is no RE2 pattern: missing )"),
        (GOOD + 'pattern = "(?=x)"', "pattern is no RE2 pattern"),
        (GOOD.replace('"mine"', '"My rule"') + 'contains = "x"', "small letters, digits and _"),
        (GOOD.replace('"other"', '"cisco"') + 'contains = "x"', "source is none of pexip"),
        (GOOD.replace('"counter"', '"gauge"') + 'contains = "x"', "value goes with the kind gauge"),
        (GOOD.replace('"counter"', '"gauge"') + 'contains = "x"\nvalue = "(?:x)"', "one group"),
        (GOOD + 'contains = "x"\nwhere = { a = "[" }', "where.a is no RE2 pattern"),
    ],
)
def test_a_wrong_rule_is_told_with_its_file_and_the_mend(text: str, words: str) -> None:
    with pytest.raises(RuleError) as caught:
        parse(text, "own.toml")
    assert str(caught.value).startswith("own.toml: ")
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_rule_of_ones_own_takes_the_place_of_a_shipped_one(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(GOOD.replace("mine", "pexip_joined") + 'contains = "hello"')
    rules = {rule.rule.name: rule for rule in load(SHIPPED, tmp_path)}
    assert rules["pexip_joined"].rule.source == "other"
    assert len(rules) == len(RULES)


def test_a_rule_that_is_there_twice_is_told(tmp_path: Path) -> None:
    for name in ("a.toml", "b.toml"):
        (tmp_path / name).write_text(GOOD + 'contains = "x"')
    with pytest.raises(RuleError, match=r"b\.toml: rule 'mine' is there twice; rename one"):
        load(tmp_path)
