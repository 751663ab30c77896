"""The start times in the names of recordings."""

import pytest

from infrastructure.camera_api.names import SegmentNaming


@pytest.mark.parametrize(
    ("name", "start_ms"),
    [
        ("pier.20180815T140019.mp4", 1_534_341_619_000),
        ("pier.stream.20181031T025200051.mp4", 1_540_954_320_051),
        ("20181031T025200951.mp4", 1_540_954_320_951),
        ("pier.mp4", None),
        ("pier.20181331T025200.mp4", None),
        ("pier.20181031T0252.mp4", None),
        ("pier.19691231T235959.mp4", None),
    ],
)
@pytest.mark.parametrize("old", [False, True])
def test_both_of_the_recorders_names_tell_the_start(
    name: str,
    start_ms: int | None,
    old: bool,
) -> None:
    """Whatever the settings say; milliseconds count, and seconds are not taken for them."""
    assert SegmentNaming(old_file_format=old).start_ms(name) == start_ms


def test_other_names_are_read_as_the_setting_says() -> None:
    """The old form of it is the one without a fraction."""
    naming = SegmentNaming("%d-%m-%Y_%H-%M-%S-%f", old_file_format=False)
    assert naming.start_ms("pier.31-10-2018_02-52-00-051.mp4") == 1_540_954_320_051
    assert SegmentNaming("%Y%m%d%H%M%S%f", True).start_ms("a.20181031025200.mp4") == (
        1_540_954_320_000
    )


def test_a_format_that_cannot_be_read_is_an_error_at_once() -> None:
    """Not when the first recording comes."""
    with pytest.raises(ValueError, match="bad directive"):
        SegmentNaming("%Y%Q")
