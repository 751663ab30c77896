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

from infrastructure.mp4.index import Track
from infrastructure.splicing.frames import CutSource

AAC_OBJECT_TYPES = {2, 5, 29}
"""AAC-LC, and the same with spectral band replication or parametric stereo (14496-3, 1.5.1.1)."""


@frozen
class Packet:
    """A packet of the clip's sound: sample `sample` of take number `source`, or silence."""

    starts: int  # ticks of the clip's sound
    source: int = -1
    sample: int = -1

    @property
    def silent(self) -> bool:
        """Tell whether no recording has sound there."""
        return self.source < 0


@frozen(eq=False)
class AudioPlan:
    """The packets of a clip's sound, the first of which may begin before 0."""

    template: Track = field(repr=False)
    """A track whose sample entry and timescale the clip's sound has."""
    packets: tuple[Packet, ...] = field(repr=False)
    packet_ticks: int
    end: int  # ticks: when the clip ends

    @property
    def needs_silence(self) -> bool:
        """Tell whether packets are needed that no recording has."""
        return any(packet.silent for packet in self.packets)

    def samples(self, source: int) -> range:
        """Return the sound samples that the clip takes of a take."""
        own = [packet.sample for packet in self.packets if packet.source == source]
        return range(own[0], own[-1] + 1) if own else range(0)


def has_audio(source: CutSource) -> bool:
    """Tell whether there is sound within the cut."""
    return bool(samples_in_cut(source, source.index.audio)) if source.index.audio else False


def can_be_copied(sources: Sequence[CutSource]) -> bool:
    """Tell whether all sound is AAC of one AudioSpecificConfig: whole sample entries may differ."""
    tracks = [source.index.audio for source in sources if source.index.audio and has_audio(source)]
    return len({track.config for track in tracks}) == 1 and all(
        track.codec == "mp4a" and len(track.config) > 1 and track.config[0] >> 3 in AAC_OBJECT_TYPES
        for track in tracks
    )


def samples_in_cut(source: CutSource, audio: Track) -> range:
    """Return the samples that sound within the cut."""
    first = source.recording_ticks(source.cut.window.start_ms, audio.timescale)
    end = source.recording_ticks(source.cut.window.end_ms, audio.timescale)
    first, end = max(first, audio.shown_from), min(end, audio.shown_until)
    begin = bisect_right(audio.pts, first) - 1
    if begin < 0 or audio.pts[begin] + audio.durations[begin] <= first:
        begin += 1
    return range(begin, bisect_left(audio.pts, end, lo=begin))


def plan_audio(sources: Sequence[CutSource], duration_ms: int) -> AudioPlan | None:
    """Place the packets of `sources`, with silence where there are none; None without any sound."""
    with_sound = [(number, source) for number, source in enumerate(sources) if has_audio(source)]
    template = next((source.index.audio for _, source in with_sound), None)
    if template is None:
        return None
    scale = template.timescale
    step = max(1, sorted(template.durations)[len(template.durations) // 2])
    end = -(-duration_ms * scale // 1000)
    packets: list[Packet] = []
    cursor: int | None = None

    def be_silent_until(moment: int) -> None:
        nonlocal cursor
        while cursor is not None and cursor < moment:
            packets.append(Packet(max(cursor, packets[-1].starts + 1) if packets else cursor))
            cursor += step

    for number, source in with_sound:
        cut_ends = -(-(source.clip_ms + source.cut.window.duration_ms) * scale // 1000)
        for packet, ticks in _timed(number, source, scale):
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
    return AudioPlan(template, tuple(packets), step, end)


def _timed(number: int, source: CutSource, scale: int) -> Iterator[tuple[Packet, int]]:
    """Yield a take's packets, each with how long it lasts."""
    audio = source.index.audio
    assert audio is not None  # noqa: S101 - the caller has seen to it
    for i in samples_in_cut(source, audio):
        starts = source.ticks(audio.pts[i], audio.timescale, scale)
        ends = source.ticks(audio.pts[i] + audio.durations[i], audio.timescale, scale)
        yield Packet(starts, number, i), ends - starts
