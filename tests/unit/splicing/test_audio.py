"""Where sound packets are placed: every one in time, no player ever more than half of one off."""

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import Rejected
from infrastructure.mp4.recording import Mp4Recording
from infrastructure.splicing.audio import can_be_copied, plan_audio
from infrastructure.splicing.frames import resolve_cuts
from tests.unit.splicing.tracks import named, opened, plan, sound_track, video_track


def recordings_of(kinds: list[tuple[int, int, int | None]]) -> list[Mp4Recording]:
    """Return recordings by (hole before it in ms, frames of 40 ms, where its sound begins)."""
    found, after_ms = [], 0
    for hole_ms, frames, first in kinds:
        after_ms += hole_ms
        video = video_track([512 * i for i in range(frames)], 12_800)
        audio = None if first is None else sound_track(frames * 40 * 48 // 1024 + 2, first=first)
        found.append(opened(video, audio, after_ms))
        after_ms += frames * 40
    return found


KINDS = st.lists(
    st.tuples(
        st.integers(0, 1500),
        st.integers(2, 60),
        st.none() | st.integers(-2048, 4096),
    ),
    min_size=1,
    max_size=8,
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
    packets = audio.packets
    assert packets[0].starts <= 0 < packets[0].starts + 1024 + 512
    assert packets[-1].starts + 1024 + 512 >= audio.end
    assert all(0 < b.starts - a.starts < 2 * 1024 for a, b in pairwise(packets))
    for place, packet in enumerate(packets):
        counted = packets[0].starts + 1024 * place
        assert abs(packet.starts - counted) <= 512
        if not packet.is_silence:
            source = sources[packet.source]
            track = source.index.audio
            assert track is not None
            assert packet.starts == source.clip_ticks(track.pts[packet.sample], 48_000, 48_000)
            # Nothing from outside of its cut.
            assert packet.starts < (source.clip_ms + source.cut.window.duration_ms) * 48
            assert packet.starts + 1024 > source.clip_ms * 48
    for number in range(len(sources)):
        own = [packet.sample for packet in packets if packet.source == number]
        assert not own or own == list(range(own[0], own[-1] + 1))


def test_one_recording_needs_no_silence() -> None:
    """Its packets follow each other as they were."""
    recordings = recordings_of([(0, 50, -1024)])
    planned = plan(333, 1777, *recordings)
    sources = resolve_cuts(planned, named(*recordings))
    audio = plan_audio(sources, planned.delivered_ms)
    assert audio is not None
    assert not audio.needs_silence
    assert {b.starts - a.starts for a, b in pairwise(audio.packets)} == {1024}


def test_a_seam_is_silent() -> None:
    """Half a second of it takes about 23 packets."""
    recordings = recordings_of([(0, 50, -1024), (500, 50, -1024)])
    planned = plan(0, 4000, *recordings)
    audio = plan_audio(resolve_cuts(planned, named(*recordings)), planned.delivered_ms)
    assert audio is not None
    assert sum(packet.is_silence for packet in audio.packets) in range(22, 25)


def test_without_any_sound_there_is_no_track() -> None:
    """Silence alone is not written."""
    recordings = recordings_of([(0, 50, None)])
    planned = plan(0, 2000, *recordings)
    assert plan_audio(resolve_cuts(planned, named(*recordings)), planned.delivered_ms) is None


def test_only_like_aac_is_copied() -> None:
    """Another rate, or what is no AAC, means that the sound is encoded anew."""
    video = video_track([512 * i for i in range(50)], 12_800)
    for configs, copied in [
        ((b"\x11\x88", b"\x11\x88"), True),
        ((b"\x11\x88", b"\x12\x08"), False),
        ((b"", b""), False),
        ((b"\xf9\x50\x00", b"\xf9\x50\x00"), False),
    ]:
        recordings = [
            opened(video, sound_track(100, config=config), 2000 * number)
            for number, config in enumerate(configs)
        ]
        planned = plan(0, 4000, *recordings)
        assert can_be_copied(resolve_cuts(planned, named(*recordings))) is copied
