"""Which sound packets a clip takes, and when each of them sounds. Pure.

An AAC packet is about 20 ms long and cannot be cut, so two recordings never join without a remnant.
Each packet sounds at its own time: the one before a join is given the duration that makes it so.
Players that ignore durations and play packet after packet must not drift either. So a second clock,
`cursor`, counts whole packets: at each join the packet is chosen whose time is nearest to it. Such
players are then at most half a packet off, at any join, and never more.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence

from attrs import field, frozen

from infrastructure.ffmpeg.frames import Take
from infrastructure.mp4.index import Track

AAC_OBJECT_TYPES = {2, 5, 29}
"""AAC-LC, and the same with spectral band replication or parametric stereo (14496-3, 1.5.1.1)."""


@frozen
class Packet:
    """A packet of the clip's sound: sample `sample` of take number `take`, or silence."""

    starts: int  # ticks of the clip's sound
    take: int = -1
    sample: int = -1

    @property
    def silent(self) -> bool:
        """Tell whether no recording has sound there."""
        return self.take < 0


@frozen(eq=False)
class SoundPlan:
    """The packets of a clip's sound, the first of which may begin before 0."""

    model: Track = field(repr=False)
    """A track whose sample entry and timescale the clip's sound has."""
    packets: tuple[Packet, ...] = field(repr=False)
    packet_ticks: int
    end: int  # ticks: when the clip ends

    @property
    def has_silence(self) -> bool:
        """Tell whether packets are needed that no recording has."""
        return any(packet.silent for packet in self.packets)

    def samples(self, take: int) -> range:
        """Return the sound samples that the clip takes of a take."""
        own = [packet.sample for packet in self.packets if packet.take == take]
        return range(own[0], own[-1] + 1) if own else range(0)


def has_sound(take: Take) -> bool:
    """Tell whether there is sound within the cut."""
    return bool(sounding(take, take.index.sound)) if take.index.sound else False


def can_be_copied(takes: Sequence[Take]) -> bool:
    """Tell whether all sound is AAC of one AudioSpecificConfig: whole sample entries may differ."""
    tracks = [take.index.sound for take in takes if take.index.sound and has_sound(take)]
    return len({track.config for track in tracks}) == 1 and all(
        track.codec == "mp4a" and len(track.config) > 1 and track.config[0] >> 3 in AAC_OBJECT_TYPES
        for track in tracks
    )


def sounding(take: Take, sound: Track) -> range:
    """Return the samples that sound within the cut."""
    first = take.recording_ticks(take.cut.window.start_ms, sound.timescale)
    end = take.recording_ticks(take.cut.window.end_ms, sound.timescale)
    first, end = max(first, sound.shown_from), min(end, sound.shown_until)
    begin = bisect_right(sound.pts, first) - 1
    if begin < 0 or sound.pts[begin] + sound.durations[begin] <= first:
        begin += 1
    return range(begin, bisect_left(sound.pts, end, lo=begin))


def plan_sound(takes: Sequence[Take], length_ms: int) -> SoundPlan | None:
    """Place the packets of `takes`, with silence where there are none; None without any sound."""
    with_sound = [(number, take) for number, take in enumerate(takes) if has_sound(take)]
    model = next((take.index.sound for _, take in with_sound), None)
    if model is None:
        return None
    scale = model.timescale
    step = max(1, sorted(model.durations)[len(model.durations) // 2])
    end = -(-length_ms * scale // 1000)
    packets: list[Packet] = []
    cursor: int | None = None

    def be_silent_until(moment: int) -> None:
        nonlocal cursor
        while cursor is not None and cursor < moment:
            packets.append(Packet(max(cursor, packets[-1].starts + 1) if packets else cursor))
            cursor += step

    for number, take in with_sound:
        cut_ends = -(-(take.clip_ms + take.cut.window.length_ms) * scale // 1000)
        for packet, ticks in _timed(number, take, scale):
            if cursor is None:
                cursor = min(0, packet.starts) or packet.starts - -(-packet.starts // step) * step
            be_silent_until(packet.starts - step // 2)
            if cursor >= cut_ends:
                break
            later = not packets or packet.starts > packets[-1].starts
            if later and packet.starts > cursor - (step + 1) // 2:
                packets.append(packet)
                cursor += ticks
    be_silent_until(end)
    if len(packets) == 1 and end < step // 2:
        # Of a packet cut at both ends so little is left that ffmpeg complains that it is nothing.
        return None
    return SoundPlan(model, tuple(packets), step, end)


def _timed(number: int, take: Take, scale: int) -> Iterator[tuple[Packet, int]]:
    """Yield a take's packets, each with how long it lasts."""
    sound = take.index.sound
    assert sound is not None  # noqa: S101 - the caller has seen to it
    for i in sounding(take, sound):
        starts = take.ticks(sound.pts[i], sound.timescale, scale)
        ends = take.ticks(sound.pts[i] + sound.durations[i], sound.timescale, scale)
        yield Packet(starts, number, i), ends - starts
