"""Footage whose frames carry their numbers and whose audio carries the time.

Make it:   `Recording(start_ms=..., first_number=..., frames=...)` describes one stored recording;
           `cached_recording(folder, recording)` makes its file once; `make_recording` always.
Read it:   `read_clip(path)` decodes a whole clip into frame numbers, times and beeps.
Check it:  `wanted(recordings, start_ms, end_ms)` is the oracle, `assert_clip(reading, wanted)` the
           check; `frame_hashes` and `psnr_db` compare the pictures themselves.
"""

from devtools.footage.assertions import (
    assert_audio_in_step,
    assert_clean,
    assert_clip,
    assert_frames,
    assert_times,
)
from devtools.footage.audio import Beep
from devtools.footage.expected_frames import Stretch, Wanted, wanted
from devtools.footage.reading import ClipReading, frame_hashes, psnr_db, read_clip
from devtools.footage.recording import (
    Recording,
    cached_recording,
    constant_bitrate,
    make_recording,
)

__all__ = [
    "Beep",
    "ClipReading",
    "Recording",
    "Stretch",
    "Wanted",
    "assert_audio_in_step",
    "assert_clean",
    "assert_clip",
    "assert_frames",
    "assert_times",
    "cached_recording",
    "constant_bitrate",
    "frame_hashes",
    "make_recording",
    "psnr_db",
    "read_clip",
    "wanted",
]
