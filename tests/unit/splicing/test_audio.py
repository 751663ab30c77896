"""Audio packets keep their times, and no player is ever off by more than half a packet."""

from itertools import pairwise

from attrs import frozen
from hypothesis import given, settings
from hypothesis import strategies as st

from application.ports import RecordingPiece
from domain.errors import Rejected
from infrastructure.mp4.recording import Mp4Recording
from infrastructure.splicing.audio import (
    AudioPlan,
    Silence,
    audio_in_cut,
    is_audio_copyable,
    plan_audio,
)
from infrastructure.splicing.frames import resolve_cuts
from tests.unit.splicing.tracks import audio_track, named, opened, plan, video_track


def recordings_of(kinds: list[tuple[int, int, int | None]]) -> list[Mp4Recording]:
    """Return recordings by (hole before it in ms, frames of 40 ms, where its audio begins)."""
    found, after_ms = [], 0
    for hole_ms, frames, first in kinds:
        after_ms += hole_ms
        video = video_track([512 * i for i in range(frames)], 12_800)
        audio = None if first is None else audio_track(frames * 40 * 48 // 1024 + 2, first=first)
        found.append(opened(video, audio, after_ms))
        after_ms += frames * 40
    return found


@frozen
class Packet:
    """A packet of a plan."""

    start: int
    piece: RecordingPiece | None
    """None is silence."""


def packets_of(audio: AudioPlan) -> list[Packet]:
    """Return the packets of a plan, one by one."""
    pieces: list[RecordingPiece | None] = []
    for run in audio.runs:
        if isinstance(run, Silence):
            pieces += [None] * run.packets
        else:
            pieces += (piece for piece in run if isinstance(piece, RecordingPiece))
    return [Packet(*packet) for packet in zip(audio.starts, pieces, strict=True)]


KINDS = st.lists(
    st.tuples(
        st.integers(0, 1500),
        st.integers(2, 60),
        st.none() | st.integers(-2048, 4096),
    ),
    min_size=1,
    max_size=5,
)


@settings(deadline=None)  # a busy machine is no failure
@given(KINDS, st.integers(-100, 1000), st.integers(1, 8000))
def test_all_packets_are_in_step(
    kinds: list[tuple[int, int, int | None]], from_ms: int, duration_ms: int
) -> None:
    """By their own times exactly; counted packet after packet, within half a packet at any time."""
    recordings = recordings_of(kinds)
    planned = plan(from_ms, from_ms + duration_ms, *recordings)
    try:
        sources = resolve_cuts(planned, named(*recordings))
    except Rejected:
        return
    audio = plan_audio(sources, planned.delivered_ms)
    if audio is None:
        return
    packets = packets_of(audio)
    assert packets[0].start <= 0 < packets[0].start + 1024 + 512
    assert packets[-1].start + 1024 + 512 >= audio.end
    assert all(0 < b.start - a.start < 2 * 1024 for a, b in pairwise(packets))
    for place, packet in enumerate(packets):
        assert abs(packet.start - packets[0].start - 1024 * place) <= 512
    for source in sources:
        own = [p for p in packets if p.piece and p.piece.recording is source.recording]
        samples = [p.piece.offset // 100 for p in own if p.piece]
        assert all(b == a + 1 for a, b in pairwise(samples))
        assert set(samples) <= set(audio_in_cut(source))
        track = source.index.audio
        for packet, sample in zip(own, samples, strict=True):
            assert track is not None
            assert [packet.start] == source.clip_ticks([track.pts[sample]], 48_000, 48_000)
            # Nothing from outside its cut.
            assert packet.start < (source.cut.clip_ms + source.duration_ms) * 48
            assert packet.start + 1024 > source.cut.clip_ms * 48


def test_one_recording_needs_no_silence() -> None:
    """Its packets follow each other as they were."""
    recordings = recordings_of([(0, 50, -1024)])
    planned = plan(333, 1777, *recordings)
    audio = plan_audio(resolve_cuts(planned, named(*recordings)), planned.delivered_ms)
    assert audio is not None
    assert not audio.needs_silence
    assert {b - a for a, b in pairwise(audio.starts)} == {1024}


def test_a_seam_is_silent() -> None:
    """Half a second of silence takes about 23 packets."""
    recordings = recordings_of([(0, 50, -1024), (500, 50, -1024)])
    planned = plan(0, 4000, *recordings)
    audio = plan_audio(resolve_cuts(planned, named(*recordings)), planned.delivered_ms)
    assert audio is not None
    assert sum(packet.piece is None for packet in packets_of(audio)) in range(22, 25)


def test_a_clip_of_recordings_without_audio_has_no_audio_track() -> None:
    """A track of silence alone is not written."""
    recordings = recordings_of([(0, 50, None)])
    planned = plan(0, 2000, *recordings)
    assert plan_audio(resolve_cuts(planned, named(*recordings)), planned.delivered_ms) is None


def test_only_aac_of_one_configuration_is_copied() -> None:
    """Another sampling rate, or a codec other than AAC, means that the audio is encoded."""
    video = video_track([512 * i for i in range(50)], 12_800)
    for configs, copied in [
        ((b"\x11\x88", b"\x11\x88"), True),
        ((b"\x11\x88", b"\x12\x08"), False),
        ((b"", b""), False),
        ((b"\xf9\x50\x00", b"\xf9\x50\x00"), False),
    ]:
        recordings = [
            opened(video, audio_track(100, config=config), 2000 * number)
            for number, config in enumerate(configs)
        ]
        planned = plan(0, 4000, *recordings)
        assert is_audio_copyable(resolve_cuts(planned, named(*recordings))) is copied
