"""Which files are opened, and which folders listed, by this process."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SEEN: list[tuple[str, str]] = []
IS_WATCHED = [False]


def watch(event: str, arguments: tuple[object, ...]) -> None:
    if IS_WATCHED[0] and event in {"open", "os.scandir"}:
        SEEN.append((event, str(arguments[0])))


sys.addaudithook(watch)


@contextmanager
def watched(folder: Path) -> Iterator[dict[str, set[str]]]:
    """Yield which paths below a folder are opened and listed while the block runs."""
    SEEN.clear()
    found: dict[str, set[str]] = {"open": set(), "os.scandir": set()}
    IS_WATCHED[0] = True
    try:
        yield found
    finally:
        IS_WATCHED[0] = False
        for event, path in SEEN:
            if path.startswith(f"{folder}/"):
                found[event].add(path)
