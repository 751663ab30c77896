"""Hold a clip whose gaps are filled against the usual one of the same cut."""

from itertools import chain, pairwise

import pytest
from attrs import evolve

from domain.options import ClipOptions
from tests.campaigns.fuzz_cuts.drawing import RandomCut
from tests.campaigns.fuzz_cuts.kinds import PlacedCamera
from tests.campaigns.fuzz_cuts.verifying import assert_verified
from tests.integration.exactness.camera import Clip
from tests.support.proofs import assert_proven

WITHIN_MS = 1.1
"""A gap begins and ends at whole milliseconds of the clip."""
ROUNDED_MS = 0.6
"""A frame after a gap is so much before it at most, one before it a millisecond at least."""


def assert_filled(usual: Clip, camera: PlacedCamera, cut: RandomCut) -> None:
    """The same frames are there, later by the gaps before them, and filler in between."""
    folder = camera.folder / "filled"
    folder.mkdir()
    options = ClipOptions(gaps=cut.gaps)
    own = evolve(camera, folder=folder)
    clip = own.cut(cut.recordings, cut.from_ms, cut.to_ms, options=options)
    assert clip.reading.messages == ""
    times_ms = clip.reading.times_ms
    assert times_ms[0] == 0
    assert all(before < after for before, after in pairwise(times_ms))
    proof = clip.rendition.evidence.proof
    assert proof
    filler = {*chain.from_iterable(proof.filler)}
    recorded = [number for number in range(len(times_ms)) if number not in filler]
    # Seen for a millisecond before a gap, a frame has no time of its own where the gap is skipped.
    is_shown_here_only = times_ms[1] < WITHIN_MS and len(recorded) > len(usual.reading.numbers)
    first = int(is_shown_here_only)
    shown = [clip.reading.numbers[number] for number in recorded[first:]]
    assert shown == list(usual.reading.numbers)
    assert len(filler) >= len(clip.plan.filled) >= 1
    if clip.plan.clock is None:
        assert clip.plan.duration_ms == cut.to_ms - cut.from_ms
        later_ms = [_later_ms(clip, time_ms) for time_ms in usual.reading.times_ms[first:]]
        seen_ms = [times_ms[number] for number in recorded[2 * first :]]
        assert seen_ms == pytest.approx(later_ms, abs=WITHIN_MS)
    assert_proven(clip.rendition, clip.path.read_bytes())
    assert_verified(clip, options)


def _later_ms(clip: Clip, time_ms: float) -> float:
    """Return when the clip shows what a clip without filler shows at a time."""
    for gap in clip.plan.filled:
        if time_ms > gap.start_ms - ROUNDED_MS:
            time_ms += gap.end_ms - gap.start_ms
    return time_ms
