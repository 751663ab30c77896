"""Gaps by choice on the pages: planned, requested, and what the player shows for them."""

import re
from base64 import b64decode

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.campaigns.browser.pages.conftest import Site
from tests.campaigns.browser.pages.numbered import GAP_MS, GAP_START_MS, GRAY_OF, clock, number_in
from tests.campaigns.browser.pages.test_clip_page import ClipPage
from tests.campaigns.browser.pages.test_footage_page import FootagePage
from tests.support.recorders import FPS

BEFORE_S, GAP_S, AFTER_S = 1, GAP_MS // 1000, 2
WINDOW = GAP_START_MS - 1000 * BEFORE_S, GAP_START_MS + GAP_MS + 1000 * AFTER_S
FIRST_FILLED = BEFORE_S * FPS
"""The number of the first picture of filler in the clip: it has one a second."""


def choose(page: Page, site: Site, label: str) -> FootagePage:
    """Open the page, type the window, and choose what becomes of its gap."""
    footage = FootagePage(page, site)
    footage.type_window(*map(clock, WINDOW))
    page.get_by_text("Name and options").click()
    page.get_by_label("Where there is no footage").select_option(label=label)
    return footage


def brightness(shown: Locator) -> tuple[int, int]:
    """Return the darkest and the brightest gray of what is shown, 0 to 255."""
    gray = b64decode(shown.evaluate(GRAY_OF))
    return min(gray), max(gray)


@pytest.mark.parametrize(
    "label", ["Show the picture next to it", "Show black", "Show a slate with its times"]
)
def test_a_clip_is_as_long_as_its_window(page: Page, site: Site, label: str) -> None:
    """The plan says so before the request; the player shows footage, the filler, and footage."""
    choose(page, site, label)
    expect(page.locator("#plan p")).to_have_text("The clip lasts 13 s with its gaps.")
    expect(page.locator("#plan dl")).to_contain_text(re.compile("Recorded90: .*Filled10 s of"))
    page.get_by_role("button", name="Request the clip").click()
    requested = page.locator("#requests li").first
    expect(requested).to_have_attribute("data-status", "CLIP_AVAILABLE")
    requested.get_by_role("link", name="Open the clip").click()
    expect(page).to_have_url(re.compile(r"/clips/pier/[\w-]+-13000ms-[0-9a-f]{8}$"))
    numbers = site.numbered.numbers(*WINDOW)
    shown = ClipPage(page, page.url.rpartition("/")[2], len(numbers) + GAP_S)
    assert shown.number() == numbers[0]
    position, video = page.locator("#position"), page.locator("#video")
    for after_s in (0.1, 5.5, GAP_S - 0.1):
        position.fill(str(BEFORE_S + after_s))
        shown.expect_frame(FIRST_FILLED + int(after_s))
        darkest, brightest = brightness(video)
        if label == "Show black":
            assert brightest < 24
        elif label == "Show the picture next to it":
            assert number_in(video) == numbers[FIRST_FILLED - 1]
        else:
            assert (darkest < 64, brightest > 128) == (True, True)
    position.fill(str(BEFORE_S + GAP_S + 0.01))
    shown.expect_frame(FIRST_FILLED + GAP_S)
    assert shown.number() == numbers[FIRST_FILLED] == 9000
    page.keyboard.press("End")
    shown.expect_frame(len(numbers) + GAP_S - 1)
    assert shown.number() == numbers[-1]
    delivered = page.locator(".facts div").first
    expect(delivered).to_contain_text(
        re.compile(r"3\.000 s.*requested 13\.000 s; 10\.000 s more show", re.DOTALL)
    )


def test_no_clip_is_made_if_that_is_chosen(page: Page, site: Site) -> None:
    """The page says so with the remedy, and requests nothing."""
    choose(page, site, "Make no clip")
    expect(page.locator("#plan p")).to_contain_text("gap")
    expect(page.locator("#request")).to_be_disabled()
    page.get_by_label("Where there is no footage").select_option(label="Skip it")
    expect(page.locator("#plan p")).to_have_text("The clip lasts 3 s without its gaps.")
    expect(page.locator("#request")).to_be_enabled()


def test_the_times_of_a_window_may_be_from_now(context: BrowserContext, site: Site) -> None:
    """As on the command line; the page may request a picture that turns out not to exist."""
    footage = FootagePage(context.new_page(), site)
    footage.type_window("now-90s", "now - 1m")
    start_ms, end_ms = footage.window()
    assert 29_000 < end_ms - start_ms < 40_000
