"""A clip is sent while it is verified: what is begun, what is dropped, and what is committed."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from attrs import Factory, define, evolve

from application.make_clip import MakeClip
from application.ports import Rendition, ThumbnailSpec
from domain.clip import ClipRequest, ClipStatus
from domain.delivery import Delivery
from domain.errors import NoPicture, UnusableFootage
from domain.recording import RecordingSegment
from domain.retry import RetryPolicy
from domain.window import TimeWindow
from infrastructure.in_memory import (
    InMemoryCameraService,
    InMemoryClipStore,
    InMemoryNotifier,
    InMemoryRecordingStore,
    InMemoryRetryQueue,
    InMemoryTranscoder,
    StoredFile,
)

NOW = 1_534_341_700_000
REQUEST = ClipRequest("clip-1", "pier", NOW - 60_000, NOW - 50_000)
SEGMENT = RecordingSegment(TimeWindow(NOW - 100_000, NOW + 100_000), "a")
DAMAGED = TimeWindow(NOW - 58_000, NOW - 55_000)


@define
class Reporting(InMemoryTranscoder):
    """Reports as many clips as it has errors, each then wrong, and at last the right one."""

    errors: list[Exception] = Factory(list)

    def render_reporting(self, *args: Any) -> Rendition:  # noqa: ANN401 - the port's
        *others, assembled = args
        report: Callable[[Rendition], None] = assembled
        rendition = self.render(*others)
        report(evolve(rendition, thumbnails={}))
        while self.errors:
            error = self.errors.pop(0)
            if isinstance(error, NoPicture):
                raise error
            report(evolve(rendition, thumbnails={}))
        return rendition


@define
class Watched(InMemoryClipStore):
    """Logs what is sent and committed."""

    log: list[str] = Factory(list)

    @contextmanager
    def sending(self, request: ClipRequest, rendition: Rendition, *args: Any) -> Iterator[None]:  # noqa: ANN401 - the port's
        self.log.append(f"send {len(args[1].gaps)} gaps")
        try:
            with super().sending(request, rendition, *args):
                yield
        finally:
            self.log.append("end")

    def commit(self, *args: Any) -> None:  # noqa: ANN401 - the port's
        self.log.append(f"commit {len(args[3].gaps)} gaps")
        super().commit(*args)


@pytest.mark.parametrize(
    ("errors", "log"),
    [
        ([], ["send 0 gaps", "commit 0 gaps", "end"]),
        (
            [UnusableFootage("a splice does not decode")],
            ["send 0 gaps", "end", "send 0 gaps", "commit 0 gaps", "end"],
        ),
        (
            [NoPicture("a is damaged.", "a", (DAMAGED,))],
            ["send 0 gaps", "end", "send 1 gaps", "commit 1 gaps", "end"],
        ),
    ],
    ids=["right at once", "wrong at first", "planned again"],
)
def test_what_is_sent_is_ended_before_another_clip_is(
    tmp_path: Path, errors: list[Exception], log: list[str]
) -> None:
    """The commit is within the block of what it commits, and the coverage is that of the clip."""
    clips = Watched(lambda: NOW)
    make_clip = MakeClip(
        InMemoryCameraService({"pier": [SEGMENT]}),
        InMemoryRecordingStore({"a": StoredFile(b"a", 200_000)}),
        Reporting(errors=errors),
        clips,
        InMemoryRetryQueue(),
        InMemoryNotifier(),
        RetryPolicy(),
        ThumbnailSpec((300,)),
    )
    result = make_clip(Delivery(REQUEST, "m", NOW, NOW, time.monotonic() + 60), tmp_path)
    assert result.report.status is ClipStatus.AVAILABLE
    assert clips.log == log


def test_a_recording_that_caches_nothing_is_read_once_as_it_is_read() -> None:
    """An adapter need not distinguish the two."""
    store = InMemoryRecordingStore({"a": StoredFile(b"bytes", 200_000)})
    opened = store.open(SEGMENT, SEGMENT.window, time.monotonic() + 60)
    assert opened.read_once(1, 3) == opened.read(1, 3) == b"yte"
