"""What the verification of a clip finds, on recordings in memory."""

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
from attrs import Factory, evolve, field, frozen

from application.verify_clip import ClipFile, VerifyClip, said_evidence
from domain.clip import ClipReport, ClipRequest, ClipStatus
from domain.coverage import Clock, Coverage
from domain.errors import NotFinishedYet, RecordingChanged, Rejected, UnusableFootage
from domain.findings import Finding, Judgement, Subject, judgement_of
from domain.manifest import Evidence, Manifest, MediaInfo, Source
from domain.options import ClipOptions
from domain.proof import (
    COPIED,
    ENCODED,
    FILLER,
    ByteRange,
    CopiedPart,
    FrameRun,
    OwnPart,
    Proof,
    SeenFrames,
    ShownFrame,
    SidecarHash,
    ThumbnailHash,
    Tool,
)
from domain.recording import RecordingSegment
from domain.window import TimeWindow
from infrastructure.in_memory import InMemoryRecordingStore, StoredFile

NOW = 1_600_000_000_000
REQUEST = ClipRequest("c1", "pier", NOW, NOW + 200)
ONE, TWO = b"one." * 1_000_000, b"two." * 500
HEADER, HEAD = b"index" * 4, b"encoded-frames"
COPIES = ((ONE, "one", 8, 3_000_000), (TWO, "two", 4, 80))
CLIP = HEADER + HEAD + b"".join(data[at : at + length] for data, _, at, length in COPIES)
AT_ONE, AT_TWO = len(HEADER + HEAD), len(HEADER + HEAD) + 3_000_000
PICTURE = b"a picture"


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


PROOF = Proof(
    (
        OwnPart(0, len(HEADER), sha256(HEADER)),
        OwnPart(len(HEADER), len(HEAD), sha256(HEAD)),
    ),
    (
        CopiedPart(AT_ONE, 3_000_000, "one", 8),
        CopiedPart(AT_TWO, 80, "two", 4),
    ),
    (
        FrameRun("one", ENCODED, 1, NOW, NOW),
        FrameRun("one", COPIED, 3, NOW + 40, NOW + 120),
        FrameRun("two", COPIED, 1, NOW + 160, NOW + 160),
    ),
    (Tool("camclip", "0.1.0"),),
    (ThumbnailHash(300, sha256(PICTURE)),),
)
SHOWN = [
    ShownFrame(ByteRange(len(HEADER), len(HEAD)), 0),
    *(ShownFrame(ByteRange(AT_ONE + n * 1_000_000, 1_000_000), 40 + n * 40) for n in range(3)),
    ShownFrame(ByteRange(AT_TWO, 80), 160),
]
MEDIA = MediaInfo(5, 0, 160, 200, "avc1", 16, 9, 4)


def recordings() -> InMemoryRecordingStore:
    files = {"one": StoredFile(ONE, 1000), "two": StoredFile(TWO, 1000)}
    return InMemoryRecordingStore(files)


def version(name: str) -> str:
    window = TimeWindow(NOW, NOW + 1000)
    return recordings().open(RecordingSegment(window, name), window, soon()).version


def soon() -> float:
    return time.monotonic() + 10


SOURCES = tuple(
    Source(name, version(name), TimeWindow(NOW, NOW + 1000), size_bytes=len(data))
    for name, data in (("one", ONE), ("two", TWO))
)
MANIFEST = Manifest(ClipReport.available(REQUEST, Coverage()), "m#1", MEDIA, SOURCES, PROOF)


@frozen
class BytesInMemory(ClipFile):
    """A clip whose tables are a list."""

    data: bytes = field(default=CLIP, repr=False)
    shown: Sequence[ShownFrame] = tuple(SHOWN)
    picture: bytes | None = PICTURE
    is_said: bool = False
    sidecars: Mapping[str, bytes] = Factory(dict)

    @property
    def size_bytes(self) -> int:  # type: ignore[override]
        return len(self.data)

    def read(self, offset: int, length: int) -> bytes:
        return self.data[offset : offset + length]

    def shown_frames(self) -> Sequence[ShownFrame]:
        return self.shown

    def is_said_at_end(self, offset: int, manifest: Manifest) -> bool:
        del offset, manifest
        return self.is_said

    def thumbnail(self, width: int) -> bytes | None:
        del width
        return self.picture

    def sidecar(self, name: str) -> bytes | None:
        return self.sidecars.get(name)


def flipped(at: int, data: bytes = CLIP) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def verify(
    clip: ClipFile = BytesInMemory(),
    manifest: Manifest = MANIFEST,
    sources: InMemoryRecordingStore | None = None,
) -> list[Finding]:
    return VerifyClip(sources)(manifest, clip, soon())


def changes(found: Sequence[Finding]) -> list[Finding]:
    return [each for each in found if each.judgement is Judgement.CHANGED]


def subjects(found: Sequence[Finding]) -> dict[Subject, Judgement]:
    return {each.subject: each.judgement for each in found}


def test_a_clip_as_it_was_cut_is_intact() -> None:
    """Offline, what is a recording's is not known."""
    found = verify()
    assert judgement_of(found) is Judgement.INTACT
    assert subjects(found) == {
        Subject.SIZE: Judgement.INTACT,
        Subject.OWN: Judgement.INTACT,
        Subject.COPIED: Judgement.UNKNOWN,
        Subject.FRAMES: Judgement.INTACT,
        Subject.COVERAGE: Judgement.INTACT,
        Subject.THUMBNAIL: Judgement.INTACT,
    }


def test_with_the_recordings_every_byte_is_known() -> None:
    """Each copied range is compared with its recording."""
    found = verify(sources=recordings())
    assert {each.judgement for each in found} == {Judgement.INTACT}
    assert [each.source for each in found if each.subject is Subject.SOURCE] == ["one", "two"]
    copied = [(f.source, f.source_range) for f in found if f.subject is Subject.COPIED]
    assert copied == [("one", ByteRange(8, 3_000_000)), ("two", ByteRange(4, 80))]


def test_a_clip_without_copies_is_known_offline() -> None:
    """There is nothing to compare."""
    own = (OwnPart(0, len(CLIP), sha256(CLIP)),)
    found = verify(manifest=evolve(MANIFEST, proof=evolve(PROOF, own=own, copied=())))
    assert Subject.COPIED not in subjects(found)
    assert judgement_of(found) is Judgement.INTACT


def test_an_encoded_byte_that_was_changed_is_named_with_its_frames() -> None:
    """By the part that it is in."""
    (found,) = changes(verify(BytesInMemory(flipped(len(HEADER) + 3))))
    assert (found.subject, found.range) == (Subject.OWN, ByteRange(len(HEADER), len(HEAD)))
    assert found.frames == (SeenFrames(1, NOW, NOW),)
    assert "Bytes 20 to 33" in found.text


def test_a_changed_index_is_named_and_names_no_frames() -> None:
    """Its tables may say anything."""
    clip = BytesInMemory(flipped(3))
    found = verify(clip)
    (changed,) = changes(found)
    assert (changed.subject, changed.range) == (Subject.OWN, ByteRange(0, len(HEADER)))
    assert "index" in changed.text
    assert subjects(found)[Subject.FRAMES] is Judgement.UNKNOWN
    assert all(not each.frames for each in found)


@pytest.mark.parametrize(
    ("at", "source", "theirs", "frames"),
    [
        (AT_ONE, "one", 8, [(1, NOW + 40, NOW + 40)]),
        (AT_ONE + 2_500_000, "one", 2_500_008, [(1, NOW + 120, NOW + 120)]),
        (AT_TWO + 79, "two", 83, [(1, NOW + 160, NOW + 160)]),
    ],
)
def test_a_copied_byte_that_was_changed_is_named_exactly(
    at: int, source: str, theirs: int, frames: list[tuple[int, int, int]]
) -> None:
    """With the recording's byte that should be there, and when its frame was seen."""
    (found,) = changes(verify(BytesInMemory(flipped(at)), sources=recordings()))
    assert (found.subject, found.range) == (Subject.COPIED, ByteRange(at, 1))
    assert (found.source, found.source_range) == (source, ByteRange(theirs, 1))
    assert found.frames == tuple(SeenFrames(*each) for each in frames)


def test_two_changes_of_a_copied_range_are_one_range() -> None:
    """From the first to the last, also over several reads."""
    clip = BytesInMemory(flipped(AT_ONE + 2_999_999, flipped(AT_ONE + 1_500_000)))
    (found,) = changes(verify(clip, sources=recordings()))
    assert found.range == ByteRange(AT_ONE + 1_500_000, 1_500_000)
    assert found.frames == (SeenFrames(2, NOW + 80, NOW + 120),)


def test_a_clip_that_was_cut_short_lacks_its_last_bytes() -> None:
    """And the frames that were there."""
    found = changes(verify(BytesInMemory(CLIP[:-10]), sources=recordings()))
    assert [f.subject for f in found] == [Subject.SIZE, Subject.COPIED]
    assert [f.range for f in found] == [ByteRange(len(CLIP) - 10, 10)] * 2
    assert found[0].frames == (SeenFrames(1, NOW + 160, NOW + 160),)


def test_bytes_after_the_last_part_must_repeat_the_manifest() -> None:
    """As boxes in S3 do."""
    clip = BytesInMemory(CLIP + b"more")
    (found,) = changes(verify(clip))
    assert (found.subject, found.range) == (Subject.SIZE, ByteRange(len(CLIP), 4))
    assert changes(verify(evolve(clip, is_said=True))) == []


def test_another_clip_is_another_one_throughout() -> None:
    """A swapped clip of the same size."""
    found = changes(verify(BytesInMemory(CLIP[::-1], SHOWN[:4]), sources=recordings()))
    assert [f.subject for f in found] == [Subject.OWN] * 2 + [Subject.COPIED] * 2


def test_tables_with_fewer_frames_are_found() -> None:
    """Though no byte of the index may have changed: the manifest's count may have."""
    (found,) = changes(verify(BytesInMemory(shown=SHOWN[:4])))
    assert found.subject is Subject.FRAMES


def replaced(data: bytes, **changed: Any) -> list[Finding]:  # noqa: ANN401 - of a source
    store = recordings()
    store.files["two"] = StoredFile(data, 1000)
    sources = (SOURCES[0], evolve(SOURCES[1], **changed))
    return verify(manifest=evolve(MANIFEST, sources=sources), sources=store)


def test_a_replaced_recording_is_named() -> None:
    """Also where the bytes that the clip has are the same: others were used to encode it."""
    longer = changes(replaced(TWO + b"x"))
    in_s3 = changes(replaced(TWO[:-1] + b"x", key="recordings/two"))
    for found in (longer, in_s3):
        assert [(f.subject, f.source) for f in found] == [(Subject.SOURCE, "two")]


def test_a_file_that_was_only_moved_is_judged_by_its_bytes() -> None:
    """A folder's version is of time and place, too."""
    found = replaced(TWO[:-1] + b"x")
    assert changes(found) == []
    assert Judgement.UNKNOWN in {f.judgement for f in found if f.subject is Subject.SOURCE}
    (changed,) = changes(replaced(flipped(10, TWO)))
    assert (changed.subject, changed.source_range) == (Subject.COPIED, ByteRange(10, 1))


def test_a_recording_that_became_shorter_lacks_the_range() -> None:
    """It cannot be read."""
    found = changes(replaced(TWO[:50]))
    assert [f.subject for f in found] == [Subject.SOURCE, Subject.COPIED]
    assert "beyond the end" in found[1].text


def test_a_recording_that_is_gone_is_not_held_against_the_clip() -> None:
    """Recordings expire."""
    store = recordings()
    del store.files["two"]
    found = verify(sources=store)
    assert changes(found) == []
    (unknown,) = (f for f in found if f.judgement is Judgement.UNKNOWN)
    assert (unknown.subject, unknown.source) == (Subject.SOURCE, "two")


@frozen
class Broken(InMemoryRecordingStore):
    """Recordings none of which can be opened."""

    raises: Callable[[], Exception] = lambda: UnusableFootage("It is no recording.")

    def open(self, *_: object) -> Any:  # noqa: ANN401 - never
        raise self.raises()


@pytest.mark.parametrize("error", [UnusableFootage, NotFinishedYet, RecordingChanged])
def test_a_recording_that_is_damaged_now_is_named(error: type[Exception]) -> None:
    """It was a recording when the clip was cut."""
    found = changes(verify(sources=Broken(raises=lambda: error("It is no recording."))))
    assert [(f.subject, f.source) for f in found] == [
        (Subject.SOURCE, "one"),
        (Subject.SOURCE, "two"),
    ]


@pytest.mark.parametrize(
    ("changed", "subject"),
    [
        pytest.param({"media": evolve(MEDIA, frames=6)}, Subject.MANIFEST, id="frames"),
        pytest.param({"media": evolve(MEDIA, copied_frames=5)}, Subject.MANIFEST, id="copied"),
        pytest.param({"media": None}, Subject.MANIFEST, id="no media info"),
        pytest.param({"media": evolve(MEDIA, duration_ms=203)}, Subject.COVERAGE, id="duration"),
        pytest.param({"sources": SOURCES[:1]}, Subject.MANIFEST, id="a source is missing"),
        pytest.param(
            {
                "proof": evolve(
                    PROOF, frames=(evolve(PROOF.frames[0], source="x"), *PROOF.frames[1:])
                )
            },
            Subject.MANIFEST,
            id="frames of another recording",
        ),
        pytest.param(
            {"proof": evolve(PROOF, copied=PROOF.copied[:1])}, Subject.SIZE, id="a part is missing"
        ),
        pytest.param(
            {"proof": evolve(PROOF, own=PROOF.own[:1])}, Subject.MANIFEST, id="a hole in the proof"
        ),
        pytest.param(
            {"report": ClipReport.available(evolve(REQUEST, start_ms=NOW - 100), Coverage())},
            Subject.COVERAGE,
            id="another window",
        ),
        pytest.param(
            {
                "report": ClipReport.available(
                    evolve(REQUEST, start_ms=NOW + 50, end_ms=NOW + 250), Coverage()
                )
            },
            Subject.COVERAGE,
            id="a later window",
        ),
        pytest.param(
            {
                "report": ClipReport.available(
                    REQUEST, Coverage((TimeWindow(NOW + 100, NOW + 150),))
                )
            },
            Subject.COVERAGE,
            id="a gap that the clip does not have",
        ),
        pytest.param(
            {"proof": evolve(PROOF, thumbnails=(ThumbnailHash(300, sha256(b"another")),))},
            Subject.THUMBNAIL,
            id="a thumbnail's hash",
        ),
    ],
)
def test_a_manifest_that_was_changed_contradicts_the_clip_or_itself(
    changed: dict[str, Any], subject: Subject
) -> None:
    """Even without a signature."""
    assert subject in {f.subject for f in changes(verify(manifest=evolve(MANIFEST, **changed)))}


@pytest.mark.parametrize(
    ("offset", "length"), [(-1, 5), (0, 10**18), (len(CLIP), 1), (10**18, 1), (5, -3), (7, 0)]
)
def test_a_hostile_proof_is_a_change_and_is_found_at_once(offset: int, length: int) -> None:
    """Nothing is read outside of the clip, and of its recordings."""
    own = evolve(PROOF, own=(OwnPart(offset, length, sha256(b"")),))
    assert Subject.MANIFEST in {f.subject for f in changes(verify(manifest=with_proof(own)))}
    for part in (
        CopiedPart(offset, length, "one", 8),
        CopiedPart(8, length, "one", offset),
        CopiedPart(8, 8, "one", offset),
    ):
        copied = evolve(PROOF, copied=(part,))
        assert changes(verify(manifest=with_proof(copied), sources=recordings()))


@frozen
class Counting(BytesInMemory):
    """A clip that counts what is read of it."""

    reads: list[int] = field(factory=list)

    def read(self, offset: int, length: int) -> bytes:
        self.reads.append(length)
        return super().read(offset, length)


def test_a_hostile_proof_has_the_clip_read_once() -> None:
    """However many parts name its bytes: they contradict each other, which is named."""
    clip = Counting()
    own = tuple(OwnPart(0, len(CLIP), sha256(bytes([n]))) for n in range(200))
    copied = tuple(CopiedPart(n, 3_000_000, "one", 8) for n in range(200))
    found = verify(clip, with_proof(evolve(PROOF, own=own, copied=copied)), recordings())
    assert Subject.MANIFEST in {f.subject for f in changes(found)}
    assert sum(clip.reads) <= len(CLIP)


def test_nothing_is_read_of_a_recording_beyond_the_end_of_the_clip() -> None:
    """The missing bytes are named by their size."""
    clip = Counting(CLIP[: AT_ONE + 10])
    (size, *_, one, two) = changes(verify(clip, sources=recordings()))
    assert size.range == ByteRange(AT_ONE + 10, len(CLIP) - AT_ONE - 10)
    assert (one.range, one.source_range) == (
        ByteRange(AT_ONE + 10, 2_999_990),
        ByteRange(18, 2_999_990),
    )
    assert two.range == ByteRange(AT_TWO, 80)


def with_proof(proof: Proof) -> Manifest:
    return evolve(MANIFEST, proof=proof)


def test_a_clock_that_runs_at_another_rate_is_no_contradiction() -> None:
    """Nor is a picture from before the window."""
    report = ClipReport.available(REQUEST, Coverage(clock=Clock(1.1, 20)))
    media = evolve(MEDIA, duration_ms=220, held_frames=1)
    runs = (evolve(PROOF.frames[0], first_timestamp_ms=NOW - 400), *PROOF.frames[1:])
    manifest = evolve(MANIFEST, report=report, media=media, proof=evolve(PROOF, frames=runs))
    assert changes(verify(manifest=manifest)) == []
    assert changes(verify(manifest=evolve(manifest, media=evolve(media, held_frames=0))))


def test_a_thumbnail_that_is_gone_is_not_held_against_the_clip() -> None:
    """It can be made again."""
    found = verify(BytesInMemory(picture=None))
    assert subjects(found)[Subject.THUMBNAIL] is Judgement.UNKNOWN
    (changed,) = changes(verify(BytesInMemory(picture=b"another")))
    assert changed.subject is Subject.THUMBNAIL


SIDECARS = {"sheet.jpg": b"sheet", "vtt": b"text"}


def test_sidecars_are_checked_like_thumbnails() -> None:
    """One that is gone can be made again; one that was changed is named."""
    hashes = tuple(SidecarHash(name, sha256(data)) for name, data in SIDECARS.items())
    manifest = evolve(MANIFEST, proof=evolve(PROOF, sidecars=hashes))

    def of_sidecars(sidecars: Mapping[str, bytes]) -> list[tuple[Judgement, str]]:
        found = verify(BytesInMemory(sidecars=sidecars), manifest=manifest)
        assert subjects(found)[Subject.OWN] is Judgement.INTACT
        return [(f.judgement, f.text) for f in found if f.subject is Subject.SIDECAR]

    assert of_sidecars(SIDECARS) == [
        (Judgement.INTACT, "sheet.jpg is unchanged (SHA-256)."),
        (Judgement.INTACT, "vtt is unchanged (SHA-256)."),
    ]
    assert of_sidecars({"sheet.jpg": b"another"}) == [
        (Judgement.CHANGED, "sheet.jpg is not the one that was stored (SHA-256)."),
        (Judgement.UNKNOWN, "vtt is not there."),
    ]
    assert said_evidence(manifest) == Evidence(SOURCES, evolve(PROOF, thumbnails=()))


def test_a_clip_without_a_proof_says_so() -> None:
    """That is no fault of the clip."""
    with pytest.raises(Rejected, match=r"no proof.*nothing against the clip"):
        verify(manifest=evolve(MANIFEST, proof=None))


def test_a_request_without_a_clip_has_nothing_to_verify() -> None:
    """Its manifest says how it ended."""
    report = ClipReport.of(REQUEST, ClipStatus.TOO_LONG)
    with pytest.raises(Rejected, match="CLIP_TOO_LONG"):
        verify(manifest=Manifest(report, "m#1"))


def test_what_was_committed_lacks_what_came_later() -> None:
    """The checksums of sources, and the thumbnails."""
    later = evolve(MANIFEST, sources=tuple(evolve(s, checksum="CRC32:AAAA==") for s in SOURCES))
    assert said_evidence(later) == Evidence(SOURCES, evolve(PROOF, thumbnails=()))
    assert said_evidence(evolve(MANIFEST, proof=None)) == Evidence(SOURCES)


def test_filler_is_named() -> None:
    """The clip lasts as long as its window, and the frames that show no footage are counted."""
    gap = TimeWindow(NOW + 100, NOW + 140)
    request = evolve(REQUEST, options=ClipOptions(gaps="black"))
    report = ClipReport.available(request, Coverage((gap,)))
    runs = (evolve(PROOF.frames[0], origin=FILLER), *PROOF.frames[1:])
    manifest = evolve(MANIFEST, report=report, proof=evolve(PROOF, frames=runs))
    found = verify(manifest=manifest)
    assert {each.judgement for each in found} <= {Judgement.INTACT, Judgement.UNKNOWN}
    texts = " ".join(each.text for each in found)
    assert " 1 of these show no footage: they fill gaps." in texts
    assert " 40 ms of gaps show filler." in texts
    skipping = evolve(manifest, report=ClipReport.available(REQUEST, Coverage((gap,))))
    assert Judgement.CHANGED in {each.judgement for each in verify(manifest=skipping)}
