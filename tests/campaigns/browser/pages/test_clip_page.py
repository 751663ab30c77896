"""The page of a clip: it plays, steps, and downloads; the history of clips."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.campaigns.browser.pages.conftest import Site
from tests.campaigns.browser.pages.numbered import GAP_START_MS, clock, number_in
from tests.support.recorders import START_MS

WINDOW = START_MS + 8_345, START_MS + 11_678
WITH_GAP = GAP_START_MS - 1_000, GAP_START_MS + 11_000


@pytest.fixture(scope="module")
def clip(site: Site) -> Path:
    return site.make_clip("page-1", *WINDOW)


class ClipPage:
    """The page of a clip, once its player shows the first frame."""

    def __init__(self, page: Page, clip_id: str, frames: int) -> None:
        self.page = page
        self.frames = frames
        page.goto(f"/clips/pier/{clip_id}")
        self.expect_frame(0)

    def expect_frame(self, at: int) -> None:
        """Expect that the player says it shows that frame, counted from 0, and has finished."""
        expect(self.page.locator("#player #announced")).to_contain_text(
            f"Frame {at + 1} of {self.frames}"
        )
        expect(self.page.locator("#frame-number")).to_have_text(f"{at + 1:,}")

    def number(self) -> int:
        """Return the number in the picture that is shown."""
        return number_in(self.page.locator("#video"))


def test_each_step_shows_the_next_frame(page: Page, site: Site, clip: Path) -> None:
    """The number in the picture is that of the frame, and its time when it was seen."""
    assert clip.exists()
    numbers = site.numbered.numbers(*WINDOW)
    shown = ClipPage(page, "page-1", len(numbers))
    assert shown.number() == numbers[0]
    for at, number in enumerate(numbers[1:60], 1):
        page.keyboard.press(".")
        shown.expect_frame(at)
        assert shown.number() == number
        expect(page.locator("#shown-utc")).to_have_text(clock(site.numbered.seen_ms(number)))
    for at in (58, 57, 56):
        page.keyboard.press(",")
        shown.expect_frame(at)
        assert shown.number() == numbers[at]
    page.keyboard.press("End")
    shown.expect_frame(len(numbers) - 1)
    assert shown.number() == numbers[-1]


def test_it_plays_to_its_last_frame(page: Page, site: Site, clip: Path) -> None:
    """By the button; the video ends."""
    assert clip.exists()
    numbers = site.numbered.numbers(*WINDOW)
    shown = ClipPage(page, "page-1", len(numbers))
    page.get_by_role("button", name="Mute").click()
    page.get_by_role("button", name="Play", exact=True).click()
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()
    assert page.locator("#video").evaluate("(video) => video.ended")
    shown.expect_frame(len(numbers) - 1)
    assert shown.number() == numbers[-1]


def test_a_jump_goes_over_the_gap(page: Page, site: Site) -> None:
    """To the first frame after it, whose wall clock is later by the gap."""
    site.make_clip("page-gap", *WITH_GAP)
    numbers = site.numbered.numbers(*WITH_GAP)
    shown = ClipPage(page, "page-gap", len(numbers))
    page.keyboard.press("g")
    shown.expect_frame(30)
    assert shown.number() == numbers[30] == 9000
    expect(page.locator("#shown-utc")).to_have_text(clock(GAP_START_MS + 10_000))


def test_a_link_to_a_picture_shows_it(page: Page, site: Site, clip: Path) -> None:
    """The frame that was on screen at that instant."""
    assert clip.exists()
    numbers = site.numbered.numbers(*WINDOW)
    page.goto(f"/clips/pier/page-1#at={site.numbered.seen_ms(numbers[50]) + 10}")
    expect(page.locator("#player #announced")).to_contain_text("Frame 51 of")
    assert number_in(page.locator("#video")) == numbers[50]


def test_the_download_is_the_clip(page: Page, site: Site, clip: Path) -> None:
    """Byte for byte, under a name that says camera and time."""
    ClipPage(page, "page-1", len(site.numbered.numbers(*WINDOW)))
    with page.expect_download() as download:
        page.get_by_role("link", name="Download", exact=True).click()
    assert download.value.path().read_bytes() == clip.read_bytes()
    assert re.fullmatch(r"pier.*2026-?05-?01.*\.mp4", download.value.suggested_filename)


def test_a_clip_is_deleted_once_it_is_confirmed(page: Page, site: Site) -> None:
    """From the history; it is listed no more, and its file is gone."""
    path = site.make_clip("page-2", START_MS, START_MS + 1000)
    page.goto("/clips?camera=pier")
    row = page.locator("#clip-pier-page-2")
    expect(row).to_be_visible()
    row.get_by_role("button", name=re.compile("^Delete")).click()
    page.get_by_role("button", name="Delete the clip", exact=True).click()
    expect(row).to_have_count(0)
    assert not path.exists()
    assert site.served.get("/api/v1/clips/pier/page-2").status_code == 410


def test_a_deletion_that_is_not_confirmed_deletes_nothing(page: Page, clip: Path) -> None:
    """Escape closes the question."""
    page.goto("/clips")
    row = page.locator("#clip-pier-page-1")
    row.get_by_role("button", name=re.compile("^Delete")).click()
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(row).to_be_visible()
    assert clip.exists()


def test_a_new_clip_appears_in_the_history_by_itself(page: Page, site: Site) -> None:
    """While the page is open."""
    page.goto("/clips")
    expect(page.locator("#history")).to_be_visible()
    site.make_clip("page-3", START_MS + 2000, START_MS + 3000)
    expect(page.locator("#clip-pier-page-3[data-state=done]")).to_be_visible()


def test_a_clip_is_deleted_while_it_plays(context: BrowserContext, site: Site) -> None:
    """The page of a deleted clip takes its place, and no script fails."""
    page, errors = context.new_page(), list[str]()
    page.on("pageerror", lambda error: errors.append(error.message))
    site.make_clip("page-4", START_MS, START_MS + 3000)
    ClipPage(page, "page-4", len(site.numbered.numbers(START_MS, START_MS + 3000)))
    page.get_by_role("button", name="Play", exact=True).click()
    page.get_by_role("button", name=re.compile("^Delete")).click()
    page.get_by_role("button", name="Delete the clip", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("The clip was deleted.")
    page.wait_for_timeout(300)
    assert errors == []


def test_a_clip_that_is_deleted_elsewhere_is_shown_as_gone(
    context: BrowserContext, site: Site
) -> None:
    """At once; and where the deletion was missed, as soon as the page is looked at again."""
    page = context.new_page()
    site.make_clip("page-5", START_MS, START_MS + 1000)
    ClipPage(page, "page-5", len(site.numbered.numbers(START_MS, START_MS + 1000)))
    assert site.served.delete("/api/v1/clips/pier/page-5").status_code == 204
    expect(page.get_by_role("heading", level=1)).to_have_text("The clip was deleted.")

    site.make_clip("page-6", START_MS, START_MS + 1000)
    page.route("**/api/v1/events", lambda route: route.abort(), times=1)
    ClipPage(page, "page-6", len(site.numbered.numbers(START_MS, START_MS + 1000)))
    assert site.served.delete("/api/v1/clips/pier/page-6").status_code == 204
    expect(page.get_by_role("heading", level=1)).to_have_text("The clip was deleted.")
