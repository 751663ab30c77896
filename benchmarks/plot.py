"""Wall time over clip duration, drawn: `python -m benchmarks.plot report.json plot.svg`."""

import json
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from math import log2
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.running import USUAL_FILE_S

WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT = 720, 300, 56, 44, 24, 150
COLOURS = {"camclip": "#c77d0a", "floor": "#7b93ab", "window": "#8a63a8", "2018": "#b3413b"}
NAMES = {"camclip": "camclip", "floor": "plain copy of the clip", "window": "window, all encoded"}
STYLE = """
text{font:12px system-ui,sans-serif;fill:#1f2933}.dim{fill:#52606d}
.axis{stroke:#9aa5b1;fill:none}.line{fill:none;stroke-width:2.5}
@media (prefers-color-scheme:dark){text{fill:#e4e7eb}.dim{fill:#9aa5b1}}
"""


def plot(report: Mapping[str, Any], height: int = 1080, most_s: float = 12) -> str:
    """Draw the H.264 rows of one size; what takes longer than `most_s` is left out.

    The clip of the fewest files counts for each duration, of recordings of ten minutes. Both axes
    are in seconds; the durations' is logarithmic.
    """
    points: dict[str, dict[float, float]] = defaultdict(dict)
    files: dict[float, int] = {}
    for row in sorted(report["rows"], key=lambda row: row["clip"]["files"]):
        clip = row["clip"]
        size = clip["size"]["height"], clip["size"]["codec"], clip["file_s"]
        if size == (height, "h264", USUAL_FILE_S):
            wall_s = median(run["wall_s"] for run in row["runs"])
            points[row["pipeline"]].setdefault(clip["length_s"], wall_s)
            files.setdefault(clip["length_s"], clip["files"])
    durations = sorted({duration_s for own in points.values() for duration_s in own})
    drawn = {
        name: sorted(point for point in own.items() if point[1] <= most_s)
        for name, own in points.items()
    }
    first, octaves = log2(durations[0]), log2(durations[-1] / durations[0]) or 1

    def x(duration_s: float) -> float:
        return LEFT + (log2(duration_s) - first + 0.3) / (octaves + 0.3) * (WIDTH - LEFT - RIGHT)

    def y(wall_s: float) -> float:
        return HEIGHT - BOTTOM - wall_s / most_s * (HEIGHT - BOTTOM - TOP)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
        f"<title>Wall time over the duration of a {height}p clip</title><style>{STYLE}</style>",
        f'<path class="axis" d="M{LEFT} {TOP}V{y(0)}H{WIDTH - RIGHT}"/>',
        f'<text x="{LEFT}" y="14" class="dim">wall time, s</text>',
        _label((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 6, f"duration of the {height}p clip", "middle"),
    ]
    for wall_s in range(0, int(most_s) + 1, 2):
        parts += [_label(LEFT - 8, y(wall_s) + 4, str(wall_s), "end")]
    for duration_s in durations:
        text = f"{duration_s:g} s" if duration_s < 600 else f"{duration_s / 60:g} min"  # noqa: PLR2004
        text += f", {files[duration_s]} files" if files[duration_s] > 1 else ""
        parts += [_label(x(duration_s), y(0) + 16, text, "middle")]
    parts += [_line(name, [(x(a), y(b)) for a, b in own]) for name, own in drawn.items() if own]
    return "\n".join([*parts, "</svg>\n"])


def _label(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}" class="dim">{text}</text>'


def _line(name: str, own: Sequence[tuple[float, float]]) -> str:
    colour = COLOURS.get(name, "#52606d")
    path = "M" + "L".join(f"{a:.1f} {b:.1f}" for a, b in own)
    dots = "".join(f'<circle cx="{a:.1f}" cy="{b:.1f}" r="4" fill="{colour}"/>' for a, b in own)
    a, b = own[-1]
    label = f'<text x="{a + 10:.0f}" y="{b + 4:.0f}">{NAMES.get(name, name)}</text>'
    return f'<path class="line" stroke="{colour}" d="{path}"/>{dots}{label}'


if __name__ == "__main__":
    report_path, svg_path = map(Path, sys.argv[1:3])
    svg_path.write_text(plot(json.loads(report_path.read_text())))
