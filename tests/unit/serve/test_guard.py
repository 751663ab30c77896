"""Who may send requests: a table, and the arithmetic of rates."""

import pytest
from starlette.datastructures import Headers

from entrypoints.cli.console import UsageError
from entrypoints.serve.command import access_to
from entrypoints.serve.guard import Access, Bucket, Rate
from entrypoints.serve.problems import OTHER_ORIGIN, WRONG_HOST, ProblemKind

CASES: dict[str, tuple[str, dict[str, str], ProblemKind | None]] = {
    "an address": ("GET", {"host": "192.168.1.5:8474"}, None),
    "an address of IPv6": ("GET", {"host": "[fe80::1]"}, None),
    "a name of its own": ("GET", {"host": "camera.example"}, None),
    "in large letters": ("GET", {"host": "Camera.Example:80"}, None),
    "another name": ("GET", {"host": "evil.example"}, WRONG_HOST),
    "a name that begins like its own": ("GET", {"host": "camera.example.evil"}, WRONG_HOST),
    "no name": ("GET", {}, WRONG_HOST),
    "no port": ("GET", {"host": "localhost:x"}, WRONG_HOST),
    "its own page": ("POST", {"host": "localhost", "origin": "http://localhost"}, None),
    "its own page behind a proxy": (
        "POST",
        {"host": "camera.example", "origin": "https://camera.example"},
        None,
    ),
    "its own page, says the browser": (
        "POST",
        {"host": "localhost", "sec-fetch-site": "same-origin"},
        None,
    ),
    "another port's page": (
        "POST",
        {"host": "localhost:1", "origin": "http://localhost:2"},
        OTHER_ORIGIN,
    ),
    "a sandboxed page": ("POST", {"host": "localhost", "origin": "null"}, OTHER_ORIGIN),
    "another site's picture of it": (
        "GET",
        {"host": "localhost", "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"},
        OTHER_ORIGIN,
    ),
    "another site's link": (
        "GET",
        {"host": "localhost", "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"},
        None,
    ),
    "another site's form": (
        "POST",
        {"host": "localhost", "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"},
        OTHER_ORIGIN,
    ),
}


@pytest.mark.parametrize(("method", "headers", "kind"), CASES.values(), ids=CASES)
def test_refusals(method: str, headers: dict[str, str], kind: ProblemKind | None) -> None:
    """Each named case."""
    access = Access(frozenset({"camera.example"}))
    assert access.refusal(method, Headers(headers)) is kind


@pytest.mark.parametrize("host", ["localhost#x", "localhost?x", "a@localhost", "localhost/x"])
def test_a_host_is_a_name_and_nothing_else(host: str) -> None:
    """What follows it in an address is none of it."""
    assert Access().refusal("GET", Headers({"host": host})) is WRONG_HOST


def test_a_host_that_is_named_twice_is_none() -> None:
    """Which of them counts, others might decide otherwise."""
    headers = Headers(raw=[(b"host", b"localhost"), (b"host", b"localhost")])
    assert Access().refusal("GET", headers) is WRONG_HOST


@pytest.mark.parametrize(
    ("headers", "is_admitted"),
    [
        ({"authorization": "Bearer 0123456789abcdef"}, True),
        ({"authorization": "bearer  0123456789abcdef"}, True),
        ({"authorization": "Basic 0123456789abcdef"}, False),
        ({"authorization": "Bearer 0123456789abcde"}, False),
        ({"authorization": "Bearer \xe9"}, False),
        ({"cookie": "a=b; camclip-token=0123456789abcdef"}, True),
        ({"cookie": "camclip-token="}, False),
        ({"cookie": "camclip-token[=;;"}, False),
        ({}, False),
    ],
)
def test_a_token_is_a_header_or_a_cookie(headers: dict[str, str], *, is_admitted: bool) -> None:
    """Whole, and nothing else."""
    assert Access(token="0123456789abcdef").admits(Headers(headers)) is is_admitted


def test_so_many_are_answered_at_once_and_so_many_a_second() -> None:
    """Time fills the bucket again, up to the burst."""
    clock = [0.0]
    bucket = Bucket(Rate(2, 3), lambda: clock[0])
    assert [bucket.take() for _ in range(4)] == [True, True, True, False]
    clock[0] += 0.5
    assert [bucket.take() for _ in range(2)] == [True, False]
    clock[0] += 100
    assert [bucket.take() for _ in range(4)] == [True, True, True, False]


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.8.8.8"])
def test_on_this_machine_no_token_is_needed(host: str) -> None:
    """Other machines do not reach it."""
    assert access_to(host, "", ["A"]) == Access(frozenset({"a"}), "")


@pytest.mark.parametrize(
    ("host", "token", "named"),
    [
        ("0.0.0.0", "", "set CAMCLIP_SERVE_TOKEN"),  # noqa: S104 - it is refused
        ("::", "", "set CAMCLIP_SERVE_TOKEN"),
        ("192.168.1.5", "", "set CAMCLIP_SERVE_TOKEN"),
        ("camera.example", "", "set CAMCLIP_SERVE_TOKEN"),
        ("", "", "set CAMCLIP_SERVE_TOKEN"),
        ("127.0.0.1", "short", "16 characters"),
        ("127.0.0.1", "é" * 20, "printable ASCII"),
    ],
)
def test_elsewhere_it_is(host: str, token: str, named: str) -> None:
    """The server does not start without one that cannot be guessed."""
    with pytest.raises(UsageError, match=named):
        access_to(host, token, [])
