"""The agents of the network kit against net-snmp's tools, and against those who mean ill."""

import json
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.network.agent import Agent, respond
from simulator.network.ber import END_OF_MIB_VIEW, DecodeError, Oid, decode_oid, integer, oid, text
from simulator.network.message import GET, GET_BULK, GET_NEXT, RESPONSE, TOO_BIG, Message, decode, encode
from simulator.network.nexus_93180 import nexus
from simulator.network.testing import RunningDevice, RunningNetwork, running
from simulator.network.view import View
from tests.simulator.network_tools import MIB_TREE, get, pairs, tool, walk

TIME = 1_795_513_200.0
IF_TABLES = ("1.3.6.1.2.1.2.2", "1.3.6.1.2.1.31.1.1")
EVERY_KIND = ("fw-1", "fw-2", "nexus-north-1", "r640-01", "san-1")
VIEW = View(
    [((1, 3, 6, 1, 9, column, row), text("x" * (row % 40))) for column in range(5) for row in range(30)]
)


@pytest.fixture(scope="module")
def kit() -> Iterator[RunningNetwork]:
    """The whole kit with a clock that stands; set no faults."""
    with running(time=TIME, speed=0) as network:
        yield network


def ask(device: RunningDevice, request: Message) -> Message:
    """The answer to one datagram."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(5)
        client.sendto(encode(request), (device.address, device.port))
        return decode(client.recv(65535))


def bulk(names: list[str], repetitions: int, non_repeaters: int = 0) -> Message:
    """A GETBULK request."""
    varbinds = tuple((oid(name), b"\x05\x00") for name in names)
    return Message(b"public", GET_BULK, 77, non_repeaters, repetitions, varbinds)


@pytest.mark.parametrize("name", EVERY_KIND)
def test_a_walk_rises_to_the_end_and_each_value_can_be_got(kit: RunningNetwork, name: str) -> None:
    device = kit[name]
    printed = tool("snmpbulkwalk", device, MIB_TREE, options=("-Cr25",))
    assert printed.splitlines()[-1].endswith("(It is past the end of the MIB tree)")
    walked = pairs(printed)
    assert len(walked) > 200
    assert all(before < after for (before, _), (after, _) in pairwise(walked))
    got = []
    for begin in range(0, len(walked), 20):
        names = [".".join(map(str, name)) for name, _ in walked[begin : begin + 20]]
        got += pairs(tool("snmpget", device, *names))
    assert got == walked


def test_step_by_step_and_in_bulk_the_same_is_found(kit: RunningNetwork) -> None:
    assert pairs(tool("snmpwalk", kit["r640-01"], MIB_TREE)) == list(walk(kit["r640-01"]).items())


def test_the_kit_is_vdx_s(kit: RunningNetwork) -> None:
    kinds = [device.kind for device in kit.devices.values()]
    assert {kind: kinds.count(kind) for kind in kinds} == {
        "fortigate": 2,
        "nexus": 4,
        "idrac": 18,
        "generic": 1,
    }
    assert len({device.port for device in kit.devices.values()}) == 25
    assert len({get(device, "1.3.6.1.2.1.1.5.0") for device in kit.devices.values()}) == 25
    assert {device.site for device in kit.devices.values()} == {"north", "south"}


def test_a_nexus_shows_as_many_interface_figures_as_the_recording_of_one(kit: RunningNetwork) -> None:
    assert sum(len(walk(kit["nexus-north-1"], root)) for root in IF_TABLES) == 59 * 30


def test_an_answer_fits_its_datagram_whatever_is_asked(kit: RunningNetwork) -> None:
    answer = ask(kit["nexus-north-1"], bulk(["1.3.6.1.2.1.2.2"], 10_000))
    assert 1400 < len(encode(answer)) <= 1472
    assert answer.request_id == 77


def test_non_repeaters_come_once_and_before_the_rest(kit: RunningNetwork) -> None:
    asked = bulk(["1.3.6.1.2.1.1.3", "1.3.6.1.2.1.2.2.1.1", "1.3.6.1.2.1.2.2.1.2"], 3, non_repeaters=1)
    answer = ask(kit["san-1"], asked)
    assert [name[7:] for name, _ in answer.varbinds] == [
        (3, 0),
        *((2, 1, 1, 1), (2, 1, 2, 1), (2, 1, 1, 2), (2, 1, 2, 2), (2, 1, 1, 3), (2, 1, 2, 3)),
    ]


def test_what_is_not_there_is_told_apart(kit: RunningNetwork) -> None:
    asked = ("1.3.6.1.2.1.2.2.1.8.99", "1.3.6.1.4.1.99999.1.0", "1.3.6.1.2.1.2")
    instance, thing, branch = tool("snmpget", kit["san-1"], *asked).splitlines()
    assert "No Such Instance" in instance
    assert "No Such Object" in thing
    assert "No Such Object" in branch


def test_a_wrong_community_hears_nothing(kit: RunningNetwork) -> None:
    device = kit["r640-02"]
    requests, refused = device.agent.requests, device.agent.refused
    printed = tool("snmpget", device, "1.3.6.1.2.1.1.3.0", options=("-c", "private", "-t", "0.3"))
    assert "Timeout" in printed
    assert (device.agent.requests, device.agent.refused) == (requests, refused + 1)


def test_versions_1_and_3_hear_nothing(kit: RunningNetwork) -> None:
    for version in (("-v1",), ("-v3", "-u", "poller", "-l", "noAuthNoPriv")):
        printed = tool("snmpget", kit["r640-02"], "1.3.6.1.2.1.1.3.0", options=(*version, "-t", "0.3"))
        assert "Timeout" in printed or "No Response" in printed


def test_an_agent_with_a_small_buffer_shows_all_in_more_packets() -> None:
    with running(lambda clock: (nexus("switch", clock=clock),), time=TIME, speed=0) as network:
        device = network["switch"]
        whole, packets = walk(device), device.requests
        device.device.largest_answer = 250
        assert walk(device) == whole
        assert device.requests - packets > packets
        device.device.largest_answer = 1472
        device.device.most_varbinds = 20
        assert ask(device, bulk(["1.3.6.1.2.1.2.2"], 21)).first == TOO_BIG
        assert walk(device, options=("-Cr20",)) == whole


def test_a_slow_agent_is_late() -> None:
    with running(lambda clock: (nexus("switch", clock=clock),), speed=0) as network:
        network["switch"].device.latency = 0.4
        assert "Timeout" in tool("snmpget", network["switch"], "1.3.6.1.2.1.1.3.0", options=("-t", "0.2"))
        assert "Timeticks" in tool("snmpget", network["switch"], "1.3.6.1.2.1.1.3.0")


@given(
    names=st.lists(st.sampled_from([*VIEW, (1, 3), (1, 3, 6, 1, 9, 2)]), max_size=8),
    first=st.integers(-2, 10),
    second=st.integers(-2, 2**31 - 1),
    largest=st.integers(80, 1472),
    kind=st.sampled_from([GET, GET_NEXT, GET_BULK]),
)
def test_no_answer_is_longer_than_allowed_and_bulk_is_what_next_would_find(
    names: list[Oid], first: int, second: int, largest: int, kind: int
) -> None:
    request = Message(b"public", kind, 5, first, second, tuple((name, b"\x05\x00") for name in names))
    answer = respond(request, VIEW, TIME, largest)
    assert len(answer) <= largest
    found = list(decode(answer).varbinds)
    if kind == GET_BULK and first <= 0 and names:
        expected = [VIEW.following(name, TIME) for name in names]
        assert (
            found[: len(names)]
            == [
                (name, b"\x82\x00") if pair is None else pair
                for name, pair in zip(names, expected, strict=True)
            ][: len(found)]
        )


@pytest.mark.parametrize("names", [[], ["1.3.6.2"]])
def test_a_bulk_that_finds_nothing_says_so_once_however_much_it_asks(names: list[str]) -> None:
    answer = decode(respond(bulk(names, 2**31 - 1), VIEW, TIME, 1472))
    assert answer.varbinds == tuple((oid(name), END_OF_MIB_VIEW) for name in names)


@pytest.fixture(scope="module")
def victim() -> Agent:
    """An agent that nobody listens to."""
    return Agent(nexus("switch", clock=lambda: TIME))


@given(data=st.binary(max_size=300))
def test_random_bytes_do_no_harm(victim: Agent, data: bytes) -> None:
    assert victim.answer(data) is None


@settings(max_examples=300)
@given(
    place=st.integers(0, 60),
    byte=st.integers(0, 255),
    end=st.integers(1, 80),
    kind=st.sampled_from([GET, GET_NEXT, GET_BULK, RESPONSE]),
)
def test_a_message_with_a_wrong_byte_or_cut_short_is_answered_properly_or_not_at_all(
    victim: Agent, place: int, byte: int, end: int, kind: int
) -> None:
    whole = bytearray(encode(Message(b"public", kind, 9, 0, 10, ((oid("1.3.6.1.2.1.1"), integer(3)),))))
    whole[place % len(whole)] = byte
    answer = victim.answer(bytes(whole[:end]))
    assert answer is None or decode(answer).kind == RESPONSE


def test_an_agent_that_was_sent_rubbish_still_answers(kit: RunningNetwork) -> None:
    device = kit["r640-03"]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        for rubbish in (b"", b"\x30", b"\x30\x84\xff\xff\xff\xff", b"\x00" * 1400, b"\x30\x80\x00\x00"):
            client.sendto(rubbish, (device.address, device.port))
    assert get(device, "1.3.6.1.2.1.1.5.0").startswith("idrac-")


@given(
    community=st.binary(max_size=200),
    kind=st.sampled_from([GET, GET_NEXT, GET_BULK, RESPONSE]),
    numbers=st.tuples(*[st.integers(-(2**31), 2**31 - 1)] * 3),
    varbinds=st.lists(
        st.tuples(
            st.tuples(st.integers(0, 2), st.integers(0, 39), st.integers(0, 2**32 - 1)),
            st.one_of(st.integers(-(2**31), 2**31 - 1).map(integer), st.text().map(text)),
        ),
        max_size=20,
    ),
)
def test_a_message_comes_back_as_it_went(
    community: bytes, kind: int, numbers: tuple[int, int, int], varbinds: list[tuple[Oid, bytes]]
) -> None:
    message = Message(community, kind, *numbers, tuple(varbinds))
    assert decode(encode(message)) == message


@pytest.mark.parametrize(
    ("number", "encoded"),
    [
        (0, "020100"),
        (127, "02017f"),
        (128, "02020080"),
        (-128, "020180"),
        (-129, "0202ff7f"),
        (2**31 - 1, "02047fffffff"),
        (-(2**31), "020480000000"),
    ],
)
def test_a_number_takes_as_few_bytes_as_it_may(number: int, encoded: str) -> None:
    assert integer(number).hex() == encoded


@pytest.mark.parametrize("content", ["", "2b86", "2b9080808000"])
def test_an_object_identifier_that_is_empty_cut_or_too_large_is_refused(content: str) -> None:
    with pytest.raises(DecodeError):
        decode_oid(bytes.fromhex(content))


@given(st.binary(max_size=60))
def test_what_is_no_message_is_refused(data: bytes) -> None:
    with pytest.raises(DecodeError):
        decode(data)


def test_as_a_process_it_tells_where_its_agents_are_and_what_is_broken() -> None:
    command = [sys.executable, "-m", "simulator.network", "--idracs", "7", "--community", "vdx", "--lively"]
    root = Path(__file__).parents[2]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root) as process:
        try:
            assert process.stdout
            devices = {one["name"]: one for one in json.loads(process.stdout.readline())["devices"]}
            assert len(devices) == 14
            told = {"name", "kind", "site", "address", "port", "community", "model", "serial"}
            assert devices["r640-07"].keys() == told

            def value(name: str, wanted: str) -> str:
                one = devices[name]
                target = f"{one['address']}:{one['port']}"
                arguments = ["snmpget", "-v2c", "-c", one["community"], "-m", "", "-Oqv", target, wanted]
                return subprocess.run(arguments, capture_output=True, text=True, check=True).stdout.strip()

            supply = "1.3.6.1.4.1.674.10892.5.4.600.12.1.5.1.1"
            assert (value("r640-07", supply), value("r640-06", supply)) == ("5", "3")
            tag = "1.3.6.1.4.1.674.10892.5.1.3.2.0"
            assert value("r640-07", tag).strip('"') == devices["r640-07"]["serial"]
            link = f"1.3.6.1.2.1.2.2.1.8.{436207616 + 19 * 512}"
            assert (value("nexus-south-2", link), value("nexus-south-1", link)) == ("2", "1")
            process.send_signal(signal.SIGTERM)
            assert process.wait(10) == 0
        finally:
            process.kill()


def test_the_network_kit_imports_nothing_of_the_suite() -> None:
    folder = Path(__file__).parents[2] / "simulator" / "network"
    suite = re.compile(r"^\s*(?:from|import) (?:vdx|miners|exporters|app)\b", re.MULTILINE)
    assert [path.name for path in folder.glob("*.py")]
    assert not [path.name for path in folder.glob("*.py") if suite.search(path.read_text())]
