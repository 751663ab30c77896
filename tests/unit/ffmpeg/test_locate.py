"""Where ffmpeg is searched for, and in which order."""

from pathlib import Path

import pytest

from domain.errors import Unavailable
from infrastructure.ffmpeg.locate import find_ffmpeg


def program(path: Path) -> Path:
    """Create an executable file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(0o755)
    return path


def test_camclip_ffmpeg_comes_first(tmp_path: Path) -> None:
    """It is preferred to the layer."""
    named, layer = program(tmp_path / "mine"), program(tmp_path / "layer")
    assert find_ffmpeg({"CAMCLIP_FFMPEG": str(named)}, layer) == named


def test_a_wrong_camclip_ffmpeg_is_unavailable(tmp_path: Path) -> None:
    """A mistake in the configuration is reported; no other ffmpeg is used instead."""
    with pytest.raises(Unavailable, match="CAMCLIP_FFMPEG"):
        find_ffmpeg({"CAMCLIP_FFMPEG": str(tmp_path / "none")}, program(tmp_path / "layer"))


def test_the_layer_comes_before_the_wheel(tmp_path: Path) -> None:
    """Lambda's function has the layer."""
    layer = program(tmp_path / "layer")
    assert find_ffmpeg({}, layer) == layer


def test_the_wheel_comes_before_path(tmp_path: Path) -> None:
    """The tested version is preferred to the machine's."""
    on_path = program(tmp_path / "ffmpeg")
    found = find_ffmpeg({"PATH": str(tmp_path)}, tmp_path / "none")
    assert found != on_path
    assert found.name.startswith("ffmpeg-")


def test_a_file_that_is_not_executable_is_skipped(tmp_path: Path) -> None:
    """The layer's place may hold something else."""
    layer = tmp_path / "layer"
    layer.touch(0o644)
    assert find_ffmpeg({}, layer) != layer


def test_path_comes_last(tmp_path: Path) -> None:
    """Without the layer and the wheel, the machine's is used."""
    on_path = program(tmp_path / "bin" / "ffmpeg")
    found = find_ffmpeg({"PATH": str(on_path.parent)}, tmp_path / "none", "no_such_wheel")
    assert found == on_path


def test_no_ffmpeg_at_all_is_unavailable(tmp_path: Path) -> None:
    """The message states the remedy."""
    with pytest.raises(Unavailable, match="install imageio-ffmpeg"):
        find_ffmpeg({}, tmp_path / "none", "no_such_wheel")
