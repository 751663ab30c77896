"""A clip's facts and findings, in words."""

from collections.abc import Iterator, Mapping

from attrs import frozen

from domain.clip import DELETED, FILLER_TITLES, ClipReport, ClipStatus, UnknownStatus
from domain.coverage import Coverage
from domain.manifest import MediaInfo
from domain.window import TimeWindow
from entrypoints.cli.units import VERIFIED, clock_text, seconds

STATUSES: Mapping[ClipStatus | UnknownStatus, str] = {
    ClipStatus.AVAILABLE: "Available",
    ClipStatus.PENDING: "In progress",
    ClipStatus.NOT_AVAILABLE: "No footage",
    ClipStatus.OUT_OF_RANGE: "Too long ago",
    ClipStatus.TOO_LONG: "Too long",
    ClipStatus.RETRY_TIMEOUT: "Footage did not come",
    ClipStatus.FATAL_ERROR: "Failed",
    DELETED: "Deleted",
}
REMEDIES: Mapping[ClipStatus | UnknownStatus, str] = {
    ClipStatus.NOT_AVAILABLE: "Choose a window in which the camera has footage.",
    ClipStatus.OUT_OF_RANGE: "Choose a later window.",
    ClipStatus.TOO_LONG: "Choose a shorter window, or several.",
    ClipStatus.RETRY_TIMEOUT: "Choose the window again once its footage is stored.",
    ClipStatus.FATAL_ERROR: "Correct what the reason names, then choose the window again.",
}


@frozen
class Fact:
    """A measurement, and what qualifies it."""

    name: str
    value: str
    remark: str = ""


@frozen
class Finding:
    """A part of the requested window that the clip does not show as it was."""

    window: TimeWindow
    kind: str
    detail: str
    show_ms: int | None = None
    """When what the clip shows of it was seen, or what it shows next; None if it shows neither."""

    @property
    def css_class(self) -> str:
        """How it is drawn."""
        return self.kind.lower()


def status_text(report: ClipReport) -> str:
    """Return a report's status in words: a partial clip is none that is complete."""
    if report.has_clip and not report.coverage.is_complete:
        return "Partial"
    words = report.status.value.removeprefix("CLIP_").replace("_", " ").capitalize()
    return STATUSES.get(report.status, words)


def status_class(report: ClipReport) -> str:
    """Return how a report's status is drawn: good, warn, bad or busy."""
    if report.has_clip:
        return "good" if report.coverage.is_complete else "warn"
    return "busy" if report.status is ClipStatus.PENDING else "bad"


def remedy_of(report: ClipReport) -> str:
    """Return what helps a request that has ended without a clip, empty if nothing is known to."""
    return REMEDIES.get(report.status, "")


def facts_of(report: ClipReport, media: MediaInfo | None) -> Iterator[Fact]:
    """Yield what was delivered and measured."""
    if report.has_clip and report.start_ms is not None and report.end_ms is not None:
        remark = f"requested {seconds(report.end_ms - report.start_ms)}"
        if filled_ms := report.shown_ms - report.delivered_ms:
            remark += f"; {seconds(filled_ms)} more show {FILLER_TITLES[report.options['gaps']]}"
        yield Fact("Delivered", seconds(report.delivered_ms), remark)
    if media is None:
        return
    encoded = media.frames - media.copied_frames
    before = f", {media.held_frames:,} from before the clip" if media.held_frames else ""
    first, last = seconds(media.first_ms), seconds(media.last_ms)
    yield Fact("Frames", f"{media.frames:,}", "counted in the file")
    yield Fact("Copied frames", f"{media.copied_frames:,}", f"{encoded:,} encoded again{before}")
    yield Fact("First frame at", first, f"last at {last}, until {seconds(media.duration_ms)}")
    yield Fact("Video", f"{media.width} \N{MULTIPLICATION SIGN} {media.height}", media.codec)


def findings_of(report: ClipReport) -> list[Finding]:
    """Return what the clip does not show as it was, in order."""
    return sorted(_findings(report), key=lambda finding: finding.window)


def _findings(report: ClipReport) -> Iterator[Finding]:
    coverage = report.coverage
    for gap in coverage.gaps:
        if report.fills_gaps:
            filler = FILLER_TITLES[report.options["gaps"]]
            yield Finding(gap, "Gap", f"no footage: the clip shows {filler}", gap.start_ms)
        else:
            yield Finding(gap, "Gap", "no footage: skipped", gap.end_ms)
    for damaged in coverage.damaged:
        detail = "pictures that could not be decoded without a fault"
        yield Finding(damaged, "Damaged", detail, damaged.start_ms)
    for held in coverage.held:
        yield Finding(held, "Held", "no picture was recorded: the one before stays", held.start_ms)
    for unused in coverage.unused:
        yield Finding(unused.window, "Unused", f"{unused.name}: another recording plays")


def remarks_of(coverage: Coverage) -> Iterator[str]:
    """Yield what else a viewer should know."""
    if coverage.clock:
        yield f"Clock: {clock_text(coverage.clock)}."
    if coverage.verified:
        yield f"Verified: {VERIFIED[coverage.verified]}."
    yield from coverage.notes
