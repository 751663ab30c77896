"""The transcoder with faulty inputs and tools, and details that its contract leaves open."""

import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from attrs import evolve

from application.ports import FilePiece, Recording, RecordingPiece, Rendition, ThumbnailSpec
from devtools import footage
from domain.errors import (
    DeadlineExceeded,
    NoPicture,
    RecordingChanged,
    Rejected,
    Unavailable,
    UnusableFootage,
)
from domain.window import TimeWindow
from infrastructure.ffmpeg.excerpt import index_file
from infrastructure.ffmpeg.locate import find_ffmpeg
from infrastructure.in_memory import piece_bytes
from infrastructure.mp4.avc import parse_avcc, parse_sps
from infrastructure.mp4.boxes import Read
from infrastructure.mp4.range_cache import RangeCache
from infrastructure.mp4.recording import Mp4Recording
from infrastructure.transcoder.transcoder import FfmpegTranscoder
from tests.contract.test_transcoder import look_at
from tests.integration.exactness.camera import START_MS, Camera
from tests.unit.splicing.tracks import named, opened, plan, video_track

FFMPEG = find_ffmpeg({})
FILM = footage.Recording(start_ms=START_MS, first_number=1000, frames=180, bframes=3)


@pytest.fixture
def film(films: Path, tmp_path: Path) -> Mp4Recording:
    """Open a recording of 6 s."""
    return Camera(films, tmp_path, FfmpegTranscoder(FFMPEG)).open(FILM)


Render = Callable[..., Rendition]


@pytest.fixture
def render(tmp_path: Path) -> Render:
    """Return a function that renders from 1 s to 2 s of a recording."""

    def from_1_s_to_2_s(
        recording: Recording,
        transcoder: FfmpegTranscoder,
        seconds: float = 30,
        thumbnail: str = "jpg",
    ) -> Rendition:
        scratch = tmp_path / "scratch"
        scratch.mkdir()
        thumbnails = ThumbnailSpec((64,), thumbnail)
        clip_plan, deadline_s = plan(1000, 2000, recording), time.monotonic() + seconds
        return transcoder.render(clip_plan, named(recording), thumbnails, scratch, deadline_s)

    return from_1_s_to_2_s


def fake(folder: Path, script: str) -> FfmpegTranscoder:
    """Return a transcoder with a fake ffmpeg."""
    path = folder / "ffmpeg"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return FfmpegTranscoder(path)


def test_success_without_output_is_unusable_footage(
    film: Mp4Recording, render: Render, tmp_path: Path
) -> None:
    """An exit status of 0 proves nothing: neither that there are pictures, nor that none are."""
    script = "for last; do :; done; case $last in file:*) : > ${last#file:};; esac"
    with pytest.raises(UnusableFootage):
        render(film, fake(tmp_path, script))


def test_an_ffmpeg_that_hangs_exceeds_the_deadline(
    film: Mp4Recording, render: Render, tmp_path: Path
) -> None:
    """All runs end soon after it, those for the thumbnails included."""
    began = time.monotonic()
    with pytest.raises(DeadlineExceeded):
        render(film, fake(tmp_path, "sleep 60"), seconds=0.5)
    assert time.monotonic() - began < 2


def test_a_missing_frame_is_unusable_footage(
    film: Mp4Recording, render: Render, tmp_path: Path
) -> None:
    """The encoded frames are counted, whatever ffmpeg's exit status is."""
    script = f'exec {FFMPEG} $(echo "$@" | sed "s/-c:v libx264/-frames:v 29 &/")'
    with pytest.raises(UnusableFootage, match="gave 29 frames where 30 were planned"):
        render(film, fake(tmp_path, script))


def test_a_frame_at_another_time_is_unusable_footage(
    film: Mp4Recording, render: Render, tmp_path: Path
) -> None:
    """Thirty frames are not enough: each must be at its time."""
    script = f'exec {FFMPEG} $(echo "$@" | sed "s/setpts=PTS-STARTPTS/setpts=N*400/")'
    with pytest.raises(UnusableFootage, match="at another time"):
        render(film, fake(tmp_path, script))


def fetching(recording: Mp4Recording, fetch: Read) -> Mp4Recording:
    """Return the recording with its bytes fetched by `fetch`, and none cached."""
    return evolve(recording, file=RangeCache(fetch, recording.size_bytes))


def damaged(recording: Mp4Recording, sample: int, data: bytes, at: float) -> Mp4Recording:
    """Return the recording with other bytes in a video sample, at a fraction of its length."""
    video = recording.index.video
    assert video is not None
    begin = video.offsets[sample] + int(video.sizes[sample] * at)

    def fetch(offset: int, length: int) -> bytes:
        read = bytearray(recording.file.read(offset, length))
        for place, byte in enumerate(data, begin - offset):
            if 0 <= place < length:
                read[place] = byte
        return bytes(read)

    return fetching(recording, fetch)


def test_a_damaged_frame_that_decodes_is_in_the_clip(film: Mp4Recording, render: Render) -> None:
    """A strict decode fails; a lenient one then yields every frame, and the damage is stated."""
    rendition = render(damaged(film, 41, b"\xff" * 60, 0.5), FfmpegTranscoder(FFMPEG))
    assert rendition.media.frames == 30
    assert rendition.damaged == (TimeWindow(START_MS + 1000, START_MS + 2000),)


def test_the_picture_before_is_held_for_one_that_does_not_decode(
    film: Mp4Recording, render: Render
) -> None:
    """The clip has a frame less, and the damage is stated."""
    rendition = render(damaged(film, 41, bytes(12), 0), FfmpegTranscoder(FFMPEG))
    assert rendition.media.frames == 29
    assert rendition.damaged


def test_zeros_in_place_of_samples_name_the_window(film: Mp4Recording, render: Render) -> None:
    """There is nothing to decode, and another recording may have the window."""
    nothing = fetching(film, lambda _, length: bytes(length))
    with pytest.raises(NoPicture) as raised:
        render(nothing, FfmpegTranscoder(FFMPEG))
    assert raised.value.name == film.segment.name
    assert raised.value.windows == (TimeWindow(START_MS + 1000, START_MS + 2000),)


def test_only_the_samples_of_the_cut_are_read(film: Mp4Recording, render: Render) -> None:
    """No byte is read before the keyframe or after the last requested sample."""
    reads: list[tuple[int, int]] = []

    def fetch(offset: int, length: int) -> bytes:
        reads.append((offset, length))
        return film.file.read(offset, length)

    render(fetching(film, fetch), FfmpegTranscoder(FFMPEG))
    video = film.index.video
    assert video is not None
    end = max(video.offsets[i] + video.sizes[i] for i in range(64))
    assert max(offset + length for offset, length in reads) <= end + 2000
    assert sum(length for _, length in reads) < 1.8 * end


def test_a_recording_replaced_since_it_was_opened_is_reported(
    film: Mp4Recording, render: Render
) -> None:
    """An error that a read raises passes through."""

    def fetch(offset: int, length: int) -> bytes:
        raise RecordingChanged(f"{offset}+{length} changed")

    with pytest.raises(RecordingChanged):
        render(fetching(film, fetch), FfmpegTranscoder(FFMPEG))


def test_a_scratch_folder_that_is_gone_is_unavailable(film: Mp4Recording, tmp_path: Path) -> None:
    """It says nothing about the footage."""
    clip_plan, gone = plan(0, 1000, film), tmp_path / "gone"
    with pytest.raises(Unavailable, match="scratch"):
        FfmpegTranscoder(FFMPEG).render(
            clip_plan, named(film), ThumbnailSpec(()), gone, time.monotonic() + 30
        )


def test_a_decompression_bomb_is_rejected_unread(render: Render) -> None:
    """The tables state 12,000 x 12,000 pixels."""
    video = evolve(video_track([512 * i for i in range(90)], 12_800), width=12_000, height=12_000)
    with pytest.raises(Rejected, match="12000 x 12000"):
        render(opened(video), FfmpegTranscoder(FFMPEG))


def test_progress_counts_the_frames(film: Mp4Recording, render: Render) -> None:
    """It ascends, and ends with all of them."""
    progress: list[tuple[int, int]] = []
    render(film, FfmpegTranscoder(FFMPEG, lambda done, frames: progress.append((done, frames))))
    assert progress == sorted(progress)
    assert progress[-1] == (30, 30)


@pytest.mark.parametrize(
    ("form", "magic"), [("jpg", b"\xff\xd8\xff"), ("png", b"\x89PNG"), ("webp", b"RIFF")]
)
def test_thumbnails_have_one_of_three_formats(
    film: Mp4Recording, render: Render, form: str, magic: bytes
) -> None:
    """Each is what its extension states, in the size requested."""
    path = render(film, FfmpegTranscoder(FFMPEG), thumbnail=form).thumbnails[64]
    assert path.suffix == f".{form}"
    assert path.read_bytes().startswith(magic)
    assert look_at(path)[1:] == (64, 36)


def test_an_unknown_thumbnail_format_is_rejected(film: Mp4Recording, render: Render) -> None:
    """The message names it."""
    with pytest.raises(Rejected, match="gif"):
        render(film, FfmpegTranscoder(FFMPEG), thumbnail="gif")


def test_folders_may_have_strange_names(film: Mp4Recording, tmp_path: Path) -> None:
    """They are read neither as patterns nor as options or protocols."""
    scratch = tmp_path / "-i http:%d 'x' [0]"
    scratch.mkdir()
    rendition = FfmpegTranscoder(FFMPEG).render(
        plan(0, 500, film), named(film), ThumbnailSpec((64, 96)), scratch, time.monotonic() + 30
    )
    assert rendition.media.frames == 15


def parameter_sets(rendition: Rendition, folder: Path) -> list[int]:
    """Return the ids of a clip's SPS."""
    path = folder / "clip.mp4"
    path.write_bytes(b"".join(map(piece_bytes, rendition.pieces)))
    video = index_file(path).video
    assert video is not None
    return [parse_sps(nal).sps_id for nal in parse_avcc(video.config).sps]


@pytest.mark.parametrize("splice", [True, False], ids=["copied", "encoded"])
def test_similar_recordings_share_a_parameter_set(
    films: Path, tmp_path: Path, splice: bool
) -> None:
    """However many they are: an avcC holds only 31, and each recording could take one."""
    shorts = [
        evolve(FILM, start_ms=START_MS + 200 * i, first_number=1000 + 6 * i, frames=6, audio=None)
        for i in range(6)
    ]
    camera = Camera(films, tmp_path, FfmpegTranscoder(FFMPEG, splice=splice))
    clip = camera.cut(shorts, 0, 1200)
    footage.assert_clip(clip.reading, clip.wanted)
    assert parameter_sets(clip.rendition, tmp_path) == [0]


def test_different_recordings_get_a_parameter_set_each(films: Path, tmp_path: Path) -> None:
    """Each has an id of its own, so no frame is decoded with the other's set."""
    slow = evolve(FILM, frames=90)
    fast = evolve(
        FILM,
        start_ms=START_MS + 3000,
        fps=2 * FILM.fps,
        bframes=0,
        extra_args=("-profile:v", "main"),
    )
    clip = Camera(films, tmp_path, FfmpegTranscoder(FFMPEG)).cut([slow, fast], 2000, 4000)
    footage.assert_clip(clip.reading, clip.wanted)
    assert parameter_sets(clip.rendition, tmp_path) == [0, 1]


def test_a_parameter_set_that_proves_different_gets_an_id_of_its_own(
    films: Path, tmp_path: Path
) -> None:
    """Frames that were encoded with a reused id are encoded again."""
    script = f"""
    case "$*" in *excerpt-1.mp4*) set -- $(echo "$@" | sed "s/-crf 17/-crf 17 -level 5.1/");; esac
    exec {FFMPEG} "$@"
    """
    second = evolve(FILM, start_ms=START_MS + 6000, first_number=1180)
    clip = Camera(films, tmp_path, fake(tmp_path, script)).cut([FILM, second], 5000, 7000)
    footage.assert_clip(clip.reading, clip.wanted)
    assert parameter_sets(clip.rendition, tmp_path) == [0, 1, 2]


def test_nothing_of_our_own_is_between_the_ranges_of_two_recordings(
    films: Path, tmp_path: Path
) -> None:
    """The packets of audio at their seam are in front: a part of an upload has at least 5 MiB."""
    second = evolve(FILM, start_ms=START_MS + 6000, first_number=1180)
    clip = Camera(films, tmp_path, FfmpegTranscoder(FFMPEG, min_copied_range_bytes=1)).cut(
        [FILM, second], 500, 11_300
    )
    footage.assert_clip(clip.reading, clip.wanted)
    kinds = [type(piece) for piece in clip.rendition.pieces]
    assert kinds[0] is FilePiece
    assert kinds[1:3] == [RecordingPiece, RecordingPiece]


def test_frames_copied_from_two_recordings_are_not_decoded_at_their_seam(
    films: Path, tmp_path: Path
) -> None:
    """Only encoded frames are, with their copied neighbours: the head's and the tail's."""
    log = tmp_path / "log"
    script = f"""
    case "$*" in *framecrc*) echo verify >> {log};; esac
    exec {FFMPEG} "$@"
    """
    second = evolve(FILM, start_ms=START_MS + 6000, first_number=1180)
    clip = Camera(films, tmp_path, fake(tmp_path, script)).cut([FILM, second], 500, 12_000)
    footage.assert_clip(clip.reading, clip.wanted)
    assert log.read_text().split() == ["verify"]


def test_the_clip_is_one_plain_mp4(film: Mp4Recording, render: Render, tmp_path: Path) -> None:
    """The index comes first, with one avc1 entry; no parameter sets are among the samples."""
    rendition = render(film, FfmpegTranscoder(FFMPEG))
    data = b"".join(map(piece_bytes, rendition.pieces))
    header = data[: data.index(b"mdat") + 4]
    assert header[4:8] == b"ftyp"
    assert header.count(b"avc1") >= 1
    assert header.index(b"moov") < header.index(b"mdat")
    path = tmp_path / "clip.mp4"
    path.write_bytes(data)
    argv = [str(FFMPEG), "-v", "error", "-i", str(path), "-map", "0:v", "-c", "copy"]
    argv += ["-bsf:v", "filter_units=pass_types=7-8", "-f", "h264", "-"]
    done = subprocess.run(argv, check=True, capture_output=True, env={}, timeout=30)
    assert done.stdout == b""


@pytest.mark.parametrize("from_ms", [2000, 2300], ids=["all copied", "spliced"])
def test_a_splice_that_does_not_decode_is_encoded_instead(
    films: Path, tmp_path: Path, from_ms: int
) -> None:
    """The splices of every clip are decoded before it is committed."""
    script = f"""
    case "$*" in *splice-0.mp4*) exit 1;; esac
    exec {FFMPEG} "$@"
    """
    spliced = Camera(films, tmp_path, FfmpegTranscoder(FFMPEG)).cut([FILM], from_ms, 5000)
    assert spliced.rendition.media.copied_frames > 0
    other = tmp_path / "other"
    other.mkdir()
    clip = Camera(films, other, fake(tmp_path, script)).cut([FILM], from_ms, 5000)
    footage.assert_clip(clip.reading, clip.wanted)
    assert clip.rendition.media.copied_frames == 0


def test_the_notes_give_the_reason_for_encoding_a_recording(films: Path, tmp_path: Path) -> None:
    """The log line and the command line show it; a recording that is copied needs no note."""
    interlaced = evolve(FILM, frames=60, extra_args=("-flags", "+ildct+ilme"))
    copied = evolve(FILM, start_ms=START_MS + 2000, first_number=1060)
    camera = Camera(films, tmp_path, FfmpegTranscoder(FFMPEG))
    notes = camera.cut([interlaced, copied], 500, 6000).rendition.notes
    assert [note.partition(" is encoded: ")[2] for note in notes] == ["it may be interlaced"]
    assert notes[0].startswith(camera.open(interlaced).segment.name)
