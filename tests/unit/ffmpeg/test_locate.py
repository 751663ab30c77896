"""Where ffmpeg is looked for, and in which order."""

from pathlib import Path

import pytest

from domain.errors import Unavailable
from infrastructure.ffmpeg.locate import find_ffmpeg


def program(path: Path) -> Path:
    """Put a program somewhere."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(0o755)
    return path


def test_the_one_named_comes_first(tmp_path: Path) -> None:
    """CAMCLIP_FFMPEG beats the layer."""
    named, layer = program(tmp_path / "mine"), program(tmp_path / "layer")
    assert find_ffmpeg({"CAMCLIP_FFMPEG": str(named)}, layer) == named


def test_a_named_one_that_is_not_there_is_no_reason_to_look_on(tmp_path: Path) -> None:
    """A mistake in the configuration is told."""
    with pytest.raises(Unavailable, match="CAMCLIP_FFMPEG"):
        find_ffmpeg({"CAMCLIP_FFMPEG": str(tmp_path / "none")}, program(tmp_path / "layer"))


def test_the_layer_comes_before_the_wheel(tmp_path: Path) -> None:
    """In Lambda the layer has it."""
    layer = program(tmp_path / "layer")
    assert find_ffmpeg({}, layer) == layer


def test_the_wheel_comes_before_path(tmp_path: Path) -> None:
    """The version that is tested wins over what the machine has."""
    on_path = program(tmp_path / "ffmpeg")
    found = find_ffmpeg({"PATH": str(tmp_path)}, tmp_path / "none")
    assert found != on_path
    assert found.name.startswith("ffmpeg-")


def test_a_file_that_cannot_be_run_is_passed_over(tmp_path: Path) -> None:
    """Only programs count."""
    layer = tmp_path / "layer"
    layer.touch(0o644)
    assert find_ffmpeg({}, layer) != layer


def test_path_comes_last(tmp_path: Path) -> None:
    """Without a layer and the wheel, what the machine has will do."""
    on_path = program(tmp_path / "bin" / "ffmpeg")
    found = find_ffmpeg({"PATH": str(on_path.parent)}, tmp_path / "none", "no_such_wheel")
    assert found == on_path


def test_none_at_all_is_unavailable(tmp_path: Path) -> None:
    """The message says what to do."""
    with pytest.raises(Unavailable, match="install imageio-ffmpeg"):
        find_ffmpeg({}, tmp_path / "none", "no_such_wheel")
