"""The pages on a phone and a desk, light and dark: nothing is cut off, all can be read."""

import re
from collections.abc import Iterator
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.campaigns.browser.pages.conftest import WAITS_MS, Site
from tests.support.recorders import START_MS

Scheme = Literal["light", "dark"]
SCREENS: dict[str, dict[str, Any]] = {
    "desk": {"viewport": {"width": 1280, "height": 900}},
    "phone": {
        "viewport": {"width": 390, "height": 844},
        "device_scale_factor": 2,
        "has_touch": True,
        "is_mobile": True,
    },
    "small phone": {"viewport": {"width": 320, "height": 568}, "has_touch": True},
}
ADDRESSES = (f"/?camera=pier&from={START_MS + 5000}&to={START_MS + 9000}", "/clips", "/api")
CLIP = "/clips/pier/look-1"
MIN_CONTRAST, MIN_CONTRAST_OF_LARGE = 4.5, 3.0
"""Web Content Accessibility Guidelines 2.2, criterion 1.4.3."""
MIN_TARGET_PX = 24
"""The same, criterion 2.5.8."""
SURVEY = """
() => {
  const context = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const rgba = (colour) => {
    context.clearRect(0, 0, 1, 1);
    context.fillStyle = colour;
    context.fillRect(0, 0, 1, 1);
    return [...context.getImageData(0, 0, 1, 1).data];
  };
  const probe = document.body.appendChild(document.createElement("i"));
  probe.style.backgroundColor = "Canvas";
  const canvas = rgba(getComputedStyle(probe).backgroundColor);
  probe.remove();
  const luminance = (colour) => {
    const [r, g, b] = colour.map((byte) => {
      const part = byte / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (element) => {
    for (let each = element; each; each = each.parentElement) {
      const colour = rgba(getComputedStyle(each).backgroundColor);
      if (colour[3] === 255) return colour;
    }
    return canvas;
  };
  const isShown = (element) =>
    element.checkVisibility({ opacityProperty: true, visibilityProperty: true }) &&
    element.getBoundingClientRect().width > 1 && !element.closest(".only-read, .skip");
  const texts = [...document.querySelectorAll("body *")].filter((element) =>
    [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim()) &&
    isShown(element) && !element.closest("option, [disabled], [aria-busy=true]"));
  const contrasts = texts.map((element) => {
    const style = getComputedStyle(element);
    const [some, other] = [rgba(style.color), ground(element)].map(luminance);
    const ratio = (Math.max(some, other) + 0.05) / (Math.min(some, other) + 0.05);
    const sizePx = parseFloat(style.fontSize);
    const isLarge = sizePx >= 24 || (sizePx >= 18.66 && Number(style.fontWeight) >= 700);
    return { text: element.textContent.trim().slice(0, 40), ratio, isLarge };
  });
  const targets = [...document.querySelectorAll("button, select, input, a.button")]
    .filter(isShown)
    .map((element) => {
      const { width, height } = element.getBoundingClientRect();
      return { text: element.ariaLabel || element.textContent.trim() || element.id, width, height,
               isInText: getComputedStyle(element).display === "inline" };
    });
  return {
    excessPx: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    ground: luminance(ground(document.body)),
    contrasts,
    targets,
  };
}
"""


@pytest.fixture(params=["light", "dark"])
def scheme(request: pytest.FixtureRequest) -> Scheme:
    chosen: Scheme = request.param
    return chosen


@pytest.fixture(params=SCREENS)
def screen(
    request: pytest.FixtureRequest, browser: Browser, site: Site, scheme: Scheme
) -> Iterator[Page]:
    """Yield a page on a screen, in a scheme."""
    site.make_clip("look-1", START_MS + 5000, START_MS + 9000)
    options = SCREENS[request.param]
    with browser.new_context(
        base_url=site.served.url, color_scheme=scheme, timezone_id="UTC", **options
    ) as context:
        context.set_default_timeout(WAITS_MS)
        yield context.new_page()


def survey(page: Page, address: str) -> dict[str, Any]:
    """Return what can be measured of a page once it shows its picture."""
    page.goto(address)
    if address.startswith("/?"):
        expect(page.locator("#seen")).to_have_text(re.compile("^frame of"))
        expect(page.locator("#plan")).to_have_attribute("aria-busy", "false")
    if address == CLIP:
        expect(page.locator("#player #announced")).to_contain_text("Frame 1 of")
    return dict(page.evaluate(SURVEY))


@pytest.mark.parametrize("address", [*ADDRESSES, CLIP])
def test_nothing_is_cut_off_and_all_can_be_read(screen: Page, scheme: Scheme, address: str) -> None:
    """No page is wider than its screen; texts and buttons are as accessibility requires."""
    found = survey(screen, address)
    assert found["excessPx"] <= 0
    assert (found["ground"] < 0.2) == (scheme == "dark")
    assert found["contrasts"]
    faint = [
        each
        for each in found["contrasts"]
        if each["ratio"] < (MIN_CONTRAST_OF_LARGE if each["isLarge"] else MIN_CONTRAST)
    ]
    assert faint == []
    small = [
        each
        for each in found["targets"]
        if min(each["width"], each["height"]) < MIN_TARGET_PX and not each["isInText"]
    ]
    assert small == []


def test_a_finger_draws_the_window(browser: Browser, site: Site) -> None:
    """On a phone, by a drag in the lane; the page does not scroll with it."""
    with browser.new_context(
        base_url=site.served.url, timezone_id="UTC", **SCREENS["phone"]
    ) as context:
        context.set_default_timeout(WAITS_MS)
        page = context.new_page()
        page.goto(f"/?camera=pier&view={START_MS - 5000}-{START_MS + 55_000}")
        expect(page.locator("#plan")).to_have_attribute("aria-busy", "false")
        box = page.locator("#timeline").bounding_box()
        assert box
        before = page.locator("#startMs").input_value()
        touch = context.new_cdp_session(page)
        y = box["y"] + 43
        for kind, x in (("Start", 0.3), ("Move", 0.4), ("Move", 0.6), ("End", None)):
            points = [] if x is None else [{"x": box["x"] + x * box["width"], "y": y}]
            touch.send("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": points})
        expect(page.locator("#startMs")).not_to_have_value(before)
        expect(page.locator("#plan p")).to_contain_text("The clip lasts")
        assert page.evaluate("scrollY") == 0
