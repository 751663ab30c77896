"""A server with numbered footage, and pages of a browser."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from attrs import frozen
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.campaigns.browser.chromium import running
from tests.campaigns.browser.pages.numbered import Numbered, write_numbered
from tests.support.served import Served, served

WAITS_MS = 20_000
"""For an answer on a busy machine; a page that works takes a fraction of it."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--pictures", help="the folder for the README's screenshots")


@frozen
class Site:
    """A server, and what it serves."""

    served: Served
    numbered: Numbered
    clips: Path

    def make_clip(
        self, clip_id: str, start_ms: int, end_ms: int, options: Mapping[str, object] | None = None
    ) -> Path:
        """Make a clip of "pier"; return its file."""
        bounds = {"startTimestampInMs": start_ms, "endTimestampInMs": end_ms}
        body = {"cameraId": "pier", "clipId": clip_id, **bounds, "options": options}
        assert self.served.post("/api/v1/clips", body).status_code in {200, 202}
        self.served.wait_for(f"/api/v1/clips/pier/{clip_id}")
        return self.clips / "pier" / f"{clip_id}.mp4"


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory, films: Path) -> Iterator[Site]:
    """Serve the footage to all tests: what one requests is seen by the next."""
    folder = tmp_path_factory.mktemp("site")
    with pytest.MonkeyPatch.context() as environ:
        environ.setenv("THUMBNAIL_SIZES", "160")
        numbered = write_numbered(folder / "dvr", films)
        with served(folder / "dvr", folder / "clips") as running_server:
            yield Site(running_server, numbered, folder / "clips")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=WAITS_MS)
    with running() as browser:
        yield browser


@pytest.fixture
def context(browser: Browser, site: Site) -> Iterator[BrowserContext]:
    """Yield a new profile with the usual window; Playwright's own zone is that of the machine."""
    with browser.new_context(
        base_url=site.served.url,
        viewport={"width": 1280, "height": 900},
        timezone_id="UTC",
        locale="en-GB",
    ) as context:
        context.set_default_timeout(WAITS_MS)
        yield context


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """Yield a page; an error of its own, or of its policy, fails the test."""
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(error.message))
    page.on(
        "console",
        lambda said: faults.append(said.text) if said.type in {"error", "warning"} else None,
    )
    yield page
    assert faults == []
