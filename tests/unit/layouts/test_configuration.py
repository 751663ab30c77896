"""`camclip.toml`, and ids of cameras."""

import pytest

from infrastructure.layouts.camera_ids import camera_ids
from infrastructure.layouts.configuration import (
    InvalidConfiguration,
    LayoutConfiguration,
    read_configuration,
    read_zone,
)


def test_a_configuration_says_layout_zone_and_cameras() -> None:
    """With a byte order mark, as some editors write it."""
    text = '\ufefflayout = "mediamtx"\ntz = "Europe/Madrid"\n[cameras]\npier = "cams/Süd 1"\n'
    assert read_configuration(text.encode()) == LayoutConfiguration(
        "mediamtx", "Europe/Madrid", {"pier": "cams/Süd 1"}
    )
    assert read_configuration(b"") == LayoutConfiguration()


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"layout = mediamtx", "camclip.toml is not TOML"),
        (b"\xff", "camclip.toml is not TOML"),
        (b'zone = "UTC"', "has zone, which is unknown: use layout, tz, cameras"),
        (b"tz = 2", "tz must be a text"),
        (b'cameras = "pier"', "cameras must be a table"),
        (b'[cameras]\n"a b" = "x"', "a b is no id"),
        (b"[cameras]\npier = 5", "the name of pier must be that in the paths"),
        (b'[cameras]\npier = "../x"', "the name of pier must be that in the paths"),
        (b'[cameras]\npier = ""', "the name of pier must be that in the paths"),
    ],
)
def test_a_faulty_configuration_is_explained(data: bytes, fault: str) -> None:
    """In one sentence."""
    with pytest.raises(InvalidConfiguration) as caught:
        read_configuration(data)
    assert fault in str(caught.value)


@pytest.mark.parametrize("name", ["Europe/Nowhere", "../../etc/passwd", "", "Europe"])
def test_an_unknown_zone_is_named_with_the_remedy(name: str) -> None:
    """It never reads as UTC."""
    with pytest.raises(InvalidConfiguration, match="is no known time zone: write it like"):
        read_zone(name)


@pytest.mark.parametrize(
    ("names", "configured", "expected"),
    [
        (["pier", "mole"], {}, {"mole": "mole", "pier": "pier"}),
        (["cams/Süd 1"], {}, {"cams-Sud-1": "cams/Süd 1"}),
        (["a-b", "a b"], {}, {"a-b": "a-b", "a-b-c8687a": "a b"}),
        (["桟橋"], {}, {"camera-62ea62": "桟橋"}),
        (["pier", "mole"], {"p": "pier"}, {"p": "pier", "mole": "mole"}),
        (["pier"], {"p": "gone"}, {"p": "gone", "pier": "pier"}),
        (["x" * 70], {}, {"x" * 56: "x" * 70}),
    ],
    ids=str,
)
def test_cameras_have_ids(
    names: list[str], configured: dict[str, str], expected: dict[str, str]
) -> None:
    """Configured, the name itself, or made of it, with a suffix where it would be another's."""
    assert camera_ids(names, configured) == expected
