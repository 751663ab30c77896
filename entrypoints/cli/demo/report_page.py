"""The report about a clip: one self-contained page of HTML, the clip itself included."""

import base64
import json
import re
from collections.abc import Iterator
from pathlib import Path

from attrs import frozen
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from domain.coverage import Coverage
from domain.manifest import Manifest
from domain.planning import ClipPlan
from domain.recording import RecordingSegment
from domain.window import TimeWindow
from entrypoints.cli.demo.timeline import Timeline, fitting, paces, tick_label
from entrypoints.cli.times import clock, utc
from entrypoints.cli.units import VERIFIED, clock_text, seconds, size

MEDIA_TYPES = {
    ".mp4": "video/mp4",
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".webp": "image/webp",
}


@frozen
class SentMessage:
    """A message about the clip."""

    receiver: str
    protocol: str
    body: object


@frozen
class PlanRow:
    """A cut, seam or gap of the plan, or a finding of the coverage."""

    window: TimeWindow
    kind: str
    css_class: str
    detail: str


@frozen
class Page:
    """The contents of the page."""

    manifest: Manifest
    plan: ClipPlan
    recordings: tuple[RecordingSegment, ...]
    clip: Path
    thumbnails: tuple[Path, ...]
    """Named `<clip id>_<width>`, the smallest first."""
    messages: tuple[SentMessage, ...]


def report_page(page: Page) -> str:
    """Return the page; OSError if the clip or a thumbnail cannot be read."""
    plan, coverage = page.plan, page.manifest.report.coverage
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "clock": clock,
        "data_url": _data_url,
        "fitting": fitting,
        "file_size": lambda path: size(path.stat().st_size),
        "highlighted_json": _highlighted_json,
        "seconds": seconds,
        "tenths": "{:.1f}".format,
        "tick_label": tick_label,
        "utc": utc,
    }
    return environment.get_template("report.html.jinja").render(
        page=page,
        plan=plan,
        rows=sorted(_plan_rows(plan), key=lambda row: row.window),
        report=page.manifest.report,
        coverage=coverage,
        findings=sorted(_findings(coverage), key=lambda row: row.window),
        remarks=list(_remarks(coverage)),
        media=page.manifest.media,
        timeline=Timeline.of(plan, page.recordings, coverage),
        timing=_timing(page),
    )


def _plan_rows(plan: ClipPlan) -> Iterator[PlanRow]:
    for number, cut in enumerate(plan.cuts):
        yield PlanRow(cut.window, "Cut", "cut odd" if number % 2 else "cut", cut.segment.name)
    for seam in plan.seams:
        yield PlanRow(seam, "Seam", "seam", "the last frame is held")
    for gap in plan.gaps:
        yield PlanRow(gap, "Gap", "gap", "no footage: skipped")


def _findings(coverage: Coverage) -> Iterator[PlanRow]:
    for windows, kind, detail in (
        (coverage.gaps, "Gap", "no footage: skipped"),
        (coverage.damaged, "Damaged", "pictures that could not be decoded without a fault"),
        (coverage.held, "Held", "no picture was recorded: the one before stays"),
    ):
        for window in windows:
            yield PlanRow(window, kind, kind.lower(), detail)
    for unused in coverage.unused:
        yield PlanRow(unused.window, "Unused", "unused", f"{unused.name}: another recording plays")


def _remarks(coverage: Coverage) -> Iterator[str]:
    if coverage.clock:
        yield f"Clock: {clock_text(coverage.clock)}."
    if coverage.verified:
        yield f"Verified: {VERIFIED[coverage.verified]}."
    yield from coverage.notes


def _timing(page: Page) -> dict[str, object]:
    """Return what the page's script needs to convert the clip's time to the wall clock."""
    media, plan = page.manifest.media, page.plan
    return {
        "start": plan.window.start_ms,
        "end": plan.window.end_ms,
        "paces": [[pace.clip_ms, pace.wall_ms, pace.rate] for pace in paces(plan)],
        "frame": plan.duration_ms / media.frames if media and media.frames else 40,
    }


def _highlighted_json(body: object) -> Markup:
    """Return indented JSON with bold keys, and lists of numbers on one line."""
    text = str(escape(json.dumps(body, indent=2)))
    text = re.sub(r"\[([\d,\s]+)\]", lambda found: "[" + " ".join(found[1].split()) + "]", text)
    return Markup(re.sub(r"(?m)^( *)(&#34;\w+&#34;):", r"\1<b>\2</b>:", text))  # noqa: S704 - escaped


def _data_url(path: Path) -> str:
    data = base64.b64encode(path.read_bytes()).decode()
    return f"data:{MEDIA_TYPES[path.suffix]};base64,{data}"
