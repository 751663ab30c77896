"""What was measured, as a table for people and as JSON."""

import os
import platform
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from attrs import asdict, frozen

from benchmarks.local_file import LocalComparison, LocalRow, LocalRun
from benchmarks.measuring import Run
from benchmarks.message import MessageTimes
from benchmarks.running import IndexTime, Row

MB = 1e6
HEADLINE = "| clip | camclip, s | plain copy, s | camclip / plain copy | / {} |"
HEADER = (
    "| pipeline | wall s | CPU s | MB down | MB up | requests | scratch MB | memory MB "
    "| frames copied + encoded | exact | wall, CPU: times less than 2018 | bytes read / clip |"
)
UNIT = "60 s of 1080p, one file"
LOCAL_HEADER = "| program | wall s | CPU s | memory MB | frames |"


@frozen
class Ratio:
    """What the benchmark is about: camclip's wall time for a clip, and a plain copy's of it."""

    clip: str
    camclip_s: float
    floor_s: float | None
    """None if the clip was not copied."""
    per_copy: float | None
    per_unit: float
    """The wall time divided by that of a minute of 1080p out of one file, or of the first clip."""


@frozen
class Report:
    """Everything that one run of the benchmark found out."""

    command: str
    machine: Mapping[str, str]
    rows: Sequence[Row]
    index: IndexTime
    message: MessageTimes | None = None
    local: LocalComparison | None = None

    @property
    def ratios(self) -> list[Ratio]:
        """The ratio of each clip that camclip made."""
        walls = {(row.clip.name, row.pipeline): row.median(_wall_s) for row in self.rows}
        unit = self.unit
        return [
            Ratio(
                name,
                wall_s,
                floor_s := walls.get((name, "floor")),
                wall_s / floor_s if floor_s else None,
                wall_s / walls[unit, "camclip"],
            )
            for (name, pipeline), wall_s in walls.items()
            if pipeline == "camclip"
        ]

    @property
    def unit(self) -> str:
        """The name of the clip with which camclip's others are compared."""
        names = [row.clip.name for row in self.rows if row.pipeline == "camclip"]
        return UNIT if UNIT in names or not names else names[0]

    def json(self) -> dict[str, Any]:
        """Return it as JSON's types."""
        return {
            "command": self.command,
            "machine": dict(self.machine),
            "ratios": [asdict(ratio) for ratio in self.ratios],
            "rows": [
                {
                    "name": row.clip.name,
                    "clip": asdict(row.clip),
                    "pipeline": row.pipeline,
                    "exact": row.exact,
                    "wrong": row.wrong,
                    "clip_bytes": row.clip_bytes,
                    "runs": [asdict(run) for run in row.runs],
                }
                for row in self.rows
            ],
            "index": asdict(self.index),
            "message": asdict(self.message) if self.message else None,
            "local": asdict(self.local) if self.local else None,
        }

    def markdown(self) -> str:
        """Return it as Markdown."""
        about = "; ".join(f"{key} {value}" for key, value in self.machine.items())
        parts = [f"`{self.command}`", about + ".", self._headline()]
        for clip in dict.fromkeys(row.clip for row in self.rows):
            rows = {row.pipeline: row for row in self.rows if row.clip == clip}
            lines = [HEADER, "|---|" + "---:|" * (HEADER.count("|") - 2)]
            lines += [_line(row, rows) for row in rows.values()]
            parts += [f"**{clip.name}**", "\n".join(lines)]
            parts += [f"{r.pipeline} is not exact: {r.wrong}." for r in rows.values() if r.wrong]
        parts += [self.message.sentence] if self.message else []
        parts += _local(self.local) if self.local else []
        times = sorted(self.index.runs_ms)
        parts.append(
            f"Index of {self.index.samples} samples ({self.index.file_bytes / MB:.0f} MB):"
            f" {times[len(times) // 2]:.1f} ms, at best {times[0]:.1f} ms."
        )
        parts.append(
            "Wall time is the median of all runs, with the least and the most where there are"
            " several; all other figures are medians. Bytes are those of bodies, both ways,"
            " thumbnails included. Memory is the process tree's RSS, Python's and boto3's included."
        )
        return "\n\n".join(parts) + "\n"

    def _headline(self) -> str:
        lines = [HEADLINE.format(self.unit), "|---|---:|---:|---:|---:|"]
        for ratio in self.ratios:
            copy = ("-", "-")
            if ratio.floor_s and ratio.per_copy:
                copy = (f"{ratio.floor_s:.2f}", f"**{ratio.per_copy:.2f}**")
            cells = (ratio.clip, f"{ratio.camclip_s:.2f}", *copy, f"{ratio.per_unit:.2f}")
            lines.append(f"| {' | '.join(cells)} |")
        return "\n".join(lines)


def _local(local: LocalComparison) -> list[str]:
    lines = [LOCAL_HEADER, "|---|---:|---:|---:|---|", *map(_local_line, local.rows)]
    title = f"**{local.clip}, on local disk; whole processes**"
    return [title, "\n".join(lines), *filter(None, [local.skipped])]


def _local_line(row: LocalRow) -> str:
    wall_s, cpu_s = row.median(_wall_s), row.median(_cpu_s)
    memory = row.median(lambda run: run.memory_bytes) / MB
    frames = row.wrong or "exact"
    return f"| {row.program} | {wall_s:.2f} | {cpu_s:.2f} | {memory:.0f} | {frames} |"


def _line(row: Row, rows: Mapping[str, Row]) -> str:
    def median(name: str, unit: float = 1) -> float:
        return row.median(lambda run: getattr(run, name)) / unit

    walls = [run.wall_s for run in row.runs]
    spread = f" ({min(walls):.2f} to {max(walls):.2f})" if len(walls) > 1 else ""
    encoded = row.runs[0].encoded_frames
    frames = f"{row.runs[0].copied_frames} + {'all' if encoded is None else encoded}"
    copies = row.pipeline == "floor"
    old = rows.get("2018")
    less = "-"
    if old and old is not row and not copies:
        wall, cpu = (old.median(of) / row.median(of) for of in (_wall_s, _cpu_s))
        less = f"{wall:.1f}, {cpu:.1f}"
    cells = [
        row.pipeline,
        f"{median('wall_s'):.2f}{spread}",
        f"{median('cpu_s'):.2f}",
        f"{median('down_bytes', MB):.1f}",
        f"{median('up_bytes', MB):.1f}",
        f"{median('requests'):.0f}",
        f"{median('scratch_bytes', MB):.1f}",
        f"{median('memory_bytes', MB):.0f}",
        "-" if copies else frames,
        "-" if copies else "yes" if row.exact else "**no**",
        less,
        f"{median('down_bytes') / row.clip_bytes:.2f}",
    ]
    return f"| {' | '.join(cells)} |"


def _wall_s(run: Run | LocalRun) -> float:
    return run.wall_s


def _cpu_s(run: Run | LocalRun) -> float:
    return run.cpu_s


def describe_machine(ffmpeg: Path, mbit_s: float, latency_ms: float) -> dict[str, str]:
    """Describe what the figures depend on."""
    version = subprocess.run([str(ffmpeg), "-version"], capture_output=True, check=True, text=True)
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "CPU": _cpu_model(),
        "cores": str(len(os.sched_getaffinity(0))),
        "RAM": f"{pages / 2**30:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "Python": sys.version.split()[0],
        "ffmpeg": version.stdout.split()[2],
        "date": datetime.now(UTC).date().isoformat(),
        "others' load before": f"{os.getloadavg()[0]:.1f}",
        "link": f"{mbit_s:g} Mbit/s each way, {latency_ms:g} ms a request",
    }


def _cpu_model() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(models, platform.machine())
