"""The report page: complete without a server, and consistent with the plan."""

import base64
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from domain.clip import ClipReport, ClipRequest
from domain.coverage import Clock, Coverage, Unused, Verification
from domain.manifest import Manifest, MediaInfo, Source
from domain.pace import Pace
from domain.planning import plan_clip
from domain.recording import RecordingSegment
from domain.window import TimeWindow
from entrypoints.cli.clip_page.clock import FrameInstants
from entrypoints.cli.demo.report_page import Page, SentMessage, report_page

START_MS = 1_777_636_800_000
NODE = shutil.which("node")
NASTY = 'a<script>"b"&.20260501T120000.mp4'


def segment(start_s: float, end_s: float, name: str) -> RecordingSegment:
    window = TimeWindow(START_MS + round(1000 * start_s), START_MS + round(1000 * end_s))
    return RecordingSegment(window, name)


@pytest.fixture
def page(tmp_path: Path) -> Page:
    """Describe a clip of three recordings with a seam and a gap."""
    recordings = (
        segment(0, 60, NASTY),
        segment(60.5, 100, "second.mp4"),
        segment(110, 160, "third.mp4"),
        segment(120, 180, "other.mp4"),
    )
    request = ClipRequest("c1", "pier", START_MS + 50_250, START_MS + 115_000)
    plan = plan_clip(request.window, recordings, 1000)
    folder = tmp_path / "clips" / "pi er"
    folder.mkdir(parents=True)
    clip, thumbnail = folder / "c1.mp4", folder / "c1_300.jpg"
    clip.write_bytes(b"the clip")
    thumbnail.write_bytes(b"the thumbnail")
    return Page(
        manifest=Manifest(
            ClipReport.available(request, Coverage(plan.gaps)),
            "m#1",
            MediaInfo(1643, 16.7, 54_716.7, 54_750, "h264", 960, 540, 1500),
            tuple(Source(cut.segment.name, "v</td>1", cut.window) for cut in plan.cuts),
        ),
        plan=plan,
        recordings=recordings,
        folder=tmp_path,
        clip=clip,
        frames=FrameInstants(1000, [17, 50, 83, 583]),
        thumbnails=(thumbnail,),
        messages=(
            SentMessage("To the camera API", "PUT /c1", {"reason": "<b>&", "sizes": [300, 640]}),
        ),
    )


class Reader(HTMLParser):
    """Collects tags with their attributes, and the text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def with_class(self, tag: str, css_class: str) -> list[dict[str, str | None]]:
        return [
            attributes
            for name, attributes in self.tags
            if name == tag and css_class in str(attributes.get("class", "")).split()
        ]


def test_the_page_plays_the_file_next_to_it(page: Page) -> None:
    """The clip and its thumbnails, by their places from the page's folder on."""
    reader = Reader(report_page(page))
    (video,) = (attributes for tag, attributes in reader.tags if tag == "video")
    assert video["src"] == "clips/pi%20er/c1.mp4"
    assert video["poster"] == "clips/pi%20er/c1_300.jpg"
    assert (video["width"], video["height"]) == ("960", "540")


def test_the_page_loads_nothing_else(page: Page) -> None:
    """Opened from disk, without a network, it is complete."""
    html = report_page(page)
    for _, attributes in Reader(html).tags:
        for name in ("src", "href", "srcset", "data", "poster"):
            assert str(attributes.get(name) or "clips/pi%20er/").startswith("clips/pi%20er/")
    assert not re.search(r"@import|url\((?!#)|https?://[a-z]+\.(?!w3\.org)", html)
    assert len(html) < 100_000


@pytest.mark.skipif(NODE is None, reason="There is no node.")
def test_the_pages_script_needs_no_other_file(page: Page) -> None:
    """The modules that it imports are in it, down to the last one."""
    html = report_page(page)
    (import_map,) = re.findall(r'<script type="importmap">(.*)</script>', html)
    modules = {
        name: base64.b64decode(url.removeprefix("data:text/javascript;base64,")).decode()
        for name, url in json.loads(import_map)["imports"].items()
    }
    scripts = [html.partition('<script type="module">')[2].partition("</script>")[0]]
    scripts += modules.values()
    imported = {name for text in scripts for name in re.findall(r' from "([^"]+)";', text)}
    assert imported == modules.keys()
    assert any("requestVideoFrameCallback" in text for text in scripts)
    for text in scripts:
        done = subprocess.run(
            [str(NODE), "--check", "--input-type=module"],
            input=text,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr


def test_names_and_reasons_are_escaped(page: Page) -> None:
    """A file's name is never read as markup."""
    reader = Reader(report_page(page))
    assert [tag for tag, _ in reader.tags].count("script") == 3
    assert NASTY in reader.text
    assert "v</td>1" in reader.text
    assert '"reason": "<b>&"' in reader.text
    assert '"sizes": [300, 640]' in reader.text


def test_the_facts_are_those_of_the_clip(page: Page) -> None:
    """What was requested, delivered, missing and measured."""
    text = Reader(report_page(page)).text
    for fact in (
        "54.750 seconds of pier",
        "2026-05-01 12:00:50.250",
        "There is no footage of 10 s of the clip.",
        "requested 64.750 s",
        "1,643",
        "143 encoded again",
        "960 \N{MULTIPLICATION SIGN} 540",
    ):
        assert fact in text


def test_the_timeline_draws_the_plan(page: Page) -> None:
    """Recordings, used or not; the window; cuts, seam and gap at their positions."""
    reader = Reader(report_page(page))
    assert len(reader.with_class("rect", "recording")) == 4
    assert len(reader.with_class("rect", "used")) == 3
    rows = {str(bar["y"]) for bar in reader.with_class("rect", "recording")}
    assert len(rows) == 2
    parts = [
        (float(bar["x"] or 0), float(bar["width"] or 0))
        for kind in ("cut", "seam", "gap")
        for bar in reader.with_class("rect", kind)
    ]
    first, second, third, seam, gap = parts
    assert first[0] == 96
    for before, after in ((first, seam), (second, gap), (gap, third)):
        assert sum(before) == pytest.approx(after[0], abs=0.2)
    assert sum(third) == pytest.approx(988, abs=0.2)
    assert gap[1] / first[1] == pytest.approx(10 / 9.75, rel=0.01)
    [after_the_gap] = re.findall(r'x="([\d.]+)" [^>]*>50 s<', report_page(page))
    assert float(after_the_gap) == pytest.approx(96 + 892 * 60 / 64.75, abs=0.1)
    assert "seam 0.500 s" in reader.text
    assert "gap 10.000 s" in reader.text
    assert "3 cuts, 1 seams, 1 gaps" in reader.text


def clock_of(page: Page) -> Any:  # noqa: ANN401 - a JSON object
    found = re.search(r'id="timing">(.*)</script>', report_page(page))
    assert found
    return json.loads(found[1])["clock"]


def paces_of(page: Page) -> list[list[float]]:
    return [
        [pace["clipInMs"], pace["seenTimestampInMs"] - START_MS, pace["rate"]]
        for pace in clock_of(page)["paces"]
    ]


def test_the_script_converts_times_by_the_manifests_paces(page: Page) -> None:
    """After gaps if there are none; a seam runs on."""
    assert paces_of(page) == [[0, 50_250, 1], [49_750, 110_000, 1]]
    paces = (Pace(0, START_MS + 50_000), Pace(10_000, START_MS + 59_500, 1.25))
    timed = evolve(page, manifest=evolve(page.manifest, paces=paces))
    assert paces_of(timed) == [[0, 50_000, 1], [10_000, 59_500, 1.25]]


def test_the_script_steps_by_the_clips_own_frames(page: Page) -> None:
    """However far they are apart: equal intervals are counted."""
    clock = clock_of(page)
    assert clock["frames"] == {"timescale": 1000, "firstInTicks": 17, "runs": [[2, 33], [1, 500]]}
    assert clock["durationInMs"] == 54_750


def test_the_timeline_labels_times_of_the_clip_where_they_were_seen(page: Page) -> None:
    """In a clip with an overlap, half a second of the second recording is shown later."""
    window = TimeWindow(START_MS + 50_000, START_MS + 70_000)
    plan = plan_clip(window, [segment(0, 60, "a.mp4"), segment(59.5, 100, "b.mp4")], 1000)
    [tick] = re.findall(r'x="([\d.]+)" [^>]*>15 s<', report_page(evolve(page, plan=plan)))
    assert float(tick) == pytest.approx(96 + 892 * 14.5 / 20, abs=0.1)


def with_findings(page: Page) -> Page:
    """Add a finding of each kind."""

    def window(start_s: float, end_s: float) -> TimeWindow:
        return segment(start_s, end_s, "").window

    coverage = evolve(
        page.manifest.report.coverage,
        damaged=(window(55, 57.5),),
        held=(window(60, 60.5),),
        unused=(Unused(NASTY, window(112, 114)),),
        clock=Clock(1.25, -1500),
        verified=Verification.SPLICES,
        notes=("The clock <b> stepped back.",),
    )
    request = ClipRequest("c1", "pier", START_MS + 50_250, START_MS + 115_000)
    report = ClipReport.available(request, coverage)
    return evolve(page, manifest=evolve(page.manifest, report=report))


def span(start: str, end: str) -> str:
    return f"2026-05-01 {start} UTC 2026-05-01 {end} UTC"


def test_the_page_names_every_finding(page: Page) -> None:
    """Gap, damage, held picture, unused recording, clock, what was verified, and notes."""
    text = " ".join(Reader(report_page(with_findings(page))).text.split())
    for finding in (
        "The footage of 2.5 s of the clip is damaged.",
        f"Gap no footage: skipped {span('12:01:40.000', '12:01:50.000')} 10.000 s",
        f"could not be decoded without a fault {span('12:00:55.000', '12:00:57.500')} 2.500 s",
        f"recorded: the one before stays {span('12:01:00.000', '12:01:00.500')} 0.500 s",
        f"{NASTY}: another recording plays {span('12:01:52.000', '12:01:54.000')} 2.000 s",
        "Clock: 1.25 s of footage per second; the clip is 1.500 s shorter than the time it shows",
        "Verified: the encoded pictures and their copied neighbours were decoded.",
        "The clock <b> stepped back.",
        "1 gaps, 1 damaged, 1 held",
    ):
        assert finding in text


def test_the_timeline_draws_damaged_and_held_windows(page: Page) -> None:
    """At their positions; without any there is none."""
    reader = Reader(report_page(with_findings(page)))
    for kind, start_s, duration_s in (("damaged", 55, 2.5), ("held", 60, 0.5)):
        (bar,) = reader.with_class("rect", kind)
        assert float(bar["x"] or 0) == pytest.approx(96 + 892 * (start_s - 50.25) / 64.75, abs=0.1)
        width = max(892 * duration_s / 64.75, 3)
        assert float(bar["width"] or 0) == pytest.approx(width, abs=0.1)
    plain = Reader(report_page(page))
    assert not plain.with_class("rect", "damaged") + plain.with_class("rect", "held")


def test_damage_makes_a_clip_partial_and_a_held_picture_does_not(page: Page) -> None:
    """As the report's `complete` says."""
    coverage = with_findings(page).manifest.report.coverage
    for damaged, css_class in (((), "good"), (coverage.damaged, "warn")):
        request = ClipRequest("c1", "pier", START_MS + 50_250, START_MS + 115_000)
        report = ClipReport.available(request, evolve(coverage, gaps=(), damaged=damaged))
        shown = evolve(page, manifest=evolve(page.manifest, report=report))
        assert Reader(report_page(shown)).with_class("strong", css_class)


def test_ids_are_unique_and_images_have_descriptions(page: Page) -> None:
    """As screen readers need."""
    reader = Reader(report_page(page))
    ids = [attributes["id"] for _, attributes in reader.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert all(attributes.get("alt") for tag, attributes in reader.tags if tag == "img")
    assert any(tag == "desc" for tag, _ in reader.tags)


def test_complete_and_partial_clips_look_different(page: Page) -> None:
    """By colour, and in words."""
    assert Reader(report_page(page)).with_class("strong", "warn")
    request = ClipRequest("c1", "pier", START_MS + 10_000, START_MS + 70_000)
    plan = plan_clip(request.window, page.recordings, 1000)
    complete = evolve(
        page, plan=plan, manifest=Manifest(ClipReport.available(request, Coverage()), "m#1")
    )
    reader = Reader(report_page(complete))
    assert reader.with_class("strong", "good")
    assert "The clip is complete." in reader.text
