"""The load campaign notices what it searches for."""

from urllib.parse import urlsplit

from devtools.local_aws.http_server import Request, Response, serve
from tests.campaigns.load.__main__ import row
from tests.campaigns.load.scenes import Scene
from tests.campaigns.load.viewers import ask_at_once


def answer(request: Request) -> Response | None:
    if request.target == "/cut-off":
        return None
    return Response(429 if request.target == "/refused" else 200, b"a picture")


def test_refused_and_failed_requests_are_faults() -> None:
    """Those of the others are answered; each viewer's next one is, too."""
    with serve(answer) as url:
        parts = urlsplit(url)
        address = str(parts.hostname), int(parts.port or 0)
        paths = [["/", "/refused", "/"], ["/cut-off", "/", "/"]]
        answers = ask_at_once(address, paths)
    faults = [answered.fault for answered in answers]
    assert faults[1].startswith("/refused: 429")
    assert faults[3].startswith("/cut-off: ")
    assert [fault for fault in faults if fault] == [faults[1], faults[3]]
    assert row(Scene("two viewers", paths), answers, 0.6).split()[2:4] == ["6", "2"]
