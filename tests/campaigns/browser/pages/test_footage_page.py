"""The page of footage: from a camera to a clip."""

import re
from collections.abc import Callable
from datetime import datetime

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, Route, expect

from tests.campaigns.browser.pages.conftest import Site
from tests.campaigns.browser.pages.numbered import GAP_START_MS, clock, number_in
from tests.support.recorders import START_MS

VIEW_MS = 60_000
LANE_Y, TRACK_Y = 43, 86
"""Where on the timeline a drag draws the window, and where footage is, in px from its top."""


class FootagePage:
    """The page with the view that the test chose: times have known places."""

    def __init__(self, page: Page, site: Site, query: str = "") -> None:
        self.page = page
        self.numbered = site.numbered
        self.start_ms = START_MS - 5000
        view = f"view={self.start_ms}-{self.start_ms + VIEW_MS}"
        page.goto(f"/?camera=pier&zone=UTC&{view}{query}")
        expect(page.locator("#moment")).to_have_text(re.compile(r"\d\d:\d\d"))
        expect(page.locator("#plan")).to_have_attribute("aria-busy", "false")
        box = page.locator("#timeline").bounding_box()
        assert box
        self.left, self.top, self.width = box["x"], box["y"], box["width"]

    def point(self, at_ms: float, y: float = TRACK_Y) -> tuple[float, float]:
        """Return the place on screen of a time."""
        return self.left + (at_ms - self.start_ms) * self.width / VIEW_MS, self.top + y

    def hover(self, at_ms: int) -> None:
        """Move the pointer to a time on the timeline, and wait until the page shows it."""
        self.page.mouse.move(*self.point(at_ms))
        self.expect_moment(at_ms)

    def click(self, at_ms: int) -> None:
        """Click at a time on the timeline, and wait until the page shows it."""
        self.page.mouse.click(*self.point(at_ms))
        self.expect_moment(at_ms)

    def drag(self, from_ms: int, to_ms: int, y: float = LANE_Y) -> None:
        """Drag from one time to another, past places in between."""
        self.page.mouse.move(*self.point(from_ms, y))
        self.page.mouse.down()
        self.page.mouse.move(*self.point((from_ms + to_ms) / 2, y))
        self.page.mouse.move(*self.point(to_ms, y))
        self.page.mouse.up()

    def expect_moment(self, at_ms: int) -> None:
        """Expect the page to show a time that was pointed at, to the pixel: it is drawn later."""
        until(self.page, lambda: abs(self.moment_ms() - at_ms) <= VIEW_MS / self.width)

    def moment_ms(self) -> int:
        """Return the moment that the page says it shows."""
        return instant_ms(self.page.locator("#moment").inner_text())

    def expect_exact_picture(self) -> None:
        """Expect the picture of the moment that the page names, by the number in it."""
        at_ms = self.moment_ms()
        number = self.numbered.number_at(at_ms)
        seen = clock(self.numbered.seen_ms(number))
        expect(self.page.locator("#seen")).to_have_text(f"frame of {seen}")
        assert number_in(self.page.locator("#picture")) == number

    def window(self) -> tuple[int, int]:
        """Return the window that the fields show."""
        return tuple(instant_ms(self.field(end).input_value()) for end in ("startMs", "endMs"))  # type: ignore[return-value] # two

    def field(self, end: str) -> Locator:
        return self.page.locator(f"input#{end}")

    def type_window(self, start: str, end: str) -> None:
        """Type both ends; Enter reads them, and the field then shows the date, too."""
        for name, text in (("startMs", start), ("endMs", end)):
            self.field(name).fill(text)
            self.field(name).press("Enter")
            expect(self.field(name)).to_have_value(re.compile(r"^\d{4}-\d\d-\d\d "))


def until(page: Page, holds: Callable[[], bool]) -> None:
    """Wait until something holds of what the page shows: for 20 s, as an expectation."""
    for _ in range(400):
        if holds():
            return
        page.wait_for_timeout(50)
    assert holds()


def expect_number(shown: Locator, number: int) -> None:
    """Expect an image to show a number soon: the last one stays until the next has come."""
    until(shown.page, lambda: number_in(shown) == number)


def instant_ms(text: str) -> int:
    """Return the instant of a text that begins with a date and a time in UTC."""
    found = re.search(r"(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d\.\d{3})", text)
    assert found, text
    instant = datetime.fromisoformat(f"{found[1]}T{found[2]}+00:00")
    return round(instant.timestamp() * 1000)


@pytest.mark.parametrize("after_ms", [1234, 9_990, 10_010, 25_678, 43_210])
def test_the_picture_is_of_the_moment_under_the_pointer(
    page: Page, site: Site, after_ms: int
) -> None:
    """To the frame, which says its own number."""
    footage = FootagePage(page, site)
    footage.hover(START_MS + after_ms)
    footage.expect_exact_picture()


def test_a_gap_has_no_picture(page: Page, site: Site) -> None:
    """And says so; the picture of before is gone."""
    footage = FootagePage(page, site)
    footage.hover(START_MS + 5000)
    footage.expect_exact_picture()
    footage.hover(GAP_START_MS + 5000)
    expect(page.locator("#no-picture")).to_have_text("There is no footage of this moment.")
    expect(page.locator("#picture")).to_be_hidden()


def test_another_camera_is_chosen(page: Page, site: Site) -> None:
    """By its button: the same moment is shown of it, and its name is in the address."""
    footage = FootagePage(page, site)
    footage.click(START_MS + 5000)
    footage.expect_exact_picture()
    picture, mole = page.locator("#picture"), page.get_by_role("button", name="mole")
    before = picture.get_attribute("src")
    assert before
    mole.click()
    expect(mole).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_role("button", name="pier")).to_have_attribute("aria-pressed", "false")
    expect(page).to_have_url(re.compile("camera=mole"))
    expect(picture).not_to_have_attribute("src", before)
    number = site.numbered.number_at(footage.moment_ms(), "mole")
    expect_number(picture, number)


def test_a_drag_draws_the_window(page: Page, site: Site) -> None:
    """Its ends settle on whole frames, and the plan counts those between."""
    footage = FootagePage(page, site)
    wanted = START_MS + 8_345, START_MS + 12_345
    footage.drag(*wanted)
    expect(page.locator("#plan p")).to_have_text(re.compile("^The clip lasts"))
    start_ms, end_ms = footage.window()
    px_ms = VIEW_MS / footage.width
    assert abs(start_ms - wanted[0]) <= 6 * px_ms
    assert abs(end_ms - wanted[1]) <= 6 * px_ms
    numbers = site.numbered.numbers(start_ms, end_ms)
    assert start_ms == site.numbered.seen_ms(numbers[0])
    assert end_ms == site.numbered.seen_ms(numbers[-1] + 1)
    expect(page.locator("#plan dd").first).to_have_text(re.compile(rf"^{len(numbers)}\b.*: "))


def test_an_end_is_dragged_by_its_handle(page: Page, site: Site) -> None:
    """The other end stays, and the picture is of the end."""
    start_ms, end_ms = START_MS + 5000, START_MS + 15_000
    footage = FootagePage(page, site, f"&from={start_ms}&to={end_ms}")
    handle = page.locator("#end-handle").bounding_box()
    assert handle
    page.mouse.move(handle["x"] + handle["width"] / 2, handle["y"] + handle["height"] / 2)
    page.mouse.down()
    page.mouse.move(*footage.point(START_MS + 18_000, LANE_Y))
    page.mouse.move(*footage.point(START_MS + 20_000, LANE_Y))
    page.mouse.up()
    margin_ms = 10 * VIEW_MS / footage.width
    until(page, lambda: abs(footage.window()[1] - (START_MS + 20_000)) <= margin_ms)
    assert footage.window()[0] == start_ms


def test_a_typed_window_is_taken_to_the_millisecond(page: Page, site: Site) -> None:
    """The date may be left out; the plan says how many frames and gaps there are."""
    footage = FootagePage(page, site)
    start_ms, end_ms = GAP_START_MS - 2345, GAP_START_MS + 12_345
    footage.type_window(clock(start_ms), clock(end_ms))
    assert footage.window() == (start_ms, end_ms)
    frames = len(site.numbered.numbers(start_ms, end_ms))
    expect(page.locator("#plan dd").first).to_have_text(re.compile(rf"^{frames}\b.*: "))
    expect(page.locator("#plan")).to_contain_text("1 gap, 10 s in all")


def test_what_is_no_time_is_refused_with_the_remedy(page: Page, site: Site) -> None:
    """Next to the field; the window stays."""
    start_ms, end_ms = START_MS + 5000, START_MS + 9000
    footage = FootagePage(page, site, f"&from={start_ms}&to={end_ms}")
    footage.field("startMs").fill("25:00:00")
    footage.field("startMs").press("Enter")
    expect(footage.field("startMs")).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#startMs-note")).to_contain_text("00:00:00 to 23:59:59")
    expect(page).to_have_url(re.compile(f"from={start_ms}&to={end_ms}"))


@pytest.mark.parametrize(
    ("typed", "fault"),
    [
        ("abc", "This is no length. Type it as 30 s, 1 min 30 s, or 1:30."),
        ("30 h", "This is longer than a day. Type a shorter length."),
    ],
)
def test_what_is_no_length_is_refused_with_the_remedy(
    page: Page, site: Site, typed: str, fault: str
) -> None:
    """Below the field, which it describes; the window stays until a length is typed."""
    start_ms, end_ms = START_MS + 5000, START_MS + 9000
    FootagePage(page, site, f"&from={start_ms}&to={end_ms}")
    length = page.get_by_label("Length")
    expect(length).to_have_value("4 s")
    length.fill(typed)
    length.blur()
    expect(length).to_have_attribute("aria-invalid", "true")
    expect(length).to_have_accessible_description(fault)
    expect(page.get_by_text(fault)).to_be_visible()
    expect(page).to_have_url(re.compile(f"from={start_ms}&to={end_ms}"))
    for again, shown, later_ms in (("4", "4 s", 0), ("1:05", "1 min 5 s", 61_000)):
        length.fill(again)
        length.blur()
        expect(length).to_have_value(shown)
        expect(length).to_have_attribute("aria-invalid", "false")
        expect(page.get_by_text(fault)).to_have_count(0)
        expect(page).to_have_url(re.compile(f"from={start_ms}&to={end_ms + later_ms}"))


def test_what_is_ignored_of_the_address_is_said(page: Page, site: Site) -> None:
    """To screen readers, too, and nothing moves for it; it can be closed."""
    page.goto("/?camera=quay&from=5&to=3&zone=Mars")
    remark = page.locator("#remark").get_by_role("status")
    assert site.numbered
    expect(remark).to_have_text(
        "These parts of the address are ignored:"
        " camera=quay (no such camera: choose one of the list);"
        " from=5 and to=3 (from must be before to);"
        " zone=Mars (no such time zone: choose one of the list)."
    )
    expect(page).to_have_url(re.compile("camera=mole|camera=pier"))
    top = page.locator("#stage").bounding_box()
    close = page.get_by_role("button", name="Close")
    close.focus()
    page.keyboard.press("Enter")
    expect(remark).to_have_text("")
    expect(close).to_be_hidden()
    assert page.locator("#stage").bounding_box() == top
    expect(page.locator("#main")).to_be_focused()
    expect(page.locator("#plan")).to_have_attribute("aria-busy", "false")


def test_an_address_that_is_followed_needs_no_remark(page: Page, site: Site) -> None:
    """Nor is there anything to close."""
    FootagePage(page, site, f"&from={START_MS + 5000}&to={START_MS + 9000}")
    expect(page.locator("#remark").get_by_role("status")).to_have_text("")
    expect(page.get_by_role("button", name="Close")).to_be_hidden()


def test_keys_move_from_frame_to_frame(page: Page, site: Site) -> None:
    """Forward and back, over the boundary of two recordings."""
    footage = FootagePage(page, site)
    footage.click(START_MS + 9_900)
    page.mouse.move(0, 0)
    footage.expect_exact_picture()
    number = site.numbered.number_at(footage.moment_ms())
    steps = [*range(number, 1300), *range(2000, 2004)]
    for after in steps[1:]:
        page.keyboard.press(".")
        seen = clock(site.numbered.seen_ms(after))
        expect(page.locator("#seen")).to_have_text(f"frame of {seen}")
        assert number_in(page.locator("#picture")) == after
    page.keyboard.press(",")
    expect(page.locator("#seen")).to_have_text(
        f"frame of {clock(site.numbered.seen_ms(steps[-2]))}"
    )
    footage.expect_exact_picture()


def test_a_zone_is_chosen(page: Page, site: Site) -> None:
    """All times are shown in it, and the window stays."""
    start_ms, end_ms = START_MS + 5000, START_MS + 9000
    footage = FootagePage(page, site, f"&from={start_ms}&to={end_ms}")
    page.locator("select#zone").focus()  # The others are listed once it is used.
    page.locator("select#zone").select_option("Europe/Madrid")
    expect(footage.field("startMs")).to_have_value("2026-05-01 13:59:55.000")
    expect(page.locator("#startMs-note")).to_contain_text(clock(start_ms))
    expect(page).to_have_url(re.compile(f"from={start_ms}&to={end_ms}.*zone=Europe/Madrid"))


def test_a_clip_is_requested_and_opened(page: Page, site: Site) -> None:
    """Its progress is followed until it is there; its file has the window's frames."""
    footage = FootagePage(page, site)
    start_ms, end_ms = START_MS + 6_789, START_MS + 11_234
    footage.type_window(clock(start_ms), clock(end_ms))
    expect(page.locator("#plan p")).to_have_text("The clip lasts 4.445 s.")
    page.get_by_role("button", name="Request the clip").click()
    requested = page.locator("#requests li").first
    expect(requested).to_have_attribute("data-state", "done")
    expect(requested).to_have_attribute("data-status", "CLIP_AVAILABLE")
    requested.get_by_role("link", name="Open the clip").click()
    expect(page).to_have_url(re.compile(r"/clips/pier/[\w-]+$"))
    numbers = site.numbered.numbers(start_ms, end_ms)
    expect(page.locator("#frame-number")).to_have_text("1")
    expect(page.locator("#announced")).to_contain_text(f"Frame 1 of {len(numbers)}")
    assert number_in(page.locator("#video")) == numbers[0]


def test_a_clip_has_the_time_of_day_as_text(page: Page, site: Site) -> None:
    """In the zone that was chosen, if that is wanted; its id is not that of the usual clip."""
    footage = FootagePage(page, site)
    start_ms, end_ms = START_MS + 5_678, START_MS + 8_765
    footage.type_window(clock(start_ms), clock(end_ms))
    page.get_by_text("Name and options").click()
    page.get_by_label("Time of day as text").check()
    expect(page.locator("#plan p")).to_have_text("The clip lasts 3.087 s.")
    page.get_by_role("button", name="Request the clip").click()
    requested = page.locator("#requests li").first
    expect(requested).to_have_attribute("data-status", "CLIP_AVAILABLE")
    requested.get_by_role("link", name="Open the clip").click()
    expect(page).to_have_url(re.compile(r"/clips/pier/[\w-]+-3087ms-[0-9a-f]{8}$"))
    address = page.url.replace("/clips/", "/api/v1/clips/")
    options = page.request.get(address).json()["options"]
    assert options == {"wallClock": "UTC"}
    text = page.request.get(f"{address}/wall-clock.vtt").text()
    assert text.count(" --> ") == 4


def test_a_time_that_cannot_be_read_requests_nothing(page: Page, site: Site) -> None:
    """The window is not what the field says: the page says so, and leads there."""
    FootagePage(page, site, f"&from={START_MS + 1000}&to={START_MS + 2000}")
    expect(page.locator("#request")).to_be_enabled()
    requested: list[str] = []
    page.on("request", lambda sent: requested.append(sent.method + sent.url))
    page.locator("input#startMs").fill("noon")
    page.locator("#request").click()
    expect(page.locator("#refused")).to_contain_text("nothing was requested")
    expect(page.locator("input#startMs")).to_be_focused()
    assert not [each for each in requested if each.startswith("POST") and "/clips" in each]
    page.locator("input#startMs").fill("11:59:51")
    page.locator("input#startMs").press("Enter")
    expect(page.locator("#refused")).to_be_hidden()


def test_a_window_in_the_future_names_the_remedy(page: Page, site: Site) -> None:
    """The reason alone does not say what to do."""
    FootagePage(page, site, "&from=4000000000000&to=4000000005000")
    expect(page.locator("#plan p")).to_contain_text("Choose an end before now.")
    expect(page.locator("#request")).to_be_disabled()


def test_the_button_keeps_the_focus_when_it_is_pressed(page: Page, site: Site) -> None:
    """By a key: the next key goes on from there."""
    FootagePage(page, site, f"&from={START_MS + 1500}&to={START_MS + 2500}")
    button = page.get_by_role("button", name="Request the clip")
    expect(button).to_be_enabled()
    button.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#requests li").first).to_have_attribute("data-status", "CLIP_AVAILABLE")
    expect(button).to_be_focused()


def test_a_plan_is_requested_again_when_the_server_answers(
    context: BrowserContext, site: Site
) -> None:
    """The page recovers by itself."""
    page = context.new_page()
    assert site.served.get("/").ok
    page.route("**/api/v1/plans", lambda route: route.abort(), times=1)
    page.goto(f"/?camera=pier&zone=UTC&from={START_MS + 1500}&to={START_MS + 2500}")
    expect(page.locator("#plan p")).to_contain_text("The server does not answer.")
    expect(page.locator("#plan p")).to_have_text("The clip lasts 1 s.")
    expect(page.get_by_role("button", name="Request the clip")).to_be_enabled()


def test_a_lost_connection_is_named_until_it_is_back(context: BrowserContext, site: Site) -> None:
    """The request goes on, and so does its progress."""
    page = context.new_page()
    page.route("**/api/v1/events", lambda route: route.abort(), times=2)
    FootagePage(page, site, f"&from={START_MS + 1600}&to={START_MS + 2600}")
    page.get_by_role("button", name="Request the clip").click()
    connection = page.locator("#clip #connection")
    expect(connection).to_contain_text("The connection to the server is lost; it is tried again.")
    expect(page.locator("#requests li").first).to_have_attribute("data-status", "CLIP_AVAILABLE")
    expect(connection).to_be_hidden()


def test_a_clip_that_is_ready_before_its_request_is_answered(page: Page, site: Site) -> None:
    """On a slow device: the answer, which is older than the events, does not undo them."""
    FootagePage(page, site, f"&from={START_MS + 1650}&to={START_MS + 2650}")

    def answer_late(route: Route) -> None:
        answer = route.fetch()
        address = answer.headers["location"]
        until(page, lambda: site.served.get(address).json()["state"] == "done")
        page.wait_for_timeout(500)
        route.fulfill(response=answer)

    page.route("**/api/v1/clips", answer_late, times=1)
    page.get_by_role("button", name="Request the clip").click()
    expect(page.locator("#requests li").first).to_have_attribute("data-status", "CLIP_AVAILABLE")


def test_requests_of_one_window_differ_by_their_options(page: Page, site: Site) -> None:
    """In words."""
    FootagePage(page, site, f"&from={START_MS + 1700}&to={START_MS + 2700}")
    page.get_by_text("Name and options").click()
    page.get_by_role("button", name="Request the clip").click()
    page.get_by_label("Contact sheet").check()
    page.get_by_label("Where there is no footage").select_option("black")
    page.get_by_role("button", name="Request the clip").click()
    requested = page.locator("#requests li")
    expect(requested).to_have_count(2)
    expect(requested.nth(0)).to_contain_text("1 s, gaps show black, contact sheet")
    expect(requested.nth(1)).not_to_contain_text("gaps")


def test_a_window_whose_clip_was_deleted_is_requested_again(page: Page, site: Site) -> None:
    """Without an id of its own it is another clip."""
    window = START_MS + 1800, START_MS + 2800
    query = f"&from={window[0]}&to={window[1]}"
    FootagePage(page, site, query)
    address: str | None = None
    for _ in range(2):
        page.get_by_role("button", name="Request the clip").click()
        requested = page.locator("#requests li").first
        expect(requested).to_have_attribute("data-status", "CLIP_AVAILABLE")
        link = requested.get_by_role("link", name="Open the clip")
        address = link.get_attribute("href")
        assert site.served.delete(f"/api/v1{address}").status_code == 204
        expect(requested).to_have_count(0)
    assert address
    assert address.endswith("-2")


def test_an_id_that_is_taken_leads_to_the_field(context: BrowserContext, site: Site) -> None:
    """The text is for people: it names no address and no member of the API."""
    site.make_clip("taken", START_MS, START_MS + 1000)
    site.make_clip("gone", START_MS, START_MS + 1000)
    site.served.delete("/api/v1/clips/pier/gone")
    page = context.new_page()
    FootagePage(page, site, f"&from={START_MS + 1900}&to={START_MS + 2900}")
    for clip_id, text in (
        ("taken", "Another clip has this id. Type another one, or none,"),
        ("gone", "A clip with this id was deleted. Type another id, or none,"),
    ):
        page.locator("#name").evaluate("(name, text) => (name.value = text)", clip_id)
        page.locator("#name").dispatch_event("input")
        page.locator("details:has(#name)").evaluate("(details) => (details.open = false)")
        page.get_by_role("button", name="Request the clip").click()
        expect(page.locator("#refused")).to_contain_text(text)
        expect(page.locator("#name")).to_be_focused()


def test_enter_reads_the_length_and_requests_nothing(page: Page, site: Site) -> None:
    """As in the fields of the ends."""
    start_ms = START_MS + 5000
    footage = FootagePage(page, site, f"&from={start_ms}&to={start_ms + 4000}")
    expect(page.locator("#request")).to_be_enabled()
    page.get_by_label("Length").fill("2")
    page.get_by_label("Length").press("Enter")
    expect(page.get_by_label("Length")).to_have_value("2 s")
    assert footage.window() == (start_ms, start_ms + 2000)
    expect(page.locator("#plan p")).to_have_text("The clip lasts 2 s.")
    expect(page.locator("#requests li")).to_have_count(0)
