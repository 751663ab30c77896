"""Debian's Chromium, headless, driven by playwright."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Error, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
INSTALL = "apt-get install -y chromium"
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-proxy-server",
    "--autoplay-policy=no-user-gesture-required",
)


class NoBrowserError(Exception):
    """Chromium is missing or does not work."""


def find_chromium() -> str:
    """Return the browser's path; NoBrowserError, with how to get one, if there is none."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        raise NoBrowserError(f"There is no Chromium: none of {', '.join(NAMES)}. Try: {INSTALL}")
    return found


@contextmanager
def running() -> Iterator[Browser]:
    """Run the browser until the block ends; NoBrowserError if there is none or it fails."""
    path = find_chromium()
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        except Error as error:
            raise NoBrowserError(f"{path} does not start: {error.message}") from error
        with browser:
            yield browser
