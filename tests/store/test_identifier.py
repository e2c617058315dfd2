"""An identifier is what the library reads of a UUID, however it is spelt, and any text has one."""

import hashlib
import uuid

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from vdx.store.identities import identifier

HEXADECIMAL = "0123456789abcdefABCDEF"


def expected(text: str) -> bytes:
    """By the library alone; of what it does not read, the start of the text's hash."""
    try:
        return uuid.UUID(text).bytes
    except ValueError:
        return hashlib.sha256(text.encode(errors="surrogatepass")).digest()[:16]


@st.composite
def spellings(draw: st.DrawFn) -> tuple[str, uuid.UUID]:
    """Any way to write a UUID that the library knows."""
    known = draw(st.uuids())
    digits = known.hex
    for place in sorted(draw(st.sets(st.integers(0, 32), max_size=6)), reverse=True):
        digits = f"{digits[:place]}-{digits[place:]}"
    text = draw(st.sampled_from([str(known), digits]))
    text = "".join(draw(st.sampled_from([one, one.upper()])) for one in text)
    form = draw(st.sampled_from(["{}", "{{{}}}", "urn:uuid:{}", "urn:uuid:{{{}}}", "urn:{}", "uuid:{}"]))
    return form.format(text), known


@st.composite
def nearly(draw: st.DrawFn) -> str:
    """The usual form of a UUID in which a few characters are others."""
    text = list(str(draw(st.uuids())))
    other = st.sampled_from(
        [*HEXADECIMAL, "-", " ", "\t", "_", "+", "x", "g", "٣", "３", "{", "}", "\0", "\ud800"]
    )
    for place in draw(st.lists(st.integers(0, len(text) - 1), max_size=4)):
        text[place] = draw(other)
    return "".join(text)


@given(spellings())
def test_every_spelling_of_a_uuid_gives_its_bytes(case: tuple[str, uuid.UUID]) -> None:
    text, known = case
    assert uuid.UUID(text) == known
    assert identifier(text) == known.bytes


@given(nearly())
@example("        -    -    -    -            ")
@example("0123 567-9abc-def0-1234-567890abcdef")
@example("01234567-9abc-def0-1234-567890abcd\t ")
@example("0000000--0000-0000-0000-00000000000")
@example("+1234567-9abc-def0-1234-567890abcdef")
@example("1234_678-9abc-def0-1234-567890abcdef")
@example("٣٣٣٣٣٣٣٣-٣٣٣٣-٣٣٣٣-٣٣٣٣-٣٣٣٣٣٣٣٣٣٣٣٣")
def test_what_is_nearly_a_uuid_is_what_the_library_makes_of_it(text: str) -> None:
    assert identifier(text) == expected(text)


@given(st.text(st.characters(), max_size=50) | st.text(HEXADECIMAL + "-{} ", min_size=30, max_size=40))
@example("")
@example("\ud800")
@example("x" * 36)
@example("x" * 1_000_000)
def test_any_text_gives_sixteen_bytes_always_the_same(text: str) -> None:
    found = identifier(text)
    assert found == expected(text)
    assert len(found) == 16


@pytest.mark.parametrize(
    ("text", "hexadecimal"),
    [
        ("00000000-0000-0000-0000-000000000000", "00" * 16),
        ("FFFFFFFF-ffff-FFFF-ffff-FFFFFFFFFFFF", "ff" * 16),
        ("c4cc1c92-5a41-4a6b-9f6e-0242ac120002", "c4cc1c925a414a6b9f6e0242ac120002"),
        ("", "e3b0c44298fc1c149afbf4c8996fb924"),
    ],
)
def test_identifiers_that_are_stored_stay_as_they_are(text: str, hexadecimal: str) -> None:
    assert identifier(text).hex() == hexadecimal
