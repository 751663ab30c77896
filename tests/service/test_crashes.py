"""The handler as deployed dies at each call it makes, once before it and once after."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path
from threading import Lock, local
from typing import Any

import pytest
from attrs import Factory, define, evolve
from botocore.response import StreamingBody
from requests import PreparedRequest, Response

from tests.footage import Recording, assert_clip, read_clip, wanted
from tests.service.conftest import World

FOOTAGE = Recording(first_number=0, frames=90, gop_frames=30, size=(160, 90))


class Crash(BaseException):
    """The process dies. No Exception, so that nothing hides it."""


@define
class Tripwire:
    """Counts the calls to AWS and the camera API, and dies at one of them."""

    at: int = -1
    after: bool = False
    calls: list[str] = Factory(list)
    _own: local = Factory(local)
    _lock: Lock = Factory(Lock)

    def before(self, name: str) -> None:
        """Before the call leaves the process: it is never applied."""
        with self._lock:
            self._own.number = len(self.calls)  # calls are made side by side, each in its thread
            self.calls.append(name)
        if not self.after and self._own.number == self.at:
            raise Crash

    def answered(self, answer: Response | StreamingBody | None) -> None:
        """After the answer came: the call was applied, and the reply is lost."""
        if self.after and self._own.number == self.at:
            if answer is not None:
                answer.close()  # as the end of a process would
            raise Crash


@pytest.fixture
def tripwire(world: World) -> Iterator[Tripwire]:  # noqa: ARG001 - the handler is imported by it
    """Hang a wire across the hooks of botocore and requests that are there for that."""
    from entrypoints.aws_lambda import service  # noqa: PLC0415 - it reads the environment

    wire = Tripwire()

    def before_call(model: Any, params: dict[str, Any], **_: object) -> None:  # noqa: ANN401
        wire.before(f"{model.name} {params['url_path'].rpartition('.')[2]}")

    def after_call(parsed: dict[str, Any], **_: object) -> None:
        wire.answered(parsed.get("Body"))

    def before_request(request: PreparedRequest) -> PreparedRequest:
        wire.before(f"{request.method} /{str(request.path_url).split('/')[2]}")
        return request

    def after_request(response: Response, **_: object) -> None:
        wire.answered(response)

    clients = [service.s3(), service.sqs(), service.sns()]
    session = service.cameras().session  # type: ignore[attr-defined]
    for client in clients:
        client.meta.events.register("before-call", before_call)
        client.meta.events.register("after-call", after_call)
    session.auth = before_request
    session.hooks["response"].append(after_request)
    yield wire
    session.auth = None
    session.hooks["response"].clear()
    for client in clients:
        client.meta.events.unregister("before-call", before_call)
        client.meta.events.unregister("after-call", after_call)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_whichever_call_it_dies_at_the_next_delivery_ends_right(
    world: World, tripwire: Tripwire, after: bool, tmp_path: Path
) -> None:
    """One clip with its frames, AVAILABLE last and never without bytes, one notification."""
    world.record(FOOTAGE)
    for at in count():
        clip = evolve(world, clip_id=f"{world.clip_id}-{at:03}")
        message = clip.message(clip.body(500, 1_700))
        tripwire.calls, tripwire.at, tripwire.after = [], at, after
        try:
            assert clip.handle(message) == []
            break  # it has outlived the last call
        except Crash:
            died = f"{tripwire.calls[at]}, the call no. {at}"
        name = f"{clip.camera_id}/{clip.clip_id}"
        assert f"{name}.mp4" in clip.stored() or not clip.told(), died

        tripwire.at = -1
        message["attributes"]["ApproximateReceiveCount"] = "2"
        assert clip.handle(message) == [], died
        assert_clip(read_clip(clip.download(tmp_path)), wanted([FOOTAGE], 500, 1_700))
        assert len(clip.stored()) == 6, died
        assert {report["status"] for report in clip.told()} == {"CLIP_AVAILABLE"}, died
        notes = clip.published()
        assert len({note["MessageAttributes"]["eventId"]["Value"] for note in notes}) == 1, died
        # Told and died before the manifest said so: the one crash that repeats a notification.
        repeated = died.startswith("Publish" if after else "PutObject json")
        assert len(notes) == 1 + repeated, died
        assert clip.queued() == []
    assert {call.split()[0] for call in tripwire.calls} == {
        "HeadObject",
        "GetObject",
        "GET",
        "PutObject",
        "PUT",
        "Publish",
    }
    assert at == len(tripwire.calls) >= 15
