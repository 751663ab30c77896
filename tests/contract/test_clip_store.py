"""What every ClipStore owes."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

import pytest
from attrs import evolve, frozen

from application.ports import AlreadyExists, FilePiece, Piece, Recording, RecordingPiece, Rendition
from domain.clip import ClipName, ClipReport, ClipRequest, ClipStatus
from domain.coverage import Coverage
from domain.errors import (
    AlreadyInProgress,
    DeadlineExceeded,
    RecordingChanged,
    Retryable,
    Unavailable,
    UnusableFootage,
)
from domain.manifest import Evidence, Manifest, MediaInfo, Source
from domain.proof import (
    COPIED,
    ENCODED,
    ByteRange,
    CopiedPart,
    FrameRun,
    OwnPart,
    Proof,
    Tool,
)
from domain.recording import RecordingSegment
from domain.window import TimeWindow
from infrastructure.formats.manifests import signed_bytes
from infrastructure.in_memory import piece_bytes
from infrastructure.signing import is_signature, public_key_of, signer_of
from tests.contract.worlds import LENGTH_MS, START_MS, ClipWorld, Footages
from tests.support.coverages import every_kind, windows
from tests.support.keys import SIGNING_KEY, public_key

REQUEST = ClipRequest("clip-1", "pier", START_MS, START_MS + 300_000, (START_MS + 5,))
NAME = REQUEST.name
GAPS = (TimeWindow(START_MS, START_MS + 1), TimeWindow(START_MS + 7000, START_MS + 300_000))
FOOTAGE = MediaInfo(175, 0.0, 6960.004, 7000.04, "avc1", 1920, 1080, 150, 1)
WRITER = "19dd0b57-b21e-4ac1-bd88-01bbb068cb78#1"
AVAILABLE = Manifest(
    ClipReport.available(REQUEST, evolve(every_kind(START_MS), gaps=GAPS)),
    WRITER,
    FOOTAGE,
    (
        Source(
            "pier.20180815T140019.mp4",
            '"an ETag"',
            TimeWindow(START_MS, START_MS + 7000),
            (ByteRange(1234, 5 << 20), ByteRange(9 << 20, 7 << 20)),
            "recordings/pier.20180815T140019.mp4",
            "a version",
            240_000_000,
            "CRC64NVME:AuUcyF784aU=",
        ),
    ),
    Proof((OwnPart(0, 99, "a1" * 32),)),
)
REFUSED = Manifest(ClipReport.of(REQUEST, ClipStatus.NOT_AVAILABLE, reason="Nothing là."), WRITER)


def soon() -> float:
    return time.monotonic() + 10


@frozen(eq=False)
class FakeRecording(Recording):
    """Bytes of a recording, or what goes wrong with it."""

    data: bytes
    error: Exception | None = None
    segment: RecordingSegment = RecordingSegment(TimeWindow(0, 1), "pier.mp4")  # noqa: RUF009
    version: str = "1"

    @property
    def size_bytes(self) -> int:  # type: ignore[override]
        return len(self.data)

    def read(self, offset: int, length: int) -> bytes:
        if self.error:
            raise self.error
        return self.data[offset : offset + length]


def rendition(*pieces: Piece) -> Rendition:
    return Rendition(pieces, {}, FOOTAGE)


@pytest.fixture
def rendered(tmp_path: Path) -> Rendition:
    """Render 5 MB: a part of a file, nothing, a part of a recording, the file's end."""
    path = tmp_path / "rendered"
    path.write_bytes(bytes(range(256)))
    recording = FakeRecording(b"recorded" * 700_000)
    return rendition(
        FilePiece(path, 10, 20),
        FilePiece(path, 0, 0),
        RecordingPiece(recording, 3, 5_000_000),
        FilePiece(path, 250, 6),
    )


@pytest.fixture
def large(tmp_path: Path) -> Rendition:
    """Render 13 MB, which S3 takes in several parts."""
    path = tmp_path / "header"
    path.write_bytes(bytes(range(256)))
    recording = FakeRecording(b"recorded" * 1_600_000)
    return rendition(
        FilePiece(path, 0, 256),
        RecordingPiece(recording, 8, 11_000_000),
        RecordingPiece(recording, 11_000_016, 1_799_984),
    )


RENDERED = bytes(range(10, 30)) + (b"recorded" * 700_000)[3:5_000_003] + bytes(range(250, 256))


def test_nothing_is_found_where_nothing_was_stored(clip_world: ClipWorld) -> None:
    """Neither a clip nor a manifest."""
    assert clip_world.clips.find(NAME, soon()) is None
    assert clip_world.clips.read_manifest(NAME, soon()) is None


def test_the_pieces_are_stored_as_one_object(clip_world: ClipWorld, rendered: Rendition) -> None:
    """One after the other, each from its own offset."""
    clip_world.clips.commit(REQUEST, rendered, WRITER, Coverage(), soon())
    assert clip_world.clip_bytes(NAME) == RENDERED


def test_a_stored_clip_describes_itself(clip_world: ClipWorld, rendered: Rendition) -> None:
    """It gives back fingerprint, writer, gaps and footage, and when it was stored."""
    before_ms = time.time() * 1000
    clip_world.clips.commit(REQUEST, rendered, WRITER, Coverage(GAPS), soon())
    clip = clip_world.clips.find(NAME, soon())
    assert clip
    assert (clip.fingerprint, clip.writer) == (REQUEST.fingerprint, WRITER)
    assert (clip.coverage.gaps, clip.media) == (GAPS, FOOTAGE)
    assert before_ms - 2000 < clip.stored_at_ms < before_ms + 10_000


def test_a_clip_without_gaps_gives_back_none(clip_world: ClipWorld, rendered: Rendition) -> None:
    """Nothing missing is not nothing known."""
    clip_world.clips.commit(REQUEST, rendered, WRITER, Coverage(), soon())
    clip = clip_world.clips.find(NAME, soon())
    assert clip
    assert (clip.coverage.gaps, clip.media) == ((), FOOTAGE)


COVERAGES = {
    "a little of every kind": every_kind(START_MS),
    "as much as fits into the metadata": every_kind(START_MS, 2),
    "a hundred gaps": Coverage(windows(100, START_MS, 3000, 2999)),
    "a hundred gaps, damaged and held windows, 200 unused ones": every_kind(
        START_MS, 100, unused=200
    ),
    "200 unused ones with names of 200 characters": every_kind(
        START_MS, 100, name="Pier_1.-" * 30, unused=200
    ),
    "a thousand gaps": Coverage(windows(1000, START_MS, 300, 1)),
}


@pytest.mark.parametrize("coverage", COVERAGES.values(), ids=COVERAGES)
def test_a_coverage_is_given_back_however_long_it_is(
    clip_world: ClipWorld, rendered: Rendition, coverage: Coverage
) -> None:
    """Whatever the report says is stored with the clip; its bytes come first."""
    clip_world.clips.commit(REQUEST, rendered, WRITER, coverage, soon())
    clip = clip_world.clips.find(NAME, soon())
    assert clip
    assert (clip.fingerprint, clip.writer) == (REQUEST.fingerprint, WRITER)
    assert (clip.coverage, clip.media) == (coverage, FOOTAGE)
    assert (clip_world.clip_bytes(NAME) or b"").startswith(RENDERED)


EVIDENCE = Evidence(
    (AVAILABLE.sources[0],),
    Proof(
        (OwnPart(0, 20, "a1" * 32), OwnPart(5_000_020, 6, "b2" * 32)),
        (CopiedPart(20, 5_000_000, "pier.mp4", 3),),
        (
            FrameRun("pier.mp4", ENCODED, 25, START_MS, START_MS + 960),
            FrameRun("pier.mp4", COPIED, 150, START_MS + 1000, START_MS + 6960),
        ),
        (Tool("camclip", "0.1.0"), Tool("ffmpeg", "n9.0.2-17-g2a571b6068")),
    ),
)
LONG_EVIDENCE = evolve(
    EVIDENCE,
    sources=tuple(evolve(EVIDENCE.sources[0], version=f'"{n * n:032x}"') for n in range(361)),
)


@pytest.mark.parametrize("evidence", [EVIDENCE, LONG_EVIDENCE], ids=["short", "long"])
@pytest.mark.parametrize(
    "coverage", [Coverage(), COVERAGES["a thousand gaps"]], ids=["short", "long coverage"]
)
def test_the_evidence_is_given_back_however_long_it_is(
    clip_world: ClipWorld, rendered: Rendition, evidence: Evidence, coverage: Coverage
) -> None:
    """So that a delivery that resumes proves the same; the clip's bytes come first."""
    proven = evolve(rendered, evidence=evidence)
    clip_world.clips.commit(REQUEST, proven, WRITER, coverage, soon())
    clip = clip_world.clips.find(NAME, soon())
    assert clip
    assert (clip.evidence, clip.coverage, clip.media) == (evidence, coverage, FOOTAGE)
    assert (clip_world.clip_bytes(NAME) or b"").startswith(RENDERED)


def test_an_object_that_is_there_is_left_as_it_is(
    clip_world: ClipWorld, rendered: Rendition
) -> None:
    """Whoever stored it, the same delivery included."""
    clip_world.clips.commit(REQUEST, rendered, WRITER, Coverage(GAPS), soon())
    first = clip_world.clips.find(NAME, soon())
    other = evolve(REQUEST, end_ms=START_MS + 10)
    with pytest.raises(AlreadyExists):
        clip_world.clips.commit(other, rendition(rendered.pieces[0]), "other#1", Coverage(), soon())
    assert clip_world.clips.find(NAME, soon()) == first
    assert clip_world.clip_bytes(NAME) == RENDERED


def test_a_clip_put_there_by_others_is_found_as_another(
    clip_world: ClipWorld, rendered: Rendition
) -> None:
    """It bears no fingerprint, so that no request takes it for its own, and it stays."""
    clip_world.has_foreign_clip(NAME)
    clip = clip_world.clips.find(NAME, soon())
    assert clip
    assert (clip.fingerprint, clip.writer) == ("", "")
    with pytest.raises(AlreadyExists):
        clip_world.clips.commit(REQUEST, rendered, WRITER, Coverage(), soon())
    assert clip_world.clip_bytes(NAME) == b"foreign"


def test_of_two_commits_at_once_one_wins(clip_world: ClipWorld, rendered: Rendition) -> None:
    """The loser is notified, and the stored clip is the winner's, whole."""

    def commit(writer: str) -> str | None:
        try:
            clip_world.clips.commit(REQUEST, rendered, writer, Coverage(), soon())
        except (AlreadyExists, AlreadyInProgress):
            return None
        return writer

    with ThreadPoolExecutor(4) as pool:
        winners = [w for w in pool.map(commit, ["a#1", "b#1", "c#1", "d#1"]) if w]
    clip = clip_world.clips.find(NAME, soon())
    assert clip
    assert winners == [clip.writer]
    assert clip_world.clip_bytes(NAME) == RENDERED


def test_both_lookups_can_be_asked_for_together(clip_world: ClipWorld, rendered: Rendition) -> None:
    """Whatever there is of the two."""
    clips = clip_world.clips
    assert clips.look(NAME, soon()) == (None, None)
    clips.write_manifest(NAME, REFUSED, soon(), replace=False)
    assert clips.look(NAME, soon()) == (None, REFUSED)
    clips.commit(REQUEST, rendered, WRITER, Coverage(), soon())
    assert clips.look(NAME, soon()) == (clips.find(NAME, soon()), REFUSED)


def test_a_clip_that_is_sent_is_found_once_it_is_committed(
    clip_world: ClipWorld, large: Rendition
) -> None:
    """Not before, and it is whole."""
    clips = clip_world.clips
    with clips.sending(REQUEST, large, WRITER, Coverage(), soon()):
        assert clips.find(NAME, soon()) is None
        clips.commit(REQUEST, large, WRITER, Coverage(), soon())
    assert clip_world.clip_bytes(NAME) == b"".join(map(piece_bytes, large.pieces))


def test_a_clip_that_is_sent_in_vain_is_never_found(
    clip_world: ClipWorld, large: Rendition
) -> None:
    """Whether or not an error ends the block; another delivery may store it later."""
    clips = clip_world.clips
    with clips.sending(REQUEST, large, WRITER, Coverage(), soon()):
        pass
    with (
        pytest.raises(UnusableFootage),
        clips.sending(REQUEST, large, WRITER, Coverage(), soon()),
    ):
        raise UnusableFootage("the clip is not what was planned")
    assert clips.find(NAME, soon()) is None
    clips.commit(REQUEST, large, "other#1", Coverage(), soon())
    assert clip_world.clips.find(NAME, soon())


def test_what_is_committed_counts_and_not_what_was_sent(
    clip_world: ClipWorld, large: Rendition
) -> None:
    """The coverage may have become another one, and the pieces, too."""
    clips = clip_world.clips
    less = evolve(large, pieces=large.pieces[:2])
    with clips.sending(REQUEST, large, WRITER, Coverage(), soon()):
        clips.commit(REQUEST, less, WRITER, Coverage(GAPS), soon())
    stored = clips.find(NAME, soon())
    assert stored
    assert stored.coverage == Coverage(GAPS)
    assert clip_world.clip_bytes(NAME) == b"".join(map(piece_bytes, less.pieces))


def test_a_clip_that_is_sent_leaves_another_one_as_it_is(
    clip_world: ClipWorld, large: Rendition, rendered: Rendition
) -> None:
    """A rival may be faster than the verification."""
    clips = clip_world.clips
    with clips.sending(REQUEST, large, WRITER, Coverage(), soon()):
        clips.commit(evolve(REQUEST), rendered, "other#1", Coverage(), soon())
        with pytest.raises(AlreadyExists):
            clips.commit(REQUEST, large, WRITER, Coverage(), soon())
    assert clip_world.clip_bytes(NAME) == RENDERED


def test_a_recording_that_changes_meanwhile_leaves_nothing(clip_world: ClipWorld) -> None:
    """Whole or not at all; the recording's own error comes through."""
    broken = FakeRecording(bytes(100), RecordingChanged("It was replaced."))
    pieces = RecordingPiece(FakeRecording(bytes(5000)), 0, 5000), RecordingPiece(broken, 0, 100)
    with pytest.raises(RecordingChanged, match=r"It was replaced\."):
        clip_world.clips.commit(REQUEST, rendition(*pieces), WRITER, Coverage(), soon())
    assert clip_world.clip_bytes(NAME) is None
    assert clip_world.clips.find(NAME, soon()) is None


def test_a_rendition_shorter_than_it_was_leaves_nothing(
    clip_world: ClipWorld, tmp_path: Path
) -> None:
    """A cleanup of the scratch folder does not lead to a short clip."""
    path = tmp_path / "rendered"
    path.write_bytes(bytes(99))
    with pytest.raises(Retryable):
        clip_world.clips.commit(
            REQUEST, rendition(FilePiece(path, 0, 100)), WRITER, Coverage(), soon()
        )
    assert clip_world.clip_bytes(NAME) is None


def test_a_stored_clip_is_opened_as_a_recording(
    clip_world: ClipWorld, footages: Footages, tmp_path: Path
) -> None:
    """Its bytes are read by ranges; it begins at 0."""
    path = tmp_path / "rendered"
    path.write_bytes(footages.whole.data)
    size_bytes = path.stat().st_size
    media = evolve(FOOTAGE, duration_ms=LENGTH_MS)
    whole = Rendition((FilePiece(path, 0, size_bytes),), {}, media)
    clip_world.clips.commit(REQUEST, whole, WRITER, Coverage(), soon())
    clip = clip_world.clips.open(NAME, soon())
    assert clip.size_bytes == size_bytes
    assert clip.read(100, 1000) == footages.whole.data[100:1100]
    assert clip.segment.window == TimeWindow(0, LENGTH_MS)


def test_a_clip_that_is_not_there_cannot_be_opened(clip_world: ClipWorld) -> None:
    with pytest.raises(Unavailable):
        clip_world.clips.open(NAME, soon())


def test_thumbnails_replace_earlier_ones(clip_world: ClipWorld, tmp_path: Path) -> None:
    """Each width has its own."""
    small, large, new = (tmp_path / f"{name}.jpg" for name in ("small", "large", "new"))
    for picture in (small, large, new):
        picture.write_text(picture.stem)
    clip_world.clips.store_thumbnails(NAME, {300: small, 640: large}, soon())
    stored = clip_world.clips.store_thumbnails(NAME, {300: new, 640: large}, soon())
    assert stored == {300: sha256(b"new").hexdigest(), 640: sha256(b"large").hexdigest()}
    assert clip_world.thumbnail_bytes(NAME, 300) == b"new"
    assert clip_world.thumbnail_bytes(NAME, 640) == b"large"
    assert clip_world.thumbnail_bytes(NAME, 1500) is None


def test_sidecars_replace_earlier_ones(clip_world: ClipWorld, tmp_path: Path) -> None:
    """Each under its own name, next to the clip and to no other, whatever their ids are."""
    texts = {"sheet.jpg": b"sheet", "sprite.jpg": b"sprite", "sprite.vtt": b"index", "vtt": b"text"}
    paths = {name: tmp_path / f"made.{name}" for name in texts}
    for name, path in paths.items():
        path.write_bytes(b"earlier " + texts[name])
    clips = clip_world.clips
    clips.store_sidecars(NAME, paths, soon())
    for name, path in paths.items():
        path.write_bytes(texts[name])
    stored = clips.store_sidecars(NAME, paths, soon())
    assert stored == {name: sha256(data).hexdigest() for name, data in texts.items()}
    assert {name: clip_world.sidecar_bytes(NAME, name) for name in texts} == texts
    for other in (ClipName("pier", "clip-1_sprite"), ClipName("mole", "clip-1")):
        assert [clip_world.sidecar_bytes(other, name) for name in texts] == [None] * 4
    assert clips.find(NAME, soon()) is None
    assert clips.read_manifest(NAME, soon()) is None


@pytest.mark.parametrize("manifest", [AVAILABLE, REFUSED], ids=["available", "refused"])
def test_a_manifest_is_read_as_it_was_written(clip_world: ClipWorld, manifest: Manifest) -> None:
    """Every part of it, whether there is a clip or not."""
    clip_world.clips.write_manifest(NAME, manifest, soon(), replace=False)
    assert clip_world.clips.read_manifest(NAME, soon()) == manifest


def test_a_store_with_a_key_signs_what_it_writes(clip_world: ClipWorld) -> None:
    """Whatever it says; all else is read as it was written."""
    clips = evolve(clip_world.clips, sign=signer_of(SIGNING_KEY))
    for manifest in (AVAILABLE, REFUSED):
        clips.write_manifest(NAME, manifest, soon(), replace=True)
        found = clips.read_manifest(NAME, soon())
        assert found
        assert found.signature
        assert evolve(found, signature=None) == manifest
        (text,) = map(json.dumps, clip_world.manifests())
        key = public_key_of(public_key(SIGNING_KEY))
        assert is_signature(found.signature, signed_bytes(text), key)


def test_a_manifest_gives_way_only_to_one_that_may_replace_it(clip_world: ClipWorld) -> None:
    """A refusal never takes the place of a clip's."""
    clip_world.clips.write_manifest(NAME, REFUSED, soon(), replace=False)
    clip_world.clips.write_manifest(NAME, AVAILABLE, soon(), replace=True)
    with pytest.raises(AlreadyExists):
        clip_world.clips.write_manifest(NAME, REFUSED, soon(), replace=False)
    assert clip_world.clips.read_manifest(NAME, soon()) == AVAILABLE


def test_names_are_kept_apart(clip_world: ClipWorld, rendered: Rendition) -> None:
    """A clip and a manifest belong to one camera and one id."""
    clip_world.clips.commit(REQUEST, rendered, WRITER, Coverage(), soon())
    clip_world.clips.write_manifest(NAME, AVAILABLE, soon(), replace=True)
    for other in (ClipName("pier", "clip-2"), ClipName("mole", "clip-1")):
        assert clip_world.clips.find(other, soon()) is None
        assert clip_world.clips.read_manifest(other, soon()) is None


def test_nothing_is_begun_after_the_deadline(
    clip_world: ClipWorld, rendered: Rendition, tmp_path: Path
) -> None:
    """Whatever it is, and nothing of it is stored."""
    picture = tmp_path / "still.jpg"
    picture.write_bytes(b"still")
    clips, over_s = clip_world.clips, time.monotonic()
    with pytest.raises(DeadlineExceeded):
        clips.find(NAME, over_s)
    with pytest.raises(DeadlineExceeded):
        clips.open(NAME, over_s)
    with pytest.raises(DeadlineExceeded):
        clips.store_thumbnails(NAME, {300: picture}, over_s)
    with pytest.raises(DeadlineExceeded):
        clips.store_sidecars(NAME, {"sheet.jpg": picture}, over_s)
    with pytest.raises(DeadlineExceeded):
        clips.commit(REQUEST, rendered, WRITER, Coverage(), over_s)
    with pytest.raises(DeadlineExceeded):
        clips.read_manifest(NAME, over_s)
    with pytest.raises(DeadlineExceeded):
        clips.write_manifest(NAME, AVAILABLE, over_s, replace=True)
    assert clip_world.thumbnail_bytes(NAME, 300) is None
    assert clip_world.sidecar_bytes(NAME, "sheet.jpg") is None
    assert clips.find(NAME, soon()) is None
    assert clips.read_manifest(NAME, soon()) is None
