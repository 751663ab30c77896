"""The pages: what they refer to, and how much of it there is."""

import re

import pytest

from entrypoints.cli.clip_page.templates import modules
from entrypoints.serve.pages import STATIC
from tests.support.recorders import START_MS
from tests.support.served import Served

MAX_FIRST_BYTES = 100_000
REFERRED = re.compile(r'(?:href|src)="(/static/[^"]+)"')
TYPES = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}


@pytest.mark.parametrize(
    "query",
    [
        "",
        f"?camera=pier&from={START_MS}&to={START_MS + 1000}",
        "?camera=<script>&from=x&zone=Mars&view=1-2&more=1",
    ],
    ids=["none", "a clip to cut again", "nonsense"],
)
def test_the_page_is_the_same_whatever_its_address_says(server: Served, query: str) -> None:
    """Its script reads the query: nothing of it is in the page."""
    page = server.get(f"/{query}")
    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.text == server.get("/").text


def test_all_that_the_page_refers_to_is_served(server: Served) -> None:
    """By its type; and an unchanged copy of it is not sent again."""
    for path in set(REFERRED.findall(server.get("/").text)):
        file = server.get(path)
        assert file.status_code == 200, path
        assert file.headers["content-type"].startswith(TYPES[path.rpartition(".")[2]])
        again = server.get(path, headers={"If-None-Match": file.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")


def test_the_page_is_small(server: Served) -> None:
    """The page, its style and its scripts, as they are before it is usable, uncompressed."""
    page = server.get("/")
    files = {path: len(server.get(path).content) for path in set(REFERRED.findall(page.text))}
    assert len(page.content) + sum(files.values()) < MAX_FIRST_BYTES, files


def test_the_scripts_that_a_page_needs_are_fetched_at_once(server: Served) -> None:
    """Those that its script imports, directly or not; but none that it loads later."""
    needed = modules("start.js")
    assert {"timeline.js", "zones.js", "tiles.js"} <= set(needed)
    assert "clip_form.js" not in needed
    page = server.get("/").text
    assert [f"/static/{name}" in page for name in needed] == [True] * len(needed)


def test_pages_and_their_files_need_no_other_server() -> None:
    """Nor does a style or a script stand in a page, which the browser would refuse."""
    for name, path in STATIC.items():
        if path.suffix != ".svg":
            assert not re.search(r"[\"'(](https?:)?//\w", path.read_text()), name
        assert path.suffix in {".css", ".js", ".svg"}


@pytest.mark.parametrize(
    ("path", "accept", "status", "is_page"),
    [
        ("/nothing", "text/html,*/*;q=0.8", 404, True),
        ("/nothing", "TEXT/HTML;level=1", 404, True),
        ("/clips?limit=x", "text/html", 400, True),
        ("/nothing", "*/*", 404, False),
        ("/nothing", "", 404, False),
        ("/nothing", "application/json, text/html", 404, False),
        ("/api/v1/nothing", "text/html", 404, False),
        ("/api/v1/clips?limit=x", "text/html", 400, False),
        ("/static/nothing", "text/html", 404, False),
        ("/openapi.json?x=1", "text/html", 400, False),
    ],
)
def test_a_problem_is_a_page_to_a_browser_that_opens_one(
    server: Served, path: str, accept: str, status: int, is_page: bool
) -> None:
    """With the remedy, and links; programs get JSON, as all addresses of the API give it."""
    answer = server.get(path, headers={"Accept": accept})
    assert answer.status_code == status
    if is_page:
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert re.search(
            r"<h1>(There is nothing at this address|The request is invalid)", answer.text
        )
        assert "/api describes" in answer.text or "/api lists" in answer.text
        assert 'href="/clips"' in answer.text
    else:
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["status"] == status


def test_what_an_address_says_is_text_on_the_page_of_its_problem(server: Served) -> None:
    """Markup in it is escaped."""
    page = server.get("/clips?<script>=1", headers={"Accept": "text/html"}).text
    assert "&lt;script&gt;" in page
    assert "<script>" not in page


def test_a_page_has_no_style_of_its_own(server: Served) -> None:
    """The browser would refuse it."""
    assert not re.search(r"\sstyle=|<style", server.get("/").text)
