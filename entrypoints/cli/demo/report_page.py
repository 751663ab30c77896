"""The report about a clip: one page of HTML for the folder that the clip is in.

It is made of the same parts as the server's page about a clip, and needs no server: style sheets
and scripts are in the page, the clip and its thumbnails are the files next to it.
"""

import os
from collections.abc import Iterator
from datetime import UTC
from pathlib import Path
from urllib.parse import quote

from attrs import frozen

from domain.manifest import Manifest
from domain.planning import ClipPlan
from domain.recording import RecordingSegment
from domain.window import TimeWindow
from entrypoints.cli.clip_page.clock import FrameInstants, clock_members
from entrypoints.cli.clip_page.templates import (
    Thumbnail,
    environment,
    import_map,
    script,
    style_sheet,
)
from entrypoints.cli.demo.timeline import Timeline, fitting, tick_label

HERE = Path(__file__).parent
SCRIPT = HERE / "report.js"


@frozen
class SentMessage:
    """A message about the clip."""

    receiver: str
    protocol: str
    body: object


@frozen
class PlanRow:
    """A cut, seam or gap of the plan."""

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
    folder: Path
    """The page's."""
    clip: Path
    frames: FrameInstants
    thumbnails: tuple[Path, ...]
    """Named `<clip id>_<width>`, the smallest first."""
    messages: tuple[SentMessage, ...]

    def address(self, path: Path) -> str:
        """Return the address of a file, from the page."""
        return quote(Path(os.path.relpath(path, self.folder)).as_posix())


def report_page(page: Page) -> str:
    """Return the page; OSError if the clip or a thumbnail cannot be read."""
    plan, report = page.plan, page.manifest.report
    templates = environment(UTC, HERE)
    templates.filters |= {
        "address": page.address,
        "fitting": fitting,
        "tenths": "{:.1f}".format,
        "tick_label": tick_label,
    }
    return templates.get_template("report.html.jinja").render(
        page=page,
        plan=plan,
        rows=sorted(_plan_rows(plan), key=lambda row: row.window),
        report=report,
        media=page.manifest.media,
        thumbnails=[Thumbnail.of(path, page.address(path)) for path in page.thumbnails],
        timeline=Timeline.of(plan, page.recordings, report.coverage),
        timing={
            "clock": clock_members(page.manifest, page.frames),
            "window": {"startMs": plan.window.start_ms, "endMs": plan.window.end_ms},
        },
        style_sheet=style_sheet,
        import_map=import_map(SCRIPT),
        script=script(SCRIPT),
    )


def _plan_rows(plan: ClipPlan) -> Iterator[PlanRow]:
    for number, cut in enumerate(plan.cuts):
        yield PlanRow(cut.window, "Cut", "cut odd" if number % 2 else "cut", cut.segment.name)
    for seam in plan.seams:
        yield PlanRow(seam, "Seam", "seam", "the last frame is held")
    for gap in plan.gaps:
        yield PlanRow(gap, "Gap", "gap", "no footage: skipped")
