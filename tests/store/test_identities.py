"""Identifiers as the platform writes them, and the keys of pseudonyms."""

import uuid
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vdx.settings import DataSettings, PrivacySettings, Settings, SettingsError
from vdx.store.identities import Pseudonyms, all_pseudonyms, identifier, pseudonyms


@given(
    identity=st.uuids(),
    form=st.sampled_from(["{}", "{{{}}}", "urn:uuid:{}"]),
    case=st.sampled_from([str.lower, str.upper]),
)
def test_every_spelling_of_a_uuid_gives_its_bytes(identity: uuid.UUID, form: str, case: object) -> None:
    assert callable(case)
    assert identifier(case(form.format(identity)).replace("URN:UUID", "urn:uuid")) == identity.bytes
    assert identifier(identity.hex) == identity.bytes


@given(text=st.text())
def test_any_other_text_gives_sixteen_bytes_of_its_own(text: str) -> None:
    assert len(identifier(text)) == 16
    assert identifier(text) == identifier(text) != identifier(f"{text}x")


@pytest.mark.parametrize(
    "text", ["0000000--0000-0000-0000-00000000000", "        -    -    -    -            ", "x" * 36]
)
def test_what_only_looks_like_a_uuid_is_any_other_text(text: str) -> None:
    assert len(identifier(text)) == 16


def settings(directory: Path, keys: str) -> Settings:
    file = directory / "key"
    file.write_text(keys, encoding="utf-8")
    return Settings(privacy=PrivacySettings(key_file=file), data=DataSettings(directory=directory))


def test_a_key_gives_the_hash_that_it_always_gave(tmp_path: Path) -> None:
    assert pseudonyms(settings(tmp_path, "secret\n")).of("anna") == Pseudonyms(b"secret").of("anna")


def test_the_first_line_is_the_present_key_and_the_others_are_known(tmp_path: Path) -> None:
    found = settings(tmp_path, "newest\n\n  older \noldest\n")
    assert pseudonyms(found).of("anna") == Pseudonyms(b"newest").of("anna")
    hashes = [keys.of("anna") for keys in all_pseudonyms(found)]
    assert hashes == [Pseudonyms(key).of("anna") for key in (b"newest", b"older", b"oldest")]


def test_a_file_without_a_key_is_told_by_its_setting(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"^privacy\.key_file: "):
        pseudonyms(settings(tmp_path, " \n\n"))


def test_a_key_is_made_once_where_none_is_named(tmp_path: Path) -> None:
    found = Settings(data=DataSettings(directory=tmp_path))
    assert pseudonyms(found).of("anna") == pseudonyms(found).of("anna")
    assert (tmp_path / "pseudonym.key").stat().st_mode & 0o777 == 0o600
