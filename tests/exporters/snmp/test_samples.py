"""Values of agents as numbers and text, whatever agents send."""

import math
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporters.snmp.agent import Value
from exporters.snmp.module import Object, Type
from exporters.snmp.samples import EXACT, address, enumerated, help_text, number, text

VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**63), 2**64), st.floats(), st.text(), st.binary(max_size=40)
)
TYPES: list[Type] = ["gauge", "counter", "number", "text", "mac", "info"]


@given(VALUES)
def test_any_value_is_text_without_control_characters(value: Value) -> None:
    shown = text(value)
    assert not [sign for sign in shown if unicodedata.category(sign) in {"Cc", "Zl", "Zp"}]


@given(st.text())
def test_text_stays_as_it_is_but_for_what_cannot_be_shown(value: str) -> None:
    plain = "".join(sign for sign in value if unicodedata.category(sign)[0] == "L")
    assert text(plain.encode()) == plain


@given(VALUES, st.sampled_from(TYPES))
def test_any_value_is_a_number_that_a_series_can_have_or_none(value: Value, kind: Type) -> None:
    found = number(value, Object(1, type=kind))
    assert found is None or math.isfinite(found)
    if kind == "counter" and found is not None:
        assert 0 <= found < EXACT


@given(st.integers(0, 2**64 - 1))
def test_a_counter_is_sent_exactly_modulo_what_a_double_holds(value: int) -> None:
    found = number(value, Object(1, type="counter"))
    assert found == value % 2**53
    assert int(float(found)) == found


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_in_a_text_is_that_number(value: float) -> None:
    assert number(f" {value!r}\x00".encode(), Object(1, type="number")) == value


@pytest.mark.parametrize("value", [b"", b"n/a", b"12 V", b"nan", b"inf", b"\xff\xff", "text", None, True])
def test_what_is_no_number_is_none(value: Value) -> None:
    assert number(value, Object(1, type="number")) is None


@given(VALUES)
def test_any_value_is_an_address_of_pairs_of_digits_or_none(value: Value) -> None:
    found = address(value)
    assert (found is None) == (not isinstance(value, bytes))
    if found:
        assert bytes.fromhex(found.replace(":", "")) == (value or bytes(6))


@given(VALUES)
def test_any_value_has_a_name_or_stands_for_itself(value: Value) -> None:
    column = Object(1, values={"1": "up", "2": "down"})
    assert enumerated(value, column) == {"1": "up", "2": "down"}.get(text(value), text(value))


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (b"\x02\x55\xee\x80\x39\xa2", "0x0255EE8039A2"),
        (b"PSU 1\x00\x00", "PSU 1"),
        (b" a\r\nb\tc ", "a b c"),
        ("Nordjylland æøå".encode(), "Nordjylland æøå"),
        ("1.3.6.1", "1.3.6.1"),
        (7, "7"),
        (None, ""),
        (b"", ""),
    ],
)
def test_values_as_people_read_them(value: Value, shown: str) -> None:
    assert text(value) == shown


def test_an_address_on_the_medium_is_written_as_switches_do() -> None:
    assert address(b"\x02\x55\xee\x80\x39\xa2") == "02:55:EE:80:39:A2"


def test_the_help_of_a_metric_has_its_enumeration() -> None:
    assert help_text(Object(1, "State", values={"1": "up", "2": "down"})) == "State: 1 up, 2 down"
    assert help_text(Object(1, "Type", "info", values={"1": "up"})) == "Type"
