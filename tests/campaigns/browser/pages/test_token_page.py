"""A server with a token, opened in a browser that has none."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, expect

from entrypoints.serve.guard import Access
from tests.campaigns.browser.pages.conftest import WAITS_MS, Site
from tests.support.served import Served, served

TOKEN = "a secret of enough characters"


@pytest.fixture
def closed(site: Site, tmp_path: Path) -> Iterator[Served]:
    """Serve the site's recordings to those who know the token."""
    with served(site.clips.parent / "dvr", tmp_path / "clips", Access(token=TOKEN)) as running:
        yield running


def test_the_token_is_typed_once(browser: Browser, closed: Served) -> None:
    """A wrong one is refused, in words; then the page that was opened is shown, and every other."""
    with browser.new_context(base_url=closed.url) as context:
        context.set_default_timeout(WAITS_MS)
        page = context.new_page()
        refused: list[str] = []
        shown: list[str] = []
        page.on(
            "response", lambda answer: refused.append(answer.url) if answer.status == 401 else None
        )
        page.on("framenavigated", lambda frame: shown.append(frame.url))
        page.goto("/clips?camera=pier")
        expect(page.get_by_role("heading")).to_have_text("The token is missing or wrong.")
        assert refused == [f"{closed.url}/clips?camera=pier"]  # Its style is shown.
        token = page.get_by_label("Token")
        expect(token).to_be_focused()
        for _ in range(2):
            token.fill("wrong")
            token.press("Enter")
            expect(page.get_by_role("alert")).to_have_text("The token that was typed is wrong.")
            expect(token).to_be_focused()
            expect(token).to_have_attribute("aria-invalid", "true")
            expect(token).to_have_accessible_description(re.compile("^The token that was typed"))
        token.fill(TOKEN)
        page.get_by_role("button", name="Open").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Clips")
        assert page.url == f"{closed.url}/clips?camera=pier"
        page.get_by_role("link", name="Footage").click()
        expect(page.get_by_role("button", name="pier")).to_be_visible()
        assert len(shown) >= 5
        assert not [each for each in shown if "wrong" in each or "secret" in each]


def test_a_link_of_another_site_is_followed_without_the_token(
    browser: Browser, closed: Served
) -> None:
    """As from mail in a browser; the cookie is sent along."""
    with browser.new_context(base_url=closed.url) as context:
        context.set_default_timeout(WAITS_MS)
        link = f'<a href="{closed.url}/clips">the clips</a>'
        context.route(
            "http://mail.example/",
            lambda route: route.fulfill(body=link, content_type="text/html"),
        )
        page = context.new_page()
        page.goto(f"/?token={quote(TOKEN)}")
        page.goto("http://mail.example/")
        page.get_by_role("link").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Clips")


def test_a_link_with_the_token_opens_the_page(browser: Browser, closed: Served) -> None:
    """Its address is then without, also if the token is wrong."""
    with browser.new_context(base_url=closed.url) as context:
        context.set_default_timeout(WAITS_MS)
        page = context.new_page()
        page.goto("/?camera=mole&token=wrong")
        expect(page.get_by_label("Token")).to_be_focused()
        assert page.url == f"{closed.url}/?camera=mole"
        page.goto(f"/?camera=mole&token={quote(TOKEN)}")
        expect(page.get_by_role("button", name="mole")).to_have_attribute("aria-pressed", "true")
        assert "token" not in page.url
