"""A clip's report as one page of HTML that needs nothing else: the clip itself is in it."""

import base64
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html import escape
from pathlib import Path
from string import Template

from attrs import frozen

from domain.manifest import Manifest, MediaInfo
from domain.planning import ClipPlan
from domain.recording import RecordingSegment
from domain.window import TimeWindow
from entrypoints.cli.demo.timeline import draw_timeline

TEMPLATE = Path(__file__).with_name("report.html.tmpl")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TYPES = {".mp4": "video/mp4", ".jpg": "image/jpeg", ".png": "image/png", ".webp": "image/webp"}


@frozen
class Sent:
    """A message that went out."""

    to: str
    what: str
    body: object


@frozen
class Page:
    """What the page shows: all of one clip."""

    manifest: Manifest
    plan: ClipPlan
    recorded: tuple[RecordingSegment, ...]
    clip: Path
    thumbnails: tuple[Path, ...]
    """Named `<clip id>_<width>`, the smallest first."""
    messages: tuple[Sent, ...]


def report_page(page: Page) -> str:
    """Write the page; OSError if the clip or a still cannot be read."""
    plan, report = page.plan, page.manifest.report
    whole = "Every moment of it is there." if not plan.gaps else str(report.reason)
    return Template(TEMPLATE.read_text(encoding="utf-8")).substitute(
        title=escape(f"Clip {report.clip_id}"),
        clip_id=escape(report.clip_id),
        headline=escape(f"{plan.delivered_ms / 1000:.3f} seconds of {report.camera_id}"),
        status=escape(report.status.value.replace("_", " ").capitalize()),
        status_class="whole" if not plan.gaps else "partial",
        lead=(
            f"Asked for: <time>{_utc(plan.window.start_ms)}</time> to"
            f" <time>{_clock(plan.window.end_ms)}</time> UTC. {escape(whole)}"
        ),
        facts="".join(_facts(plan, page.manifest.media)),
        video=_data_url(page.clip),
        video_size=_size(page.clip),
        aspect=_aspect(page.manifest.media),
        timeline=draw_timeline(plan, page.recorded),
        timing=_timing(page),
        plan_rows="".join(_plan_rows(plan)),
        thumbnails="".join(map(_still, page.thumbnails)),
        sources="".join(_source_rows(page.manifest)),
        messages="".join(map(_message, page.messages)),
        fingerprint=escape(report.fingerprint),
        event_id=escape(report.event_id),
        writer=escape(page.manifest.writer),
    )


def _facts(plan: ClipPlan, media: MediaInfo | None) -> Iterator[str]:
    yield _fact("Delivered", f"{plan.delivered_ms / 1000:.3f} s", f"asked {_s(plan.window)}")
    if media is None:
        return
    encoded = media.frames - media.copied_frames
    yield _fact("Frames", f"{media.frames:,}", "counted in the file")
    yield _fact("Copied as they were", f"{media.copied_frames:,}", f"{encoded:,} encoded anew")
    yield _fact(
        "First frame at",
        f"{media.first_ms / 1000:.3f} s",
        f"last at {media.last_ms / 1000:.3f} s, until {media.duration_ms / 1000:.3f} s",
    )
    yield _fact("Picture", f"{media.width} \N{MULTIPLICATION SIGN} {media.height}", media.codec)


def _fact(name: str, value: str, remark: str) -> str:
    return (
        f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd>"
        f'<dd class="remark">{escape(remark)}</dd></div>\n'
    )


def _plan_rows(plan: ClipPlan) -> Iterator[str]:
    parts = [
        (cut.window, "Cut", f"cut{' odd' * (number % 2)}", cut.segment.name)
        for number, cut in enumerate(plan.cuts)
    ]
    parts += [(seam, "Seam", "seam", "the last frame is held") for seam in plan.seams]
    parts += [(gap, "Gap", "gap", "no footage: left out") for gap in plan.gaps]
    for window, kind, key, what in sorted(parts):
        at_s = plan.clip_time_ms(window.start_ms) / 1000
        yield (
            f'<tr><td><span class="key {key}"></span>{kind}</td>'
            f'<td class="name">{escape(what)}</td>'
            f"<td>{_clock(window.start_ms)}</td><td>{_clock(window.end_ms)}</td>"
            f"<td>{_s(window)}</td><td>{at_s:.3f} s</td></tr>\n"
        )


def _source_rows(manifest: Manifest) -> Iterator[str]:
    for source in manifest.sources:
        yield (
            f'<tr><td class="name">{escape(source.name)}</td>'
            f"<td>{_clock(source.window.start_ms)}</td><td>{_clock(source.window.end_ms)}</td>"
            f'<td class="name">{escape(source.version)}</td></tr>\n'
        )


def _still(path: Path) -> str:
    width = path.stem.rpartition("_")[2]
    return (
        f'<figure><img src="{_data_url(path)}" alt="A quarter into the clip, {width} pixels wide">'
        f"<figcaption><b>{width} px</b> {_size(path)}</figcaption></figure>\n"
    )


def _message(sent: Sent) -> str:
    text = escape(json.dumps(sent.body, indent=2))
    text = re.sub(r"\[([\d,\s]+)\]", lambda list_: "[" + " ".join(list_[1].split()) + "]", text)
    text = re.sub(r"(?m)^( *)(&quot;\w+&quot;):", r"\1<b>\2</b>:", text)
    return (
        f"<article><h3>{escape(sent.to)}</h3><p><code>{escape(sent.what)}</code></p>"
        f'<pre tabindex="0">{text}</pre></article>\n'
    )


def _timing(page: Page) -> str:
    """Tell the page's script what it needs to show the wall clock of a moment of the clip."""
    media = page.manifest.media
    told = {
        "start": page.plan.window.start_ms,
        "end": page.plan.window.end_ms,
        "gaps": [[gap.start_ms, gap.end_ms] for gap in page.plan.gaps],
        "frame": page.plan.delivered_ms / media.frames if media and media.frames else 40,
    }
    return json.dumps(told)


def _data_url(path: Path) -> str:
    return f"data:{TYPES[path.suffix]};base64,{base64.b64encode(path.read_bytes()).decode()}"


def _size(path: Path) -> str:
    size_bytes = path.stat().st_size
    return f"{size_bytes / 1e6:.1f} MB" if size_bytes >= 1e6 else f"{size_bytes / 1e3:.0f} KB"  # noqa: PLR2004


def _aspect(media: MediaInfo | None) -> str:
    return f"{media.width} / {media.height}" if media else "16 / 9"


def _s(window: TimeWindow) -> str:
    return f"{window.duration_ms / 1000:.3f} s"


def _utc(instant_ms: int) -> str:
    return f"{EPOCH + timedelta(milliseconds=instant_ms):%Y-%m-%d} {_clock(instant_ms)}"


def _clock(instant_ms: int) -> str:
    return f"{EPOCH + timedelta(milliseconds=instant_ms):%H:%M:%S}.{instant_ms % 1000:03d}"
