"""Which audio packets a clip contains, and when each of them is presented.

An AAC packet is 1024 samples, 21 ms at 48 kHz, and cannot be cut. So where a clip changes from one
recording to the next, their packets overlap or leave a hole of up to a packet.
Each packet is presented at its own time: the last packet before a change gets the duration that
makes it so. Players that ignore durations and play packet after packet must not drift either. So a
second clock, `cursor`, counts whole packets: at each change the packet is chosen whose time is
nearest to it. Such players are then off by at most half a packet at any change.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from operator import add

from attrs import define, field, frozen

from infrastructure.mp4.index import Track
from infrastructure.splicing.frames import CutSource
from infrastructure.splicing.stored_samples import StoredSamples

AAC_OBJECT_TYPES = {2, 5, 29}
"""AAC-LC, and the same with spectral band replication or parametric stereo (14496-3, 1.5.1.1)."""


@frozen
class Silence:
    """Packets that no recording has."""

    packets: int


@frozen(eq=False)
class AudioPlan:
    """The packets of a clip's audio, the first of which may begin before 0."""

    template: Track = field(repr=False)
    """The track whose sample entry and timescale the clip's audio has."""
    starts: Sequence[int] = field(repr=False)
    """When the clip presents each packet, in ticks of its audio."""
    runs: Sequence[StoredSamples | Silence]
    """The packets themselves, in order."""
    end: int
    """When the clip ends, in ticks of its audio."""

    @property
    def needs_silence(self) -> bool:
        """Whether there are packets that no recording has."""
        return any(isinstance(run, Silence) for run in self.runs)


def is_audio_copyable(sources: Sequence[CutSource]) -> bool:
    """Return whether the cuts' audio can be in one track as it is stored.

    It must be AAC with one AudioSpecificConfig (14496-3, 1.6.2.1); sample entries may differ.
    """
    tracks = [s.index.audio for s in sources if s.index.audio and audio_in_cut(s)]
    return len({track.config for track in tracks}) == 1 and all(
        track.codec == "mp4a" and len(track.config) > 1 and track.config[0] >> 3 in AAC_OBJECT_TYPES
        for track in tracks
    )


def audio_in_cut(source: CutSource) -> range:
    """Return the numbers of the recording's audio samples that overlap the cut."""
    audio = source.index.audio
    if audio is None:
        return range(0)
    first = source.recording_ticks(source.cut.window.start_ms, audio.timescale)
    end = source.recording_ticks(source.cut.window.end_ms, audio.timescale)
    first, end = max(first, audio.shown_from), min(end, audio.shown_until)
    begin = bisect_right(audio.pts, first) - 1
    if begin < 0 or audio.pts[begin] + audio.durations[begin] <= first:
        begin += 1
    return range(begin, bisect_left(audio.pts, end, lo=begin))


def plan_audio(sources: Sequence[CutSource], duration_ms: int) -> AudioPlan | None:
    """Place the packets of `sources` on the clip's clock, with silence where none is stored.

    None if no cut has audio, or so little that it is not worth a track.
    """
    with_audio = [source for source in sources if audio_in_cut(source)]
    template = next((source.index.audio for source in with_audio), None)
    if template is None:
        return None
    timescale = template.timescale
    step = max(1, sorted(template.durations)[len(template.durations) // 2])
    end = -(-duration_ms * timescale // 1000)
    placing = _Placing(timescale, step)
    for source in with_audio:
        placing.place(source)
    placing.add_silence_until(end)
    if len(placing.starts) == 1 and end < step // 2:
        # So little is left of a packet cut at both ends that ffmpeg reports an empty track.
        return None
    return AudioPlan(template, placing.starts, placing.runs, end)


@define
class _Placing:
    """The packets placed so far, and the second clock."""

    timescale: int
    step: int
    """A packet's usual duration, in ticks."""
    starts: list[int] = field(factory=list)
    runs: list[StoredSamples | Silence] = field(factory=list)
    cursor: int | None = None
    """When the next packet starts by the second clock; unknown before the first packet."""

    def place(self, source: CutSource) -> None:
        """Place a source's packets, with silence where it stores none."""
        audio, samples = source.index.audio, audio_in_cut(source)
        if audio is None:
            return
        part = slice(samples.start, samples.stop)
        pts, durations = audio.pts[part], audio.durations[part]
        begins = source.clip_ticks(pts, audio.timescale, self.timescale)
        ends = source.clip_ticks(map(add, pts, durations), audio.timescale, self.timescale)
        cut_end = -(-(source.cut.clip_ms + source.duration_ms) * self.timescale // 1000)
        starts, taken = self.starts, array("q")
        half, later_half = self.step // 2, (self.step + 1) // 2
        cursor = _first_start(begins[0], self.step) if self.cursor is None else self.cursor
        for number, start, end in zip(samples, begins, ends, strict=True):
            if cursor < start - half:
                self._take(source, audio, taken)
                taken = array("q")
                cursor = self._silence(cursor, start - half)
            if cursor >= cut_end:
                break
            if (not starts or start > starts[-1]) and start > cursor - later_half:
                starts.append(start)
                taken.append(number)
                cursor += end - start
        self.cursor = cursor
        self._take(source, audio, taken)

    def add_silence_until(self, time: int) -> None:
        """Add packets of silence as long as the next one begins before `time`."""
        if self.cursor is not None:
            self.cursor = self._silence(self.cursor, time)

    def _silence(self, cursor: int, until: int) -> int:
        packets = max(0, -((cursor - until) // self.step))
        for begin in range(cursor, until, self.step):
            self.starts.append(max(begin, self.starts[-1] + 1) if self.starts else begin)
        if packets:
            self.runs.append(Silence(packets))
        return cursor + packets * self.step

    def _take(self, source: CutSource, audio: Track, numbers: Sequence[int]) -> None:
        """Add the packets whose starts were added."""
        if not numbers:
            return
        first, last = numbers[0], numbers[-1]
        is_whole = last - first + 1 == len(numbers)
        self.runs.append(source.samples_of(audio, range(first, last + 1) if is_whole else numbers))


def _first_start(packet_start: int, step: int) -> int:
    """Return when the clip's first packet starts: at the latest at 0.

    As few whole packets of `step` ticks as possible precede a stored packet that starts later.
    """
    preceding = max(0, -(-packet_start // step))
    return packet_start - preceding * step
