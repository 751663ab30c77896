"""The pages of `camclip serve`, as people use them: `pytest tests/campaigns/browser/pages`.

The footage shows the number of each frame, which is read off the pictures that the browser shows.
With `--pictures docs`, the run also writes the README's screenshots.
"""
