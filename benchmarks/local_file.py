"""One clip of a file on local disk, cut by three programs that take turns.

- `camclip cut`: the whole process, Python's start, four thumbnails and the check of the clip
  included, with the packages that its users install: the tests' own slow Python's start down.
- smartcut (PyPI): encodes the edges and copies the rest, as camclip does, with libav in its own
  process; no thumbnails, no check.
- ffmpeg's `-ss -t -c copy`, which does not cut exactly.

Both Python programs are installed into folders of the cache, and start from compiled modules.
"""

import os
import subprocess
import sys
import venv
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

from attrs import frozen

from benchmarks.footage import Recorded
from benchmarks.measuring import ROOT, watching
from benchmarks.pipelines import CAMERA
from benchmarks.running import Bench, Clip
from entrypoints.cli.times import compact

SMARTCUT = "smartcut 1.7"
REQUIREMENTS = ("smartcut==1.7", "av==16.0.1")
"""PyAV carries the libav that does smartcut's work."""
LOCKED = ("--require-hashes", "-r", str(ROOT / "deploy/requirements/local.txt"))
"""What `make install` installs for users of camclip."""
CLIP_ID = "local"


@frozen
class LocalRun:
    """What one process took, its children included."""

    wall_s: float
    cpu_s: float
    memory_bytes: int


@frozen
class LocalRow:
    """One program's runs."""

    program: str
    runs: tuple[LocalRun, ...]
    wrong: str
    """How the clip differs from what was requested, "" if it does not."""

    def median(self, measure: Callable[[LocalRun], float]) -> float:
        """Return the median of a measure over all runs."""
        return median(map(measure, self.runs))


@frozen
class LocalComparison:
    """The rows of all programs that could be run."""

    clip: str
    rows: tuple[LocalRow, ...]
    skipped: str = ""
    """Why smartcut is not among them."""


@frozen
class Cut:
    """What to cut out of which file, and where the clip goes."""

    ffmpeg: Path
    recorded: Recorded
    start_ms: int
    end_ms: int
    folder: Path

    @property
    def from_s(self) -> float:
        """Where the clip starts in the file."""
        return (self.start_ms - self.recorded.start_ms) / 1000

    @property
    def to_s(self) -> float:
        """Where it ends."""
        return (self.end_ms - self.recorded.start_ms) / 1000

    @property
    def path(self) -> Path:
        """The clip of any program but camclip."""
        return self.folder / "clip.mp4"


def compare(
    bench: Bench,
    clip: Clip,
    turns: int = 3,
    install: Sequence[str] = REQUIREMENTS,
    locked: Sequence[str] = LOCKED,
) -> LocalComparison:
    """Cut the clip with all programs, `turns` times each, and check every frame."""
    (recorded, *_), expected = bench.media(clip), bench.expected(clip)
    start_ms, end_ms = clip.window_ms(bench.media(clip))
    smartcut, refusal = installed(bench.cache / "smartcut", "smartcut", install)
    skipped = f"{SMARTCUT} could not be installed and was left out: {refusal}" if refusal else ""
    python = installed(bench.cache / "camclip", "python", locked)[0] or Path(sys.executable)
    programs: dict[str, Callable[[Cut], list[str]]] = {
        "camclip cut": lambda cut: _camclip(python, cut)
    }
    if smartcut:
        programs[SMARTCUT] = lambda cut: _smartcut(smartcut, cut)
    programs["ffmpeg -ss -t -c copy"] = _copy
    runs: dict[str, list[LocalRun]] = {program: [] for program in programs}
    wrong: dict[str, str] = dict.fromkeys(programs, "")
    for _ in range(turns):
        for program, command in programs.items():
            # On the recordings' disk, and so that a hard link gets the file there.
            with TemporaryDirectory(dir=bench.cache) as folder:
                cut = Cut(bench.ffmpeg, recorded, start_ms, end_ms, Path(folder))
                runs[program].append(_run(command(cut), bench, cut.folder))
                made = _camclips(cut) if program == "camclip cut" else cut.path
                wrong[program] = wrong[program] or bench.judge(made, expected, clip.size)
            bench.tell(f"local file: {program} took {runs[program][-1].wall_s:.2f} s")
    rows = [LocalRow(program, tuple(own), wrong[program]) for program, own in runs.items()]
    return LocalComparison(clip.name, tuple(rows), skipped)


def installed(folder: Path, program: str, requirements: Sequence[str]) -> tuple[Path | None, str]:
    """Return a program of a virtual environment in `folder`, or pip's refusal.

    The environment is made if there is none, or one of other requirements.
    """
    marker, path = folder / "installed", folder / "bin" / program
    locks = (Path(each).read_text() for each in requirements if each.endswith(".txt"))
    wanted = "\n".join([*requirements, *locks])
    if marker.exists() and marker.read_text() == wanted:
        return path, ""
    venv.create(folder, with_pip=True, clear=True)
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet"]
    done = subprocess.run(
        [*pip, "--disable-pip-version-check", "--only-binary", ":all:", *requirements],
        capture_output=True,
        check=False,
        text=True,
    )
    if done.returncode:
        return None, (done.stderr.strip().splitlines() or ["pip said nothing"])[-1]
    marker.write_text(wanted)
    return path, ""


def _camclip(python: Path, cut: Cut) -> list[str]:
    recordings = cut.folder / "recordings" / CAMERA
    recordings.mkdir(parents=True)
    name = f"{CAMERA}.stream.{compact(cut.recorded.start_ms)}.mp4"
    (recordings / name).hardlink_to(cut.recorded.path)
    return [
        *(str(python), "-m", "entrypoints.cli.app", "cut", "--root", str(cut.folder)),
        *("--camera", CAMERA, "--id", CLIP_ID),
        *("--from", str(cut.start_ms), "--to", str(cut.end_ms)),
    ]


def _camclips(cut: Cut) -> Path:
    return cut.folder / "clips" / CAMERA / f"{CLIP_ID}.mp4"


def _smartcut(program: Path, cut: Cut) -> list[str]:
    keep = f"{cut.from_s:.3f},{cut.to_s:.3f}"
    return [str(program), str(cut.recorded.path), str(cut.path), "--keep", keep]


def _copy(cut: Cut) -> list[str]:
    return [
        *(str(cut.ffmpeg), "-nostdin", "-hide_banner", "-v", "error", "-y"),
        *("-ss", f"{cut.from_s:.3f}", "-i", str(cut.recorded.path)),
        *("-t", f"{cut.to_s - cut.from_s:.3f}", "-c", "copy", str(cut.path)),
    ]


def _run(command: Sequence[str], bench: Bench, folder: Path) -> LocalRun:
    """Run a program; RuntimeError with its messages if it fails."""
    environ: Mapping[str, str] = {
        **{name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"},
        "PYTHONPYCACHEPREFIX": str(bench.cache / "compiled"),
        "PYTHONPATH": str(ROOT),
        "CAMCLIP_FFMPEG": str(bench.ffmpeg),
        "VIDEO_MAX_LEN": "3600",
    }
    with (folder / "log").open("wb") as log:
        began_s = perf_counter()
        process = subprocess.Popen(command, cwd=folder, env=environ, stdout=log, stderr=log)
        with watching(process.pid, folder) as watch:
            _, status, usage = os.wait4(process.pid, 0)
            wall_s = perf_counter() - began_s
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        words = (folder / "log").read_text(errors="replace")
        raise RuntimeError(f"{command[0]} left with {process.returncode}: {words}")
    return LocalRun(wall_s, usage.ru_utime + usage.ru_stime, watch.memory_bytes)
