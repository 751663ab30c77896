"""Why the frames of a recording are not copied is known, so that it can be logged."""

from typing import Any

import pytest
from attrs import evolve

from infrastructure.splicing.codecs import ALL_CODECS
from infrastructure.splicing.frames import clip_times, resolve_cuts
from infrastructure.splicing.picture_format import PictureFormat
from infrastructure.splicing.spans import EncodedSpan, plan_spans
from tests.unit.splicing.tracks import named, opened, plan, video_track

UPRIGHT = (0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
HEVC = video_track([512 * i for i in range(50)], 12_800)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        (
            {"codec": "vp09"},
            "its video is vp09, not H.264 or HEVC with its parameter sets in the index",
        ),
        ({}, "its pictures are scaled or turned"),
        (
            {"matrix": UPRIGHT},
            "its parameter sets cannot be read: the hvcC is cut off or of an unknown version",
        ),
        (
            {"codec": "avc1", "matrix": UPRIGHT},
            "its parameter sets cannot be read: the avcC is cut off or of an unknown version",
        ),
    ],
    ids=["another codec", "turned pictures", "an unreadable hvcC", "an unreadable avcC"],
)
def test_a_cut_that_is_encoded_whole_has_the_reason(changes: dict[str, Any], reason: str) -> None:
    """Without splicing there is no reason to give."""
    recording = opened(evolve(HEVC, **changes), data=bytes(5000))
    sources = resolve_cuts(plan(0, 1000, recording), named(recording))
    times = clip_times(sources, 12_800)
    for codecs, obstacle in ((ALL_CODECS, reason), ((), None)):
        (span,) = plan_spans(sources, times, PictureFormat(None), codecs=codecs)
        assert isinstance(span, EncodedSpan)
        assert span.frames == sources[0].frames
        assert span.copy_obstacle == obstacle
