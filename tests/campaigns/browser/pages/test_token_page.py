"""A server with a token, opened in a browser that has none."""

from collections.abc import Iterator
from pathlib import Path

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
    """A wrong one is refused; then the footage is shown, and every page opens."""
    with browser.new_context(base_url=closed.url) as context:
        context.set_default_timeout(WAITS_MS)
        page = context.new_page()
        refused: list[str] = []
        page.on(
            "response", lambda answer: refused.append(answer.url) if answer.status == 401 else None
        )
        page.goto("/clips")
        expect(page.get_by_role("heading")).to_have_text("The token is missing or wrong.")
        assert refused == [f"{closed.url}/clips"]  # Its style is shown.
        for typed in ("wrong", TOKEN):
            page.get_by_label("Token").fill(typed)
            page.get_by_role("button", name="Open").click()
            expect(page.locator("#timeline")).to_have_count(int(typed == TOKEN))
        assert "token" not in page.url
        expect(page.get_by_role("button", name="pier")).to_be_visible()
        page.goto("/clips")
        expect(page.get_by_role("heading", level=1)).to_have_text("Clips")
