"""Traps and informs of net-snmp's own commands come through, whatever their version."""

from pathlib import Path

import pytest

from tests.exporters.snmp.traps.sender import (
    COMMUNITY,
    ENGINE,
    LINK_DOWN,
    PRIVACY_KEY,
    Watched,
    send,
    settings,
    v3,
)
from vdx.settings import SettingsError, SNMPCredentials

V2C = ("-v2c", "-c", COMMUNITY)
CORE = {"device": "core1", "site": "north"}


async def test_a_trap_of_version_2c_is_counted_and_shown_with_its_interface(tmp_path: Path) -> None:
    watched = Watched()
    async with watched.listener as listener:
        assert watched.value("snmp_trap_listener_up") == 1
        assert watched.value("snmp_traps_total", trap="linkDown", level="warning", **CORE) == 0
        await send("snmptrap", listener.port, V2C, LINK_DOWN, tmp_path)
        trap = await watched.trap()
    assert (trap.device, trap.address, trap.name, trap.level) == ("core1", "127.0.0.1", "linkDown", "warning")
    assert trap.details == "ifIndex=3, ifOperStatus=down, ifName=Ethernet1/3"
    assert watched.value("snmp_traps_total", trap="linkDown", level="warning", **CORE) == 1
    last = watched.value("snmp_trap_last_timestamp_seconds", trap="linkDown", level="warning", **CORE)
    assert last == trap.time.timestamp()
    assert watched.value("snmp_trap_listener_up") == 0


async def test_an_inform_of_version_2c_is_acknowledged(tmp_path: Path) -> None:
    watched = Watched()
    async with watched.listener as listener:
        status, output = await send("snmpinform", listener.port, V2C, LINK_DOWN, tmp_path)
        trap = await watched.trap()
    assert status == 0, output
    assert trap.name == "linkDown"


async def test_a_trap_of_version_3_is_taken_once_the_poller_has_told_the_engine_of_the_device(
    tmp_path: Path,
) -> None:
    watched = Watched(settings(address="127.0.0.9"))
    options = v3("-e", f"0x{ENGINE}")
    async with watched.listener as listener:
        await send("snmptrap", listener.port, options, LINK_DOWN, tmp_path)
        await watched.settles("snmp_traps_dropped_total", 1, device="unknown", site="", reason="engine")
        assert listener.recent == ()
        listener.learn_engine("fw1", bytes.fromhex(ENGINE))
        await send("snmptrap", listener.port, options, LINK_DOWN, tmp_path)
        trap = await watched.trap()
    assert (trap.device, trap.name) == ("fw1", "linkDown"), "the keys prove it, whatever its address"


async def test_a_trap_of_version_3_of_a_known_address_needs_no_poller(tmp_path: Path) -> None:
    watched = Watched()
    async with watched.listener as listener:
        await send("snmptrap", listener.port, v3("-e", f"0x{ENGINE}"), LINK_DOWN, tmp_path)
        assert (await watched.trap()).device == "core1"


@pytest.mark.parametrize(
    ("authentication", "privacy"),
    [("SHA-1", "AES-128"), ("SHA-512", "AES-256"), ("SHA-1", "AES-256")],
)
async def test_all_ways_to_sign_and_encrypt_are_understood(
    authentication: str, privacy: str, tmp_path: Path
) -> None:
    own = SNMPCredentials.model_validate(
        {
            "username": "other",
            "authentication": authentication,
            "authentication_key": "harbour-light-8",
            "privacy": privacy,
            "privacy_key": PRIVACY_KEY,
        }
    )
    watched = Watched(settings(other=own))
    options = v3(
        *("-e", f"0x{ENGINE}"),
        user="other",
        authentication=authentication.replace("SHA-1", "SHA"),
        authentication_key="harbour-light-8",
        privacy={"AES-128": "AES", "AES-256": "AES-256-C"}[privacy],
    )
    async with watched.listener as listener:
        status, output = await send("snmptrap", listener.port, options, LINK_DOWN, tmp_path)
        assert status == 0, output
        assert (await watched.trap()).name == "linkDown"


async def test_an_inform_of_version_3_is_acknowledged_though_its_sender_knows_nothing_of_us(
    tmp_path: Path,
) -> None:
    watched = Watched()
    async with watched.listener as listener:
        status, output = await send("snmpinform", listener.port, v3(), LINK_DOWN, tmp_path)
        trap = await watched.trap()
    assert status == 0, output
    assert trap.name == "linkDown"
    for reason in ("credentials", "engine"):
        assert watched.value("snmp_traps_dropped_total", reason=reason, **CORE) == 0
    assert watched.value("snmp_traps_malformed_total", **CORE) == 0


async def test_a_trap_of_version_1_is_named_as_its_translation(tmp_path: Path) -> None:
    watched = Watched()
    trap = ("1.3.6.1.4.1.674.10892.5.3.2.1", "127.0.0.1", "6", "2185", "")
    message = ("1.3.6.1.4.1.674.10892.5.3.1.2.0", "s", "PSU 1 has failed.")
    async with watched.listener as listener:
        await send("snmptrap", listener.port, ("-v1", "-c", COMMUNITY), (*trap, *message), tmp_path)
        seen = await watched.trap()
    assert (seen.name, seen.level) == ("alertPowerSupplyFailure", "critical")
    assert seen.details == "alertMessage=PSU 1 has failed.", "the community is a varbind that is not shown"


async def test_a_trap_that_ends_another_says_so(tmp_path: Path) -> None:
    watched = Watched()
    async with watched.listener as listener:
        await send("snmptrap", listener.port, V2C, ("1.3.6.1.4.1.12356.101.2.0.405",), tmp_path)
        seen = await watched.trap()
    cleared = watched.value("snmp_trap_cleared_timestamp_seconds", trap="fgTrapHaMemberDown", **CORE)
    assert cleared == seen.time.timestamp()


async def test_a_trap_without_a_name_is_one_series_and_shows_what_it_holds(tmp_path: Path) -> None:
    watched = Watched()
    async with watched.listener as listener:
        for number in (1, 2):
            trap = (f"1.3.6.1.4.1.99999.{number}", "1.3.6.1.4.1.99999.7.0", "s", "bell\a and\x1b[31m red")
            await send("snmptrap", listener.port, V2C, trap, tmp_path)
        seen = await watched.trap(2)
    assert watched.value("snmp_traps_total", trap="unknown", level="info", **CORE) == 2
    assert seen.meaning == "A trap that is not known by name: 1.3.6.1.4.1.99999.2."
    assert seen.details == "1.3.6.1.4.1.99999.7.0=bell and[31m red"


async def test_a_sender_that_is_no_device_has_no_series_of_its_own(tmp_path: Path) -> None:
    watched = Watched(settings(address="127.0.0.9"))
    async with watched.listener as listener:
        await send("snmptrap", listener.port, V2C, LINK_DOWN, tmp_path)
        trap = await watched.trap()
    assert (trap.device, trap.address) == ("unknown", "127.0.0.1")
    assert watched.value("snmp_traps_total", device="unknown", site="", trap="linkDown", level="warning") == 1


async def test_a_host_name_is_looked_up_without_holding_up_traps(tmp_path: Path) -> None:
    watched = Watched(settings(address="localhost"))
    async with watched.listener as listener:
        for count in range(1, 50):
            await send("snmptrap", listener.port, V2C, LINK_DOWN, tmp_path)
            if (await watched.trap(count)).device == "core1":
                return
    pytest.fail("localhost was not looked up")


@pytest.mark.parametrize(
    "options",
    [
        ("-v2c", "-c", "wrong-lamp"),
        ("-v1", "-c", "wrong-lamp"),
        v3("-e", f"0x{ENGINE}", user="nobody"),
        v3("-e", f"0x{ENGINE}", authentication_key="meadow-lark-18"),
        v3("-e", f"0x{ENGINE}", privacy_key="granite-bell-43"),
        ("-v3", "-l", "noAuthNoPriv", "-u", "vdxwatch", "-e", f"0x{ENGINE}"),
        ("-v3", "-l", "authNoPriv", "-u", "vdxwatch", "-e", f"0x{ENGINE}", *v3()[5:9]),
    ],
    ids=["community", "v1", "user", "authentication key", "privacy key", "unsigned", "unencrypted"],
)
async def test_wrong_credentials_are_counted_and_told_once_without_naming_them(
    options: tuple[str, ...], tmp_path: Path, log: list[str]
) -> None:
    watched = Watched()
    v1 = ("1.3.6.1.4.1.9", "127.0.0.1", "2", "0", "")
    async with watched.listener as listener:
        listener.learn_engine("core1", bytes.fromhex(ENGINE))
        for count in (1, 2):
            await send("snmptrap", listener.port, options, v1 if "-v1" in options else LINK_DOWN, tmp_path)
            await watched.settles("snmp_traps_dropped_total", count, reason="credentials", **CORE)
        assert listener.recent == ()
    told = [line for line in log if "core1" in line]
    assert told == [
        "traps: core1 sends traps with a community, user or key that snmp.credentials does not have; "
        "set both alike"
    ]


async def test_no_secret_is_shown_by_what_holds_it(tmp_path: Path, log: list[str]) -> None:
    watched = Watched()
    async with watched.listener as listener:
        await send("snmptrap", listener.port, V2C, LINK_DOWN, tmp_path)
        await watched.trap()
        receiver = vars(listener)["_receiver"]
        shown = f"{listener.recent} {log} {list(receiver._users.values())}"
    for secret in (COMMUNITY, "meadow", "granite"):
        assert secret not in shown


async def test_without_an_address_nothing_is_received_and_nothing_is_wrong() -> None:
    own = settings()
    watched = Watched(own.model_copy(update={"traps": own.traps.model_copy(update={"listen": ""})}))
    async with watched.listener as listener:
        listener.learn_engine("core1", bytes.fromhex(ENGINE))
        assert (listener.fault, listener.port, listener.recent) == ("", 0, ())
    assert watched.value("snmp_trap_listener_up") is None


async def test_a_port_in_use_is_told_with_the_mend() -> None:
    async with Watched().listener as first:
        own = settings()
        taken = own.traps.model_copy(update={"listen": f"127.0.0.1:{first.port}"})
        second = Watched(own.model_copy(update={"traps": taken}))
        with pytest.raises(SettingsError, match=r"^traps\.listen: .* in use by another program, such as snm"):
            await second.listener.start()
        assert "in use" in second.listener.fault
        assert second.value("snmp_trap_listener_up") == 0


async def test_a_secret_that_cannot_be_read_is_told_by_its_setting(tmp_path: Path) -> None:
    own = SNMPCredentials(community_file=tmp_path / "absent")
    watched = Watched(settings(broken=own))
    with pytest.raises(SettingsError, match=r"^snmp\.credentials\.broken\.community_file: cannot read"):
        await watched.listener.start()


async def test_a_listener_can_be_started_again(tmp_path: Path) -> None:
    watched = Watched()
    for count in (1, 2):
        async with watched.listener as listener:
            await send("snmptrap", listener.port, V2C, LINK_DOWN, tmp_path)
            await watched.trap(count)
            assert listener.fault == ""
        assert "not received" in watched.listener.fault
