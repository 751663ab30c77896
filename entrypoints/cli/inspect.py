"""`camclip inspect`."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from attrs import asdict

from domain.errors import UnusableFootage
from domain.recording import RecordingSegment
from domain.window import TimeWindow
from entrypoints.cli.command import AsJson, command
from entrypoints.cli.console import UsageError, print_facts
from entrypoints.cli.environment import environment
from entrypoints.cli.units import seconds, size
from entrypoints.settings import read_clip_settings
from infrastructure.folder.recordings import open_recording
from infrastructure.mp4.errors import InvalidMp4
from infrastructure.transcoder.inspection import FileFacts, Spread, VideoFacts, inspect_recording

READING_S = 600
WHOLE = TimeWindow(0, 10**12)
BYTES_TO_KBIT = 8 / 1000


@command(example="`camclip inspect /media/frigate/recordings/2026-05-01/12/pier/00.00.mp4`")
def inspect(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="An MP4, which is only read.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Show what a recording is, and whether its frames can be copied.

    Its index is read: how the MP4 is laid out, codec, profile, frame rate, groups of pictures
    (GOPs), audio, and the stretches that its frames cover, in time since its first frame.
    """
    if not file.is_file():
        raise UsageError(f"{file} is no file: pass an MP4.")
    tolerance_ms = read_clip_settings(environment()).seam_tolerance_ms
    segment = RecordingSegment(TimeWindow(0, 1), file.name)
    deadline_s = time.monotonic() + READING_S
    try:
        recording = open_recording(file, segment, WHOLE, deadline_s, tolerance_ms)
        facts = inspect_recording(recording)
    except InvalidMp4 as error:
        raise UnusableFootage(f"{file} is not a readable recording: {error}") from error
    if as_json:
        typer.echo(json.dumps(as_members(facts, recording.segment)))
    else:
        print_facts(str(file), facts_of(facts, recording.segment))


def facts_of(facts: FileFacts, segment: RecordingSegment) -> Iterator[tuple[str, str]]:
    """Yield the labelled facts, for people."""
    duration_ms = segment.window.duration_ms
    yield "size", size(facts.size_bytes)
    yield "layout", facts.layout
    yield "duration", seconds(duration_ms)
    if facts.video:
        yield from _video_facts(facts.video, duration_ms)
    if audio := facts.audio:
        rate = f"{audio.rate_hz} Hz, {audio.channels} channel{'' if audio.channels == 1 else 's'}"
        kbit_s = audio.size_bytes * BYTES_TO_KBIT * 1000 / duration_ms
        yield "audio", f"{audio.codec}, {rate}, {audio.packets} packets, {kbit_s:,.0f} kbit/s"
    else:
        yield "audio", "none"
    for stretch in segment.stretches:
        yield "footage", f"{seconds(stretch.duration_ms)} from {seconds(stretch.start_ms)}"
    for gap in segment.window.without(segment.stretches):
        yield "gap", f"{seconds(gap.duration_ms)} from {seconds(gap.start_ms)}"
    for held in segment.held:
        yield "held", f"{seconds(held.duration_ms)} from {seconds(held.start_ms)}"
    for note in segment.notes:
        yield "note", note


def as_members(facts: FileFacts, segment: RecordingSegment) -> dict[str, object]:
    """Return the members of the JSON line."""

    def windows(found: tuple[TimeWindow, ...]) -> list[dict[str, int]]:
        return [{"startInMs": w.start_ms, "endInMs": w.end_ms} for w in found]

    return {
        "sizeBytes": facts.size_bytes,
        "layout": facts.layout,
        "boxes": list(facts.boxes),
        "durationInMs": segment.window.duration_ms,
        "video": _camel(asdict(facts.video)) if facts.video else None,
        "audio": _camel(asdict(facts.audio)) if facts.audio else None,
        "stretches": windows(segment.stretches),
        "gaps": windows(tuple(segment.window.without(segment.stretches))),
        "held": windows(segment.held),
        "notes": list(segment.notes),
    }


def _video_facts(video: VideoFacts, duration_ms: int) -> Iterator[tuple[str, str]]:
    profile = f", {video.profile}" if video.profile else ""
    yield "video", f"{video.codec}{profile}, {video.width} x {video.height}"
    kbit_s = video.size_bytes * BYTES_TO_KBIT * 1000 / duration_ms
    interval = video.interval_ms
    yield "frames", f"{video.frames}, {kbit_s:,.0f} kbit/s"
    if interval:
        yield (
            "rate",
            f"{1000 / interval.usual:.4g} frames/s; frames are {_range(interval)} ms apart",
        )
    if video.group_frames and video.group_ms:
        frames, apart = _range(video.group_frames), _range(video.group_ms)
        yield "GOPs", f"{video.groups}, of {frames} frames and {apart} ms"
    else:
        yield "GOPs", "no sample is marked as sync"
    obstacle = video.copy_obstacle
    yield "copying", f"no frame can be copied: {obstacle}" if obstacle else "frames can be copied"


def _range(spread: Spread) -> str:
    least, greatest = f"{spread.least:.4g}", f"{spread.greatest:.4g}"
    return least if least == greatest else f"{least} to {greatest} (usually {spread.usual:.4g})"


def _camel(members: dict[str, object]) -> dict[str, object]:
    """Return the members with names as in the service's messages: `interval_ms` is intervalInMs."""
    renamed = {name.replace("_ms", "_in_ms"): value for name, value in members.items()}
    return {
        first + "".join(word.capitalize() for word in rest): value
        for name, value in renamed.items()
        for first, *rest in [name.split("_")]
    }
