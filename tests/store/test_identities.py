"""Identifiers as the platform writes them, and the keys of pseudonyms."""

import hashlib
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vdx.settings import DataSettings, PrivacySettings, Settings, SettingsError
from vdx.store.identities import Pseudonyms, all_pseudonyms, identifier, pseudonyms


def mixed(text: str) -> str:
    """Every other character in upper case."""
    return "".join(one.upper() if place % 2 else one for place, one in enumerate(text))


@given(
    identity=st.uuids(),
    case=st.sampled_from([str.lower, str.upper, mixed]),
    form=st.sampled_from(["{}", "{{{}}}", "urn:uuid:{}", "{{urn:uuid:{}}}"]),
    dashes=st.booleans(),
)
def test_every_spelling_of_a_uuid_gives_its_bytes(
    identity: uuid.UUID, case: Callable[[str], str], form: str, *, dashes: bool
) -> None:
    text = form.format(case(str(identity) if dashes else identity.hex))
    assert identifier(text) == uuid.UUID(text).bytes == identity.bytes


ANYTHING = st.text(st.characters(codec=None, categories=None), max_size=60)
"""Lone halves of a pair included, which no encoding knows."""
NEARLY = st.text("0123456789abcdefABCDEFgæ- _+\n１", min_size=36, max_size=36)


@given(text=ANYTHING | NEARLY)
def test_any_text_gives_sixteen_bytes(text: str) -> None:
    try:
        expected = uuid.UUID(text).bytes
    except ValueError:
        expected = hashlib.sha256(text.encode(errors="surrogatepass")).digest()[:16]
    assert identifier(text) == expected
    assert len(expected) == 16


@given(identity=st.uuids(), place=st.integers(0, 35), wrong=st.sampled_from("gæ\0.%😀"))
def test_a_uuid_with_a_wrong_letter_is_any_other_text(identity: uuid.UUID, place: int, wrong: str) -> None:
    text = str(identity)
    spoilt = text[:place] + wrong + text[place + 1 :]
    assert identifier(spoilt) == hashlib.sha256(spoilt.encode()).digest()[:16] != identity.bytes


@pytest.mark.parametrize(
    "text",
    ["0000000--0000-0000-0000-00000000000", "        -    -    -    -            ", "x" * 36, "-" * 36],
)
def test_what_has_the_shape_of_a_uuid_alone_is_any_other_text(text: str) -> None:
    assert identifier(text) == hashlib.sha256(text.encode()).digest()[:16]


def settings(directory: Path, keys: str) -> Settings:
    file = directory / "key"
    file.write_text(keys, encoding="utf-8")
    return Settings(privacy=PrivacySettings(key_file=file), data=DataSettings(directory=directory))


@pytest.mark.parametrize("keys", ["secret", "secret\n", "  secret \r\n", "\n\nsecret\n\n"])
def test_a_key_gives_the_hash_that_it_always_gave(tmp_path: Path, keys: str) -> None:
    found = settings(tmp_path, keys)
    assert pseudonyms(found).of("anna") == Pseudonyms(b"secret").of("anna")
    assert len(all_pseudonyms(found)) == 1


@pytest.mark.parametrize("key", ["to ord", "nøgle 😀", "a=b;c#d", "\u00a0x\u00a0y", "00" * 32, "x" * 5000])
def test_a_key_of_any_letters_is_taken_as_it_is(tmp_path: Path, key: str) -> None:
    assert pseudonyms(settings(tmp_path, key)).of("æ") == Pseudonyms(key.strip().encode()).of("æ")


def test_the_first_line_is_the_present_key_and_the_others_are_known(tmp_path: Path) -> None:
    found = settings(tmp_path, "newest\n\n  older \noldest\n")
    assert pseudonyms(found).of("anna") == Pseudonyms(b"newest").of("anna")
    hashes = [keys.of("anna") for keys in all_pseudonyms(found)]
    assert hashes == [Pseudonyms(key).of("anna") for key in (b"newest", b"older", b"oldest")]


@pytest.mark.parametrize("keys", ["", " \n\n", "\r\n\t"])
def test_a_file_without_a_key_is_told_by_its_setting(tmp_path: Path, keys: str) -> None:
    found = settings(tmp_path, keys)
    for read in (pseudonyms, all_pseudonyms):
        with pytest.raises(SettingsError, match=r"^privacy\.key_file: .* is empty; "):
            read(found)


def test_a_file_that_is_not_there_or_no_text_is_told_without_its_content(tmp_path: Path) -> None:
    found = settings(tmp_path, "secret")
    (tmp_path / "key").write_bytes(b"secret\xff")
    with pytest.raises(SettingsError, match=r"^privacy\.key_file: cannot read .*not text") as raised:
        pseudonyms(found)
    assert "secret" not in str(raised.value)
    (tmp_path / "key").unlink()
    with pytest.raises(SettingsError, match=r"^privacy\.key_file: cannot read "):
        pseudonyms(found)


@given(name=ANYTHING, other=ANYTHING)
def test_a_name_has_one_hash_under_a_key_and_another_under_another(name: str, other: str) -> None:
    keys = Pseudonyms(b"key")
    assert len(keys.of(name)) == 16
    assert (keys.of(name) == Pseudonyms(b"key").of(other)) == (name == other)
    assert keys.of(name) != Pseudonyms(b"other").of(name)


def test_a_key_is_made_once_where_none_is_named(tmp_path: Path) -> None:
    found = Settings(data=DataSettings(directory=tmp_path))
    assert pseudonyms(found).of("anna") == pseudonyms(found).of("anna")
    assert (tmp_path / "pseudonym.key").stat().st_mode & 0o777 == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["pseudonym.key"]  # no draft is left


def test_a_key_that_was_made_can_be_followed_by_another(tmp_path: Path) -> None:
    found = Settings(data=DataSettings(directory=tmp_path))
    made = pseudonyms(found)
    file = tmp_path / "pseudonym.key"
    file.write_text(f"new\n{file.read_text()}\n")
    assert [keys.of("x") for keys in all_pseudonyms(found)] == [Pseudonyms(b"new").of("x"), made.of("x")]
