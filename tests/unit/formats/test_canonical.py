"""The form of JSON that is signed: RFC 8785."""

import json
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infrastructure.formats.canonical import canonical

# The samples of numbers and the object with the sorted keys are those of RFC 8785: 3.2.3,
# appendix B.
NUMBERS = {
    "0000000000000000": "0",
    "8000000000000000": "0",
    "0000000000000001": "5e-324",
    "8000000000000001": "-5e-324",
    "7fefffffffffffff": "1.7976931348623157e+308",
    "4340000000000000": "9007199254740992",
    "4430000000000000": "295147905179352830000",
    "44b52d02c7e14af5": "9.999999999999997e+22",
    "44b52d02c7e14af6": "1e+23",
    "44b52d02c7e14af7": "1.0000000000000001e+23",
    "444b1ae4d6e2ef4e": "999999999999999700000",
    "444b1ae4d6e2ef4f": "999999999999999900000",
    "444b1ae4d6e2ef50": "1e+21",
    "3eb0c6f7a0b5ed8c": "9.999999999999997e-7",
    "3eb0c6f7a0b5ed8d": "0.000001",
    "41b3de4355555553": "333333333.3333332",
    "41b3de4355555557": "333333333.33333343",
    "becbf647612f3696": "-0.0000033333333333333333",
    "43143ff3c1cb0959": "1424953923781206.2",
}


@pytest.mark.parametrize(("bits", "written"), NUMBERS.items())
def test_a_number_is_written_as_ecmascript_does(bits: str, written: str) -> None:
    """Whole ones without a point."""
    assert canonical(float_of(bits)) == written.encode()


def float_of(bits: str) -> float:
    (value,) = struct.unpack(">d", bytes.fromhex(bits))
    return float(value)


def test_members_are_sorted_by_utf_16() -> None:
    """Which is not the order of code points."""
    value = {
        "\u20ac": "Euro Sign",
        "\r": "Carriage Return",
        "\ufb33": "Hebrew Letter Dalet With Dagesh",
        "1": "One",
        "\U0001f600": "Emoji: Grinning Face",
        "\u0080": "Control",
        "\u00f6": "Latin Small Letter O With Diaeresis",
    }
    found = json.loads(canonical(value), object_pairs_hook=lambda pairs: [key for key, _ in pairs])
    assert found == ["\r", "1", "\u0080", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]


def test_texts_are_escaped_no_more_than_they_must_be() -> None:
    """And there is no white space."""
    value = {"b": [None, True, False, 1], "a": '\u20ac$\u000f\nA\'B"\\\\"/'}
    expected = '{"a":"\u20ac$\\u000f\\nA\'B\\"\\\\\\\\\\"/","b":[null,true,false,1]}'
    assert canonical(value) == expected.encode()


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(-(2**53), 2**53)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(JSON)
def test_it_reads_back_as_the_same(value: object) -> None:
    """Twice the same bytes."""
    once = canonical(value)
    assert json.loads(once.decode()) == value
    assert canonical(json.loads(once.decode())) == once


def test_half_a_surrogate_is_no_obstacle() -> None:
    """Names of files may hold some, and so may notes."""
    assert canonical({"\udc80": "\udcff"}) == b'{"\xed\xb2\x80":"\xed\xb3\xbf"}'


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_no_number_in_json_has_no_form(value: float) -> None:
    with pytest.raises(ValueError, match="no number"):
        canonical(value)
