"""The use case on adapters in memory: three results, each in the order of effects."""

import hashlib
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from attrs import Factory, define, evolve

from application.gather_footage import MIN_CUTS_ALLOWED, max_cuts, max_gaps
from application.make_clip import ClipResult, MakeClip
from application.ports import LeftOut, Rendition, ThumbnailSpec
from application.verify_clip import said_evidence
from domain.clip import DELETED, ClipReport, ClipRequest, ClipStatus, InvalidRequest, UnknownStatus
from domain.clip_label import ClipLabel
from domain.coverage import Clock, Coverage, Unused, Verification
from domain.delivery import Delivery
from domain.errors import (
    AlreadyInProgress,
    ClipDeleted,
    Conflict,
    NoPicture,
    Rejected,
    Unavailable,
    UnusableFootage,
)
from domain.manifest import Manifest, MediaInfo, StoredClip
from domain.options import ClipOptions
from domain.planning import ClipPlan
from domain.recording import RecordingSegment
from domain.retry import RetryPolicy
from domain.window import TimeWindow
from infrastructure.in_memory import (
    InMemoryCameraService,
    InMemoryClipStore,
    InMemoryNotifier,
    InMemoryRecording,
    InMemoryRecordingStore,
    InMemoryRetryQueue,
    InMemoryTranscoder,
    StoredFile,
)
from tests.model.recorder import make_clip
from tests.model.world import Call
from tests.unit.domain.test_options import TwoOptions

NOW = 1_600_000_000_000
REQUEST = ClipRequest("clip", "pier", NOW - 60_000, NOW - 50_000)
FULL = ClipReport.available(REQUEST, Coverage(verified=Verification.SPLICES))
EFFECTS = {
    "update_clip": "PUT {0.status.value}",
    "find": "HEAD clip",
    "read_manifest": "GET manifest",
    "store_thumbnails": "PUT thumbnails",
    "sidecars": "make sidecars",
    "store_sidecars": "PUT sidecars",
    "commit": "PUT clip",
    "write_manifest": "PUT manifest",
    "send": "SEND",
    "publish": "SNS {0.status.value}",
}
"""How the log of a world names its calls."""


RECIPE = b"0 a 0\n"
"""The bytes of a stored clip: one frame."""


@define
class World:
    """The service on adapters in memory, a log of its effects in order, and faults."""

    folder: Path
    cameras: InMemoryCameraService = Factory(lambda: InMemoryCameraService({"pier": []}))
    recordings: InMemoryRecordingStore = Factory(InMemoryRecordingStore)
    transcoder: InMemoryTranscoder = Factory(InMemoryTranscoder)
    clips: InMemoryClipStore = Factory(lambda: InMemoryClipStore(lambda: NOW))
    queue: InMemoryRetryQueue = Factory(InMemoryRetryQueue)
    notifier: InMemoryNotifier = Factory(InMemoryNotifier)
    log: list[str] = Factory(list)
    rival: StoredClip | None = None
    """Appears just before the commit, or before the lookup `rival_at_find`."""
    rival_at_find: int = 0
    fails: Sequence[object] = ()
    """Methods and reported statuses whose calls fail without an effect."""
    policy: RetryPolicy = Factory(RetryPolicy)
    loses_reply: str = ""
    """The method whose reply is lost; a commit is then repeated, as the SDK does."""

    def add_recording(
        self, name: str, start_ms: int, duration_ms: int, *, listed_ms: int = 0
    ) -> None:
        """List and store a recording that starts at NOW + `start_ms`."""
        window = TimeWindow(NOW + start_ms, NOW + start_ms + (listed_ms or duration_ms))
        self.cameras.segments["pier"].append(RecordingSegment(window, name))
        self.recordings.files[name] = StoredFile(name.encode(), duration_ms)

    def deliver(
        self, request: ClipRequest = REQUEST, delivery: Delivery | None = None
    ) -> ClipResult:
        return self.make_clip()(evolve(delivery or delivered(), request=request), self.folder)

    def make_clip(self) -> MakeClip:
        use_case = make_clip(MakeClip, self._answer, self.policy)
        return evolve(use_case, thumbnails=ThumbnailSpec((300, 640)))

    def _answer(self, call: Call) -> object:
        method, args = getattr(getattr(self, call.port), call.method), call.args
        if call.method == "update_clip" and args[0].status in self.fails:
            raise Unavailable("the camera API answered 500")
        if call.method in self.fails:
            raise Unavailable("the queue does not answer")
        if call.method in EFFECTS:
            self.log.append(EFFECTS[call.method].format(*args))
        is_lookup = call.method == "find" and self.log.count("HEAD clip") == self.rival_at_find
        is_commit = call.method == "commit" and not self.rival_at_find
        if self.rival and (is_lookup or is_commit):
            self.clips.objects[REQUEST.name] = (self.rival, RECIPE)
        reply: object = method(*args, **dict(call.kwargs))
        if call.method == self.loses_reply == "commit":
            method(*args)
        elif call.method == self.loses_reply:
            raise Unavailable("the topic did not answer")
        return reply

    @property
    def statuses(self) -> list[ClipStatus | UnknownStatus]:
        """The statuses reported to the camera API, in order."""
        return [report.status for report in self.cameras.reports]

    @property
    def published(self) -> list[ClipStatus | UnknownStatus]:
        """The published statuses, in order."""
        return [report.status for report in self.notifier.published]


def delivered(
    *, message_id: str = "m", after_ms: int = 0, receive_count: int = 1, deliveries_left: int = 4
) -> Delivery:
    return Delivery(
        REQUEST,
        message_id,
        NOW + after_ms,
        NOW + after_ms,
        time.monotonic() + 60,
        receive_count,
        deliveries_left,
    )


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture
def recorded(world: World) -> World:
    world.add_recording("a", -100_000, 600_000)
    return world


def test_a_clip_is_made_in_the_order_of_effects(recorded: World) -> None:
    """Clip, thumbnails, status, notification, manifest: no report precedes the stored clip."""
    result = recorded.deliver()
    assert recorded.log == [
        "HEAD clip",
        "GET manifest",
        "PUT clip",
        "PUT thumbnails",
        "PUT CLIP_AVAILABLE",
        "SNS CLIP_AVAILABLE",
        "PUT manifest",
    ]
    assert result.report == FULL
    assert result.media
    assert result.media.frames == 250
    assert set(recorded.clips.thumbnails[REQUEST.name]) == {300, 640}
    assert recorded.clips.objects[REQUEST.name][0].writer == "m#1"


def test_the_manifest_names_each_source_and_its_version(recorded: World) -> None:
    """It records what the clip was made of and what was measured."""
    recorded.add_recording("z", -700_000, 600_000)
    wanted = evolve(REQUEST, start_ms=NOW - 110_000)
    recorded.deliver(wanted)
    manifest = recorded.clips.manifests[REQUEST.name]
    assert [(s.name, s.window.start_ms - NOW, s.window.end_ms - NOW) for s in manifest.sources] == [
        ("z", -110_000, -100_000),
        ("a", -100_000, -50_000),
    ]
    assert len({s.version for s in manifest.sources}) == 2
    assert manifest.media
    assert manifest.paces == ()
    assert manifest.report == ClipReport.available(wanted, FULL.coverage)


def test_the_manifest_proves_the_clip_and_its_thumbnails(recorded: World) -> None:
    """By the hashes of what is stored."""
    recorded.deliver()
    stored, data = recorded.clips.objects[REQUEST.name]
    manifest = recorded.clips.manifests[REQUEST.name]
    proof = manifest.proof
    assert proof
    assert [(part.offset, part.length, part.sha256) for part in proof.own] == [
        (0, len(data), hashlib.sha256(data).hexdigest())
    ]
    assert said_evidence(manifest) == stored.evidence
    assert {each.width: each.sha256 for each in proof.thumbnails} == {
        width: hashlib.sha256(picture).hexdigest()
        for width, picture in recorded.clips.thumbnails[REQUEST.name].items()
    }


CHOSEN = evolve(REQUEST, options=ClipOptions(previews=("sprite",), wall_clock="UTC"))
SIDECARS = ("sprite.jpg", "sprite.vtt", "vtt")


def test_sidecars_follow_the_thumbnails(recorded: World) -> None:
    """Before the status, which names them; the manifest proves them."""
    recorded.deliver(CHOSEN)
    assert recorded.log[-6:] == [
        "PUT thumbnails",
        "make sidecars",
        "PUT sidecars",
        "PUT CLIP_AVAILABLE",
        "SNS CLIP_AVAILABLE",
        "PUT manifest",
    ]
    stored = recorded.clips.sidecars[REQUEST.name]
    manifest = recorded.clips.manifests[REQUEST.name]
    assert manifest.report.sidecars == SIDECARS
    assert recorded.cameras.reports[-1].sidecars == SIDECARS
    assert manifest.proof
    assert {each.name: each.sha256 for each in manifest.proof.sidecars} == {
        name: hashlib.sha256(data).hexdigest() for name, data in stored.items()
    }
    clip, _ = recorded.clips.objects[REQUEST.name]
    assert said_evidence(manifest) == clip.evidence


def test_a_request_without_options_makes_none(recorded: World) -> None:
    """Nothing is called for them."""
    recorded.deliver()
    assert "make sidecars" not in recorded.log
    assert recorded.clips.sidecars == {}
    assert recorded.clips.manifests[REQUEST.name].report.sidecars == ()


@pytest.mark.parametrize("fails", ["sidecars", "store_sidecars"])
def test_a_delivery_that_dies_before_its_sidecars_is_completed(recorded: World, fails: str) -> None:
    """By the next one, from the stored clip: its recordings may be gone."""
    recorded.fails = (fails,)
    with pytest.raises(Unavailable):
        recorded.deliver(CHOSEN)
    assert not recorded.statuses
    recorded.fails = ()
    recorded.recordings.files.clear()
    result = recorded.deliver(CHOSEN, delivered(receive_count=2))
    assert result.report.sidecars == SIDECARS
    assert tuple(recorded.clips.sidecars[REQUEST.name]) == SIDECARS
    proof = recorded.clips.manifests[REQUEST.name].proof
    assert proof
    assert tuple(each.name for each in proof.sidecars) == SIDECARS


def test_sidecars_of_a_clip_without_a_proof_have_no_hashes(recorded: World) -> None:
    """A file that is no clip of this version has none itself."""
    media = MediaInfo(1, 0.0, 0.0, 10_000.0, "text", 16, 9)
    clip = StoredClip(CHOSEN.fingerprint, "m#1", NOW, Coverage(), media)
    recorded.clips.objects[REQUEST.name] = (clip, RECIPE)
    recorded.deliver(CHOSEN, delivered(receive_count=2))
    assert recorded.clips.manifests[REQUEST.name].proof is None
    assert tuple(recorded.clips.sidecars[REQUEST.name]) == SIDECARS


@define
class Giving(InMemoryRecordingStore):
    """A store that gives a checksum of each recording."""

    def open(
        self, segment: RecordingSegment, window: TimeWindow, deadline_s: float
    ) -> InMemoryRecording:
        found = super().open(segment, window, deadline_s)
        return GivingRecording(found.segment, found.file, found.files, found.deadline_s)


class GivingRecording(InMemoryRecording):
    checksum = "CRC32:AAAAAA=="


def test_a_checksum_that_the_store_gives_late_is_in_the_manifest_alone(recorded: World) -> None:
    """The clip is committed before it is known."""
    recorded.recordings = Giving(recorded.recordings.files)
    recorded.deliver()
    sources = recorded.clips.manifests[REQUEST.name].sources
    assert {source.checksum for source in sources} == {"CRC32:AAAAAA=="}
    committed = recorded.clips.objects[REQUEST.name][0].evidence.sources
    assert {source.checksum for source in committed} == {""}


def test_a_request_without_footage_is_requeued(world: World) -> None:
    """The requeued request lists the message's timestamp; PENDING is reported, not published."""
    result = world.deliver()
    assert world.log == ["HEAD clip", "GET manifest", "PUT CLIP_PENDING", "HEAD clip", "SEND"]
    assert world.queue.sent == [(REQUEST.retried(NOW), 60)]
    assert result.report.status is ClipStatus.PENDING
    assert not world.published


def test_a_requeued_request_becomes_a_clip(world: World) -> None:
    """Its delivery finds the footage and ends like any other."""
    world.deliver()
    world.add_recording("a", -100_000, 600_000)
    again, _ = world.queue.sent[0]
    world.deliver(again, delivered(message_id="m2", after_ms=60_000))
    assert world.statuses == [ClipStatus.PENDING, ClipStatus.AVAILABLE]
    assert world.notifier.published == [ClipReport.available(again, FULL.coverage)]


def test_an_old_request_without_footage_is_rejected_in_the_order_of_effects(world: World) -> None:
    """Status, lookup for a rival's clip, notification, manifest."""
    old = evolve(REQUEST, start_ms=NOW - 2_000_000, end_ms=NOW - 1_990_000)
    result = world.deliver(old)
    assert world.log[-6:] == [
        "HEAD clip",
        "GET manifest",
        "PUT CLIP_NOT_AVAILABLE",
        "HEAD clip",
        "SNS CLIP_NOT_AVAILABLE",
        "PUT manifest",
    ]
    assert result.report.reason
    assert world.clips.manifests[old.name].report == result.report


OLD = evolve(REQUEST, start_ms=NOW - 2_000_000, end_ms=NOW - 1_990_000)


def test_a_rejection_says_that_nothing_is_listed(world: World) -> None:
    """Then nothing was left out either."""
    result = world.deliver(OLD)
    assert str(result.report.reason).endswith("No recording of that time is listed.")
    assert result.notes == ()


def test_a_rejection_repeats_what_the_listing_remarks(world: World) -> None:
    """Such as that the camera may be called otherwise; so does the log, while the request waits."""
    world.cameras.remarks["pier"] = "No key begins with pier/."
    waiting, rejected = world.deliver(), world.deliver(OLD)
    assert waiting.report.status is ClipStatus.PENDING
    assert str(rejected.report.reason).endswith("No key begins with pier/.")
    assert waiting.notes == rejected.notes == ("No key begins with pier/.",)


@pytest.mark.parametrize("count", [1, 10, 12, 1000])
def test_a_rejection_names_the_recordings_left_out_and_why(world: World, count: int) -> None:
    """Those that are listed and not stored too; the reason names ten, the log a hundred."""
    left = [LeftOut(f"{at}.ts", "its name does not end with .mp4") for at in range(1, count)]
    world.cameras.unusable["pier"] = [(OLD.window, each) for each in left]
    world.add_recording("b.mp4", -2_000_000, 60_000)
    del world.recordings.files["b.mp4"]
    result = world.deliver(OLD)
    reason = str(result.report.reason)
    assert result.report.status is ClipStatus.NOT_AVAILABLE
    assert [f"{each.name} was left out: {each.reason}." in reason for each in left[:10]] == [
        True
    ] * len(left[:10])
    assert ("b.mp4 is not recorded yet." in reason) == (count <= 10)
    assert ("The log names more." in reason) == (count > 10)
    assert len(result.notes) == min(count, 101)
    assert world.clips.manifests[OLD.name].report.reason == reason


def test_a_clip_of_other_recordings_names_those_left_out_in_its_notes_alone(
    recorded: World,
) -> None:
    """The clip is complete all the same."""
    left = LeftOut("a.ts", "its name does not end with .mp4")
    recorded.cameras.unusable["pier"] = [(REQUEST.window, left)]
    result = recorded.deliver()
    assert result.report.coverage == evolve(FULL.coverage, notes=(str(left),))
    assert result.notes == (str(left),)


def test_an_unknown_camera_is_reported_as_a_fatal_error(world: World) -> None:
    """The message is acknowledged, and the request ends."""
    result = world.deliver(evolve(REQUEST, camera_id="nowhere"))
    assert result.report.status is ClipStatus.FATAL_ERROR
    assert "unknown camera" in str(result.report.reason)
    assert world.published == [ClipStatus.FATAL_ERROR]


def test_a_clip_that_is_too_long_is_rejected_before_segments_are_listed(world: World) -> None:
    """The unknown camera would otherwise have been a fatal error."""
    result = world.deliver(ClipRequest("clip", "nowhere", NOW - 300_001, NOW))
    assert result.report.status is ClipStatus.TOO_LONG


def test_a_tail_that_does_not_come_in_time_is_left_out(recorded: World) -> None:
    """After the retry limit the clip is made of the footage there is; the report lists the gap."""
    recorded.recordings.files["a"] = StoredFile(b"a", 45_000)
    first = recorded.deliver()
    assert first.report.status is ClipStatus.PENDING
    again, _ = recorded.queue.sent[0]
    result = recorded.deliver(again, delivered(message_id="m2", after_ms=900_001))
    assert result.report.status is ClipStatus.AVAILABLE
    assert result.report.coverage.gaps == (TimeWindow(NOW - 55_000, NOW - 50_000),)
    assert result.report.delivered_ms == 5_000
    assert result.report.reason


def test_a_listed_file_that_is_not_stored_counts_as_not_recorded(world: World) -> None:
    """The camera API lists a file that the bucket does not have: the request is requeued."""
    world.add_recording("a", -100_000, 600_000)
    del world.recordings.files["a"]
    result = world.deliver()
    assert result.report.status is ClipStatus.PENDING
    assert "a is not recorded yet" in result.notes[0]


def test_a_clip_is_rendered_with_the_options_and_the_label_of_its_request(recorded: World) -> None:
    class Choosing(InMemoryTranscoder):
        def render(self, plan: ClipPlan, *rest: Any) -> Rendition:  # noqa: ANN401 - as it is
            chosen.append(rest[-2:])
            return super().render(plan, *rest)

    chosen: list[object] = []
    recorded.transcoder = Choosing()
    options = ClipOptions(hevc="h264")
    assert recorded.deliver(evolve(REQUEST, options=options)).report.options == {"hevc": "h264"}
    assert chosen == [(options, ClipLabel(REQUEST.name, REQUEST.window))]


def test_the_notes_of_the_transcoder_are_among_those_of_the_result(world: World) -> None:
    """They say which recordings had to be encoded; the log line has them."""

    class NotingTranscoder(InMemoryTranscoder):
        def render(self, plan: ClipPlan, *rest: Any) -> Rendition:  # noqa: ANN401 - as it is
            made = super().render(plan, *rest)
            return evolve(made, notes=("a is encoded: why",))

    world.add_recording("a", -100_000, 600_000)
    world.transcoder = NotingTranscoder()
    assert world.deliver().notes == ("a is encoded: why",)


def test_a_shorter_file_makes_room_for_an_overlapping_one(world: World) -> None:
    """The plan is repeated on the measured durations until it needs no other recording."""
    world.add_recording("a", -100_000, 45_000, listed_ms=600_000)
    world.add_recording("b", -57_000, 100_000)
    result = world.deliver()
    assert result.report.coverage == evolve(
        FULL.coverage, unused=(Unused("b", TimeWindow(NOW - 57_000, NOW - 55_000)),)
    )
    assert [s.name for s in world.clips.manifests[REQUEST.name].sources] == ["a", "b"]


def test_a_recording_that_cannot_be_read_does_not_cost_the_others(recorded: World) -> None:
    """The report names it."""
    recorded.recordings.files["a"] = StoredFile(b"a", 45_000)
    recorded.add_recording("b", -55_000, 10_000)
    recorded.recordings.files["b"] = StoredFile(b"b", 10_000, readable=False)
    again = evolve(REQUEST, retries_ms=(NOW,))
    result = recorded.deliver(again, delivered(after_ms=900_001))
    assert result.report.status is ClipStatus.AVAILABLE
    assert result.report.coverage.gaps == (TimeWindow(NOW - 55_000, NOW - 50_000),)
    assert result.report.coverage.notes == ("b is no recording",)


def test_a_recording_before_the_window_that_cannot_be_read_is_not_noted(recorded: World) -> None:
    """It might have lasted into the window, but none of it is missing."""
    recorded.add_recording("b", -70_000, 9_500)
    recorded.recordings.files["b"] = StoredFile(b"b", 9_500, readable=False)
    result = recorded.deliver()
    assert (result.report, result.notes) == (FULL, ())


class SlowRecordings(InMemoryRecordingStore):
    """Recordings with a picture every five seconds."""

    def open(
        self, segment: RecordingSegment, window: TimeWindow, deadline_s: float
    ) -> InMemoryRecording:
        opened = super().open(segment, window, deadline_s)
        return evolve(opened, segment=evolve(opened.segment, frame_interval_ms=5_000))


def test_a_slow_cameras_picture_may_be_in_a_recording_long_before_the_window(world: World) -> None:
    """The camera API is asked for it once it is known that the camera is slow."""
    world.add_recording("a", -100_000, 38_000)
    world.add_recording("b", -52_000, 100_000)
    world.recordings = SlowRecordings(world.recordings.files)
    result = world.deliver()
    assert result.report.coverage.gaps == ()
    assert result.report.coverage.held == (TimeWindow(NOW - 60_000, NOW - 52_000),)
    assert [s.name for s in world.clips.manifests[REQUEST.name].sources] == ["a", "b"]


def test_recordings_none_of_which_can_be_read_are_named(world: World) -> None:
    """They are waited for, and then the request ends."""
    world.add_recording("a", -100_000, 600_000)
    world.recordings.files["a"] = StoredFile(b"a", 45_000, readable=False)
    assert world.deliver().report.status is ClipStatus.PENDING
    again, _ = world.queue.sent[0]
    result = world.deliver(again, delivered(message_id="m2", after_ms=900_001))
    assert result.report.status is ClipStatus.FATAL_ERROR
    assert result.report.reason == "No listed recording can be read. a is no recording."


def test_a_clip_that_has_not_ended_is_waited_for(world: World) -> None:
    """Whatever its recording claims."""
    world.add_recording("a", -100_000, 600_000)
    assert world.deliver(evolve(REQUEST, end_ms=NOW + 5_000)).report.status is ClipStatus.PENDING
    assert [delay_s for _, delay_s in world.queue.sent] == [60]


@define
class Pictureless(InMemoryTranscoder):
    """Makes no picture of a window of a recording."""

    name: str = "a"
    windows: Sequence[TimeWindow] = ()

    def render(self, plan: ClipPlan, *rest: Any) -> Rendition:  # noqa: ANN401 - as it is
        cuts = [cut.window for cut in plan.cuts if cut.segment.name == self.name]
        if any(cut.overlaps(window) for cut in cuts for window in self.windows):
            raise NoPicture(f"{self.name} is damaged.", self.name, self.windows)
        return super().render(plan, *rest)


def test_windows_without_a_picture_are_gaps(recorded: World) -> None:
    """The clip has the rest, and a note names the recording."""
    damaged = TimeWindow(NOW - 58_000, NOW - 55_000)
    recorded.transcoder = Pictureless(windows=(damaged,))
    result = recorded.deliver()
    assert result.report.coverage.gaps == (damaged,)
    assert result.report.coverage.notes == ("Frames of a cannot be decoded.",)
    assert result.report.delivered_ms == 7_000


def test_a_clip_that_is_wanted_without_gaps_is_not_made_of_what_has_no_picture(
    recorded: World,
) -> None:
    """The gap is found when the clip is rendered; nothing is stored."""
    damaged = TimeWindow(NOW - 58_000, NOW - 55_000)
    recorded.transcoder = Pictureless(windows=(damaged,))
    result = recorded.deliver(evolve(REQUEST, options=ClipOptions(gaps="fail")))
    assert result.report.status is ClipStatus.NOT_AVAILABLE
    assert "There is no footage of 3 s of the clip" in str(result.report.reason)
    assert recorded.clips.objects == {}


def test_a_short_window_without_a_picture_is_damaged(recorded: World) -> None:
    """A picture is held over it, which must not pass for one that was merely late."""
    damaged = TimeWindow(NOW - 58_000, NOW - 57_500)
    recorded.transcoder = Pictureless(windows=(damaged,))
    coverage = recorded.deliver().report.coverage
    assert (coverage.gaps, coverage.damaged, coverage.held) == ((), (damaged,), ())
    assert not coverage.is_complete


def test_other_recordings_fill_windows_without_a_picture(recorded: World) -> None:
    """They are opened as others are."""
    damaged = TimeWindow(NOW - 58_000, NOW - 55_000)
    recorded.add_recording("b", -59_000, 100_000)
    recorded.transcoder = Pictureless(windows=(damaged,))
    result = recorded.deliver()
    assert result.report.coverage.gaps == ()
    assert result.report.coverage.is_complete
    assert [s.name for s in recorded.clips.manifests[REQUEST.name].sources] == ["a", "b"]


def test_a_clip_without_any_picture_is_rejected(recorded: World) -> None:
    """The damage is named."""
    recorded.transcoder = Pictureless(windows=(REQUEST.window,))
    result = recorded.deliver()
    assert result.report.status is ClipStatus.FATAL_ERROR
    assert result.report.reason == "No picture of the clip can be decoded. a is damaged."


def test_a_recording_without_any_picture_is_left_out_whole(recorded: World) -> None:
    """Nothing of the recording is shown then."""

    class Stubborn(InMemoryTranscoder):
        def render(self, *_: object) -> Rendition:
            raise NoPicture("a is damaged.", "a", (TimeWindow(0, 1),))

    recorded.transcoder = Stubborn()
    result = recorded.deliver()
    assert result.report.status is ClipStatus.FATAL_ERROR
    assert result.report.reason == "No picture of the clip can be decoded. a is damaged."


def test_damage_is_part_of_the_report(recorded: World) -> None:
    """What is missing is not damaged as well, and what is damaged not held."""

    class Damaged(InMemoryTranscoder):
        def render(self, plan: ClipPlan, *rest: Any) -> Rendition:  # noqa: ANN401 - as it is
            made = super().render(plan, *rest)
            return evolve(made, damaged=(TimeWindow(NOW - 56_000, NOW - 54_000),))

    recorded.recordings.files["a"] = StoredFile(b"a", 45_000)
    recorded.transcoder = Damaged()
    result = recorded.deliver(evolve(REQUEST, retries_ms=(NOW,)), delivered(after_ms=900_001))
    assert result.report.coverage.gaps == (TimeWindow(NOW - 55_000, NOW - 50_000),)
    assert result.report.coverage.damaged == (TimeWindow(NOW - 56_000, NOW - 55_000),)
    assert not result.report.coverage.is_complete
    assert result.report.reason == (
        "There is no footage of 5 s of the clip. The footage of 1 s of the clip is damaged."
    )


def add_drifting(world: World, *, count: int, listed_ms: int = 60_000) -> None:
    """List recordings of 75 s that claim to be as long as `listed_ms`, one after the other."""
    for number in range(count):
        world.add_recording(f"{number}", -120_000 + number * listed_ms, 75_000, listed_ms=listed_ms)
        listed = world.cameras.segments["pier"][-1]
        world.cameras.segments["pier"][-1] = evolve(listed, listed_ms=listed_ms)


def test_a_wrong_clock_is_believed_if_the_neighbours_agree(world: World) -> None:
    """They are opened for that; the clip itself needs only two of the recordings."""
    add_drifting(world, count=4)
    result = world.deliver(evolve(REQUEST, start_ms=NOW - 65_000, end_ms=NOW - 55_000))
    assert result.report.coverage.clock == Clock(1.25, 2_500)
    assert result.report.coverage.unused == ()
    assert result.report.coverage.is_complete
    manifest = world.clips.manifests[REQUEST.name]
    assert [source.name for source in manifest.sources] == ["0", "1"]
    assert (manifest.paces[0].clip_ms, manifest.paces[0].rate) == (0, 1.25)
    assert manifest.media
    assert manifest.media.duration_ms == 12_500


def test_two_recordings_do_not_prove_a_wrong_clock(world: World) -> None:
    """They overlap."""
    add_drifting(world, count=2)
    result = world.deliver(evolve(REQUEST, start_ms=NOW - 65_000, end_ms=NOW - 55_000))
    assert result.report.coverage.clock is None
    assert [unused.name for unused in result.report.coverage.unused] == ["1"]


def test_doubtful_times_are_noted(recorded: World) -> None:
    """In the report."""

    class Doubtful(InMemoryRecordingStore):
        def open(
            self, segment: RecordingSegment, window: TimeWindow, deadline_s: float
        ) -> InMemoryRecording:
            opened = super().open(segment, window, deadline_s)
            return evolve(opened, segment=evolve(opened.segment, notes=("a steps back.",)))

    recorded.recordings = Doubtful(recorded.recordings.files)
    assert recorded.deliver().report.coverage.notes == ("a steps back.",)


def test_a_duplicate_reports_the_status_again_and_publishes_nothing(recorded: World) -> None:
    """One clip, one notification, no second rendering."""
    recorded.deliver()
    recorded.log.clear()
    result = recorded.deliver(delivery=delivered(message_id="m2"))
    assert recorded.log == ["HEAD clip", "GET manifest", "PUT CLIP_AVAILABLE"]
    assert result.report == FULL


def test_a_redelivery_announces_a_clip_that_was_committed_before_a_crash(recorded: World) -> None:
    """The announced gaps are those that were stored with the clip."""
    coverage = Coverage((TimeWindow(NOW - 52_000, NOW - 50_000),))
    clip = StoredClip(REQUEST.fingerprint, "m#1", NOW, coverage)
    recorded.clips.objects[REQUEST.name] = (clip, RECIPE)
    result = recorded.deliver(delivery=delivered(receive_count=2))
    assert result.report == ClipReport.available(REQUEST, coverage)
    assert recorded.log == [
        "HEAD clip",
        "GET manifest",
        "GET manifest",
        "PUT thumbnails",
        "PUT CLIP_AVAILABLE",
        "SNS CLIP_AVAILABLE",
        "PUT manifest",
    ]
    assert recorded.clips.manifests[REQUEST.name].writer == "m#1"
    assert recorded.clips.thumbnails[REQUEST.name][300].startswith(RECIPE.strip())


def test_a_clip_that_another_delivery_has_just_stored_is_not_announced(recorded: World) -> None:
    """The message is delivered again, in case the other delivery crashes before it announces."""
    clip = StoredClip(REQUEST.fingerprint, "other#1", NOW - 299_999)
    recorded.clips.objects[REQUEST.name] = (clip, RECIPE)
    with pytest.raises(AlreadyInProgress):
        recorded.deliver()
    assert not recorded.statuses


def test_an_abandoned_clip_is_announced_by_another_message(recorded: World) -> None:
    """Its writer began longer ago than the delivery timeout."""
    clip = StoredClip(REQUEST.fingerprint, "other#1", NOW - 300_000)
    recorded.clips.objects[REQUEST.name] = (clip, RECIPE)
    recorded.deliver()
    assert recorded.published == [ClipStatus.AVAILABLE]


@pytest.mark.parametrize("deliveries_left", [4, 0])
def test_a_clip_of_another_window_is_never_touched(recorded: World, deliveries_left: int) -> None:
    """Nor is its status changed, not even by the last delivery."""
    recorded.clips.objects[REQUEST.name] = (StoredClip("another", "other#1", 0), b"old")
    with pytest.raises(Conflict):
        recorded.deliver(delivery=delivered(deliveries_left=deliveries_left))
    assert recorded.clips.objects[REQUEST.name][1] == b"old"
    assert not recorded.statuses
    assert not recorded.published


def test_the_loser_of_a_race_is_delivered_again(recorded: World) -> None:
    """It neither reports nor acknowledges, since the winner may crash before it reports."""
    recorded.rival = StoredClip(REQUEST.fingerprint, "other#1", NOW)
    with pytest.raises(AlreadyInProgress):
        recorded.deliver()
    assert not recorded.statuses


def test_the_loser_against_another_window_reports_nothing(recorded: World) -> None:
    """Of two simultaneous requests with one name, the later commit is a conflict."""
    recorded.rival = StoredClip("another", "other#1", NOW)
    with pytest.raises(Conflict):
        recorded.deliver()
    assert not recorded.statuses


def test_the_same_id_with_other_options_is_a_conflict(recorded: World) -> None:
    """The clip stays as it is, whichever of the two was made first; settings play no part."""
    usual, other = REQUEST, evolve(REQUEST, options=TwoOptions(size=6))
    for made, wanted in (
        (usual, other),
        (other, usual),
        (other, evolve(other, options=TwoOptions(mood="6"))),
    ):
        stored = StoredClip(made.fingerprint, "other#1", NOW - 300_000)
        recorded.clips.objects[REQUEST.name] = (stored, RECIPE)
        with pytest.raises(Conflict):
            recorded.deliver(wanted)
    assert not recorded.statuses
    recorded.clips.objects[REQUEST.name] = (StoredClip(other.fingerprint, "o#1", 0), RECIPE)
    assert recorded.deliver(other).report.options == {"size": 6}


def test_a_commit_that_finds_its_own_clip_had_lost_its_reply(recorded: World) -> None:
    """A commit that the client sent twice is a success."""
    recorded.loses_reply = "commit"
    assert recorded.deliver().report == FULL
    assert recorded.published == [ClipStatus.AVAILABLE]


@pytest.mark.parametrize("duration_ms", [10_000, 300_001], ids=["requeue", "reject"])
def test_a_rivals_commit_during_a_status_report_is_repaired(world: World, duration_ms: int) -> None:
    """The last status is AVAILABLE, nothing is published or queued, the message returns."""
    wanted = evolve(REQUEST, start_ms=REQUEST.end_ms - duration_ms)
    world.rival = StoredClip(wanted.fingerprint, "other#1", NOW)
    world.rival_at_find = 2
    with pytest.raises(AlreadyInProgress):
        world.deliver(wanted)
    assert world.statuses[-1] is ClipStatus.AVAILABLE
    assert not world.published
    assert not world.queue.sent


def test_a_request_is_requeued_even_if_its_pending_status_fails(world: World) -> None:
    """That status is advisory; the result has a note."""
    world.fails = [ClipStatus.PENDING]
    result = world.deliver()
    assert len(world.queue.sent) == 1
    assert "the camera API answered 500" in result.notes[-1]


DROPPED = "Unknown keys too long for the queue were dropped"


@pytest.mark.parametrize(
    ("dropped", "notes"),
    [
        ((), ()),
        (("note",), (f"{DROPPED}: note.",)),
        (
            tuple("abcdefghijkl"),
            (f"{DROPPED}: {', '.join('abcdefghij')} and 2 more.",),
        ),
    ],
    ids=["none", "one", "many"],
)
def test_unknown_keys_that_the_queue_dropped_are_noted(
    world: World, dropped: tuple[str, ...], notes: tuple[str, ...]
) -> None:
    """By name, for the log; ten of them."""
    world.queue.drops = dropped
    assert world.deliver().notes == notes


def test_a_request_that_cannot_be_requeued_is_delivered_again(world: World) -> None:
    """The error returns its message to the queue."""
    world.fails = ["send"]
    with pytest.raises(Unavailable):
        world.deliver()


def test_a_final_status_that_cannot_be_reported_is_reported_by_the_next_delivery(
    recorded: World,
) -> None:
    """The clip stays stored, and is announced then."""
    recorded.fails = [ClipStatus.AVAILABLE]
    with pytest.raises(Unavailable):
        recorded.deliver()
    assert not recorded.published
    recorded.fails = []
    recorded.deliver(delivery=delivered(receive_count=2))
    assert recorded.published == [ClipStatus.AVAILABLE]


def test_a_clip_that_was_deleted_while_it_was_made_is_not_published(recorded: World) -> None:
    """The camera API no longer knows it."""
    recorded.cameras.deleted.add("clip")
    with pytest.raises(ClipDeleted):
        recorded.deliver()
    assert not recorded.published


@pytest.mark.parametrize("deliveries_left", [4, 0])
def test_a_clip_that_was_deleted_is_not_made_again(recorded: World, deliveries_left: int) -> None:
    """A late duplicate is acknowledged; nothing is stored, reported or published."""
    report = evolve(ClipReport.available(REQUEST, Coverage()), status=DELETED)
    recorded.clips.manifests[REQUEST.name] = Manifest(report, "deleted#1")
    with pytest.raises(ClipDeleted):
        recorded.deliver(delivery=delivered(deliveries_left=deliveries_left))
    assert not recorded.clips.objects
    assert not recorded.statuses
    assert not recorded.published


def test_damaged_footage_is_reported_on_the_last_delivery_only(recorded: World) -> None:
    """Earlier ones are retried; after the last one the message is dead-lettered."""
    recorded.transcoder.broken = True
    with pytest.raises(UnusableFootage):
        recorded.deliver(delivery=delivered(deliveries_left=1))
    assert not recorded.statuses
    with pytest.raises(UnusableFootage):
        recorded.deliver(delivery=delivered(deliveries_left=0))
    assert recorded.statuses == recorded.published == [ClipStatus.FATAL_ERROR]
    assert recorded.cameras.reports[0].reason == "the footage is damaged"


def test_a_failure_on_the_last_delivery_does_not_hide_a_finished_clip(recorded: World) -> None:
    """The clip is stored, its status cannot be: no FATAL_ERROR is reported or published."""
    recorded.fails = [ClipStatus.AVAILABLE]
    with pytest.raises(Unavailable):
        recorded.deliver(delivery=delivered(deliveries_left=0))
    assert not recorded.statuses
    assert not recorded.published


def test_a_rejection_whose_status_is_stored_is_not_replaced_by_a_fatal_error(world: World) -> None:
    """It may have been published: no other result may follow."""
    world.loses_reply = "publish"
    old = evolve(REQUEST, start_ms=NOW - 2_000_000, end_ms=NOW - 1_990_000)
    with pytest.raises(Unavailable, match="the topic did not answer"):
        world.deliver(old, delivered(deliveries_left=0))
    assert world.statuses == world.published == [ClipStatus.NOT_AVAILABLE]


def test_a_failure_on_the_last_delivery_does_not_change_an_earlier_rejection(world: World) -> None:
    """The rejection was published: a failing duplicate changes nothing."""
    ended = ClipReport.of(REQUEST, ClipStatus.RETRY_TIMEOUT, reason="no footage")
    world.clips.manifests[REQUEST.name] = Manifest(ended, "m#1")
    world.fails = [ClipStatus.RETRY_TIMEOUT]
    with pytest.raises(Unavailable):
        world.deliver(delivery=delivered(message_id="m2", deliveries_left=0))
    assert not world.statuses
    assert not world.published


def test_a_failure_that_cannot_be_reported_has_a_note(recorded: World) -> None:
    """The original error is raised."""
    recorded.transcoder.broken = True
    recorded.fails = [ClipStatus.FATAL_ERROR]
    with pytest.raises(UnusableFootage) as caught:
        recorded.deliver(delivery=delivered(deliveries_left=0))
    assert "the camera API answered 500" in caught.value.__notes__[0]


def test_an_earlier_rejection_is_reported_again_and_not_published_again(world: World) -> None:
    """Whether a duplicate would requeue or reject, it repeats the first rejection."""
    ended = ClipReport.of(REQUEST, ClipStatus.RETRY_TIMEOUT, reason="no footage")
    world.clips.manifests[REQUEST.name] = Manifest(ended, "m#1")
    for after_ms in (0, 900_001):
        result = world.deliver(REQUEST.retried(NOW), delivered(after_ms=after_ms))
        assert result.report == ended
    assert world.cameras.reports == [ended, ended]
    assert not world.published
    assert not world.queue.sent


def test_a_repeated_rejection_yields_to_a_rivals_clip(world: World) -> None:
    """The clip that appears while the old rejection is reported again corrects the status."""
    ended = ClipReport.of(REQUEST, ClipStatus.RETRY_TIMEOUT, reason="no footage")
    world.clips.manifests[REQUEST.name] = Manifest(ended, "m#1")
    world.rival = StoredClip(REQUEST.fingerprint, "other#1", NOW)
    world.rival_at_find = 2
    with pytest.raises(AlreadyInProgress):
        world.deliver(delivery=delivered(message_id="m2"))
    assert world.statuses == [ClipStatus.RETRY_TIMEOUT, ClipStatus.AVAILABLE]
    assert not world.published
    assert not world.queue.sent


def test_a_repeated_clip_is_not_looked_up_again(recorded: World) -> None:
    """An AVAILABLE status cannot be overtaken by a rival's clip."""
    recorded.deliver()
    finds = recorded.log.count("HEAD clip")
    recorded.deliver(delivery=delivered(message_id="m2"))
    assert recorded.log.count("HEAD clip") == finds + 1


def test_a_clip_that_appears_between_clip_and_manifest_lookup_is_found(world: World) -> None:
    """A manifest of a clip makes the delivery look the clip up once more."""
    world.clips.manifests[REQUEST.name] = Manifest(FULL, "other#1")
    world.rival = StoredClip(REQUEST.fingerprint, "other#1", NOW)
    world.rival_at_find = 2
    result = world.deliver()
    assert world.log == ["HEAD clip", "GET manifest", "HEAD clip", "PUT CLIP_AVAILABLE"]
    assert result.report == FULL


def test_footage_that_arrives_after_a_rejection_becomes_a_clip(recorded: World) -> None:
    """The manifest of the clip replaces that of the rejection."""
    ended = ClipReport.of(REQUEST, ClipStatus.RETRY_TIMEOUT)
    recorded.clips.manifests[REQUEST.name] = Manifest(ended, "m#1")
    recorded.deliver()
    assert recorded.clips.manifests[REQUEST.name].report == FULL


def test_a_rejection_never_replaces_a_manifest(world: World) -> None:
    """Not even that of another request of the same name."""
    there = Manifest(ClipReport.of(evolve(REQUEST, end_ms=NOW), ClipStatus.FATAL_ERROR), "x#1")
    world.clips.manifests[REQUEST.name] = there
    world.deliver(REQUEST.retried(NOW), delivered(after_ms=900_001))
    assert world.published == [ClipStatus.RETRY_TIMEOUT]
    assert world.clips.manifests[REQUEST.name] == there


def test_a_deleted_clip_whose_manifest_stayed_is_made_again(recorded: World) -> None:
    """A manifest alone does not prove that the clip is stored."""
    recorded.deliver()
    del recorded.clips.objects[REQUEST.name]
    recorded.deliver(delivery=delivered(message_id="m2"))
    assert REQUEST.name in recorded.clips.objects


def test_a_window_within_a_picture_is_a_clip_of_it(recorded: World) -> None:
    """It was on screen all the time."""
    result = recorded.deliver(evolve(REQUEST, start_ms=NOW - 59_999, end_ms=NOW - 59_990))
    assert result.report.coverage == FULL.coverage
    assert result.media
    assert (result.media.frames, result.media.duration_ms) == (1, 9)


def test_what_the_transcoder_rejects_is_a_fatal_error(recorded: World) -> None:
    """Such as pictures that are too large."""

    class Rejecting(InMemoryTranscoder):
        def render(self, *_: object) -> Rendition:
            raise Rejected("a is too large.")

    recorded.transcoder = Rejecting()
    result = recorded.deliver()
    assert (result.report.status, result.report.reason) == (
        ClipStatus.FATAL_ERROR,
        "a is too large.",
    )


def test_footage_in_too_many_parts_is_rejected(world: World) -> None:
    """Before anything is opened."""
    for number in range(MIN_CUTS_ALLOWED + 1):
        world.cameras.segments["pier"].append(
            RecordingSegment(TimeWindow(NOW - 60_000 + number, NOW - 59_999 + number), f"{number}")
        )
    result = world.deliver()
    assert result.report.status is ClipStatus.FATAL_ERROR
    assert result.report.reason == (
        "The footage is in too many parts: 201 parts of recordings and 1 gaps; 200 and 100 are"
        " allowed for a clip of 10 s."
    )


@pytest.mark.parametrize(
    ("duration_s", "cuts", "gaps"),
    [
        pytest.param(1, 200, 100, id="a second"),
        pytest.param(300, 200, 100, id="five minutes"),
        pytest.param(1000, 200, 100, id="the longest clip of 200 parts"),
        pytest.param(1005, 201, 100, id="five seconds more"),
        pytest.param(3600, 720, 360, id="an hour"),
        pytest.param(86_400, 17_280, 8640, id="a day"),
    ],
)
def test_a_longer_clip_may_have_more_parts(duration_s: int, cuts: int, gaps: int) -> None:
    """One for each five seconds, and half as many gaps."""
    window = TimeWindow(NOW, NOW + 1000 * duration_s)
    assert (max_cuts(window), max_gaps(window)) == (cuts, gaps)


@pytest.mark.parametrize("lost_ms", [0, 1500])
def test_files_of_ten_seconds_make_an_hours_clip(world: World, lost_ms: int) -> None:
    """Also if the camera loses time after each, so that there are as many gaps."""
    for number in range(361):
        world.add_recording(f"{number}", -4_000_000 + 10_000 * number, 10_000 - lost_ms)
    world.policy = RetryPolicy(max_duration_ms=3_600_000)
    start_ms = NOW - 3_995_000
    result = world.deliver(evolve(REQUEST, start_ms=start_ms, end_ms=start_ms + 3_600_000))
    assert result.report.status is ClipStatus.AVAILABLE, result.report
    assert result.report.coverage
    assert len(result.report.coverage.gaps) == (360 if lost_ms else 0)


@pytest.mark.parametrize(
    ("count", "is_refused"), [(MIN_CUTS_ALLOWED, False), (MIN_CUTS_ALLOWED + 1, True)]
)
def test_not_arbitrarily_many_recordings_before_the_clip_are_opened(
    recorded: World, count: int, is_refused: bool
) -> None:
    """Each might last into the clip, or its last picture be held until then."""
    start_ms = REQUEST.start_ms - count - 1
    recorded.cameras.segments["pier"] += [
        RecordingSegment(TimeWindow(start_ms + number, start_ms + number + 1), f"b{number}")
        for number in range(count)
    ]
    result = recorded.deliver()
    assert (result.report.status is ClipStatus.FATAL_ERROR) == is_refused, result.report
    assert ("end just before the clip" in str(result.report.reason)) == is_refused


INVALID = InvalidRequest("clip", "startTimestampInMs is no number", "pier")


def test_an_invalid_request_is_reported(world: World) -> None:
    """As a fatal error with its reason, to the camera API and the subscribers."""
    result = world.make_clip().reject_invalid(INVALID, delivered().deadline_s)
    assert result.report.status is ClipStatus.FATAL_ERROR
    assert world.cameras.reports == world.notifier.published == [result.report]


def test_an_invalid_request_never_changes_a_finished_clip(recorded: World) -> None:
    """The clip keeps its status."""
    recorded.deliver()
    with pytest.raises(Conflict):
        recorded.make_clip().reject_invalid(INVALID, delivered().deadline_s)
    assert recorded.statuses == [ClipStatus.AVAILABLE]
