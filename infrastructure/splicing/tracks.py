"""The clip's tracks: encoded and copied frames under one sample entry, and the sound in step."""

from collections.abc import Sequence

from attrs import field, frozen

from domain.errors import UnusableFootage
from infrastructure.ffmpeg.encode_audio import EncodedAudio
from infrastructure.ffmpeg.encode_video import EncodedFrames
from infrastructure.ffmpeg.excerpt import FileSample, Sample, in_recording
from infrastructure.mp4.avc import AvcConfig, avc1_entry, build_avcc, merge_avcc, parse_avcc
from infrastructure.mp4.writer import TrackToWrite, video_times
from infrastructure.splicing.audio import AudioPlan
from infrastructure.splicing.frames import CutSource
from infrastructure.splicing.spans import Span


@frozen(eq=False)
class ClipTrack:
    """A track of the clip before its samples have their places; the rest is TrackToWrite's."""

    kind: str
    sample_entry: bytes = field(repr=False)
    timescale: int
    samples: Sequence[Sample] = field(repr=False)
    dts: Sequence[int] = field(repr=False)
    pts: Sequence[int] = field(repr=False)
    sync: Sequence[int] = field(repr=False)
    duration: int  # ticks, from media_time on
    media_time: int = 0
    delay: int = 0
    width: int = 0
    height: int = 0

    def placed(self, offsets: Sequence[int]) -> TrackToWrite:
        """Return the track with its samples at `offsets` of the payload."""
        return TrackToWrite(
            kind=self.kind,
            sample_entry=self.sample_entry,
            timescale=self.timescale,
            offsets=offsets,
            sizes=[sample.length for sample in self.samples],
            dts=self.dts,
            pts=self.pts,
            sync=self.sync,
            duration=self.duration,
            last_duration=self._last_duration(),
            media_time=self.media_time,
            delay=self.delay,
            width=self.width,
            height=self.height,
        )

    def _last_duration(self) -> int:
        """Let the last sample last until the clip ends, also where it is not the one shown last.

        By the usual reckoning (ffmpeg's, too) a track lasts as long as its durations add up to,
        however late its frames are shown after decoding.
        """
        lasts = self.duration - self.dts[-1]
        ends = self.duration + self.media_time
        if any(
            shown + after - before >= ends
            for shown, before, after in zip(self.pts, self.dts, self.dts[1:], strict=False)
        ):
            return max(1, lasts)
        return max(1, lasts, ends - self.pts[-1])


@frozen(eq=False)
class TrackSegment:
    """A run's samples, in decode order, and when each is shown, in ticks of the clip."""

    samples: Sequence[Sample] = field(repr=False)
    shown: Sequence[int] = field(repr=False)
    sync: Sequence[int] = field(repr=False)
    config: AvcConfig = field(repr=False)
    sample_entry: bytes = field(repr=False)
    size: tuple[int, int]

    @property
    def is_copied(self) -> bool:
        """Tell whether the frames are a recording's own."""
        return not isinstance(self.samples[0], FileSample)


def encoded_span(run: Span, piece: EncodedFrames) -> TrackSegment:
    """Return a run that was encoded: the i-th frame shown of `piece` is its i-th."""
    track = piece.track
    ranks = sorted(range(len(track.pts)), key=track.pts.__getitem__)
    shown = [0] * len(ranks)
    for time, sample in zip(run.times, ranks, strict=True):
        shown[sample] = time
    places = zip(track.offsets, track.sizes, strict=True)
    samples = [FileSample(piece.path, at, size) for at, size in places]
    size = (track.width, track.height)
    return TrackSegment(samples, shown, track.sync, piece.config, track.sample_entry, size)


def copied_span(run: Span) -> TrackSegment:
    """Return a run that is taken over."""
    source, video = run.source, run.source.video
    at = dict(zip(source.frames, run.times, strict=True))
    return TrackSegment(
        in_recording(source, video, run.copied),
        [at[i] for i in run.copied],
        [video.sync[i] for i in run.copied],
        parse_avcc(video.config),
        video.sample_entry,
        (video.width, video.height),
    )


def video_track(made_spans: Sequence[TrackSegment], timescale: int, until: int) -> ClipTrack:
    """Line up the parts' frames; the last is shown until the tick `until` of the clip."""
    # What a copied sample entry says besides its parameter sets holds for the encoded frames too.
    template = next((span for span in made_spans if span.is_copied), made_spans[0])
    if any(span.size != template.size for span in made_spans):
        raise UnusableFootage("The recordings' pictures came out in unlike sizes.")
    try:
        avcc = build_avcc(merge_avcc([template.config, *(span.config for span in made_spans)]))
    except ValueError as error:
        raise UnusableFootage(f"The encoded pieces do not fit together: {error}") from error
    shown = [time for span in made_spans for time in span.shown]
    # Until the first frame there is nothing to show. An empty edit says so; ffmpeg takes it back
    # where only composition offsets do.
    delay = min(shown)
    dts, pts, media_time = video_times([time - delay for time in shown])
    return ClipTrack(
        kind="vide",
        sample_entry=avc1_entry(template.sample_entry, avcc),
        timescale=timescale,
        samples=[sample for span in made_spans for sample in span.samples],
        dts=dts,
        pts=pts,
        sync=[sync for span in made_spans for sync in span.sync],
        duration=max(max(shown) + 1, until) - delay,
        media_time=media_time,
        delay=delay,
        width=template.size[0],
        height=template.size[1],
    )


def copied_audio(
    plan: AudioPlan, sources: Sequence[CutSource], silence: FileSample | None
) -> ClipTrack:
    """Line up the planned packets; `silence` is what sounds where no recording has any."""
    samples: list[Sample] = []
    for packet in plan.packets:
        audio = sources[packet.source].index.audio
        if packet.silent:
            assert silence is not None  # noqa: S101 - made where the plan asks for it
            samples.append(silence)
        elif audio is not None:
            samples += in_recording(sources[packet.source], audio, [packet.sample])
    starts = [packet.starts for packet in plan.packets]
    return _audio_track(
        plan.template.sample_entry, plan.template.timescale, samples, starts, plan.end
    )


def encoded_audio(audio: EncodedAudio, duration_ms: int) -> ClipTrack:
    """Line up the packets of a sound that was encoded whole."""
    track = audio.track
    samples = [
        FileSample(audio.path, at, size)
        for at, size in zip(track.offsets, track.sizes, strict=True)
    ]
    end = -(-duration_ms * track.timescale // 1000)
    return _audio_track(track.sample_entry, track.timescale, samples, track.pts, end)


def _audio_track(
    entry: bytes, timescale: int, samples: Sequence[Sample], starts: Sequence[int], end: int
) -> ClipTrack:
    times = [time - starts[0] for time in starts]
    return ClipTrack(
        "soun", entry, timescale, samples, times, times, [1] * len(samples), end, -starts[0]
    )
