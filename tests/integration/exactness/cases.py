"""The clips that are cut from every kind of recording."""

from fractions import Fraction
from typing import Any

from attrs import evolve, frozen

from devtools.footage import Recording
from tests.integration.exactness.camera import START_MS


def recording(seconds: float = 4, *, after_ms: int = 0, **kind: Any) -> Recording:  # noqa: ANN401
    """Return a recording `after_ms` after the first; its frame numbers ascend with time."""
    fps = kind.get("fps", Fraction(30))
    first = 1000 + round(after_ms * fps / 1000)
    plain = Recording(start_ms=START_MS + after_ms, first_number=first, frames=round(seconds * fps))
    return evolve(plain, **kind)


@frozen
class Case:
    """A clip from `from_ms` to `to_ms` of some recordings, of which `copied` frames are copied."""

    recordings: tuple[Recording, ...]
    from_ms: int
    to_ms: int
    copied: int = 0
    codec: str = "h264"
    """Of the clip."""


def of_one(
    from_ms: int,
    to_ms: int,
    seconds: float = 4,
    *,
    copied: int = 0,
    **kind: Any,  # noqa: ANN401
) -> Case:
    """Return a clip of one recording of a kind."""
    codec = "hevc" if copied and kind.get("codec") == "hevc" else "h264"
    return Case((recording(seconds, **kind),), from_ms, to_ms, copied, codec)


def of_two(
    first: dict[str, Any], second: dict[str, Any], *, copied: int = 0, codec: str = "h264"
) -> Case:
    """Return a clip across the join of two recordings of 4 s of two kinds."""
    recordings = recording(**first), recording(after_ms=4000, **second)
    return Case(recordings, 2345, 6789, copied, codec)


def small(case: Case) -> Case:
    """Return the case with pictures of 160 x 90 pixels, not 320 x 180: half the cost of all."""
    return evolve(
        case,
        recordings=tuple(
            evolve(r, size=(160, 90)) if r.size == (320, 180) else r for r in case.recordings
        ),
    )


def with_clock(*, media_s: float, listed_ms: int) -> tuple[Recording, ...]:
    """Return three recordings whose media lasts for another time than their dates say."""
    return tuple(
        evolve(
            recording(media_s, first_number=1000 * number),
            start_ms=START_MS + (number - 1) * listed_ms,
            listed_ms=listed_ms,
        )
        for number in (1, 2, 3)
    )


UNEVEN_MS = tuple(n * 40 + (n * 7919) % 37 for n in range(100))
THREE = tuple(recording(2, after_ms=after_ms) for after_ms in (0, 2000, 4000))

HEVC_KIND: dict[str, Any] = {"codec": "hevc", "gop_frames": 30}
AS_HEV1 = ("-tag:v", "hev1")
IN_BAND = "repeat-headers=1"

_CASES = {
    "one recording, from keyframe to keyframe": of_one(2000, 4000, copied=60),
    "one recording, from a keyframe on": of_one(2000, 3210, copied=37),
    "one recording, from between keyframes": of_one(1234, 3456, copied=43),
    "one recording, from between two frames": of_one(1001, 1999),
    "the first frame alone": of_one(0, 33, copied=1),
    "a frame in the middle alone": of_one(1500, 1520),
    "the last frame alone": of_one(3960, 4000),
    "a recording of one frame": Case((recording(1, frames=1),), 0, 1000, copied=1),
    "a whole recording": of_one(0, 4000, copied=120),
    "footage neither before nor after the recording": of_one(-500, 4500, copied=120),
    "two recordings": of_two({}, {}, copied=82),
    "three recordings": Case(THREE, 1111, 5555, copied=106),
    "two recordings, from the last frame of one to the first of the next": Case(
        (recording(), recording(after_ms=4000)), 3960, 4010, copied=1
    ),
    "15 frames a second": of_one(1234, 3456, fps=Fraction(15)),
    "25 frames a second": of_one(1234, 3456, fps=Fraction(25), copied=25),
    "29.97 frames a second": of_one(1234, 3456, fps=Fraction(30_000, 1001), copied=43),
    "60 frames a second": of_one(1234, 3456, fps=Fraction(60), copied=88),
    "59.94 frames a second": of_one(1234, 3456, fps=Fraction(60_000, 1001), copied=88),
    "a variable frame rate": of_one(1234, 3456, pts_ms=UNEVEN_MS, frames=100, copied=25),
    "no B-frames": of_one(1234, 3456, bframes=0, copied=44),
    "a pyramid of B-frames": of_one(
        1234, 3456, bframes=7, preset="veryfast", extra_args=("-b_strategy", "0"), copied=41
    ),
    "an open GOP, from the frame before a keyframe": of_one(1967, 3456, open_gop=True),
    "an open GOP, from a keyframe on": of_one(2000, 3456, open_gop=True),
    "an open GOP, to a keyframe": of_one(1000, 2000, open_gop=True),
    "keyframes only": of_one(1234, 3456, all_intra=True, copied=66),
    "a keyframe every 10 s": of_one(9876, 11_234, 12, gop_frames=300, bframes=3, copied=37),
    "intra refresh": of_one(4321, 5678, 6, intra_refresh=True),
    "HEVC": of_one(1234, 3456, copied=43, codec="hevc"),
    "HEVC, from a keyframe on": of_one(2000, 3456, copied=43, codec="hevc"),
    "HEVC, within a GOP": of_one(234, 1456, codec="hevc"),
    "HEVC with open GOPs": of_one(1967, 3456, copied=43, codec="hevc", open_gop=True),
    "HEVC with open GOPs, from a keyframe on": of_one(
        2000, 3456, copied=43, codec="hevc", open_gop=True
    ),
    "HEVC with open GOPs, from a leading picture on": of_one(
        1940, 3456, copied=43, codec="hevc", open_gop=True
    ),
    "HEVC with open GOPs, within one": of_one(1001, 1999, codec="hevc", open_gop=True),
    "HEVC with open GOPs and a pyramid of B-frames": of_one(
        1234,
        3456,
        copied=41,
        codec="hevc",
        open_gop=True,
        bframes=4,
        codec_params="b-adapt=0:b-pyramid=1",
    ),
    # The keyframe after the head has the picture order count 0 again (it has 8 bits in x265).
    "HEVC with open GOPs, whose head is counted as high": of_one(
        8500, 9800, 10, copied=37, codec="hevc", open_gop=True, gop_frames=64
    ),
    "HEVC with open GOPs in fragments": of_one(
        1234, 3456, copied=43, codec="hevc", open_gop=True, layout="fragmented"
    ),
    "HEVC with open GOPs, from two recordings": of_two(
        {"codec": "hevc", "open_gop": True},
        {"codec": "hevc", "open_gop": True},
        copied=82,
        codec="hevc",
    ),
    "HEVC without B-frames": of_one(1234, 3456, copied=44, codec="hevc", bframes=0),
    "HEVC with a pyramid of B-frames": of_one(
        1234, 3456, copied=41, codec="hevc", bframes=4, codec_params="b-adapt=0:b-pyramid=1"
    ),
    "HEVC with 10 bits": of_one(1234, 3456, copied=43, codec="hevc", pix_fmt="yuv420p10le"),
    "HEVC with full range": of_one(1234, 3456, copied=43, codec="hevc", pix_fmt="yuvj420p"),
    "HEVC with 10 bits and full range": of_one(
        1234, 3456, copied=43, codec="hevc", pix_fmt="yuv420p10le", codec_params="range=full"
    ),
    "HEVC with 4:2:2": of_one(1234, 3456, codec="hevc", pix_fmt="yuv422p"),
    "HEVC in slices": of_one(1234, 3456, copied=43, codec="hevc", codec_params="slices=4:ctu=16"),
    "HEVC with temporal sub-layers": of_one(
        1234, 3456, copied=41, codec="hevc", bframes=3, codec_params="temporal-layers=3"
    ),
    "HEVC with weights and long parameter sets": of_one(
        1234,
        3456,
        copied=43,
        codec="hevc",
        codec_params="weightb=1:scaling-list=default:hrd=1"
        ":vbv-maxrate=2000:vbv-bufsize=2000:aud=1:hash=1",
    ),
    "HEVC as hev1": of_one(1234, 3456, copied=43, codec="hevc", extra_args=AS_HEV1),
    "HEVC with parameter sets among the samples": of_one(
        1234, 5432, 6, copied=103, codec="hevc", extra_args=AS_HEV1, codec_params=IN_BAND
    ),
    "HEVC in fragments": of_one(1234, 3456, copied=43, codec="hevc", layout="fragmented"),
    "HEVC upside down": of_one(1234, 3456, codec="hevc", rotation=180),
    "HEVC, two recordings": of_two(HEVC_KIND, HEVC_KIND, copied=112, codec="hevc"),
    "HEVC, two recordings with unlike parameter sets": of_two(
        HEVC_KIND, {**HEVC_KIND, "codec_params": "ctu=16"}, copied=82, codec="hevc"
    ),
    "HEVC, 8 bits, then 10 bits for longer": of_two(
        HEVC_KIND, {**HEVC_KIND, "pix_fmt": "yuv420p10le"}, copied=82, codec="hevc"
    ),
    "MPEG-4 part 2": of_one(1234, 3456, codec="mpeg4", bframes=0),
    "10 bits a sample": of_one(1234, 3456, pix_fmt="yuv420p10le"),
    "4:4:4": of_one(1234, 3456, pix_fmt="yuv444p"),
    "full range": of_one(1234, 3456, pix_fmt="yuvj420p", copied=43),
    "baseline profile": of_one(
        1234, 3456, bframes=0, extra_args=("-profile:v", "baseline"), copied=44
    ),
    "interlaced": of_one(1234, 3456, interlaced=True, size=(160, 96), preset="veryfast"),
    "the index at the end": of_one(1234, 3456, layout="moov_last", copied=43),
    "fragments": of_one(1234, 3456, layout="fragmented", copied=43),
    "fragments without an index": of_one(1234, 3456, layout="fragmented_no_index", copied=43),
    "a start time of 2.5 s": of_one(1234, 3456, start_time_s=2.5, copied=43),
    "fragments with a start time of 2.5 s": of_one(
        1234, 3456, layout="fragmented", start_time_s=2.5, copied=43
    ),
    "128 x 96": of_one(1234, 3456, size=(128, 96), copied=43),
    "odd sides": of_one(1234, 3456, size=(161, 91), codec="mpeg4", bframes=0),
    "a quarter turn": of_one(1234, 3456, rotation=90),
    "half a turn": of_one(1234, 3456, rotation=180),
    "no audio": of_one(1234, 3456, audio=None, copied=43),
    "stereo at 44.1 kHz": of_one(1234, 3456, audio_rate_hz=44_100, channels=2, copied=43),
    "MP3 audio": of_one(1234, 3456, audio="mp3", copied=43),
    "audio in the first of two": of_two({}, {"audio": None}, copied=82),
    "audio in the second of two": of_two({"audio": None}, {}, copied=82),
    "audio in none of two": of_two({"audio": None}, {"audio": None}, copied=82),
    "AAC, then MP3": of_two({}, {"audio": "mp3"}, copied=82),
    "48 kHz, then 44.1 kHz": of_two({}, {"audio_rate_hz": 44_100}, copied=82),
    "mono, then stereo": of_two({}, {"channels": 2}, copied=82),
    "30, then 25 frames a second": of_two({}, {"fps": Fraction(25)}, copied=70),
    "H.264, then HEVC for longer": of_two({}, HEVC_KIND, copied=82, codec="hevc"),
    "HEVC, then H.264 for longer": of_two(HEVC_KIND, {}, copied=82),
    "a small picture, then a large one for longer": of_two({"size": (128, 72)}, {}, copied=82),
    "a large picture, then a small one for longer": of_two({}, {"size": (128, 72)}, copied=82),
    "a date that is rounded": Case(
        (recording(), recording(after_ms=3500, first_number=5000)), 1234, 6789, copied=157
    ),
    "dates cut to whole seconds": Case(
        tuple(
            recording(seconds, after_ms=after_ms, first_number=number)
            for seconds, after_ms, number in ((3.5, 0, 1000), (2.5, 3000, 2000), (3, 6000, 3000))
        ),
        1234,
        8456,
        copied=193,
    ),
    "a clock that is fast": Case(with_clock(media_s=5, listed_ms=4000), 2000, 10_000, copied=300),
    "a clock that is slow": Case(with_clock(media_s=5, listed_ms=6100), 2000, 15_000, copied=307),
    "a clock that is fast, within one recording": Case(
        with_clock(media_s=5, listed_ms=4000), 5000, 7000, copied=28
    ),
    "a clock that is fast, of two recordings: an overlap": Case(
        with_clock(media_s=5, listed_ms=4000)[:2], 2000, 7000, copied=178
    ),
    "a clock that steps back": Case(
        (recording(8), recording(6, after_ms=5000, first_number=5000)), 1234, 9876, copied=205
    ),
    "a picture a second, from between two": of_one(
        1500, 5250, 8, fps=Fraction(1), gop_frames=1, copied=4
    ),
    "a picture in 5 s, from between two": of_one(
        7700, 21_000, 40, fps=Fraction(1, 5), gop_frames=1, copied=3
    ),
    "within a picture that stands for 5 s": of_one(
        7700, 8200, 40, fps=Fraction(1, 5), gop_frames=1
    ),
    "within a picture of a 30th of a second": of_one(1234, 1240),
    "a head that is held": of_one(-900, 2000, copied=60),
    "an overlap": Case((recording(), recording(after_ms=2900)), 1234, 6789, copied=115),
    "a recording within another": Case(
        (recording(6), recording(2, after_ms=2000, audio=None)), 1234, 5678, copied=109
    ),
    "a seam": Case((recording(), recording(after_ms=4700)), 1234, 6789, copied=121),
    "a seam between MP3 recordings": Case(
        (recording(audio="mp3"), recording(after_ms=4700, audio="mp3")), 1234, 6789, copied=121
    ),
    "a gap": Case((recording(), recording(after_ms=7000)), 1234, 9876, copied=145),
    "a gap of odd milliseconds, then a seam": Case(
        (recording(2), recording(2, after_ms=4567), recording(2, after_ms=6900)),
        1234,
        8888,
        copied=120,
    ),
}
CASES = {name: small(case) for name, case in _CASES.items()}
