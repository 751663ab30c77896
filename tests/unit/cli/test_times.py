"""Instants: read from the command line, and written for people."""

import pytest

from entrypoints.cli.console import UsageError
from entrypoints.cli.times import clock, compact, parse_instant, utc

INSTANT_MS = 1_777_636_810_250


@pytest.mark.parametrize(
    "text",
    [
        "1777636810250",
        "2026-05-01T12:00:10.250Z",
        "2026-05-01T12:00:10.25",
        "2026-05-01 14:00:10.250+02:00",
    ],
)
def test_an_instant_is_parsed_in_its_zone_or_utc(text: str) -> None:
    """Every notation gives the same millisecond."""
    assert parse_instant(text) == INSTANT_MS


@pytest.mark.parametrize("text", ["noon", "", "-1", "1234567890123456"])
def test_other_text_is_wrong_usage(text: str) -> None:
    """The message shows both notations."""
    with pytest.raises(UsageError, match=r"2026-05-01T12:00:10.250Z or 1777636810250"):
        parse_instant(text)


def test_instants_are_written_to_the_millisecond() -> None:
    """In UTC; beyond the calendar as a number."""
    assert utc(INSTANT_MS) == "2026-05-01 12:00:10.250"
    assert clock(INSTANT_MS + 1) == "12:00:10.251"
    assert compact(-1) == "19691231T235959999"
    assert compact(10**15 - 1) == "999999999999999ms"
