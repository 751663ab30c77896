"""Every layout that players play gives the requested frames, each in time, with audio in step."""

import struct
import time
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from application.ports import ThumbnailSpec
from devtools.footage import (
    Recording,
    assert_clip,
    cached_recording,
    constant_bitrate,
    psnr_db,
    read_clip,
)
from domain.errors import UnusableFootage
from domain.recording import RecordingSegment
from domain.window import TimeWindow
from infrastructure.ffmpeg.excerpt import extract, index_file
from infrastructure.ffmpeg.locate import find_ffmpeg
from infrastructure.mp4.boxes import box
from infrastructure.splicing.frames import resolve_cuts
from infrastructure.transcoder.transcoder import FfmpegTranscoder
from tests.integration.exactness.camera import START_MS, Buckets, Camera, Clip
from tests.integration.exactness.cases import recording
from tests.integration.exactness.layouts import (
    Patch,
    Patched,
    both,
    places,
    put,
    remuxed,
    renamed,
    track,
    with_entry_size,
    with_stsz_of_1,
    with_sync_flags,
    with_track,
)
from tests.unit.mp4.media import index_of
from tests.unit.splicing.tracks import named, plan

AUDIO_WITHIN_MS = 15.0
AAC = bytes.fromhex(
    "0000003365736473000000000380808022000900048080801440150000000000fa000000fa00"
    "058080800211880680808001 02".replace(" ", "")
)
MP4A = box(
    b"mp4a", bytes(6), b"\0\1", bytes(8), struct.pack(">HHI", 1, 16, 0), b"\xbb\x80\0\0", AAC
)
JPEG = box(b"jpeg", bytes(6), b"\0\1", bytes(16), struct.pack(">HH", 160, 120), bytes(50))
COCKATOO = Path("/usr/lib/python3/dist-packages/imageio/resources/images/cockatoo.mp4")
SHORT_FRAGMENTS = ("-frag_duration", "200000")


@pytest.fixture
def cut(films: Path, tmp_path: Path) -> Any:  # noqa: ANN401
    """Return a function that cuts a clip of patched recordings."""

    def cut_patched(
        recordings: Recording | list[Recording],
        patch: Patch,
        from_ms: int = 1345,
        to_ms: int = 3333,
        of: str = "",
        **options: Any,  # noqa: ANN401
    ) -> Clip:
        transcoder = FfmpegTranscoder(find_ffmpeg({}), **options)
        camera = Camera(films, tmp_path, transcoder, Patched(patch, of))
        found = recordings if isinstance(recordings, list) else [recordings]
        return camera.cut(found, from_ms, to_ms)

    return cut_patched


def unchanged(data: bytes) -> bytes:
    """Return the recording as ffmpeg wrote it."""
    return data


def check_frames(clip: Clip) -> None:
    """Check a clip's frames, their times, and its audio."""
    expected = evolve(clip.wanted, times_ms=[Fraction(0), *clip.wanted.times_ms[1:]])
    assert_clip(clip.reading, expected, audio_within_ms=AUDIO_WITHIN_MS)


def check(clip: Clip, copied: int | None = None) -> None:
    """Hold a clip against the plan; `copied` frames of it are copied, or None: at least one."""
    check_frames(clip)
    media = clip.rendition.media
    assert media.copied_frames == copied if copied is not None else media.copied_frames > 0
    assert (media.width, media.height) == clip.reading.size == (320, 180)


# Fragments of 0.2 s whose pictures are all encoded, with audio that is copied.


@pytest.mark.parametrize("verify", ["joins", "decode"])
@pytest.mark.parametrize(
    "kind",
    [
        {"codec": "hevc"},
        {"codec": "mpeg4"},
        {"pix_fmt": "yuv444p"},
        {"codec": "hevc", "layout": "fragmented_no_index", "gop_frames": 15},
        {"codec": "hevc", "layout": "moov_last"},
    ],
    ids=["HEVC", "MPEG-4", "4:4:4", "HEVC without index", "HEVC, progressive"],
)
def test_audio_is_copied_from_fragments_whose_frames_are_encoded(
    cut: Any,  # noqa: ANN401
    kind: dict[str, Any],
    verify: str,
) -> None:
    """The clip is decoded after its holes are filled."""
    own: dict[str, Any] = {
        "layout": "fragmented",
        "extra_args": SHORT_FRAGMENTS,
        "bitrate_kbps": 800,
    } | kind
    if own["layout"] == "moov_last":
        own["extra_args"] = ()
    film = recording(6, **own)
    options = {"verify": verify, "min_copied_range_bytes": 4096, "hevc": "h264"}
    clip = cut(film, unchanged, 1345, 5006, **options)
    check(clip, 0)


def test_audio_is_copied_where_splicing_is_off(cut: Any) -> None:  # noqa: ANN401
    """H.264 that is encoded as a whole is no different."""
    film = recording(6, layout="fragmented", extra_args=SHORT_FRAGMENTS)
    check(cut(film, unchanged, 1345, 5006, splice=False, min_copied_range_bytes=2048), 0)


# Tracks that are not what they seem (2.2).


@pytest.mark.parametrize("layout", ["moov_last", "fragmented_no_index"])
@pytest.mark.parametrize("is_first", [True, False], ids=["before the video", "after"])
@pytest.mark.parametrize(
    "trak",
    [
        track(b"soun", MP4A, stsc_entries=1),
        track(b"soun", MP4A, stsc_entries=0),
        track(b"soun", b""),
        track(b"soun", MP4A, enabled=False),
        track(b"vide", JPEG),
        track(b"vide", JPEG, enabled=False),
        track(b"vide", JPEG, samples=1),
        track(b"vide", JPEG, samples=1, enabled=False),
        track(b"vide", MP4A, samples=3, enabled=False),
        track(b"text", b""),
    ],
    ids=[
        "audio without samples, one entry in stsc",
        "audio without samples",
        "audio without samples and sample entry",
        "disabled audio without samples",
        "video without samples",
        "disabled video without samples",
        "a thumbnail",
        "a disabled thumbnail",
        "another disabled video track",
        "text",
    ],
)
def test_other_tracks_do_not_stand_in_for_the_video(
    cut: Any,  # noqa: ANN401
    trak: bytes,
    is_first: bool,
    layout: str,
) -> None:
    """An audio track without samples gives a clip without audio; thumbnails are no video."""
    film = recording(layout=layout, audio=None, gop_frames=30)
    check(cut(film, with_track(trak, is_first=is_first)))


def test_audio_behind_a_track_without_samples_is_used(cut: Any) -> None:  # noqa: ANN401
    """The first track that has samples is the audio."""
    film = recording(layout="moov_last", gop_frames=30)
    check(cut(film, with_track(track(b"soun", MP4A), is_first=True)))


def test_a_recording_without_audio_next_to_one_with_audio(cut: Any) -> None:  # noqa: ANN401
    """Silence stands where the microphone was off."""
    silent = recording(layout="moov_last", audio=None)
    film = recording(after_ms=4000, layout="moov_last")
    patch = with_track(track(b"soun", MP4A))
    check(cut([silent, film], patch, 2345, 6789, of=str(silent.start_ms)), None)


# Sizes in the sample entry that are not the picture's (2.3).


@pytest.mark.parametrize("size", [(0, 0), (320, 192), (640, 360), (319, 181), (180, 320)])
@pytest.mark.parametrize("layout", ["faststart", "fragmented"])
def test_the_parameter_sets_state_the_size(
    cut: Any,  # noqa: ANN401
    size: tuple[int, int],
    layout: str,
) -> None:
    """Frames are copied, and the clip's header has the picture's size."""
    clip = cut(recording(gop_frames=30, layout=layout), with_entry_size(*size))
    check(clip)
    data = clip.path.read_bytes()
    (tkhd, *_), (stsd, *_) = places(data, b"tkhd"), places(data, b"stsd")
    assert struct.unpack_from(">II", data, tkhd + 76) == (320 << 16, 180 << 16)
    assert struct.unpack_from(">HH", data, stsd + 8 + 32) == (320, 180)


@pytest.mark.parametrize("kind", [{"codec": "hevc"}, {"codec": "mpeg4"}, {"pix_fmt": "yuv444p"}])
def test_frames_that_are_encoded_have_the_pictures_size(cut: Any, kind: dict[str, Any]) -> None:  # noqa: ANN401
    """It is the same as that of the recording before."""
    first, second = recording(gop_frames=30), recording(after_ms=4000, **kind)
    other = with_entry_size(0, 0)
    if kind == {"codec": "mpeg4"}:
        other = lambda data: put(data, places(data, b"stsd")[0] + 40, ">HH", 0, 0)  # noqa: E731
    clip = cut([second, first], other, 2345, 6789, of=str(second.start_ms))
    check(clip, None)


# Sync samples that are none, or are not marked (2.4).

ALL_SYNC, FIRST_SYNC = with_sync_flags(on_all=True), with_sync_flags(on_all=False)
NO_STSS = renamed(b"stss", b"skip")
WINDOWS = [(0, 1000), (234, 567), (1345, 3333), (2222, 5555), (3700, 3800), (4567, 8000)]
FRAGMENTS: dict[str, Any] = {"layout": "fragmented", "extra_args": ("-frag_duration", "300000")}


def without_sync(data: bytes) -> bytes:
    """Return a recording whose stss is empty."""
    for at in places(data, b"stss"):
        data = put(data, at + 4, ">I", 0)
    return data


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize(
    ("kind", "patch"),
    [
        ({}, NO_STSS),
        ({"bframes": 0, "gop_frames": 100}, NO_STSS),
        ({"open_gop": True}, NO_STSS),
        ({"intra_refresh": True}, NO_STSS),
        ({"codec": "hevc"}, NO_STSS),
        ({"codec": "mpeg4"}, NO_STSS),
        ({}, without_sync),
        ({**FRAGMENTS}, ALL_SYNC),
        ({**FRAGMENTS}, FIRST_SYNC),
        ({**FRAGMENTS, "codec": "hevc"}, FIRST_SYNC),
    ],
    ids=[
        "no stss",
        "no stss, long GOPs of P frames",
        "no stss, open GOPs",
        "no stss, intra refresh",
        "no stss, HEVC",
        "no stss, MPEG-4",
        "an empty stss",
        "all samples of fragments marked",
        "the first of each fragment marked",
        "the first of each fragment marked, HEVC",
    ],
)
def test_decoding_begins_at_a_picture_that_is_whole(
    cut: Any,  # noqa: ANN401
    kind: dict[str, Any],
    patch: Patch,
    window: tuple[int, int],
) -> None:
    """Whatever the tables mark as sync samples."""
    film = recording(8, **{"gop_frames": 50, **kind})
    clip = cut(film, patch, *window)
    check_frames(clip)


@pytest.mark.parametrize("window", [(0, 1000), (1345, 3333), (5222, 6789), (9100, 9200)])
@pytest.mark.parametrize("patch", [ALL_SYNC, FIRST_SYNC], ids=["all", "the first of each"])
def test_a_long_recordings_index_is_read_further_back(
    cut: Any,  # noqa: ANN401
    patch: Patch,
    window: tuple[int, int],
) -> None:
    """All its fragments seem to begin with a keyframe, so the slice that is read has none."""
    kind: dict[str, Any] = {
        "layout": "fragmented_no_index",
        "extra_args": ("-frag_duration", "300000"),
    }
    film = constant_bitrate(recording(10, gop_frames=50, **kind), 6000)
    check_frames(cut(film, patch, *window))


@pytest.mark.parametrize("patch", [NO_STSS, without_sync], ids=["no stss", "an empty stss"])
def test_only_true_access_points_are_spliced_and_marked(cut: Any, patch: Patch) -> None:  # noqa: ANN401
    """The clip's sync samples are IDR pictures, as if the recording had marked its own."""
    film = recording(8, gop_frames=50)
    marked = cut(film, unchanged, 1345, 7777)
    (marked.path.parent / "scratch").rename(marked.path.parent / "other")
    clip = cut(film, patch, 1345, 7777)
    assert clip.rendition.media.copied_frames == marked.rendition.media.copied_frames > 0
    video, expected = index_file(clip.path).video, index_file(marked.path).video
    assert video is not None
    assert expected is not None
    assert video.sync == expected.sync


# PCM counted in bytes (2.5).


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize(
    "arguments",
    [
        ("-c:a", "pcm_s16le"),
        ("-c:a", "pcm_s16be"),
        ("-c:a", "pcm_s24be"),
        ("-c:a", "pcm_s24le"),
        ("-c:a", "pcm_s32le"),
        ("-c:a", "pcm_f32le"),
        ("-c:a", "pcm_alaw", "-ar", "8000"),
        ("-c:a", "pcm_mulaw", "-ar", "8000"),
        ("-c:a", "pcm_s16le", "-ar", "96000"),
        ("-c:a", "pcm_u8"),
        ("-c:a", "pcm_s8"),
    ],
    ids=lambda arguments: " ".join(arguments[1::2]),
)
@pytest.mark.parametrize("patched", [True, False], ids=["in bytes", "in frames"])
def test_pcm_is_read_by_the_bits_of_its_sample_entry(
    cut: Any,  # noqa: ANN401
    arguments: tuple[str, ...],
    channels: int,
    patched: bool,
) -> None:
    """Whether stsz states the size of a frame or 1."""
    film = recording(channels=channels)
    as_mov = remuxed("-c:v", "copy", *arguments, "-f", "mov", suffix=".mov")
    check(cut(film, both(as_mov, with_stsz_of_1) if patched else as_mov))


# 4:4:4 of an old x264 (2.7).


@pytest.mark.parametrize(
    ("pix_fmt", "layout"),
    [("yuv444p", "faststart"), ("yuv444p", "fragmented"), ("yuv420p", "faststart")],
    ids=["4:4:4", "4:4:4 in fragments", "lossless 4:2:0"],
)
def test_the_encoders_version_travels_with_every_excerpt_in_high_444(
    films: Path, tmp_path: Path, pix_fmt: str, layout: str
) -> None:
    """Its SEI stands in the file's first sample; decoders read what follows by it."""
    film = recording(8, pix_fmt=pix_fmt, gop_frames=30, layout=layout)
    if pix_fmt == "yuv420p":
        film = evolve(film, crf=0)
    stored = cached_recording(films, film).read_bytes()
    assert stored.count(b"x264 - core") == 1
    camera = Camera(films, tmp_path, FfmpegTranscoder(find_ffmpeg({})))
    opened = camera.open(film)
    (source,) = resolve_cuts(plan(4341, 6200, opened), named(opened))
    path = tmp_path / "excerpt.mp4"
    extract(source, source.frames, source.decode_start, path)
    excerpt = path.read_bytes()
    video = index_file(path).video
    assert video is not None
    begin = excerpt.index(b"x264 - core")
    assert video.offsets[0] < begin < video.offsets[0] + video.sizes[0]
    assert read_clip(path).numbers[-1] == 1000 + max(source.frames)
    check(camera.cut([film], 4341, 6200), 0)


@pytest.mark.skipif(not COCKATOO.exists(), reason="Debian's python3-imageio is not installed")
def test_a_real_recording_of_an_old_x264_keeps_its_pictures(tmp_path: Path) -> None:
    """Its first sample alone states x264's version 120."""
    data = COCKATOO.read_bytes()
    window = TimeWindow(START_MS, START_MS + 14_000)
    opened = Buckets().open(RecordingSegment(window, "cockatoo.mp4"), data)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    rendition = FfmpegTranscoder(find_ffmpeg({})).render(
        plan(4341, 11_620, opened),
        named(opened),
        ThumbnailSpec(()),
        scratch,
        time.monotonic() + 60,
    )
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(Buckets().join(rendition))
    assert rendition.media.frames == 146
    assert psnr_db(clip, COCKATOO, first=87) > 40


def test_no_more_is_read_of_other_profiles(films: Path, tmp_path: Path) -> None:
    """An excerpt of an ordinary recording is the recording's own bytes."""
    film = recording(8, gop_frames=30)
    camera = Camera(films, tmp_path, FfmpegTranscoder(find_ffmpeg({})))
    opened = camera.open(film)
    (source,) = resolve_cuts(plan(4341, 6200, opened), named(opened))
    assert source.encoder_sei == b""


# Audio that decodes to nothing (2.8).


def with_audio_zeroed(share: float) -> Patch:
    """Overwrite the audio's bytes, from a part of the recording on."""

    def patch(data: bytes) -> bytes:
        path_index = index_of(data).audio
        assert path_index is not None
        changed = bytearray(data)
        rows = list(zip(path_index.offsets, path_index.sizes, strict=True))
        for at, size in rows[int(share * len(rows)) :]:
            changed[at : at + size] = b"\x55" * size
        return bytes(changed)

    return patch


@pytest.mark.parametrize("share", [0, 0.6])
@pytest.mark.parametrize("kind", [{"audio": "mp3"}, {"audio_rate_hz": 44_100}], ids=["MP3", "AAC"])
def test_audio_that_cannot_be_decoded_is_no_silence(
    cut: Any,  # noqa: ANN401
    kind: dict[str, Any],
    share: float,
) -> None:
    """The clip fails with the reason and the recording's name."""
    first, second = recording(**kind), recording(after_ms=4000)
    with pytest.raises(UnusableFootage, match=rf"{first.start_ms}.* ms of audio where"):
        cut([first, second], with_audio_zeroed(share), 2345, 6789, of=str(START_MS))


@pytest.mark.parametrize("kind", [{"audio": "mp3"}, {"audio_rate_hz": 44_100}], ids=["MP3", "AAC"])
def test_silence_stands_where_the_camera_has_none_for_a_while(
    cut: Any,  # noqa: ANN401
    kind: dict[str, Any],
) -> None:
    """Packets that are missing from the tables are the camera's own silence."""
    first, second = recording(**kind), recording(after_ms=4000)
    drop = "noise=drop='between(n,100,140)'"
    patch = remuxed("-c", "copy", "-bsf:a", drop)
    clip = cut([first, second], patch, 2345, 6789, of=str(START_MS))
    assert clip.reading.numbers == clip.wanted.numbers
    assert clip.reading.audio_duration_ms == pytest.approx(4444, abs=30)


# Refusals that state the reason.


@pytest.mark.parametrize(("kind", "name"), [(b"avc1", b"encv"), (b"mp4a", b"enca")])
def test_an_encrypted_recording_is_refused_by_name(cut: Any, kind: bytes, name: bytes) -> None:  # noqa: ANN401
    """Its sample entry states it."""

    def encrypted(data: bytes) -> bytes:
        at = next(at for at in places(data, b"stsd") if data[at + 12 : at + 16] == kind)
        return data[: at + 12] + name + data[at + 16 :]

    with pytest.raises(UnusableFootage, match="is encrypted"):
        cut(recording(), encrypted)
