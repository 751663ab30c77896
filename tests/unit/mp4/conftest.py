"""Recordings made by ffmpeg, once per session: every shape the index must read."""

from pathlib import Path

import pytest

from devtools.footage.fragments import start_later
from tests.unit.mp4.media import LONG, LONG_SHAPES, SHAPES, ffmpeg


@pytest.fixture(scope="session")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return a path per shape."""
    folder = tmp_path_factory.mktemp("recordings")
    made: dict[str, Path] = {}
    for name, (source, arguments) in SHAPES.items():
        made[name] = folder / f"{name}.mp4"
        inputs = source if isinstance(source, list) else ["-i", str(made[source])]
        if isinstance(source, str) and "-ss" in arguments:
            at = arguments.index("-ss")
            inputs = [*arguments[at : at + 2], *inputs]
            arguments = arguments[:at] + arguments[at + 2 :]  # noqa: PLW2901
        ffmpeg(*inputs, *arguments, "-f", "mov" if "mov" in name else "mp4", str(made[name]))
    return made


@pytest.fixture(scope="session")
def long_ones(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return a path per fragmented shape that is long enough to be searched."""
    folder = tmp_path_factory.mktemp("long")
    source = folder / "source.mp4"
    ffmpeg(*LONG, str(source))
    made = {name: folder / f"{name}.mp4" for name in LONG_SHAPES}
    for name, flags in LONG_SHAPES.items():
        every = ["-frag_duration", "500000"] if name.startswith("cut") else []
        every += ["-an"] if name.endswith("no sound") else []
        ffmpeg("-i", str(source), "-c", "copy", "-movflags", flags, *every, str(made[name]))
    made["starts late"] = folder / "starts late.mp4"
    made["starts late"].write_bytes(made["mfra"].read_bytes())
    start_later(made["starts late"], 1000.5)
    return made
