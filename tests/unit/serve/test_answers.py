"""Answers with names that are no Unicode, and what is said of a copy that a client has."""

import json

import pytest

from entrypoints.serve.answers import HtmlAnswer, JsonAnswer
from entrypoints.serve.folder_files import is_same

NAME = "bad\udcff\x1b.mp4"


def test_a_name_that_is_no_unicode_is_answered_as_json() -> None:
    """A reader gets the name that Python has."""
    body = bytes(JsonAnswer({"name": NAME}).body)
    assert body.isascii()
    assert json.loads(body) == {"name": NAME}


def test_a_name_that_is_no_unicode_is_shown_on_a_page() -> None:
    """As an escape; all else is UTF-8."""
    assert HtmlAnswer("\u00fc\udcff").body == b"\xc3\xbc\\udcff"


@pytest.mark.parametrize("if_none_match", ['"a"', 'W/"a"', '"b", "a"', "*"])
def test_a_copy_is_the_same_by_any_form_of_its_etag(if_none_match: str) -> None:
    """One, several, weak ones, or any."""
    assert is_same('"a"', if_none_match)


@pytest.mark.parametrize("if_none_match", ['"b"', "a", ""])
def test_another_copy_is_not_the_same(if_none_match: str) -> None:
    """Nor is one whose ETag is not known."""
    assert not is_same('"a"', if_none_match)
