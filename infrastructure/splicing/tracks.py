"""The clip's tracks: copied and encoded samples with one sample entry, and the audio."""

from array import array
from collections.abc import Iterable, Sequence
from itertools import chain, pairwise

from attrs import field, frozen

from application.ports import FilePiece, Recording
from domain.errors import UnusableFootage
from infrastructure.mp4.index import Track
from infrastructure.mp4.writer import TrackToWrite, video_times
from infrastructure.splicing.audio import AudioPlan
from infrastructure.splicing.codecs import codec_of
from infrastructure.splicing.spans import CopiedSpan, EncodedSpan
from infrastructure.splicing.stored_samples import StoredSamples, all_sizes


@frozen(eq=False)
class EncodedTrack:
    """A track of a file that ffmpeg encoded, and where the bytes of each sample are."""

    track: Track
    samples: StoredSamples


@frozen(eq=False)
class ClipTrack:
    """A track of the clip whose samples have no place in the clip yet."""

    tables: TrackToWrite
    """Without the samples' offsets."""
    samples: Sequence[StoredSamples]
    """What is stored together, in the order of the track."""


@frozen(eq=False)
class SpanSamples:
    """A span's samples, in decode order, and when each is shown, in ticks of the clip."""

    samples: StoredSamples
    times: Sequence[int] = field(repr=False)
    sync: Sequence[int] = field(repr=False)
    track: Track = field(repr=False)
    """The recording's track, or the encoded one: its sample entry holds for the samples."""

    @property
    def is_copied(self) -> bool:
        """Whether the frames are a recording's own bytes."""
        return isinstance(self.samples.source, Recording)


def encoded_samples(span: EncodedSpan, encoded: EncodedTrack) -> SpanSamples:
    """Return the samples of an encoded span, whose i-th frame is the i-th that `encoded` shows."""
    track = encoded.track
    order = sorted(range(len(track.pts)), key=track.pts.__getitem__)
    times = [0] * len(order)
    for time, sample in zip(span.times, order, strict=True):
        times[sample] = time
    return SpanSamples(
        encoded.samples,
        times,
        track.sync,
        track,
    )


def copied_samples(span: CopiedSpan) -> SpanSamples:
    """Return the samples of a copied span."""
    video = span.source.video
    return SpanSamples(
        span.source.samples_of(video, span.frames),
        span.times,
        bytes(map(video.sync.__getitem__, span.frames)),
        video,
    )


def recorded_runs(copied: Iterable[SpanSamples], audio: Iterable[ClipTrack]) -> list[StoredSamples]:
    """Return what of a clip may be in recordings: its copied spans' samples, and its audio."""
    runs = [span.samples for span in copied]
    return [*runs, *chain.from_iterable(track.samples for track in audio)]


def video_track(spans: Sequence[SpanSamples], timescale: int, until: int) -> ClipTrack:
    """Put the spans' frames into one track; the last is shown until the tick `until` of the clip.

    UnusableFootage if their sizes or parameter sets do not fit into one sample entry.
    """
    # A copied sample entry's other boxes (colour, aspect ratio) hold for the encoded frames too.
    template = next((span.track for span in spans if span.is_copied), spans[0].track)
    size = template.width, template.height
    if any((span.track.width, span.track.height) != size for span in spans):
        raise UnusableFootage("The recordings' pictures were encoded in different sizes.")
    tracks = (template, *(span.track for span in spans))
    if len({codec_of(track).name for track in tracks}) > 1:
        raise UnusableFootage("The recordings' pictures were encoded with different codecs.")
    try:
        entry = codec_of(template).sample_entry(
            template.sample_entry, [track.config for track in tracks]
        )
    except ValueError as error:
        raise UnusableFootage(f"The encoded spans do not fit together: {error}") from error
    times = [time for span in spans for time in span.times]
    # Nothing is shown before the first frame. An empty edit says so; ffmpeg ignores a wait that is
    # expressed by composition offsets alone.
    delay = min(times)
    dts, pts, media_time = video_times([time - delay for time in times])
    samples = [span.samples for span in spans]
    duration = max(max(times) + 1, until) - delay
    track = TrackToWrite(
        kind="vide",
        sample_entry=entry,
        timescale=timescale,
        offsets=(),
        sizes=all_sizes(samples),
        dts=dts,
        pts=pts,
        sync=[*chain.from_iterable(span.sync for span in spans)],
        duration=duration,
        last_duration=_last_duration(dts, pts, duration, media_time),
        media_time=media_time,
        delay=delay,
        width=template.width,
        height=template.height,
    )
    return ClipTrack(track, samples)


def copied_audio(plan: AudioPlan, silence: FilePiece | None) -> ClipTrack:
    """Put the planned packets into one track; `silence` is the packet where no recording has any.

    ValueError if the plan needs silence and there is none.
    """
    samples: list[StoredSamples] = []
    for run in plan.runs:
        if isinstance(run, StoredSamples):
            samples.append(run)
        elif silence is None:
            raise ValueError("the plan needs a packet of silence")
        else:
            places = array("q", [silence.offset]), array("Q", [silence.length])
            samples.append(StoredSamples(silence, *(run.packets * column for column in places)))
    return _audio_track(plan.template, samples, plan.starts, plan.end)


def encoded_audio(encoded: EncodedTrack, duration_ms: int) -> ClipTrack:
    """Return the track of audio that was encoded as a whole."""
    track = encoded.track
    end = -(-duration_ms * track.timescale // 1000)
    return _audio_track(track, [encoded.samples], track.pts, end)


def _audio_track(
    template: Track, samples: Sequence[StoredSamples], starts: Sequence[int], end: int
) -> ClipTrack:
    times, media_time = [time - starts[0] for time in starts], -starts[0]
    track = TrackToWrite(
        kind="soun",
        sample_entry=template.sample_entry,
        timescale=template.timescale,
        offsets=(),
        sizes=all_sizes(samples),
        dts=times,
        pts=times,
        sync=[1] * len(times),
        duration=end,
        last_duration=_last_duration(times, times, end, media_time),
        media_time=media_time,
    )
    return ClipTrack(track, samples)


def _last_duration(dts: Sequence[int], pts: Sequence[int], duration: int, media_time: int) -> int:
    """Return the duration of the last decoded sample, in ticks.

    The durations' sum is at least the track's: most readers, ffmpeg too, take it for the track's,
    however late frames are shown after decoding. One sample must also be shown until the end: the
    last decoded one, unless an earlier one is.
    """
    left = duration - dts[-1]
    end = duration + media_time
    ends = [shown + then - now for shown, (now, then) in zip(pts, pairwise(dts), strict=False)]
    is_end_reached = max(ends, default=end - 1) >= end
    return max(1, left) if is_end_reached else max(1, left, end - pts[-1])
