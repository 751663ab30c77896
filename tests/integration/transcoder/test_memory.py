"""The memory that there is, and the pictures that are too large for it."""

from pathlib import Path

import pytest
from attrs import evolve

from application.ports import ThumbnailSpec
from domain.errors import Unavailable
from infrastructure.transcoder.memory import available_memory_bytes, least_bytes
from infrastructure.transcoder.transcoder import FfmpegTranscoder
from tests.integration.deploy.template import read_document
from tests.unit.splicing.tracks import named, opened, plan, video_track

MIB = 1 << 20
UHD_4K, UHD_8K = 3840 * 2160, 7680 * 4320
TEMPLATE_BYTES = int(read_document()["Parameters"]["Memory"]["Default"]) * MIB
UNLIMITED_V1 = "9223372036854771712\n"
"""What cgroup v1 gives for no limit: the largest number of whole pages."""


@pytest.mark.parametrize(
    ("pixels", "frames", "memory_bytes", "fits"),
    [
        (UHD_4K, 7_500, TEMPLATE_BYTES, True),
        (UHD_8K, 7_500, 10_240 * MIB, True),
        (UHD_8K, 0, TEMPLATE_BYTES, True),
        (UHD_8K, 1, TEMPLATE_BYTES, True),
        (UHD_8K, 7_500, TEMPLATE_BYTES, False),
        (8192 * 8192, 0, 512 * MIB, False),
        (UHD_4K, 7_500, 512 * MIB, False),
    ],
    ids=[
        "4K in the template's memory",
        "8K in Lambda's most",
        "8K, all copied",
        "8K, a frame encoded",
        "8K, encoded whole",
        "the largest pictures, in the least memory",
        "4K, encoded whole in the least memory",
    ],
)
def test_only_what_cannot_work_is_refused(
    pixels: int, frames: int, memory_bytes: int, fits: bool
) -> None:
    """By the least that ffmpeg was measured to need."""
    assert (least_bytes(pixels, frames) <= memory_bytes) == fits


def machine(root: Path, cgroup: str, **limits: str) -> Path:
    """Write what Linux tells of the control groups; `__` stands for a slash."""
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/self/cgroup").write_text(cgroup)
    for name, text in limits.items():
        path = root / "sys/fs/cgroup" / name.replace("__", "/").replace("_limit", ".limit")
        path = path.with_name(path.name.replace("memory_max", "memory.max"))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


V2 = "0::/system.slice/worker.service\n"
V1 = "5:cpu,cpuacct:/docker/1\n4:memory:/docker/1\n0::/docker/1\n"


@pytest.mark.parametrize(
    ("cgroup", "limits", "environ", "expected_mib"),
    [
        (V2, {"system.slice__worker.service__memory_max": f"{64 * MIB}\n"}, {}, 64),
        (V2, {"system.slice__memory_max": f"{32 * MIB}", "memory_max": "max\n"}, {}, 32),
        ("0::/\n", {"memory_max": f"{16 * MIB}\n"}, {}, 16),
        (V2, {"memory_max": f"{16 * MIB}\n"}, {}, 16),
        (V1, {"memory__docker__1__memory_limit_in_bytes": f"{48 * MIB}\n"}, {}, 48),
        (V1, {"memory__memory_limit_in_bytes": f"{24 * MIB}\n"}, {}, 24),
        (V1, {"memory__memory_limit_in_bytes": UNLIMITED_V1}, {}, None),
        (V2, {"memory_max": "max\n"}, {}, None),
        (V2, {"memory_max": "max\n"}, {"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128"}, 128),
        ("", {}, {"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128"}, 128),
        ("", {}, {"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "much"}, None),
        (V2, {"memory_max": f"{8 * MIB}"}, {"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128"}, 8),
    ],
    ids=[
        *("its own group", "the group above", "a container", "the host's path in a container"),
        *("version 1", "version 1 in a container", "version 1 without a limit", "no limit"),
        *("Lambda", "Lambda without groups", "a size that is none", "the smallest"),
    ],
)
def test_the_smallest_limit_holds(
    tmp_path: Path,
    cgroup: str,
    limits: dict[str, str],
    environ: dict[str, str],
    expected_mib: int | None,
) -> None:
    """Without any, the machine's memory."""
    physical = available_memory_bytes({}, tmp_path)
    assert physical > 256 * MIB
    expected = physical if expected_mib is None else expected_mib * MIB
    assert available_memory_bytes(environ, machine(tmp_path, cgroup, **limits)) == expected


def test_pictures_without_memory_for_them_are_refused_before_ffmpeg_starts(tmp_path: Path) -> None:
    """The sizes are named. The message waits: another machine or an operator may have more."""
    video = evolve(video_track([512 * i for i in range(50)], 12_800), width=7680, height=4320)
    recording = opened(video, data=bytes(5000))
    transcoder = FfmpegTranscoder(tmp_path / "no-such-ffmpeg", memory_bytes=TEMPLATE_BYTES)
    fault = (
        r"^The pictures of \S+ are 7680x4320: to encode \d+ frames of them takes at least 1915 MB"
        r" of memory, and there are 1855 MB\. Give the service more memory\.$"
    )
    with pytest.raises(Unavailable, match=fault):
        transcoder.render(
            plan(0, 1000, recording), named(recording), ThumbnailSpec((), "jpg"), tmp_path, 1e12
        )
    with pytest.raises(Unavailable, match="ffmpeg cannot be started"):
        evolve(transcoder, memory_bytes=float("inf")).render(
            plan(0, 1000, recording), named(recording), ThumbnailSpec((), "jpg"), tmp_path, 1e12
        )
