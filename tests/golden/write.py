"""Writes the golden of the present code: `python -m tests.golden.write 2026-11-26-coverage`.

The name is the day and what is new in the formats. A golden that exists is never written again.
"""

import json
import sys
from pathlib import Path

from tests.golden.cases import Golden, present

VERSIONS = Path(__file__).parent / "versions"


def goldens() -> dict[str, Golden]:
    """Return the goldens by version, the oldest first."""
    return {path.stem: json.loads(path.read_text()) for path in sorted(VERSIONS.glob("*.json"))}


def write(version: str) -> str:
    """Write the golden of `version`, and say what was done."""
    written = present()
    for name, golden in goldens().items():
        if golden == written:
            return f"The formats are those of {name}: there is nothing to write."
    with (VERSIONS / f"{version}.json").open("x") as file:
        json.dump(written, file, indent=1)
        file.write("\n")
    return f"versions/{version}.json is written: add it to the commit."


if __name__ == "__main__":
    (name,) = sys.argv[1:]
    print(write(name))  # noqa: T201 - its output
