"""Every message is handled as the tables say, and the process survives it."""

import json
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from application.make_clip import MakeClip
from domain.clip import ClipStatus
from domain.recording import RecordingSegment
from domain.retry import RetryPolicy
from domain.window import TimeWindow
from entrypoints.sqs_batch import HandleBatch, NotAnSqsEvent
from infrastructure.formats.messages import message_body
from infrastructure.in_memory import (
    InMemoryCameraService,
    InMemoryClipStore,
    InMemoryNotifier,
    InMemoryRecordingStore,
    InMemoryRetryQueue,
    InMemoryTranscoder,
    StoredFile,
)
from tests.integration.hostile.bodies import CANARY, FOOTAGE_MS, NOW_MS, Body, bodies
from tests.model.recorder import make_clip as recorded_make_clip
from tests.model.world import Call
from tests.support.service import sqs_record

if TYPE_CHECKING:
    from entrypoints.log_line import DeliveryOutcome

MIB = 1 << 20
BATCH = 10


class Service:
    """The handler on adapters in memory: the camera `pier`, and an hour of its footage."""

    def __init__(self, scratch: Path) -> None:
        footage = RecordingSegment(TimeWindow(*FOOTAGE_MS), "pier.mp4")
        duration_ms = FOOTAGE_MS[1] - FOOTAGE_MS[0]
        self.cameras = InMemoryCameraService({"pier": [footage]})
        self.queue = InMemoryRetryQueue()
        self.notifier = InMemoryNotifier()
        self.outcomes: list[DeliveryOutcome] = []
        self.calls: list[Call] = []
        adapters: dict[str, object] = {
            "cameras": self.cameras,
            "recordings": InMemoryRecordingStore({"pier.mp4": StoredFile(b"pier", duration_ms)}),
            "transcoder": InMemoryTranscoder(),
            "clips": InMemoryClipStore(),
            "queue": self.queue,
            "notifier": self.notifier,
        }

        def answer(call: Call) -> object:
            self.calls.append(call)
            return getattr(adapters[call.port], call.method)(*call.args, **dict(call.kwargs))

        make_clip = recorded_make_clip(MakeClip, answer, RetryPolicy())
        self.handle = HandleBatch(make_clip, scratch, 5, self.outcomes.append)

    def deliver(self, *texts: str, received: int = 1) -> list[int]:
        """Deliver messages as one batch; return the numbers of those that failed."""
        records = [
            sqs_record(text, NOW_MS, received, messageId=str(number))
            for number, text in enumerate(texts)
        ]
        answer = self.handle({"Records": records}, lambda: 60_000)
        assert set(answer) == {"batchItemFailures"}
        return [int(failure["itemIdentifier"]) for failure in answer["batchItemFailures"]]

    def check(self, batch: Sequence[Body]) -> None:
        """Compare all effects with what the tables say of the bodies."""
        wanted = {body.clip_id: body.status for body in batch if body.clip_id}
        assert {r.clip_id: r.status.value for r in self.cameras.reports} == wanted
        assert len(self.cameras.reports) == len(wanted)
        final = {clip: s for clip, s in wanted.items() if s != ClipStatus.PENDING.value}
        assert {r.clip_id: r.status.value for r in self.notifier.published} == final
        assert len(self.notifier.published) == len(final)
        pending = {request.clip_id for request, _ in self.queue.sent}
        assert pending == wanted.keys() - final.keys()
        assert len(self.queue.sent) == len(pending)
        for request, _ in self.queue.sent:
            assert request.retries_ms[-1] == NOW_MS
            json.loads(message_body(request))
        for report in self.cameras.reports:
            assert bool(report.reason) != (report.has_clip and report.coverage.is_complete)
        assert {c.args[0].clip_id for c in self.calls if c.method == "find"} <= wanted.keys()
        cameras = {c.args[0] for c in self.calls if c.method == "find_segments"}
        assert cameras <= {"pier", "nowhere"}
        lines = json.dumps([outcome.line() for outcome in self.outcomes])
        assert len(self.outcomes) == len(batch)
        assert CANARY not in lines


def handled(batch: Sequence[Body], received: int = 1) -> None:
    """Deliver a batch to a new service and check all effects."""
    with TemporaryDirectory() as scratch:
        service = Service(Path(scratch))
        back = service.deliver(*(body.text for body in batch), received=received)
        assert back == [number for number, body in enumerate(batch) if body.clip_id is None]
        service.check(batch)
        assert list(Path(scratch).iterdir()) == []


def test_ten_messages_are_answered_as_the_tables_say() -> None:
    """A valid clipId is reported once with the table's status; any other message fails silently.

    1,000 messages, among them every final status.
    """
    seen: Counter[str | None] = Counter()

    # To make ten bodies smaller takes minutes; to find the one that is to blame is enough.
    @settings(database=None, phases=(Phase.generate,), suppress_health_check=list(HealthCheck))
    @given(st.tuples(*map(bodies, range(BATCH))), st.sampled_from((1, 5)))
    def answer(batch: tuple[Body, ...], received: int) -> None:
        try:
            handled(batch, received)
        except AssertionError:
            for body in batch:
                handled([body], received)
            raise
        seen.update(body.status for body in batch)

    answer()
    assert seen.keys() == {None, *(status.value for status in ClipStatus)}, seen
    assert seen.total() >= 1000
    assert min(seen.values()) > 2, seen


def without_clip_id(text: str) -> Body:
    return Body(text, None, None)


@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(st.lists(st.text(max_size=60), min_size=BATCH, max_size=BATCH))
@example(
    [text * (MIB // len(text)) for text in ("{", "(", "-", "[", '{"a":', "[{", '"', "\\", "1")]
)
@example([text * 200_000 for text in ("{", "(", "-", "[", "~", "'", "#", "\t", "\0", "\ud800")])
def test_gibberish_is_given_back(texts: list[str]) -> None:
    """It may be of any length and depth."""
    handled([*map(without_clip_id, texts)])


@pytest.mark.parametrize("record", [{"body": None}, {"body": 7}, {"body": {}}, {}, {"body": []}])
@pytest.mark.parametrize(
    "attributes", [None, {}, [], {"SentTimestamp": "١"}, {"SentTimestamp": "1" * 99}]
)
def test_a_record_without_a_body_or_attributes_is_given_back(
    tmp_path: Path, record: dict[str, object], attributes: object
) -> None:
    """Alone: the others of the batch are handled."""
    service = Service(tmp_path)
    rows = [{**record, "attributes": attributes}, {**record, "attributes": {}}]
    records = [{"messageId": str(n), "eventSource": "aws:sqs", **row} for n, row in enumerate(rows)]
    answer = service.handle({"Records": records}, lambda: 60_000)
    assert [failure["itemIdentifier"] for failure in answer["batchItemFailures"]] == ["0", "1"]
    assert not re.search("١|1{20}", json.dumps([o.line() for o in service.outcomes]))


@pytest.mark.parametrize("name", [None, 7, "absent"])
def test_a_record_that_could_not_be_given_back_stops_the_batch(
    tmp_path: Path, name: object
) -> None:
    """Before anything is done: to answer without its id would acknowledge it."""
    service = Service(tmp_path)
    good = {"messageId": "0", "eventSource": "aws:sqs", "body": "{}"}
    bad = {**good, "messageId": name}
    if name == "absent":
        del bad["messageId"]
    with pytest.raises(NotAnSqsEvent, match="no messageId"):
        service.handle({"Records": [good, bad]}, lambda: 60_000)
    assert service.outcomes == []
