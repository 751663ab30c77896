"""The kinds of source: a few recordings each, which are placed one after the other.

The audio of a recording repeats every 8 s, so one file serves for every start that is a multiple of
8 s away from its own: files are made once, and placed again for each cut.
"""

import random
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from attrs import evolve, field, frozen

from devtools.footage import Recording, cached_recording
from devtools.footage.audio import DISTINCT_SECONDS
from tests.integration.exactness.camera import START_MS, Camera

REPEATS_MS = DISTINCT_SECONDS * 1000
HOLES_MS = (0, 700, -20, 1000, 1001, -1500, 0, 33, -33, 1, -1, 3000, 999, -2345, 0, 34, -1001)
"""From one recording of a kind to the next, in turn: joins, seams, gaps, and (negative) overlaps;
those of less than a frame fall into the duration of a last frame."""


@frozen
class Kind:
    """A kind of source."""

    recordings: tuple[Recording, ...] = field(repr=False)
    copies: bool
    """Whether every GOP that lies entirely within a cut must be copied."""
    has_usual_interval: bool = True
    """Whether most of the frames are at one distance: any part of it tells which."""
    is_whole: bool = False
    """Whether all are placed, in order: one alone is not found where it is not listed."""


def place(recording: Recording, after_ms: int) -> Recording:
    """Move a recording to its next start at or after `after_ms`, less half of 8 s."""
    earliest_ms = after_ms - REPEATS_MS // 2
    later_ms = (recording.start_ms - earliest_ms) % REPEATS_MS
    return evolve(recording, start_ms=earliest_ms + later_ms)


def file_of(recording: Recording, folder: Path) -> Path:
    """Return the recording's file in `folder`: one for all its places."""
    place_ms = (recording.start_ms - START_MS) % REPEATS_MS
    return cached_recording(folder, evolve(recording, start_ms=START_MS + place_ms))


class PlacedCamera(Camera):
    """A camera that keeps one file for all places of a recording."""

    def path(self, recording: Recording) -> Path:
        """Return the recording's file."""
        return file_of(recording, self.footage)


def _uneven_ms(seed: int) -> tuple[int, ...]:
    """Draw frame times that are 5 to 80 ms apart, one in 60 half a second."""
    rng = random.Random(seed)
    times_ms = [0]
    while times_ms[-1] < 8000:
        times_ms.append(times_ms[-1] + (500 if rng.random() < 1 / 60 else rng.randint(5, 80)))
    # In a file, the last frame has the duration of a tick, whatever the one before it has.
    return (*times_ms, times_ms[-1] + 1)


def _with_holes_ms(seed: int) -> tuple[int, ...]:
    """Draw frame times 40 ms apart, but for some holes: pictures that are held, and gaps."""
    rng = random.Random(seed)
    times_ms = [0]
    for hole_ms in (*rng.sample(HOLES_INSIDE_MS, 3), 0):
        times_ms += [times_ms[-1] + hole_ms + 40 * n for n in range(1, rng.randint(30, 70))]
    return tuple(times_ms)


HOLES_INSIDE_MS = (21, 120, 900, 1000, 1001, 1500, 2000, 3456)
"""More than the 40 ms that are usual: footage, held pictures, and gaps from 1001 ms on."""
UNEVEN_MS = [_uneven_ms(seed) for seed in (1, 2, 3)]
UNEVEN = [dict(pts_ms=times_ms, frames=len(times_ms)) for times_ms in UNEVEN_MS]
HOLED = [dict(pts_ms=times_ms, frames=len(times_ms)) for times_ms in map(_with_holes_ms, (4, 5, 6))]
SIZE, SMALL = (160, 90), dict(size=(128, 72))
SILENT: dict[str, Any] = dict(audio=None)

# Fields that all recordings of the kind have, then those of the first, the second and the third.
_COPIED: dict[str, tuple[dict[str, Any], ...]] = {
    "B-frames": ({},),
    "B-frames in a pyramid": (dict(bframes=7, preset="veryfast", extra_args=("-b_strategy", "0")),),
    "no B-frames, baseline": (dict(bframes=0, extra_args=("-profile:v", "baseline")),),
    "a keyframe every 4 s, 15 fps": (dict(fps=Fraction(15), gop_frames=60, bframes=3),),
    "intra only": (dict(all_intra=True),),
    "29.97 fps": (dict(fps=Fraction(30_000, 1001), gop_frames=45),),
    "moov last, starts at 1.4 s": (dict(layout="moov_last", start_time_s=1.4),),
    "fragmented": (dict(layout="fragmented"),),
    "fragmented without index, starts at 2.5 s": (
        dict(layout="fragmented_no_index", start_time_s=2.5),
    ),
    "variable frame rate": (dict(gop_frames=50), *UNEVEN),
    "HEVC": (dict(codec="hevc"),),
    "HEVC with ten bits in a pyramid, fragmented": (
        dict(codec="hevc", pix_fmt="yuv420p10le", layout="fragmented", bframes=4, gop_frames=45),
        dict(codec_params="b-adapt=0:b-pyramid=1"),
        dict(codec_params="b-adapt=0:b-pyramid=1"),
        dict(codec_params="b-adapt=0:b-pyramid=1"),
    ),
    "HEVC in slices, with parameter sets among the samples": (
        dict(codec="hevc", extra_args=("-tag:v", "hev1"), gop_frames=30),
        dict(codec_params="slices=4:ctu=16:repeat-headers=1"),
        dict(codec_params="slices=4:ctu=16:repeat-headers=1"),
        dict(codec_params="slices=4:ctu=16:repeat-headers=1"),
    ),
    "no sound, 25 fps": (dict(audio=None, fps=Fraction(25), gop_frames=50),),
}
_ENCODED: dict[str, tuple[dict[str, Any], ...]] = {
    "open GOP": (dict(open_gop=True, gop_frames=30),),
    "intra refresh": (dict(intra_refresh=True),),
    "HEVC with open GOPs": (dict(codec="hevc", open_gop=True, gop_frames=30),),
    "HEVC with unlike parameter sets": (
        dict(codec="hevc", gop_frames=30),
        {},
        dict(codec_params="ctu=16"),
        dict(pix_fmt="yuv420p10le"),
    ),
    "ten bits": (dict(pix_fmt="yuv420p10le"),),
    "full range": (dict(pix_fmt="yuvj420p"),),
    "two unlike sizes": ({}, {}, SMALL, {}),
    "unlike parameter sets": ({}, {}, dict(preset="veryfast", bframes=3), dict(crf=30)),
    "H.264, HEVC, MPEG-4": ({}, {}, dict(codec="hevc"), dict(codec="mpeg4", bframes=0)),
    "unlike frame rates": ({}, {}, dict(fps=Fraction(25)), dict(fps=Fraction(60), frames=600)),
    "with and without sound": ({}, {}, SILENT, {}),
    "AAC at 44.1 kHz, MP3": (
        {},
        dict(audio_rate_hz=44_100, channels=2),
        dict(audio="mp3"),
        dict(audio_rate_hz=44_100, channels=2),
    ),
    # These numbers are not misread as others when the reader tries the other three rotations.
    "turned": (
        dict(rotation=90),
        dict(first_number=730_000),
        dict(first_number=740_000),
        dict(first_number=734_000),
    ),
}


_AS_RECORDED: dict[str, tuple[tuple[int, ...], dict[str, Any], tuple[dict[str, Any], ...]]] = {
    # The holes after the first and the second, or by how much they overlap.
    "dates rounded down": (
        (-400, -600),
        {},
        (dict(frames=252), dict(frames=288), dict(frames=270)),
    ),
    "dates rounded down, 1 s": ((-1000, -1000), dict(audio=None), ({}, {}, {})),
    "a clock that is slow": (
        (0, 0),
        {},
        tuple(
            dict(frames=n, listed_ms=ms) for n, ms in ((240, 9997), (270, 11_271), (300, 12_500))
        ),
    ),
    "a clock that is fast": (
        (0, 400),
        dict(audio="mp3"),
        tuple(dict(frames=n, listed_ms=ms) for n, ms in ((240, 6400), (270, 7200), (300, 8011))),
    ),
    "one clock that is wrong": ((0, 0), {}, (dict(listed_ms=9500), {}, dict(listed_ms=9100))),
    "long overlaps": ((-1001, -3900), dict(gop_frames=30), ({}, {}, {})),
    "holes inside": ((0, 700), dict(gop_frames=25), tuple(HOLED)),
    "holes inside that others fill": (
        (-3900, -3000),
        dict(layout="fragmented", gop_frames=25),
        (HOLED[0], {}, HOLED[2]),
    ),
    "a picture a second": ((0, 2500), dict(fps=Fraction(1), gop_frames=5), (dict(frames=12),) * 3),
    "a picture in 5 s": (
        (3900, 0),
        dict(fps=Fraction(1, 5), gop_frames=2, bframes=0),
        (dict(frames=5), dict(frames=4), dict(frames=6)),
    ),
    "a picture in 2 s, fragmented": (
        (-1000, -3000),
        dict(fps=Fraction(1, 2), gop_frames=3, layout="fragmented"),
        (dict(frames=8),) * 3,
    ),
    "two pictures a second, no sound": (
        (1400, 1600),
        dict(fps=Fraction(2), audio=None),
        (dict(frames=20),) * 3,
    ),
}


def _kind(
    number: int,
    copies: bool,
    common: dict[str, Any],
    *own: dict[str, Any],
    holes_ms: Sequence[int] = (),
) -> Kind:
    recordings: list[Recording] = []
    start_ms = START_MS + 137 * number
    has_usual_interval = True
    for place, kind in enumerate(own or ({}, {}, {})):
        first_number, frames = (3 * number + place + 1) * 10_000, 240 + 30 * place
        plain = Recording(first_number=first_number, frames=frames, size=SIZE)
        recordings.append(evolve(plain, start_ms=start_ms, **{**common, **kind}))
        assert recordings[-1].duration_ms.denominator == 1, "the plan has whole milliseconds"
        has_usual_interval &= kind not in UNEVEN
        hole_ms = (
            [*holes_ms, 0][place] if holes_ms else HOLES_MS[(2 * number + place) % len(HOLES_MS)]
        )
        start_ms += listed_ms(recordings[-1]) + hole_ms
    is_whole = any(r.duration_ms > listed_ms(r) for r in recordings)
    return Kind(tuple(recordings), copies, has_usual_interval, is_whole)


def listed_ms(recording: Recording) -> int:
    """Return how long the camera says that a recording is."""
    return recording.listed_ms or int(recording.duration_ms)


KINDS = {
    name: _kind(number, name in _COPIED, *how)
    for number, (name, how) in enumerate({**_COPIED, **_ENCODED}.items())
}
KINDS |= {
    name: _kind(number, "holes" not in name, common, *own, holes_ms=holes_ms)
    for number, (name, (holes_ms, common, own)) in enumerate(_AS_RECORDED.items(), len(KINDS))
}
