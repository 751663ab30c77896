"""The page that asks for the token, and the cookie in which a browser keeps it."""

import re

from starlette.responses import RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from entrypoints.serve.answers import TEMPLATES, HtmlAnswer
from entrypoints.serve.problems import NO_TOKEN, ProblemAnswer, opens_a_page

COOKIE = "camclip-token"
ADDRESS = "/token"
"""Where the page sends what is typed. It is sent in a body, which no address bar or history has."""
PAGE = re.compile(r"/(?![/\\])[!-~]*")
"""An address of this server. Browsers take `//` and `/\\` for the start of another server's name,
and drop control characters before they look."""


class TokenNeeded(ProblemAnswer):
    """The answer without the token: a page that takes it to a browser that opens one, else JSON."""

    def __init__(self, page: str = "", detail: str = "") -> None:
        super().__init__(NO_TOKEN, detail, {"WWW-Authenticate": "Bearer"})
        self.page = page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        if not opens_a_page(scope):
            await super().__call__(scope, receive, send)
            return
        template = TEMPLATES.get_template("token.html.jinja")
        page = self.page or requested_page(scope)
        text = template.render(
            kind=self.kind, detail=self.detail, here="", action=ADDRESS, page=page
        )
        await HtmlAnswer(text, self.kind.status, self.also)(scope, receive, send)


def requested_page(scope: Scope) -> str:
    """Return the address of the page that a request opens."""
    path, query = (bytes(scope[name]).decode("latin-1") for name in ("raw_path", "query_string"))
    return own_page(f"{path}?{query}" if query else path)


def own_page(address: str) -> str:
    """Return an address if it is a page of this server, else that of the first page."""
    return address if PAGE.fullmatch(address) and address != ADDRESS else "/"


def opened(page: str, token: str = "") -> Response:
    """Return the answer that leads a browser to a page, and gives it the token's cookie."""
    moved = RedirectResponse(own_page(page), 303)
    if token:
        # Links to clips are followed from mail and chat: with "strict" each would ask again.
        moved.set_cookie(COOKIE, token, httponly=True, samesite="lax")
    return moved
