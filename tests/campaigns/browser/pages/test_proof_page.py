"""The page of a clip: what is proven of it, and its verification."""

from playwright.sync_api import Page, expect

from tests.campaigns.browser.pages.conftest import Site
from tests.support.recorders import START_MS

WINDOW = START_MS, START_MS + 10_000
"""A whole recording: its frames are copied."""


def test_a_clip_is_verified_until_it_is_changed(page: Page, site: Site) -> None:
    """The button says that it is as it was cut; after a byte was changed, which frames differ."""
    path = site.make_clip("proof-1", *WINDOW)
    page.goto("/clips/pier/proof-1")
    proof = page.locator("#proof")
    expect(proof).to_contain_text("are the recordings' own")
    expect(proof).to_contain_text("Set PROOF_KEY to sign manifests.")
    page.get_by_role("button", name="Verify now").click()
    expect(page.locator("#verified .notice.good")).to_contain_text("The clip is what was cut")
    expect(page.locator("#verified li").first).to_contain_text("The manifest is not signed")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)
    page.get_by_role("button", name="Verify now").click()
    expect(page.locator("#verified .notice.bad")).to_have_text("The clip is not what was cut.")
    expect(page.locator("#verified li").first).to_contain_text("Frames with these bytes: 1, seen")
