"""What people call profiles and levels."""

import pytest

from infrastructure.mp4.profiles import profile_name


@pytest.mark.parametrize(
    ("codec", "config", "name"),
    [
        ("avc1", bytes((1, 100, 0, 41)), "High, level 4.1"),
        ("avc3", bytes((1, 77, 0, 30)), "Main, level 3"),
        ("avc1", bytes((1, 66, 0xC0, 13)), "Constrained Baseline, level 1.3"),
        ("avc1", bytes((1, 66, 0x80, 13)), "Baseline, level 1.3"),
        ("avc1", bytes((1, 44, 0, 40)), "profile 44, level 4"),
        ("avc1", b"\1\144", None),
        ("hvc1", bytes((1, 0x21, *[0] * 10, 93)), "Main, level 3.1"),
        ("hev1", bytes((1, 0x02, *[0] * 10, 150)), "Main 10, level 5"),
        ("hvc1", bytes(12), None),
        ("mp4v", b"", None),
    ],
)
def test_profile_and_level_are_named(codec: str, config: bytes, name: str | None) -> None:
    """As in the annexes A of the standards; unknown profiles by their number."""
    assert profile_name(codec, config) == name
