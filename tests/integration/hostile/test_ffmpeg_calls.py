"""How ffmpeg is called: one demuxer, only our own files, an empty environment."""

import json
from pathlib import Path

import pytest
from attrs import evolve

from application.ports import ThumbnailSpec
from devtools.footage import Recording
from infrastructure.ffmpeg.locate import find_ffmpeg
from infrastructure.transcoder.transcoder import FfmpegTranscoder
from tests.integration.exactness.camera import START_MS, Camera
from tests.integration.hostile.audited_service import SECRETS

SMALL = Recording(first_number=0, frames=120, gop_frames=30, size=(160, 90), start_ms=START_MS)
NEXT = evolve(SMALL, first_number=120, start_ms=START_MS + 4_000)
WORK = {
    "spliced, over two recordings": (True, (SMALL, NEXT)),
    "all encoded": (False, (SMALL, NEXT)),
    "audio encoded": (True, (evolve(SMALL, audio="mp3"), NEXT)),
    "silence between": (True, (SMALL, evolve(NEXT, audio=None))),
}
RECORDER = r"""#!/bin/sh
exec 9>"{log}.$$"
tr '\0' '\n' < /proc/$$/environ | sed 's/^/ENV /' >&9
for word in "$@"; do printf 'ARG %s\n' "$word" >&9; done
exec 9>&-
exec "{ffmpeg}" "$@"
"""


@pytest.mark.parametrize("name", WORK)
def test_ffmpeg_reads_only_our_own_files_by_one_demuxer(
    name: str, films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`-f mov` or raw audio before every input, files alone, and an empty environment."""
    for variable, value in SECRETS.items():
        monkeypatch.setenv(variable, value)
    recorder, log = tmp_path / "ffmpeg", tmp_path / "log"
    recorder.write_text(RECORDER.format(log=log, ffmpeg=find_ffmpeg({})))
    recorder.chmod(0o755)
    splice, recordings = WORK[name]
    folder = tmp_path / "work"
    folder.mkdir()
    transcoder = FfmpegTranscoder(recorder, verify="decode", splice=splice)
    Camera(films, folder, transcoder).cut(recordings, 1_234, 6_789, ThumbnailSpec((300, 640)))
    calls = [call.read_text().splitlines() for call in tmp_path.glob("log.*")]
    assert len(calls) >= 3
    for call in calls:
        assert [line for line in call if line.startswith("ENV ")] == []
        arguments = [line[4:] for line in call if line.startswith("ARG ")]
        inputs = [i for i, argument in enumerate(arguments) if argument == "-i"]
        for at in inputs:
            check_input(arguments[:at], arguments[at + 1], folder)
        for place in (argument for argument in arguments if "://" in argument or ":/" in argument):
            assert place.startswith(f"file:{folder}/")
        assert not any(secret in json.dumps(arguments) for secret in SECRETS.values())


def check_input(before: list[str], place: str, folder: Path) -> None:
    """Assert that an input names its demuxer and its protocols."""
    options = dict(zip(before, [*before[1:], ""], strict=True))
    if place == "pipe:0":
        assert options["-f"] == "s16le"
        return
    assert place.startswith(f"file:{folder}/")
    assert options["-protocol_whitelist"] == "file"
    assert options["-f"] == ("mov" if place.endswith(".mp4") else "s16le")
