"""Headless Chromium shows what people see: `python -m tests.campaigns.browser`.

It plays each clip and steps through its frames. `pages` uses the pages of `camclip serve`. The
browser is Debian's, driven by playwright.
"""
