"""Footage whose every frame carries its number and whose sound carries the time.

Make it:   `Recording(start_ms=..., first_number=..., frames=...)` describes one stored recording;
           `cached_recording(folder, recording)` makes its file once; `make_recording` always.
Read it:   `read_clip(path)` decodes a clip whole and tells what a player sees and hears.
Judge it:  `wanted(recordings, start_ms, end_ms)` is the oracle, `assert_clip(reading, wanted)` the
           verdict; `frame_hashes` and `psnr_db` compare the pictures themselves.
"""

from devtools.footage.audio import Beep
from devtools.footage.judging import (
    assert_clean,
    assert_clip,
    assert_frames,
    assert_sound_in_step,
    assert_times,
)
from devtools.footage.reading import ClipReading, frame_hashes, psnr_db, read_clip
from devtools.footage.recording import Recording, cached_recording, make_recording
from devtools.footage.wanting import CopiedRange, Wanted, wanted

__all__ = [
    "Beep",
    "ClipReading",
    "CopiedRange",
    "Recording",
    "Wanted",
    "assert_clean",
    "assert_clip",
    "assert_frames",
    "assert_sound_in_step",
    "assert_times",
    "cached_recording",
    "frame_hashes",
    "make_recording",
    "psnr_db",
    "read_clip",
    "wanted",
]
