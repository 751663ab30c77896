"""No secret is in a log, in an error or in ffmpeg's environment."""

import json
from collections.abc import Callable

import pytest

from tests.contract.real import Aws
from tests.integration.hostile.audited_service import NOW_MS, SECRETS, TOKEN, AuditedService
from tests.integration.hostile.test_names import REQUEST
from tests.support.logs import Watch, leaks

PRIVATE = "private-words-of-the-sender"
ROWS = [{"startDate": NOW_MS - 90_000, "endDate": NOW_MS - 50_000, "recordingUrl": "a.mp4"}]

Fault = Callable[[AuditedService, Aws], object]


def _api(status: int) -> Fault:
    return lambda world, _: setattr(world, "status", status)


def _stored(data: bytes) -> Fault:
    return lambda _, aws: aws.s3.put_object(
        Bucket="hostile-recordings", Key="rewinds/a.mp4", Body=data
    )


FAULTS: dict[str, Fault] = {
    "nothing": lambda _, __: None,
    "the camera API denies": _api(401),
    "the camera API fails": _api(500),
    "the camera API hangs up": _api(0),
    "the camera API forgets": _api(404),
    "an answer is nonsense": lambda world, _: setattr(world, "rows", [{"recordingUrl": PRIVATE}]),
    "a recording is none": _stored(b"no recording"),
}


@pytest.mark.parametrize("received", [1, 5])
@pytest.mark.parametrize("fault", FAULTS)
def test_no_secret_is_logged(world: AuditedService, aws: Aws, fault: str, received: int) -> None:
    """Neither a key, nor a token of an address, nor a message's body, whatever goes wrong."""
    world.rows = ROWS
    FAULTS[fault](world, aws)
    body = {**REQUEST, "clipId": f"c{received}{len(fault)}", "note": PRIVATE}
    bodies = [json.dumps(body), json.dumps({**body, "clipId": "../x"}), f"{{'note': '{PRIVATE}'"]
    for text in bodies:
        world.deliver(text, received)
    secrets = [*SECRETS.values(), TOKEN, PRIVATE, "Authorization", "Basic "]
    assert leaks([world.log()], secrets, bodies) == []
    assert len(world.outcomes) == len(bodies)


@pytest.mark.parametrize(
    "line", ["key AKIDHOSTILE", f'{{"url": "http://u:{TOKEN}@x"}}', "x {body} y"]
)
def test_a_leak_would_be_seen(line: str) -> None:
    """In a message, an address, or a body that is quoted as JSON quotes it."""
    body = json.dumps({"clipId": "c", "note": 'a "word"'})
    line = line.replace("{body}", json.dumps(body))
    assert leaks([line, "harmless"], [*SECRETS.values(), TOKEN], [body]) == [line]


def test_a_carried_value_would_be_seen() -> None:
    """Not only whole bodies: values under keys that are not ours are private."""
    body = json.dumps({"clipId": "c", "note": PRIVATE, "deep": {"er": ["another-private-word"]}})
    with Watch() as watch:
        watch.logger.warning("the note was %s", PRIVATE)
        watch.logger.warning("and %s", "another-private-word")
        watch.logger.warning("harmless")
    assert len(watch.lines) == 3
    assert len(leaks(watch.lines, [], [body])) == 2
