"""The pages on a phone and a desk, light and dark: nothing is cut off, all can be read."""

import re
from collections.abc import Iterator
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.campaigns.browser.pages.conftest import WAITS_MS, Site
from tests.campaigns.browser.pages.numbered import GAP_START_MS
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
IGNORED = f"/?camera=quay&from={START_MS}&to=3&zone={'x' * 50}"
TOUCHED = {
    **SCREENS,
    "tablet": {"viewport": {"width": 1024, "height": 768}, "has_touch": True, "is_mobile": True},
}
ADDRESSES = (
    f"/?camera=pier&from={START_MS + 5000}&to={START_MS + 9000}",
    IGNORED,
    "/clips",
    "/api",
)
CLIPS = ("/clips/pier/look-1", "/clips/pier/look-2", "/clips/pier/none")
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

MIN_FINGER_TARGET_PX = 44
"""Criterion 2.5.5: of all but links in a text, for which the line is large enough."""
EDGE_PX = 1
"""How far from where it seems an edge may be: boxes lie between pixels."""
UNFOLD = "() => document.querySelectorAll('details').forEach((each) => { each.open = true; })"
TARGETS = """
() => {
  const isShown = (element) =>
    element.checkVisibility({ opacityProperty: true, visibilityProperty: true }) &&
    element.getBoundingClientRect().width > 1;
  const pressed = "a[href], button, input, select, summary, [role=slider]";
  const isInText = (element) => element.matches("p:not(.crumbs, .actions) > a");
  return [...document.querySelectorAll(pressed)]
    .filter((element) => isShown(element) && !element.matches(".skip") && !isInText(element))
    .map((element) => {
      element.scrollIntoView({ block: "center", inline: "center", behavior: "instant" });
      const box = element.getBoundingClientRect();
      const isHit = (x, y) => {
        const found = document.elementFromPoint(x, y);
        return element.contains(found) || found?.closest("label")?.control === element;
      };
      const reach = (dx, dy) => {
        const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
        let px = 0.25;
        while (px < 50 && isHit(x + dx * px, y + dy * px)) px += 0.5;
        return px - 0.25;
      };
      return {
        name: element.ariaLabel || element.textContent.trim() || element.id,
        width: reach(-1, 0) + reach(1, 0),
        height: reach(0, -1) + reach(0, 1),
        isControl: !element.matches("main a:not(.button)"),
      };
    });
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
    make_clips(site)
    options = SCREENS[request.param]
    with browser.new_context(
        base_url=site.served.url, color_scheme=scheme, timezone_id="UTC", **options
    ) as context:
        context.set_default_timeout(WAITS_MS)
        yield context.new_page()


def make_clips(site: Site) -> None:
    """Make a clip that is whole, and one with a gap."""
    site.make_clip("look-1", START_MS + 5000, START_MS + 9000)
    site.make_clip("look-2", GAP_START_MS - 1000, GAP_START_MS + 11_000)


def survey(page: Page, address: str) -> dict[str, Any]:
    """Return what can be measured of a page once it shows its picture."""
    page.goto(address)
    if address.startswith("/?"):
        expect(page.locator("#seen")).to_have_text(re.compile("^frame of"))
        expect(page.locator("#plan")).to_have_attribute("aria-busy", "false")
    if "/look-" in address:
        expect(page.locator("#player #announced")).to_contain_text("Frame 1 of")
    return survey_now(page)


def survey_now(page: Page) -> dict[str, Any]:
    """Return what can be measured of a page as it is."""
    return dict(page.evaluate(SURVEY))


@pytest.mark.parametrize("address", [*ADDRESSES, *CLIPS])
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


@pytest.mark.parametrize("name", TOUCHED)
@pytest.mark.parametrize("address", [*ADDRESSES, *CLIPS])
def test_what_can_be_pressed_is_large_enough(
    browser: Browser, site: Site, name: str, address: str
) -> None:
    """For a finger where that points; elsewhere for a mouse. All is unfolded, and fits its screen.

    The size is that of the part that is hit: labels belong to it, parts below others do not.
    """
    make_clips(site)
    with browser.new_context(
        base_url=site.served.url, timezone_id="UTC", **TOUCHED[name]
    ) as context:
        context.set_default_timeout(WAITS_MS)
        page = context.new_page()
        survey(page, address)
        if address == IGNORED:
            close = page.get_by_role("button", name="Close")
            box = close.bounding_box()
            assert box
            assert box["width"] > box["height"] >= MIN_TARGET_PX  # Its word is not broken.
            close.click()
        page.evaluate(UNFOLD)
        is_coarse = page.evaluate("matchMedia('(pointer: coarse)').matches")
        assert is_coarse == (name != "desk")
        found = page.evaluate(TARGETS)
        least = MIN_FINGER_TARGET_PX if is_coarse else MIN_TARGET_PX
        small = [
            each
            for each in found
            if min(each["width"], each["height"]) + EDGE_PX
            < (least if each["isControl"] else MIN_TARGET_PX)
        ]
        assert found
        assert small == []
        assert survey_now(page)["excessPx"] <= 0
