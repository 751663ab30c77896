"""What can be seen without asking anybody: settings, Python, ffmpeg, the scratch folder."""

import shutil
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import version
from pathlib import Path

from domain.errors import ClipError
from entrypoints.cli.doctor.finding import Finding
from entrypoints.cli.units import megabytes
from entrypoints.settings import ClipSettings, InvalidSettings, read_clip_settings, read_settings
from infrastructure.ffmpeg.locate import LAYER, find_ffmpeg
from infrastructure.ffmpeg.runner import Ffmpeg
from infrastructure.ffmpeg.thumbnails import FORMATS
from infrastructure.scratch import work_folder

MIN_PYTHON = (3, 11)
FFMPEG_S = 20
EDGES_BYTES = 64 << 20
"""What a spliced clip takes, several times over."""
WHOLE_BYTES_PER_S = 1_000_000
"""What a clip takes that is encoded or decoded whole: 8 Mbit/s."""
PROBE = b"camclip doctor"


def check_locally(environ: Mapping[str, str]) -> Iterator[Finding]:
    """Look at everything on this machine."""
    yield judge_python(sys.version_info[:3])
    yield from settings(environ)
    rules = _rules(environ)
    yield from ffmpeg(environ, rules.thumbnails.format)
    yield scratch(Path(environ.get("CLIP_DOWNLOAD_DEST") or "/tmp"), rules)  # noqa: S108


def judge_python(found: tuple[int, ...]) -> Finding:
    """Judge the interpreter's version."""
    said = f"{'.'.join(map(str, found))}, with boto3 {version('boto3')}"
    if found >= MIN_PYTHON:
        return Finding("python", True, said)
    return Finding("python", False, said, f"Use {'.'.join(map(str, MIN_PYTHON))} or later.")


def settings(environ: Mapping[str, str]) -> Iterator[Finding]:
    """Read the settings as the Lambda function does; each fault is a finding."""
    faults = faults_of(environ)
    if not faults:
        places = read_settings(environ).places
        said = f"complete: {places.origin_bucket} -> {places.destination_bucket}"
        yield Finding("settings", True, said)
    elif faults == faults_of({}):
        said = "none of the service's are set, and a folder needs none"
        yield Finding("settings", None, said, "`make sbox` gives a .env to start from.")
    else:
        for fault in faults:
            mend = "Put it right in the environment or in .env (the environment counts first)."
            yield Finding("settings", False, fault, mend)


def faults_of(environ: Mapping[str, str]) -> list[str]:
    """Return what the reader of the settings has to complain of."""
    try:
        read_settings(environ)
    except InvalidSettings as error:
        return [line.strip() for line in str(error).splitlines()[1:]]
    return []


def ffmpeg(environ: Mapping[str, str], still_format: str) -> Iterator[Finding]:
    """Find ffmpeg and run it; what the service encodes with must be in it."""
    mend = "Set CAMCLIP_FFMPEG to an ffmpeg for this machine, or install imageio-ffmpeg."
    version_lines: list[str] = []
    encoder_lines: list[str] = []
    try:
        path = find_ffmpeg(environ)
        deadline_s = time.monotonic() + FFMPEG_S
        Ffmpeg(path).run(["-version"], deadline_s, on_line=version_lines.append)
        Ffmpeg(path).run(["-encoders"], deadline_s, on_line=encoder_lines.append)
    except ClipError as error:
        yield Finding("ffmpeg", False, str(error), mend)
        return
    named = " ".join("".join(version_lines[:1]).split()[2:3])
    said = f"{named or 'it does not say its version'}, {_whose(path, environ)}: {path}"
    yield Finding("ffmpeg", bool(named), said, "" if named else mend)
    yield judge_encoders(encoder_lines, still_format)


def judge_encoders(lines: Iterable[str], still_format: str) -> Finding:
    """Judge what `ffmpeg -encoders` printed: a line each, flags and name first."""
    needed = {"libx264", "aac", "wrapped_avframe", FORMATS[still_format][1][1]}
    listed = {line.split()[1] for line in lines if len(line.split()) > 1}
    lacking = ", ".join(sorted(needed - listed))
    return Finding(
        "encoders",
        not lacking,
        f"{lacking} lacking" if lacking else ", ".join(sorted(needed)),
        "Use an ffmpeg that was built with them, as imageio-ffmpeg's is." if lacking else "",
    )


def scratch(folder: Path, rules: ClipSettings) -> Finding:
    """Make a work folder as a delivery does, and write to it."""
    try:
        with work_folder(folder) as work:
            (work / "probe").write_bytes(PROBE)
            return judge_scratch(folder, shutil.disk_usage(work).free, rules)
    except OSError as error:
        mend = "Let CLIP_DOWNLOAD_DEST name a folder that the service may write to."
        return Finding("scratch", False, f"{folder}: {error.strerror}", mend)


def judge_scratch(folder: Path, free_bytes: int, rules: ClipSettings) -> Finding:
    """Judge the room for one clip: spliced ones need little, others their own size."""
    need_bytes = EDGES_BYTES + WHOLE_BYTES_PER_S * rules.policy.max_duration_ms // 1000
    said = f"{folder}: {megabytes(free_bytes)} free; a clip may need {megabytes(need_bytes)}"
    mend = "Give it more room, or CLIP_DOWNLOAD_DEST another place."
    enough = free_bytes >= need_bytes
    return Finding("scratch", enough, said, "" if enough else mend)


def _whose(path: Path, environ: Mapping[str, str]) -> str:
    if environ.get("CAMCLIP_FFMPEG"):
        return "by CAMCLIP_FFMPEG"
    if path == LAYER:
        return "of the layer"
    return "of imageio-ffmpeg" if "imageio_ffmpeg" in path.parts else "on PATH"


def _rules(environ: Mapping[str, str]) -> ClipSettings:
    """Read the rules, or take the defaults where they make no sense: `settings` has said so."""
    try:
        return read_clip_settings(environ)
    except InvalidSettings:
        return read_clip_settings({})
