"""Answers whose text may hold anything: names of files need not be Unicode."""

import json
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse, JSONResponse

TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
)
"""Of the pages that show no clip."""


class JsonAnswer(JSONResponse):
    """JSON in ASCII: a byte of a name that is no UTF-8 is an escaped surrogate, as Python's is."""

    def render(self, content: Any) -> bytes:  # noqa: ANN401 - JSON
        """Return the body."""
        return json.dumps(content, allow_nan=False, separators=(",", ":")).encode("ascii")


class HtmlAnswer(HTMLResponse):
    """A page in UTF-8, in which such a byte is written as an escape, too."""

    def render(self, content: Any) -> bytes:  # noqa: ANN401 - as the library's
        """Return the body."""
        return str(content).encode("utf-8", "backslashreplace")
