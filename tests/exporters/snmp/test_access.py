"""The way to an agent: what credentials make of it, and that it does not tell them."""

from pathlib import Path

import msgspec
import pytest
from pydantic import SecretStr

from exporters.snmp.access import Access, access
from tests.exporters.snmp.agents import AUTHENTICATION_KEY, COMMUNITY, PRIVACY_KEY, secrets_in
from vdx.settings import SettingsError, SNMPCredentials


def test_a_community_comes_from_its_file(tmp_path: Path) -> None:
    file = tmp_path / "community"
    file.write_text(f"{COMMUNITY}\n")
    way = access("10.0.0.1", 1161, SNMPCredentials(community_file=file), "snmp.credentials.it")
    assert (way.community, way.port, way.is_v3) == (COMMUNITY, 1161, False)


def test_a_user_has_both_keys_and_what_is_set(tmp_path: Path) -> None:
    file = tmp_path / "privacy"
    file.write_text(PRIVACY_KEY)
    credentials = SNMPCredentials(
        username="it",
        authentication="SHA-512",
        authentication_key=SecretStr(AUTHENTICATION_KEY),
        privacy="AES-256",
        privacy_key_file=file,
        key_expansion="blumenthal",
    )
    way = access("10.0.0.1", 161, credentials, "snmp.credentials.it")
    assert way.is_v3
    assert (way.authentication, way.privacy, way.key_expansion) == ("SHA-512", "AES-256", "blumenthal")
    assert (way.authentication_key, way.privacy_key) == (AUTHENTICATION_KEY, PRIVACY_KEY)
    assert not secrets_in(f"{way} {way!r} {credentials!r} {[way]}")


def test_a_file_that_is_missing_is_named_with_its_setting(tmp_path: Path) -> None:
    credentials = SNMPCredentials(community_file=tmp_path / "missing")
    with pytest.raises(SettingsError, match=r"snmp\.credentials\.it\.community_file"):
        access("10.0.0.1", 161, credentials, "snmp.credentials.it")


def test_ways_are_told_apart_by_their_secrets() -> None:
    one = Access(address="10.0.0.1", community="a")
    assert len({one, msgspec.structs.replace(one), msgspec.structs.replace(one, community="b")}) == 2
