"""What the page that asks for the token sends."""

from urllib.parse import parse_qs

from attrs import frozen
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from entrypoints.serve.guard import Access
from entrypoints.serve.parameters import bytes_of, media_type_of
from entrypoints.serve.token_page import ADDRESS, TokenNeeded, opened, own_page

FORM = "application/x-www-form-urlencoded"
WRONG = "The token that was typed is wrong."


@frozen
class SignInRoutes:
    """The form's address."""

    access: Access

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route(ADDRESS, self.first_page, methods=["GET"]),
            Route(ADDRESS, self.sign_in, methods=["POST"]),
        ]

    def first_page(self, _: Request) -> Response:
        """Answer with the first page: the form's address shows nothing by itself."""
        return opened("/")

    async def sign_in(self, request: Request) -> Response:
        """Answer with the cookie, and the page that was opened; or with the form again."""
        is_form = media_type_of(request) == FORM
        sent = parse_qs((await bytes_of(request)).decode("latin-1")) if is_form else {}
        [token], [page] = sent.get("token", [""])[-1:], sent.get("page", ["/"])[-1:]
        token = token.strip()
        if not self.access.token:
            return opened(page)
        if self.access.is_token(token):
            return opened(page, token)
        return TokenNeeded(own_page(page), WRONG if token else "")
