"""The triage of dead letters on adapters in memory: a verdict for each, and which are selected."""

import time
from collections.abc import Iterable
from typing import Any

import pytest
from attrs import define, evolve, field

from application.triage_dead_letters import (
    HOPELESS,
    RETRYABLE,
    Selection,
    TriageDeadLetters,
    TriagedLetter,
    Verdict,
)
from domain.clip import ClipReport, ClipRequest, ClipStatus
from domain.coverage import Coverage
from domain.delivery import Delivery
from domain.manifest import Manifest, MediaInfo, StoredClip
from domain.recording import RecordingSegment
from domain.retry import RetryPolicy
from domain.window import TimeWindow
from infrastructure.in_memory import InMemoryCameraService, InMemoryClipStore

NOW = 1_600_000_000_000
HOUR_MS = 3_600_000
SENT_MS = NOW - 2 * HOUR_MS
REQUEST = ClipRequest("clip", "pier", SENT_MS - 60_000, SENT_MS - 50_000, (SENT_MS,))
MEDIA = MediaInfo(250, 0.0, 9960.0, 10_000.0, "avc1", 64, 64)
FINGERPRINT = REQUEST.fingerprint


@define
class World:
    """What is stored and recorded when a letter is triaged."""

    clips: InMemoryClipStore = field(factory=InMemoryClipStore)
    cameras: InMemoryCameraService = field(factory=lambda: InMemoryCameraService({"pier": []}))

    def is_recorded(self, start_ms: int = SENT_MS - 120_000, end_ms: int = SENT_MS) -> None:
        self.cameras.segments["pier"].append(
            RecordingSegment(TimeWindow(start_ms, end_ms), "pier.mp4")
        )

    def has_clip(self, fingerprint: str = FINGERPRINT, age_ms: int = HOUR_MS) -> None:
        clip = StoredClip(fingerprint, "m#1", NOW - age_ms, Coverage(), MEDIA)
        self.clips.objects[REQUEST.name] = (clip, b"")

    def has_manifest(self, report: ClipReport) -> None:
        self.clips.manifests[REQUEST.name] = Manifest(report, "m#1", MEDIA)

    def triage(
        self, request: ClipRequest = REQUEST, *, seconds_left: float = 60, message_id: str = "again"
    ) -> TriagedLetter:
        use_case = TriageDeadLetters(self.clips, self.cameras, RetryPolicy(), 1000, 900_000)
        deadline_s = time.monotonic() + seconds_left
        return use_case(Delivery(request, message_id, NOW, NOW, deadline_s))


@pytest.fixture
def world() -> World:
    return World()


def test_a_request_that_failed_may_succeed_now(world: World) -> None:
    """There is footage, and no clip yet."""
    world.is_recorded()
    assert world.triage() == TriagedLetter("again", Verdict.FAILED, SENT_MS, "clip", REQUEST)


def test_a_reported_rejection_does_not_prevent_a_clip(world: World) -> None:
    """If there is footage now, the clip replaces it."""
    world.is_recorded()
    world.has_manifest(
        ClipReport("clip", ClipStatus.RETRY_TIMEOUT, "pier", fingerprint=FINGERPRINT)
    )
    assert world.triage().verdict is Verdict.FAILED


@pytest.mark.parametrize(
    ("age_ms", "message_id"),
    [
        pytest.param(HOUR_MS, "again", id="long ago"),
        pytest.param(1000, "m", id="by an earlier delivery of the same message"),
        pytest.param(1000, "again", id="just now"),
    ],
)
def test_a_clip_without_its_announcement_is_unannounced(
    world: World, age_ms: int, message_id: str
) -> None:
    """Whoever stored it, and whenever."""
    world.has_clip(age_ms=age_ms)
    assert world.triage(message_id=message_id).verdict is Verdict.UNANNOUNCED


def test_a_clip_with_its_announcement_is_announced(world: World) -> None:
    """There is nothing to send back."""
    world.has_clip()
    world.has_manifest(ClipReport.available(REQUEST, Coverage()))
    assert world.triage().verdict is Verdict.ANNOUNCED


def test_a_name_can_be_taken(world: World) -> None:
    """By the clip of another window."""
    world.has_clip(evolve(REQUEST, end_ms=REQUEST.end_ms + 1000).fingerprint)
    assert world.triage().verdict is Verdict.NAME_TAKEN


@pytest.mark.parametrize(
    ("changed", "detail"),
    [
        pytest.param({"start_ms": REQUEST.end_ms}, "FATAL_ERROR", id="ends before it starts"),
        pytest.param({"start_ms": REQUEST.end_ms - 300_001}, "CLIP_TOO_LONG", id="too long"),
        pytest.param({"camera_id": "boat"}, "FATAL_ERROR (unknown camera)", id="unknown camera"),
        pytest.param({}, "CLIP_RETRY_TIMEOUT (no footage)", id="waited in vain"),
        pytest.param(
            {"retries_ms": (SENT_MS + HOUR_MS,)}, "CLIP_NOT_AVAILABLE (no footage)", id="asked late"
        ),
        pytest.param(
            {"retries_ms": (SENT_MS + 73 * HOUR_MS,)},
            "CLIP_OUT_OF_RANGE (no footage)",
            id="asked days later",
        ),
    ],
)
def test_the_expected_rejection_is_named(
    world: World, changed: dict[str, Any], detail: str
) -> None:
    """As the delivery would report it."""
    sent_ms = max((NOW, *changed.get("retries_ms", ())))
    use_case = TriageDeadLetters(world.clips, world.cameras, RetryPolicy(), 1000, 900_000)
    request = evolve(REQUEST, **changed)
    letter = use_case(Delivery(request, "again", sent_ms, sent_ms, time.monotonic() + 60))
    assert (letter.verdict, letter.detail) == (Verdict.REJECTED, detail)
    assert letter.summary == f"would end as {detail}"


def test_a_request_that_cannot_be_checked_names_the_fault(world: World) -> None:
    """It is neither selected nor lost."""
    letter = world.triage(seconds_left=-1)
    assert (letter.verdict, letter.fault) == (Verdict.UNKNOWN, "The deadline has passed.")
    assert letter.request == REQUEST
    assert letter.summary == "not checked"


def test_triage_only_reads(world: World) -> None:
    """Nothing is stored or reported."""
    world.is_recorded()
    world.has_clip()
    world.triage()
    assert list(world.clips.objects) == [REQUEST.name]
    assert (world.clips.manifests, world.cameras.reports) == ({}, [])


def test_verdicts_have_an_order() -> None:
    """What may succeed comes first, what could not be checked last."""
    assert min(Verdict, key=lambda verdict: verdict.rank) is Verdict.FAILED
    assert max(Verdict, key=lambda verdict: verdict.rank) is Verdict.UNKNOWN


def letters() -> Iterable[TriagedLetter]:
    for clip_id, verdict, first_seen_ms in [
        ("b", Verdict.FAILED, 2),
        ("a", Verdict.UNANNOUNCED, 1),
        ("d", Verdict.ANNOUNCED, 0),
        ("c", Verdict.FAILED, 3),
        ("e", Verdict.INVALID, 4),
    ]:
        yield TriagedLetter(clip_id, verdict, first_seen_ms, clip_id)


@pytest.mark.parametrize(
    ("selection", "selected"),
    [
        pytest.param(Selection(), "abc", id="what may succeed, the oldest first"),
        pytest.param(Selection(limit=2), "ab", id="at most so many"),
        pytest.param(Selection(all_verdicts=True), "dabce", id="all"),
        pytest.param(Selection(clip_ids=frozenset("dc")), "dc", id="by clip id"),
        pytest.param(Selection(clip_ids=frozenset("dc"), limit=1), "d", id="by clip id, limited"),
        pytest.param(
            Selection(dropped=(Verdict.ANNOUNCED, Verdict.INVALID)), "de", id="deleted, by verdict"
        ),
        pytest.param(
            Selection(dropped=(Verdict.ANNOUNCED, Verdict.INVALID), clip_ids=frozenset("ade")),
            "de",
            id="deleted, by verdict among clip ids",
        ),
        pytest.param(
            Selection(dropped=(Verdict.ANNOUNCED,), clip_ids=frozenset("abc")),
            "",
            id="none of the clip ids has the verdict",
        ),
        pytest.param(
            Selection(dropped=(Verdict.ANNOUNCED, Verdict.INVALID), limit=1), "d", id="limited"
        ),
    ],
)
def test_letters_are_selected(selection: Selection, selected: str) -> None:
    """By verdict, or by clip id whatever the verdict."""
    assert "".join(str(letter.clip_id) for letter in selection(letters())) == selected


@pytest.mark.parametrize("verdict", Verdict)
def test_only_letters_that_no_delivery_helps_can_be_deleted(verdict: Verdict) -> None:
    """Not those that may succeed, and not those that could not be checked."""
    may_be_deleted = verdict not in {*RETRYABLE, Verdict.UNKNOWN}
    assert (verdict in HOPELESS) is may_be_deleted
    if may_be_deleted:
        assert Selection(dropped=(verdict,)).dropped == (verdict,)
    else:
        with pytest.raises(ValueError, match="must be in"):
            Selection(dropped=(verdict,))


def test_a_letter_without_a_clip_id_has_its_messages_name() -> None:
    """It is named all the same."""
    assert TriagedLetter("m", Verdict.INVALID, 0).name == "m"
    assert TriagedLetter("m", Verdict.FAILED, 0, "c1").name == "c1"
