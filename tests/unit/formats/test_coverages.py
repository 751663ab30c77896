"""The coverage as JSON."""

import json

import pytest
from hypothesis import given

from domain.coverage import Clock, Coverage, Unused, Verification
from domain.window import TimeWindow
from infrastructure.formats.coverages import coverage_members, coverage_text, read_coverage
from tests.unit.formats.values import COVERAGES, UNHURRIED


def test_every_member_has_its_name() -> None:
    """To the letter: clients read them."""
    coverage = Coverage(
        gaps=(TimeWindow(1, 2), TimeWindow(3, 4)),
        damaged=(TimeWindow(5, 6),),
        held=(TimeWindow(7, 8),),
        unused=(Unused("pier.mp4", TimeWindow(9, 10)),),
        clock=Clock(0.8, -12_000),
        verified=Verification.SPLICES,
        notes=("A note.",),
    )
    assert coverage_members(coverage) == {
        "gaps": [
            {"startTimestampInMs": 1, "endTimestampInMs": 2},
            {"startTimestampInMs": 3, "endTimestampInMs": 4},
        ],
        "damaged": [{"startTimestampInMs": 5, "endTimestampInMs": 6}],
        "held": [{"startTimestampInMs": 7, "endTimestampInMs": 8}],
        "unused": [{"name": "pier.mp4", "startTimestampInMs": 9, "endTimestampInMs": 10}],
        "clock": {"rate": 0.8, "differenceInMs": -12_000},
        "verified": "splices",
        "notes": ["A note."],
    }


def test_what_there_is_nothing_to_say_of_is_absent_or_empty() -> None:
    """The clock agrees, and without a clip nothing was decoded."""
    lists = ("gaps", "damaged", "held", "unused", "notes")
    assert coverage_members(Coverage()) == {name: [] for name in lists}


@UNHURRIED
@given(COVERAGES)
def test_a_coverage_is_read_back(coverage: Coverage) -> None:
    """And its text survives a header: printable ASCII without repeated blanks."""
    text = coverage_text(coverage)
    assert read_coverage(text) == coverage
    assert text.isascii()
    assert text.isprintable()
    assert "  " not in text
    assert json.loads(text) == coverage_members(coverage)


@pytest.mark.parametrize(
    "text", ["", "[]", "5", "null", '{"gaps": 5}', '{"gaps": [], "gaps": []}', "[" * 10_000]
)
def test_what_is_no_coverage_is_an_error(text: str) -> None:
    """Nothing is made up."""
    with pytest.raises(ValueError, match="no coverage"):
        read_coverage(text)
