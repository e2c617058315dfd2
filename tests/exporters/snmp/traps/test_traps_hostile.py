"""What else comes to the trap port: floods, noise, and messages that are almost traps."""

import asyncio
import random
import socket
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st
from pyasn1.codec.ber import encoder  # type: ignore[import-untyped]
from pysnmp.proto.api import v2c  # type: ignore[import-untyped]

from exporters.snmp.traps import listener as traps
from exporters.snmp.traps.header import MalformedError, read_header
from tests.exporters.snmp.traps.sender import (
    COMMUNITY,
    ENGINE,
    LINK_DOWN,
    Watched,
    captured,
    eventually,
    settings,
    v3,
)

CORE = {"device": "core1", "site": "north"}
FIREWALL = {"device": "fw1", "site": "south"}
HERE = ("127.0.0.1", 40000)
THERE = ("127.0.0.2", 40000)


def message(*varbinds: tuple[str, object], kind: type | None = None, community: str = COMMUNITY) -> bytes:
    """A message of version 2c with exactly these varbinds."""
    pdu = (kind or v2c.TrapPDU)()
    v2c.apiPDU.set_defaults(pdu)
    v2c.apiPDU.set_varbinds(pdu, [(v2c.ObjectIdentifier(oid), value) for oid, value in varbinds])
    whole = v2c.Message()
    v2c.apiMessage.set_defaults(whole)
    v2c.apiMessage.set_community(whole, community)
    v2c.apiMessage.set_pdu(whole, pdu)
    return bytes(encoder.encode(whole))


def trap(*varbinds: tuple[str, object]) -> bytes:
    """A cold start with these varbinds beside."""
    name = ("1.3.6.1.6.3.1.1.4.1.0", v2c.ObjectIdentifier("1.3.6.1.6.3.1.1.5.1"))
    return message(("1.3.6.1.2.1.1.3.0", v2c.TimeTicks(1)), name, *varbinds)


async def test_noise_of_any_kind_is_counted_and_ends_nothing(log: list[str]) -> None:
    watched = Watched(settings(per_second=10_000))
    valid = trap(("1.3.6.1.2.1.1.5.0", v2c.OctetString("switch")))
    async with watched.listener as listener:

        @given(
            st.one_of(
                st.binary(max_size=200),
                st.integers(0, len(valid) - 1).map(lambda end: valid[:end]),
                st.tuples(st.integers(0, len(valid) - 1), st.integers(0, 255)).map(
                    lambda change: valid[: change[0]] + bytes([change[1]]) + valid[change[0] + 1 :]
                ),
            )
        )
        @hypothesis(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
        def noise(datagram: bytes) -> None:
            listener._gate.worked(-1)  # the machine may be slow; this is no test of the gate
            before = counted(watched)
            listener.datagram_received(datagram, HERE)
            assert counted(watched) == before + 1, "each is counted once, whatever it is"

        noise()
        listener._gate.worked(-1)
        listener.datagram_received(valid, HERE)
        assert listener.recent[0].name == "coldStart"
    assert len([line for line in log if "core1 sends datagrams that are no traps" in line]) == 1


def counted(watched: Watched) -> float:
    """All that was counted of the switch."""
    return sum(
        sample.value
        for metric in watched.registry.collect()
        for sample in metric.samples
        if sample.name in ("snmp_traps_total", "snmp_traps_dropped_total", "snmp_traps_malformed_total")
        and sample.labels["device"] == "core1"
    )


@pytest.mark.parametrize(
    "datagram",
    [
        b"",
        b"\x30\x80\x02\x01\x01\x00\x00",
        b"\x30\x84\xff\xff\xff\xff\x02\x01\x01",
        b"\x30\x06\x02\x01\x07\x04\x01a",
        b"\x30" * 3000,
        message(("1.3.6.1.2.1.1.3.0", v2c.TimeTicks(1))),
        message(),
        message(("1.3.6.1.6.3.1.1.4.1.0", v2c.Integer(5))),
        message(("1.3.6.1.2.1.1.1.0", v2c.Null("")), kind=v2c.GetRequestPDU),
    ],
    ids=["empty", "indefinite", "too long", "version", "nested", "nameless", "bare", "name", "question"],
)
async def test_what_is_no_trap_is_malformed(datagram: bytes) -> None:
    watched = Watched()
    async with watched.listener as listener:
        listener.datagram_received(datagram, HERE)
        assert listener.recent == ()
    assert watched.value("snmp_traps_malformed_total", **CORE) == 1


async def test_a_trap_without_the_time_of_its_sender_is_still_a_trap() -> None:
    watched = Watched()
    name = ("1.3.6.1.6.3.1.1.4.1.0", v2c.ObjectIdentifier("1.3.6.1.6.3.1.1.5.1"))
    async with watched.listener as listener:
        listener.datagram_received(message(name), HERE)
        assert listener.recent[0].name == "coldStart"


async def test_texts_of_any_octets_are_shown_bounded_and_printable() -> None:
    watched = Watched()
    texts = (b"\xff\xfe\x00plain\r\n\x9b", b"\xe2\x80\xae" + b"x" * 3000, "Århus".encode())
    async with watched.listener as listener:
        listener.datagram_received(
            trap(
                *((f"1.3.6.1.2.1.1.5.{index}", v2c.OctetString(text)) for index, text in enumerate(texts)),
                ("1.3.6.1.4.1.9.2.1.5.0", v2c.IpAddress("192.0.2.7")),
            ),
            HERE,
        )
        details = listener.recent[0].details
    assert details.isprintable()
    assert len(details) <= 600
    assert details.startswith("sysName=��plain")
    assert details.endswith("…, sysName=Århus, authAddr=192.0.2.7")


async def test_an_oversized_datagram_costs_nothing_but_a_count() -> None:
    watched = Watched()
    async with watched.listener as listener:
        started = time.perf_counter()
        listener.datagram_received(trap(("1.3.6.1.2.1.1.5.0", v2c.OctetString(b"x" * 60_000))), HERE)
        took = time.perf_counter() - started
    assert watched.value("snmp_traps_dropped_total", reason="size", **CORE) == 1
    assert took < 0.1


async def test_a_flood_of_one_device_starves_neither_the_others_nor_the_event_loop(log: list[str]) -> None:
    watched = Watched(settings(per_second=50))
    flood, single = trap(), trap(("1.3.6.1.2.1.1.5.0", v2c.OctetString("switch")))
    async with watched.listener as listener:
        started = time.perf_counter()
        for _ in range(20_000):
            listener.datagram_received(flood, THERE)
        took = time.perf_counter() - started
        listener.datagram_received(single, HERE)
        assert listener.recent[0].device == "core1"
    taken = watched.value("snmp_traps_total", trap="unknown", level="info", **FIREWALL) or 0
    taken += watched.value("snmp_traps_total", trap="coldStart", level="warning", **FIREWALL) or 0
    dropped = watched.value("snmp_traps_dropped_total", reason="rate", **FIREWALL) or 0
    assert taken + dropped == 20_000
    assert 50 <= taken <= 50 * (took + 2)
    assert took < 2, "dropping 20,000 takes a small part of a second"
    assert [line for line in log if "fw1" in line] == [
        "traps: fw1 sends more traps than traps.per_second; what is more is dropped"
    ]


async def test_all_senders_together_may_not_take_more_than_a_share_of_the_time() -> None:
    watched = Watched(settings(per_second=10_000))
    async with watched.listener as listener:
        costly = trap(*[("1.3.6.1.2.1.1.5.0", v2c.OctetString("x" * 90))] * 60)
        started = time.perf_counter()
        while not watched.value("snmp_traps_dropped_total", reason="load", **CORE):
            listener.datagram_received(costly, HERE)
            assert time.perf_counter() - started < 10
        listener._gate.worked(-1)
        listener.datagram_received(trap(), HERE)
        assert listener.recent[0].details == "", "after a rest traps are looked at again"


async def test_what_the_kernel_dropped_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traps, "_HOUSEKEEPING_SECONDS", 0.05)
    watched = Watched(settings(per_second=1))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        async with watched.listener as listener:
            await asyncio.sleep(0.1)
            for _ in range(6000):
                sender.sendto(b"x" * 8000, ("127.0.0.1", listener.port))
            await eventually(lambda: (watched.value("snmp_trap_socket_drops_total") or 0) > 0)


async def test_a_stranger_who_names_engines_teaches_us_none(tmp_path: Path) -> None:
    watched = Watched()
    good = await captured(v3("-e", f"0x{ENGINE}"), LINK_DOWN, tmp_path)
    noise = random.Random(7)
    async with watched.listener as listener:
        listener.learn_engine("core1", bytes.fromhex(ENGINE))
        for _ in range(100):
            other = good.replace(bytes.fromhex(ENGINE), noise.randbytes(len(ENGINE) // 2))
            listener.datagram_received(other, HERE)
        assert listener.recent == ()
        listener.datagram_received(good, HERE)
        assert len(listener.recent) == 1
    wrong = watched.value("snmp_traps_dropped_total", reason="credentials", **CORE) or 0
    assert 1 <= wrong <= 3, "an engine is tried now and then only"
    assert watched.value("snmp_traps_dropped_total", reason="engine", **CORE) == 100 - wrong


async def test_a_trap_that_is_signed_for_our_own_engine_is_refused(tmp_path: Path) -> None:
    watched = Watched()
    async with watched.listener as listener:
        assert listener._receiver is not None
        own = f"0x{listener._receiver.engine_id.hex()}"
        listener.datagram_received(await captured(v3("-e", own), LINK_DOWN, tmp_path), HERE)
        assert listener.recent == ()
    assert watched.value("snmp_traps_dropped_total", reason="engine", **CORE) == 1


async def test_a_device_is_known_by_its_last_few_engines(tmp_path: Path) -> None:
    watched = Watched(settings(address="127.0.0.9"))
    first, last = "8000304404aa", "8000304404ff"
    datagrams = [await captured(v3("-e", f"0x{engine}"), LINK_DOWN, tmp_path) for engine in (first, last)]
    async with watched.listener as listener:
        for engine in (first, "8000304404bb", "8000304404cc", "8000304404dd", last):
            listener.learn_engine("fw1", bytes.fromhex(engine))
        for datagram in datagrams:
            listener.datagram_received(datagram, ("192.0.2.1", 1))
        assert [each.device for each in listener.recent] == ["fw1"]
    assert watched.value("snmp_traps_dropped_total", device="unknown", site="", reason="engine") == 1


@pytest.mark.parametrize("engine_id", [b"", b"four", b"x" * 33])
async def test_what_is_no_engine_id_is_not_learnt(engine_id: bytes) -> None:
    async with Watched().listener as listener:
        listener.learn_engine("core1", engine_id)
        listener.learn_engine("no such device", bytes.fromhex(ENGINE))
        assert listener._engines is not None
        assert listener._engines.owner(engine_id) is None
        assert listener._engines.owner(bytes.fromhex(ENGINE)) is None


@given(st.binary(max_size=120))
def test_the_head_of_any_octets_is_read_or_refused(datagram: bytes) -> None:
    try:
        header = read_header(datagram)
    except MalformedError:
        return
    assert header.community in datagram


async def test_the_head_of_a_real_trap_tells_who_sent_it(tmp_path: Path) -> None:
    signed = read_header(await captured(v3("-e", f"0x{ENGINE}"), LINK_DOWN, tmp_path))
    assert (signed.engine_id.hex(), signed.username, signed.is_private) == (ENGINE, b"vdxwatch", True)
    plain = read_header(await captured(("-v2c", "-c", COMMUNITY), LINK_DOWN, tmp_path))
    assert (plain.version, plain.community.decode(), plain.engine_id) == ("v2c", COMMUNITY, b"")


async def test_no_more_than_the_last_traps_are_kept() -> None:
    watched = Watched(settings(per_second=10_000))
    async with watched.listener as listener:
        for index in range(traps.MOST_RECENT + 20):
            listener._gate.worked(-1)
            listener.datagram_received(trap((f"1.3.6.1.4.1.99999.{index}", v2c.Integer(index))), HERE)
        assert len(listener.recent) == traps.MOST_RECENT
        assert (
            listener.recent[0].details
            == f"1.3.6.1.4.1.99999.{traps.MOST_RECENT + 19}={traps.MOST_RECENT + 19}"
        )
