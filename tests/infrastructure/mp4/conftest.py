"""Recordings made by ffmpeg, once per session: every shape the index must read."""

from pathlib import Path

import pytest

from tests.infrastructure.mp4.media import SHAPES, ffmpeg


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
