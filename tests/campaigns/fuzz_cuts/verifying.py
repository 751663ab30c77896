"""Verify a clip by its proof."""

from math import inf

from application.verify_clip import VerifyClip
from domain.clip import ClipReport, ClipRequest
from domain.coverage import Coverage
from domain.findings import Judgement, Subject
from domain.manifest import Manifest, Source
from domain.options import ClipOptions
from infrastructure.clip_file import LocalClipFile
from tests.integration.exactness.camera import Clip


def assert_verified(clip: Clip, options: ClipOptions) -> None:
    """Verify the clip by its proof, as `camclip verify` does without the recordings."""
    plan, rendition = clip.plan, clip.rendition
    bounds_ms = plan.window.start_ms, plan.window.end_ms
    request = ClipRequest("random", "pier", *bounds_ms, options=options)
    coverage = Coverage(plan.gaps, held=plan.held, clock=plan.clock)
    report, proof = ClipReport.available(request, coverage), rendition.evidence.proof
    sources = tuple(Source(cut.segment.name, "1", cut.window) for cut in plan.cuts)
    manifest = Manifest(report, "m#1", rendition.media, sources, proof)
    found = VerifyClip()(manifest, LocalClipFile(clip.path, {}), inf)
    assert [each for each in found if each.judgement is Judgement.CHANGED] == []
    assert Subject.FRAMES in {f.subject for f in found if f.judgement is Judgement.INTACT}
