"""Play and step through clips in Chromium: `python -m tests.campaigns.browser [--only NAME ...]`.

Every frame shown must be the planned one of its time. Frames dropped while playing, as on a busy
machine, are only counted; stepping must show every frame.
"""

import argparse
import sys
import tempfile
from base64 import b64decode
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

from attrs import evolve, frozen

from devtools.footage.picture import read_number
from infrastructure.ffmpeg.locate import find_ffmpeg
from infrastructure.transcoder.transcoder import FfmpegTranscoder
from tests.campaigns import print_now
from tests.campaigns.browser.chromium import NoBrowserError, running
from tests.campaigns.browser.showing import Showing, show
from tests.integration.exactness.camera import Camera, Clip
from tests.integration.exactness.cases import Case, of_one, recording

TIMES_WITHIN_MS = 1.0
MAX_FAULTS_SHOWN = 5

UNEVEN_MS = tuple(n * 40 + (n * 7919) % 31 for n in range(150))
NTSC: Mapping[str, Any] = dict(fps=Fraction(30_000, 1001))
CLIPS: Mapping[str, Case] = {
    "one recording: head, copied run, tail": of_one(1234, 7456, 8),
    "one recording, from keyframe to keyframe": of_one(2000, 6000, 8),
    "two recordings": Case((recording(), recording(after_ms=4000)), 1234, 6789),
    "three recordings, a seam and a gap": Case(
        (recording(), recording(after_ms=4000), recording(after_ms=8700)), 2345, 11_111
    ),
    "29.97 frames a second, two recordings": Case(
        (recording(4.004, **NTSC), recording(4.004, after_ms=4004, **NTSC)), 1234, 6789
    ),
    "no B-frames, two recordings": Case(
        (recording(bframes=0), recording(after_ms=4000, bframes=0)), 1234, 6789
    ),
    "a pyramid of B-frames": of_one(
        1234, 7456, 8, bframes=7, preset="veryfast", extra_args=("-b_strategy", "0")
    ),
    "a variable frame rate": of_one(1234, 5432, pts_ms=UNEVEN_MS, frames=150, bframes=0),
    "an open GOP, encoded in part": of_one(1967, 5432, 6, open_gop=True),
    "two unlike sizes": Case((recording(), recording(after_ms=4000, size=(160, 90))), 1234, 5678),
    "without audio, two recordings": Case(
        (recording(audio=None), recording(after_ms=4000, audio=None)), 1234, 6789
    ),
    "a single frame": of_one(1500, 1520),
}


@frozen
class Shown:
    """The frames a browser showed of a clip, compared with the plan."""

    frames: int
    copied: int
    played: int
    dropped: int
    sought: int
    off_ms: float
    """By how much the time of a frame differs from the plan, at most."""
    faults: Sequence[str]


def compare(clip: Clip, result: Mapping[str, Any]) -> Shown:
    """Compare the page's result with the plan."""
    footage = clip.rendition.media
    shown = Shown(footage.frames, footage.copied_frames, 0, 0, 0, 0.0, ())
    if "error" in result:
        return evolve(shown, faults=[result["error"]])
    numbers, times_ms = clip.wanted.numbers, [float(time) for time in clip.wanted.times_ms]
    played, stepped = _frames(result["played"]), _frames(result["stepped"])
    faults = []
    off_ms = 0.0
    for how, frames in (("playing", played), ("stepping", stepped)):
        for time_ms, number in frames:
            at = max(0, bisect_right(times_ms, time_ms + TIMES_WITHIN_MS) - 1)
            off_ms = max(off_ms, abs(times_ms[at] - time_ms))
            if number != numbers[at] or abs(times_ms[at] - time_ms) > TIMES_WITHIN_MS:
                wanted = f"{numbers[at]} at {times_ms[at]:.2f} ms"
                faults.append(f"{how}: {number} at {time_ms:.2f} ms, wanted {wanted}")
    faults += [
        f"stepping: {number} at {time_ms:.2f} ms instead of {wanted}"
        for (time_ms, number), wanted in zip(stepped, numbers, strict=True)
        if number != wanted
    ]
    order = [number for _, number in played]
    known = [numbers.index(number) for number in order if number in numbers]
    if any(after < before for before, after in pairwise(known)):
        faults.append("playing: a frame came back")
    duration_ms = float(clip.wanted.duration_ms)
    if abs(result["duration_ms"] - duration_ms) > TIMES_WITHIN_MS:
        faults.append(f"the duration is {result['duration_ms']} ms, not {duration_ms}")
    dropped = len(set(numbers) - set(order))
    return evolve(
        shown,
        played=len(played),
        dropped=dropped,
        sought=len(stepped),
        off_ms=off_ms,
        faults=faults,
    )


def _frames(shown: Sequence[Mapping[str, Any]]) -> list[tuple[float, int]]:
    return [(frame["time_ms"], read_number(b64decode(frame["gray"]))) for frame in shown]


def seeks_ms(clip: Clip) -> list[float]:
    """Return where to seek for each frame: half of the shortest frame before the next one's time.

    An MP4 gives the decode duration of a sample, which Chromium takes for its presentation
    duration. Where B-frames are decoded last before a seam, one of them seems to span it, and the
    frame that is really held is found only in the last moments of the seam. For the same reason
    the clip with a variable frame rate has no B-frames.
    """
    times_ms = [*map(float, clip.wanted.times_ms), float(clip.wanted.duration_ms)]
    half_ms = min(after - before for before, after in pairwise(times_ms)) / 2
    return [time_ms - half_ms for time_ms in times_ms[1:]]


def make(folder: Path, names: Sequence[str]) -> dict[str, Clip]:
    """Make the clips of these names."""
    transcoder = FfmpegTranscoder(find_ffmpeg({}), verify="decode")
    made = {}
    for number, name in enumerate(names):
        own = folder / str(number)
        own.mkdir()
        case = CLIPS[name]
        camera = Camera(folder / "footage", own, transcoder)
        made[name] = camera.cut(case.recordings, case.from_ms, case.to_ms)
    return made


def row(name: str, shown: Shown) -> str:
    """Return one clip's figures as a row of the table."""
    cells = (shown.frames, shown.copied, shown.played, shown.dropped, shown.sought)
    numbers = "".join(f"{cell:>9}" for cell in cells)
    return f"{name:<44}{numbers}{len(shown.faults):>9}{shown.off_ms:>9.3f}"


def main(argv: Sequence[str]) -> int:
    """Make the clips, show them, print the table; 1 if a frame was wrong or there is no browser."""
    parser = argparse.ArgumentParser("python -m tests.campaigns.browser", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=CLIPS, help="these clips")
    names = parser.parse_args(argv).only or list(CLIPS)
    failed = False
    try:
        with running() as browser, tempfile.TemporaryDirectory() as folder:
            clips = make(Path(folder), names)
            columns = ("frames", "copied", "played", "dropped", "sought", "faults", "off ms")
            print_now(f"{'clip':<44}" + "".join(f"{column:>9}" for column in columns))
            showings = [Showing(clip.path, seeks_ms(clip)) for clip in clips.values()]
            results = show(browser, showings)
            for (name, clip), result in zip(clips.items(), results, strict=True):
                shown = compare(clip, result)
                print_now("\n    ".join([row(name, shown), *shown.faults[:MAX_FAULTS_SHOWN]]))
                failed = failed or bool(shown.faults)
    except NoBrowserError as error:
        print_now(str(error))
        return 1
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
