"""The README's screenshots, of the demo's camera: made if `--pictures` names their folder."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from entrypoints.cli.demo.sample_camera import SampleFormat, make_sample_camera
from infrastructure.ffmpeg.locate import find_ffmpeg
from infrastructure.ffmpeg.runner import Ffmpeg
from tests.campaigns.browser.pages.conftest import WAITS_MS
from tests.support.served import Served, served

START_MS = 1_784_023_200_000
"""2026-07-14 10:00:00 UTC."""
WINDOW = START_MS + 48_321, START_MS + 72_345
NOW_MS = START_MS + 240_000
SAMPLE = SampleFormat(duration_s=60)
JPEG_QUALITY = 72


@pytest.fixture(scope="module")
def folder(request: pytest.FixtureRequest) -> Path:
    given = request.config.getoption("--pictures")
    if not given:
        pytest.skip("No folder is given for the pictures (--pictures).")
    return Path(given)


@pytest.fixture(scope="module")
def harbour(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    assert folder.is_dir()
    root = tmp_path_factory.mktemp("harbour")
    make_sample_camera(root, Ffmpeg(find_ffmpeg({})), START_MS, SAMPLE)
    with served(root / "recordings", root / "clips", layout="camclip") as running:
        bounds = {"startTimestampInMs": WINDOW[0], "endTimestampInMs": WINDOW[1]}
        running.post("/api/v1/clips", {"cameraId": "pier", "clipId": "harbour", **bounds})
        running.wait_for("/api/v1/clips/pier/harbour")
        yield running


def footage(page: Page) -> None:
    view = f"view={START_MS - 10_000}-{START_MS + 190_000}"
    page.goto(f"/?camera=pier&from={WINDOW[0]}&to={WINDOW[1]}&zone=Europe/Madrid&{view}")
    expect(page.locator("#plan")).to_have_attribute("aria-busy", "false")
    expect(page.locator("#seen")).to_have_text(re.compile("^frame of"))


def clip(page: Page) -> None:
    page.goto("/clips/pier/harbour")
    expect(page.locator("#player #announced")).to_contain_text("Frame 1 of")
    page.goto(f"/clips/pier/harbour#at={START_MS + 60_500}")
    expect(page.locator("#player #announced")).not_to_contain_text("Frame 1 of")


PICTURES: dict[str, tuple[Callable[[Page], None], dict[str, Any]]] = {
    "page-footage": (footage, {"viewport": {"width": 1280, "height": 860}}),
    "page-clip": (
        clip,
        {"viewport": {"width": 1280, "height": 860}, "color_scheme": "dark"},
    ),
    "page-phone": (
        footage,
        {
            "viewport": {"width": 390, "height": 844},
            "is_mobile": True,
            "has_touch": True,
            "color_scheme": "dark",
        },
    ),
}


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_written(name: str, folder: Path, harbour: Served, browser: Browser) -> None:
    """As people see the page: with a picture, a window and its plan."""
    show, options = PICTURES[name]
    with browser.new_context(
        base_url=harbour.url, timezone_id="Europe/Madrid", locale="en-GB", **options
    ) as context:
        context.set_default_timeout(WAITS_MS)
        page = context.new_page()
        page.clock.set_fixed_time(NOW_MS / 1000)
        show(page)
        path = folder / f"{name}.jpg"
        page.screenshot(path=path, type="jpeg", quality=JPEG_QUALITY)
        assert path.stat().st_size > 10_000
