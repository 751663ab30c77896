"""The checks that need no network: settings, Python, ffmpeg, the scratch folder."""

import shutil
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import version
from pathlib import Path

from domain.errors import ClipError
from entrypoints.cli.doctor.finding import Finding, judged
from entrypoints.cli.sample_values import sample_values
from entrypoints.cli.units import size
from entrypoints.settings import (
    AwsSettings,
    ClipSettings,
    InvalidSettings,
    read_clip_settings,
    read_settings,
)
from infrastructure.ffmpeg.locate import LAYER, find_ffmpeg
from infrastructure.ffmpeg.runner import Ffmpeg
from infrastructure.ffmpeg.thumbnails import FORMATS
from infrastructure.scratch import work_folder

MIN_PYTHON = (3, 11)
FFMPEG_S = 20
SPLICED_CLIP_BYTES = 64 << 20
"""Scratch space for a spliced clip, several times over."""
ENCODED_CLIP_BYTES_PER_S = 1_000_000
"""Scratch space for a clip that is encoded or decoded entirely: 8 Mbit/s."""
PROBE = b"camclip doctor"


def check_locally(environ: Mapping[str, str]) -> Iterator[Finding]:
    """Yield the findings on this machine."""
    yield judge_python(sys.version_info[:3])
    yield from settings(environ)
    clips = _clip_settings(environ)
    yield from ffmpeg(environ, clips.thumbnails.format)
    yield scratch(Path(environ.get("CLIP_DOWNLOAD_DEST") or "/tmp"), clips)  # noqa: S108


def judge_python(found: tuple[int, ...]) -> Finding:
    """Judge the interpreter's version."""
    detail = f"{'.'.join(map(str, found))}, with boto3 {version('boto3')}"
    fix = f"Use {'.'.join(map(str, MIN_PYTHON))} or later."
    return judged("python", found >= MIN_PYTHON, detail, fix)


def settings(environ: Mapping[str, str]) -> Iterator[Finding]:
    """Read the settings as the Lambda function does; each fault is a finding."""
    faults = faults_of(environ)
    if not faults:
        yield judge_values(read_settings(environ).aws)
    elif faults == faults_of({}):
        detail = "no setting of the service in AWS is set; a folder needs none"
        yield Finding("settings", None, detail, "`make sbox` makes a .env to start from.")
    else:
        for fault in faults:
            fix = "Correct it in the environment or in .env (the environment wins)."
            yield Finding("settings", False, fault, fix)


def judge_values(aws: AwsSettings) -> Finding:
    """Judge valid settings: those of a sample are not complete."""
    samples = sample_values(aws)
    if samples:
        fix = "Replace them in the environment or in .env (the environment wins)."
        return Finding("settings", False, f"still as in a sample: {', '.join(samples)}", fix)
    return Finding("settings", True, f"complete: {aws.origin_bucket} -> {aws.destination_bucket}")


def faults_of(environ: Mapping[str, str]) -> list[str]:
    """Return the faults of the settings."""
    try:
        read_settings(environ)
    except InvalidSettings as error:
        return [line.strip() for line in str(error).splitlines()[1:]]
    return []


def ffmpeg(environ: Mapping[str, str], thumbnail_format: str) -> Iterator[Finding]:
    """Locate ffmpeg and run it; it must have the encoders that the service uses."""
    fix = "Set CAMCLIP_FFMPEG to an ffmpeg for this machine, or install imageio-ffmpeg."
    version_lines: list[str] = []
    encoder_lines: list[str] = []
    try:
        path = find_ffmpeg(environ)
        deadline_s = time.monotonic() + FFMPEG_S
        Ffmpeg(path).run(["-version"], deadline_s, on_line=version_lines.append)
        Ffmpeg(path).run(["-encoders"], deadline_s, on_line=encoder_lines.append)
    except ClipError as error:
        yield Finding("ffmpeg", False, str(error), fix)
        return
    number = " ".join("".join(version_lines[:1]).split()[2:3])
    detail = f"{number or 'prints no version'}, {_origin_of(path, environ)}: {path}"
    yield judged("ffmpeg", bool(number), detail, fix)
    yield judge_encoders(encoder_lines, thumbnail_format)


def judge_encoders(lines: Iterable[str], thumbnail_format: str) -> Finding:
    """Judge the output of `ffmpeg -encoders`: a line each, flags and name first."""
    required = {"libx264", "aac", "wrapped_avframe", FORMATS[thumbnail_format][1][1]}
    listed = {fields[1] for fields in map(str.split, lines) if len(fields) > 1}
    missing = ", ".join(sorted(required - listed))
    detail = f"{missing} missing" if missing else ", ".join(sorted(required))
    fix = "Use an ffmpeg built with them, as imageio-ffmpeg's is."
    return judged("encoders", not missing, detail, fix)


def scratch(folder: Path, clips: ClipSettings) -> Finding:
    """Make a work folder as a delivery does, and write to it."""
    try:
        with work_folder(folder) as work:
            (work / "probe").write_bytes(PROBE)
            return judge_scratch(folder, shutil.disk_usage(work).free, clips)
    except OSError as error:
        fix = "Set CLIP_DOWNLOAD_DEST to a folder that the service can write to."
        return Finding("scratch", False, f"{folder}: {error.strerror}", fix)


def judge_scratch(folder: Path, free_bytes: int, clips: ClipSettings) -> Finding:
    """Judge the disk space for one clip: spliced ones need little, others their own size."""
    need_bytes = (
        SPLICED_CLIP_BYTES + ENCODED_CLIP_BYTES_PER_S * clips.policy.max_duration_ms // 1000
    )
    detail = f"{folder}: {size(free_bytes)} free; a clip may need {size(need_bytes)}"
    fix = "Free disk space, or set CLIP_DOWNLOAD_DEST to another disk."
    return judged("scratch", free_bytes >= need_bytes, detail, fix)


def _origin_of(path: Path, environ: Mapping[str, str]) -> str:
    if environ.get("CAMCLIP_FFMPEG"):
        return "from CAMCLIP_FFMPEG"
    if path == LAYER:
        return "from the layer"
    return "from imageio-ffmpeg" if "imageio_ffmpeg" in path.parts else "on PATH"


def _clip_settings(environ: Mapping[str, str]) -> ClipSettings:
    """Read the clip settings, or return the defaults if they are invalid, as `settings` reports."""
    try:
        return read_clip_settings(environ)
    except InvalidSettings:
        return read_clip_settings({})
