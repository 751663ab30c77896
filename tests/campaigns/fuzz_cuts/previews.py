"""Hold the previews of a clip against its frames."""

import time
from collections.abc import Sequence
from math import ceil
from pathlib import Path

from devtools.footage import Recording
from domain.clip import ClipReport, ClipRequest
from domain.coverage import Coverage
from domain.manifest import Manifest
from domain.options import ClipOptions
from domain.pace import paces_of
from domain.recording import RecordingSegment
from domain.window import TimeWindow
from tests.integration.exactness.camera import WITHIN_MS, Camera, Clip, name_of
from tests.support.previews import gray, sprite_cues

DEADLINE_S = 60
ROUNDED_MS = 1e-6
"""Times that are read are floats."""


def assert_previews(
    clip: Clip, camera: Camera, recordings: Sequence[Recording], options: ClipOptions
) -> None:
    """Each picture of a sprite is that frame of the clip with which its cue begins."""
    made = _made(clip, camera, options)
    if "sheet" in options.previews:
        assert gray(made["sheet.jpg"]).width
    if "sprite" not in options.previews:
        return
    cues, image = sprite_cues(made["sprite.vtt"].read_text()), gray(made["sprite.jpg"])
    rates = {cut.segment.name: cut.segment.rate for cut in clip.plan.cuts}
    starts_ms = [ceil(time_ms - ROUNDED_MS) for time_ms in clip.reading.times_ms]
    assert cues[0].start_ms == 0
    for cue in cues:
        number = image.number_in(cue.box, clip.reading.turned)
        expected = clip.reading.numbers[starts_ms.index(cue.start_ms)]
        assert number == expected, f"the cue of {cue.start_ms} ms shows {number}, not {expected}"
        source = next(r for r in recordings if number in r.numbers)
        media_ms = source.times_ms[number - source.first_number]
        seen_ms = source.start_ms + media_ms / rates[name_of(source)]
        assert abs(cue.seen_ms - float(seen_ms)) <= WITHIN_MS, f"frame {number}"


def _made(clip: Clip, camera: Camera, options: ClipOptions) -> dict[str, Path]:
    window, folder = clip.plan.window, clip.path.parent / "previews"
    folder.mkdir()
    request = ClipRequest("random", "pier", window.start_ms, window.end_ms, options=options)
    coverage = Coverage(clip.plan.gaps, clock=clip.plan.clock)
    manifest = Manifest(
        ClipReport.available(request, coverage),
        "m#1",
        clip.rendition.media,
        proof=clip.rendition.evidence.proof,
        paces=paces_of(clip.plan) if clip.plan.clock else (),
    )
    segment = RecordingSegment(TimeWindow(0, 1), clip.path.name)
    stored = camera.buckets.open(segment, clip.path.read_bytes())
    deadline_s = time.monotonic() + DEADLINE_S
    return dict(camera.transcoder.sidecars(stored, manifest, options, folder, deadline_s))
