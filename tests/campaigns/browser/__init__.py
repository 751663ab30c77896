"""Headless Chromium plays and steps through clips: `python -m tests.campaigns.browser`.

The page (`page.html`) does everything by itself: it fetches the list of clips, plays each and seeks
to each of its frames, and posts what it was shown. No driver is needed, only the browser.
"""
