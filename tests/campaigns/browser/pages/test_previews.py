"""Previews on the pages: requested, shown, and over the seek bar by pointer and keys."""

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.campaigns.browser.pages.conftest import Site
from tests.campaigns.browser.pages.numbered import clock
from tests.campaigns.browser.pages.test_footage_page import FootagePage
from tests.support.previews import gray, sprite_cues
from tests.support.recorders import START_MS

WINDOW = START_MS + 8_345, START_MS + 13_678
API = "/api/v1/clips/pier/previewed"
OPTIONS = {"previews": ["sheet", "sprite"], "wallClock": "UTC"}


@pytest.fixture(scope="module")
def clip(site: Site) -> Path:
    return site.make_clip("previewed", *WINDOW, options=OPTIONS)


def box_of(page: Page, selector: str) -> dict[str, float]:
    found = page.locator(selector).bounding_box()
    assert found
    return {side: float(found[side]) for side in ("x", "y", "width", "height")}


def open_clip(page: Page) -> None:
    page.goto("/clips/pier/previewed")
    expect(page.locator("#announced")).to_contain_text("Frame 1 of")
    expect(page.locator("#position")).to_be_enabled()


def test_a_pointer_over_the_seek_bar_shows_the_picture_of_its_place(
    page: Page, site: Site, clip: Path, tmp_path: Path
) -> None:
    """With the time when it was seen; nothing moves when it comes and goes."""
    assert clip.exists()
    cues = sprite_cues(site.served.get(f"{API}/sprite.vtt").text)
    (tmp_path / "sprite.jpg").write_bytes(site.served.get(f"{API}/sprite.jpg").content)
    image = gray(tmp_path / "sprite.jpg")
    with page.expect_response(f"**{API}/sprite.vtt"):
        open_clip(page)
    hover, bar = page.locator("#hover"), box_of(page, "#position")
    expect(hover).to_be_hidden()
    before = box_of(page, "#player"), box_of(page, "#position")
    duration_ms = WINDOW[1] - WINDOW[0]
    for cue in cues:
        share = (cue.start_ms + cue.end_ms) / 2 / duration_ms
        x = bar["x"] + 8 + share * (bar["width"] - 16)
        page.mouse.move(x, bar["y"] + bar["height"] / 2)
        expect(hover).to_be_visible()
        expect(hover.locator("span")).to_contain_text(clock(cue.seen_ms))
        left, top, width, height = cue.box
        style = hover.locator("img").evaluate("(image) => [image.style.left, image.style.top]")
        assert style == [f"{-left}px", f"{-top}px"]
        frame = box_of(page, "#hover .frame")
        assert (frame["width"], frame["height"]) == (width, height)
        number = image.number_in(cue.box)
        assert site.numbered.seen_ms(number) == cue.seen_ms
        box = box_of(page, "#hover")
        track = box_of(page, ".track")
        assert track["x"] - 1 <= box["x"]
        assert box["x"] + box["width"] <= track["x"] + track["width"] + 1
    assert (box_of(page, "#player"), box_of(page, "#position")) == before
    page.mouse.move(bar["x"], bar["y"] - 200)
    expect(hover).to_be_hidden()
    loaded = hover.locator("img").evaluate("(image) => image.naturalWidth")
    assert loaded == image.width


def test_keys_show_it_too_and_screen_readers_hear_the_bar(page: Page, clip: Path) -> None:
    """Escape and leaving the bar hide it; what is read is the bar's own value."""
    assert clip.exists()
    open_clip(page)
    page.locator("#position").focus()
    page.keyboard.press("PageUp")
    hover = page.locator("#hover")
    expect(hover).to_be_visible()
    expect(hover).to_have_attribute("aria-hidden", "true")
    expect(page.locator("#position")).to_have_attribute("aria-valuetext", re.compile(r" s, \d{4}-"))
    page.keyboard.press("Escape")
    expect(hover).to_be_hidden()
    page.keyboard.press("PageUp")
    expect(hover).to_be_visible()
    page.keyboard.press("Tab")
    expect(hover).to_be_hidden()


def test_the_page_shows_the_contact_sheet(page: Page, clip: Path) -> None:
    """As a link to all of it, with a text for those who do not see it."""
    assert clip.exists()
    open_clip(page)
    sheet = page.get_by_role("link", name="Contact sheet of the clip, in full size")
    sheet.scroll_into_view_if_needed()
    expect(sheet).to_have_attribute("href", f"{API}/sheet.jpg")
    page.wait_for_function("document.querySelector('#sheet img').naturalWidth === 1600")


def test_a_clip_without_previews_has_none(page: Page, site: Site) -> None:
    """A pointer over its bar shows nothing, and nothing is fetched."""
    site.make_clip("plain", START_MS, START_MS + 1000)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto("/clips/pier/plain")
    expect(page.locator("#announced")).to_contain_text("Frame 1 of")
    bar = box_of(page, "#position")
    page.mouse.move(bar["x"] + 50, bar["y"] + 5)
    expect(page.locator("#hover")).to_be_hidden()
    assert page.locator("#sheet").count() == 0
    assert not any("sprite" in url and "/static/" not in url for url in asked)


def test_the_form_requests_them(page: Page, site: Site) -> None:
    """Each by its box, next to that of the time of day."""
    footage = FootagePage(page, site)
    footage.type_window(clock(START_MS + 2_000), clock(START_MS + 4_000))
    page.get_by_text("Name and options").click()
    page.get_by_label("Contact sheet next to the clip").check()
    page.get_by_label("Pictures over the player's seek bar").check()
    with page.expect_request("**/api/v1/clips") as sent:
        page.get_by_role("button", name="Request the clip").click()
    assert json.loads(sent.value.post_data or "")["options"] == {"previews": ["sheet", "sprite"]}
    requested = page.locator("#requests li").first
    expect(requested).to_have_attribute("data-status", "CLIP_AVAILABLE")
