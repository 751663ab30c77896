"""Update a Markdown file's table of contents: `python scripts/toc.py README.md`.

The table stands between the lines `<!-- toc -->` and `<!-- /toc -->`; it lists the headings of the
second and the third level that follow it.
"""

import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

OPEN, CLOSE = "<!-- toc -->", "<!-- /toc -->"


def headings(text: str) -> Iterator[tuple[int, str]]:
    """Yield level and text of each heading outside of code."""
    is_code = False
    for line in text.splitlines():
        if line.lstrip().startswith("```"):
            is_code = not is_code
        elif not is_code and (found := re.fullmatch(r"(##|###) +(.+?) *#*", line)):
            yield len(found[1]), found[2]


def anchors(titles: list[str]) -> Iterator[str]:
    """Yield the fragment by which GitHub links each heading; repeated ones are numbered."""
    seen = Counter[str]()
    for title in titles:
        plain = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", title)
        anchor = re.sub(r"[^\w\- ]", "", plain.lower()).replace(" ", "-")
        yield f"{anchor}-{seen[anchor]}" if seen[anchor] else anchor
        seen[anchor] += 1


def with_toc(text: str) -> str:
    """Return the text with its table of contents up to date; ValueError if it has no markers."""
    before, opened, rest = text.partition(f"{OPEN}\n")
    _, closed, after = rest.partition(CLOSE)
    if not opened or not closed:
        raise ValueError(f"Add the lines {OPEN} and {CLOSE} where the table belongs.")
    found = list(headings(after))
    links = zip(found, anchors([title for _, title in found]), strict=True)
    lines = [f"{'  ' * (level - 2)}- [{title}](#{anchor})" for (level, title), anchor in links]
    return f"{before}{OPEN}\n" + "".join(f"{line}\n" for line in lines) + f"{CLOSE}{after}"


def main(names: list[str]) -> int:
    """Update the files; return 1 if one has no markers."""
    for path in map(Path, names):
        try:
            path.write_text(with_toc(path.read_text(encoding="utf-8")), encoding="utf-8")
        except ValueError as error:
            sys.stderr.write(f"{path}: {error}\n")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
