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
EDGE = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/124.0 Safari/537.36 Edg/124.0"
)


@pytest.mark.parametrize(
    ("vendor", "protocol", "expected"),
    [
        ("Cisco/CE 11.14.2.3", "SIP", "room/Cisco"),
        ("TANDBERG/529 (ce9.15.18.5) Annas kontor", "SIP", "room/Cisco"),
        ("PolyG7500/4.1.0", "SIP", "room/Poly"),
        ("Yealink MeetingEye 600", "SIP", "room/Yealink"),
        (EDGE, "WebRTC", "browser/Edge"),
        ("Pexip Infinity Connect/2.0 (iPhone; CPU iPhone OS 17_4) safari/17.4", "WebRTC", "browser/Safari"),
        ("UCCAPI/16.0 OC/16.0 (Skype for Business)", "MSSIP", "gateway/Skype for Business"),
        ("", "TEAMS", "gateway/Microsoft Teams"),
        ("", "WebRTC", "browser/other"),
        ("Hjemmelavet 3000", "SIP", "other/unknown"),
    ],
)
def test_a_device_is_known_by_what_it_calls_itself(vendor: str, protocol: str, expected: str) -> None:
    assert device(vendor, protocol) == expected


def test_every_device_of_the_stand_in_is_known() -> None:
    for protocol, agents in USER_AGENTS.items():
        for agent in agents:
            assert device(agent, protocol) != "other/unknown", agent


@given(vendor=st.text(), protocol=st.text())
def test_whatever_a_device_sends_only_a_known_product_is_kept(vendor: str, protocol: str) -> None:
    assert device(vendor, protocol) in KNOWN


def test_each_kind_is_one_that_usage_counts() -> None:
    kinds = {name.partition("/")[0] for name in KNOWN | {telephone(), streaming()}}
    assert kinds == set(DEVICES)


@given(identity=st.uuids(), upper=st.booleans())
def test_gateway_calls_and_breakout_rooms_belong_to_their_rule_and_room(
    identity: uuid.UUID, *, upper: bool
) -> None:
    text = str(identity).upper() if upper else str(identity)
    assert room_name(f"VDX Teams {text}") == "VDX Teams"
    assert room_name(f"Room 7_breakout_{text}") == "Room 7"


@given(name=st.text(max_size=40))
def test_a_plain_name_stays_and_none_becomes_empty(name: str) -> None:
    assert bool(room_name(name)) == bool(name)
    assert room_name("Diabetes 12-34") == "Diabetes 12-34"
