"""Of what a device calls itself, a kind and a known product stay, and nothing that names anybody."""

import re
import uuid
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.people import USER_AGENTS
from vdx import devices
from vdx.devices import device, room_name, streaming, telephone
from vdx.usage import DEVICES

PRODUCT = re.compile(rf'"((?:{"|".join(DEVICES)})/[A-Za-z0-9 -]+)"')
KNOWN = set(PRODUCT.findall(Path(devices.__file__).read_text(encoding="utf-8")))
BROWSER = "Mozilla/5.0 ({}) AppleWebKit/537.36 (KHTML, like Gecko) {}"
WINDOWS = "Windows NT 10.0; Win64; x64"
IPHONE = "iPhone; CPU iPhone OS 17_4 like Mac OS X"


@pytest.mark.parametrize(
    ("vendor", "protocol", "expected"),
    [
        ("Cisco/CE 11.14.2.3", "SIP", "room/Cisco"),
        ("Cisco/RoomOS 11.14.2.3 (room.kit.pro)", "SIP", "room/Cisco"),
        ("TANDBERG/529 (ce9.15.18.5) Annas kontor", "SIP", "room/Cisco"),
        ("PolyG7500/4.1.0", "SIP", "room/Poly"),
        ("PolyStudioX50/4.1.0", "SIP", "room/Poly"),
        ("Polycom/RealPresence Group 500 6.2.2", "H323", "room/Poly"),
        ("Yealink MeetingEye 600", "SIP", "room/Yealink"),
        ("YEALINK VC800 63.345.0.30", "H323", "room/Yealink"),
        ("LifeSize Icon 600 LS_RM3_3.5.1", "SIP", "room/Lifesize"),
        ("Oracle SBC/9.2", "SIP", "phone/session border controller"),
        ("Asterisk PBX 20.5.0", "SIP", "phone/Asterisk"),
        (BROWSER.format(WINDOWS, "Chrome/124.0 Safari/537.36 Edg/124.0"), "WebRTC", "browser/Edge"),
        (BROWSER.format(WINDOWS, "Chrome/124.0 Safari/537.36"), "WebRTC", "browser/Chrome"),
        (BROWSER.format(IPHONE, "Version/17.4 Mobile/15E148 Safari/604.1"), "WebRTC", "browser/Safari"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:125.0) Gecko Firefox/125.0", "WebRTC", "browser/Firefox"),
        ("Mozilla/5.0 (compatible)", "WebRTC", "browser/other"),
        ("Pexip Infinity Connect/2.0 (iPhone; CPU iPhone OS 17_4) safari/17.4", "WebRTC", "browser/Safari"),
        ("Pexip Infinity Connect Desktop/1.12", "WebRTC", "app/Pexip desktop"),
        ("Pexip Connect for iOS/1.16.0", "WebRTC", "app/Pexip mobile"),
        ("UCCAPI/16.0 OC/16.0 (Skype for Business)", "MSSIP", "gateway/Skype for Business"),
        ("", "TEAMS", "gateway/Microsoft Teams"),
        ("", "GMS/GHM", "gateway/Google Meet"),
        ("", "RTMP", "streaming/RTMP"),
        ("", "API", "app/control"),
        ("", "WebRTC", "browser/other"),
        ("Hjemmelavet 3000", "SIP", "other/unknown"),
        ("", "", "other/unknown"),
    ],
)
def test_a_device_is_known_by_what_it_calls_itself(vendor: str, protocol: str, expected: str) -> None:
    assert device(vendor, protocol) == expected


KINDS = {
    "WebRTC": "browser",
    "API": "browser",
    "SIP": "room",
    "H323": "room",
    "MSSIP": "gateway",
    "TEAMS": "gateway",
    "GMS/GHM": "gateway",
    "RTMP": "streaming",
    "PSTN": "phone",
}
"""Protocol in the stand-in -> what kind of device sends it there."""


@pytest.mark.parametrize(
    ("protocol", "agent"), [(protocol, agent) for protocol, agents in USER_AGENTS.items() for agent in agents]
)
def test_every_device_of_the_stand_in_is_known(protocol: str, agent: str) -> None:
    assert device(agent, protocol).partition("/")[0] == KINDS[protocol]


PARTS = [part for part, _ in devices._KNOWN]
PROTOCOLS = ["", "SIP", "WebRTC", "H323", "API", "teams", "RTMP"]


@given(
    vendor=st.text() | st.tuples(st.text(), st.sampled_from(PARTS), st.text()).map("".join),
    protocol=st.sampled_from(PROTOCOLS) | st.text(),
)
def test_whatever_a_device_sends_only_a_known_product_is_kept(vendor: str, protocol: str) -> None:
    found = device(vendor, protocol)
    assert found in KNOWN
    assert found.partition("/")[0] in DEVICES
    assert device(vendor.upper().lower(), protocol) in KNOWN


@pytest.mark.parametrize("protocol", PROTOCOLS)
@given(name=st.sampled_from(["Anna Andersen", "anna@aarhus.example", "+4512345678", "Jyttes kontor 4.12"]))
def test_nobody_is_named_by_a_device(protocol: str, name: str) -> None:
    for known in ("Cisco/CE 11 ({})", "{} iPhone", "TANDBERG {}", "{}", "Mozilla/5.0 ({}) Firefox/1"):
        assert name.lower() not in device(known.format(name), protocol).lower()


def test_each_kind_is_one_that_usage_counts() -> None:
    kinds = {name.partition("/")[0] for name in KNOWN | {telephone(), streaming()}}
    assert kinds == set(DEVICES)


ENDS = st.builds(lambda one, case: case(str(one)), st.uuids(), st.sampled_from([str.lower, str.upper]))
"""A UUID as a name ends with it."""


@given(
    room=st.sampled_from(["VDX Teams", "Room 7", "Diabetes 12-34", "Møde æøå 😀", "a"])
    | st.text("abc 1", min_size=1),
    mark=st.sampled_from(["_breakout_", "_BREAKOUT_", "_Breakout_", " ", "_", "-", "."]),
    end=ENDS,
)
def test_gateway_calls_and_breakout_rooms_belong_to_their_rule_and_room(
    room: str, mark: str, end: str
) -> None:
    plain = room.rstrip() or "x"
    assert room_name(f"{plain}{mark}{end}") == plain
    assert room_name(f"{plain}{mark}{end}") == room_name(f"{plain}{mark}{uuid.UUID(int=1)}")


@given(end=ENDS, mark=st.sampled_from(["", "_breakout_", " ", "__"]))
def test_a_name_that_is_an_id_alone_stays(end: str, mark: str) -> None:
    assert room_name(mark + end) == mark + end


@given(name=st.text(max_size=40) | st.builds("{} {} x".format, st.text(max_size=5), ENDS))
def test_a_plain_name_stays(name: str) -> None:
    assert room_name(name) == name


@pytest.mark.parametrize(
    "name", ["Diabetes 12-34", "Room_breakout_", "Room_breakout_1", "cafebabe-1234-1234-1234", "Room 7 "]
)
def test_a_name_that_only_looks_like_one_with_an_id_stays(name: str) -> None:
    assert room_name(name) == name


@given(name=st.text(min_size=1) | st.builds("{}{}".format, st.text("_ -.ab\n", max_size=3), ENDS))
def test_no_name_becomes_empty(name: str) -> None:
    assert room_name(name) != ""
    assert name.startswith(room_name(name))


@pytest.mark.parametrize(
    ("vendor", "expected"),
    [
        ("TANDBERG/529 (ce9.15.18.5) Edgars kontor", "room/Cisco"),
        ("Cisco/CE 11.14.2.3 Hedgård", "room/Cisco"),
        ("PolyEdge-Edge_E350-UA/8.0.1", "room/Poly"),
        ("StarLeaf GT Mini 3330", "room/StarLeaf"),
    ],
)
def test_a_room_is_not_taken_for_a_browser_by_its_model_or_by_whose_it_is(vendor: str, expected: str) -> None:
    assert device(vendor, "SIP") == expected
