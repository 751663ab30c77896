"""The clip's tracks: encoded and copied frames under one sample entry, and the sound in step."""

from collections.abc import Sequence

from attrs import field, frozen

from domain.errors import Undecodable
from infrastructure.ffmpeg.aac import EncodedSound
from infrastructure.ffmpeg.encode import Piece
from infrastructure.ffmpeg.frames import Take
from infrastructure.ffmpeg.runs import Run
from infrastructure.ffmpeg.sound import SoundPlan
from infrastructure.ffmpeg.window import Sample, Stored, in_recording
from infrastructure.mp4.avc import AvcConfig, avc1_entry, build_avcc, merge_avcc, parse_avcc
from infrastructure.mp4.writer import OutTrack, video_times


@frozen(eq=False)
class ClipTrack:
    """A track of the clip before its samples have their places; the rest is OutTrack's."""

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

    def placed(self, offsets: Sequence[int]) -> OutTrack:
        """Return the track with its samples at `offsets` of the payload."""
        return OutTrack(
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
class Part:
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
        return not isinstance(self.samples[0], Stored)


def encoded_part(run: Run, piece: Piece) -> Part:
    """Return a run that was encoded: the i-th frame shown of `piece` is its i-th."""
    track = piece.track
    ranks = sorted(range(len(track.pts)), key=track.pts.__getitem__)
    shown = [0] * len(ranks)
    for time, sample in zip(run.times, ranks, strict=True):
        shown[sample] = time
    places = zip(track.offsets, track.sizes, strict=True)
    samples = [Stored(piece.path, at, size) for at, size in places]
    size = (track.width, track.height)
    return Part(samples, shown, track.sync, piece.config, track.sample_entry, size)


def copied_part(run: Run) -> Part:
    """Return a run that is taken over."""
    take, video = run.take, run.take.video
    at = dict(zip(take.frames, run.times, strict=True))
    return Part(
        in_recording(take, video, run.copied),
        [at[i] for i in run.copied],
        [video.sync[i] for i in run.copied],
        parse_avcc(video.config),
        video.sample_entry,
        (video.width, video.height),
    )


def video_track(parts: Sequence[Part], timescale: int, until: int) -> ClipTrack:
    """Line up the parts' frames; the last is shown until the tick `until` of the clip."""
    # What a copied sample entry says besides its parameter sets holds for the encoded frames too.
    model = next((part for part in parts if part.is_copied), parts[0])
    if any(part.size != model.size for part in parts):
        raise Undecodable("The recordings' pictures came out in unlike sizes.")
    try:
        avcc = build_avcc(merge_avcc([model.config, *(part.config for part in parts)]))
    except ValueError as error:
        raise Undecodable(f"The encoded pieces do not fit together: {error}") from error
    shown = [time for part in parts for time in part.shown]
    # Until the first frame there is nothing to show. An empty edit says so; ffmpeg takes it back
    # where only composition offsets do.
    delay = min(shown)
    dts, pts, media_time = video_times([time - delay for time in shown])
    return ClipTrack(
        kind="vide",
        sample_entry=avc1_entry(model.sample_entry, avcc),
        timescale=timescale,
        samples=[sample for part in parts for sample in part.samples],
        dts=dts,
        pts=pts,
        sync=[sync for part in parts for sync in part.sync],
        duration=max(max(shown) + 1, until) - delay,
        media_time=media_time,
        delay=delay,
        width=model.size[0],
        height=model.size[1],
    )


def copied_sound(plan: SoundPlan, takes: Sequence[Take], silence: Stored | None) -> ClipTrack:
    """Line up the planned packets; `silence` is what sounds where no recording has any."""
    samples: list[Sample] = []
    for packet in plan.packets:
        sound = takes[packet.take].index.sound
        if packet.silent:
            assert silence is not None  # noqa: S101 - made where the plan asks for it
            samples.append(silence)
        elif sound is not None:
            samples += in_recording(takes[packet.take], sound, [packet.sample])
    starts = [packet.starts for packet in plan.packets]
    return _sound_track(plan.model.sample_entry, plan.model.timescale, samples, starts, plan.end)


def encoded_sound(sound: EncodedSound, length_ms: int) -> ClipTrack:
    """Line up the packets of a sound that was encoded whole."""
    track = sound.track
    samples = [
        Stored(sound.path, at, size) for at, size in zip(track.offsets, track.sizes, strict=True)
    ]
    end = -(-length_ms * track.timescale // 1000)
    return _sound_track(track.sample_entry, track.timescale, samples, track.pts, end)


def _sound_track(
    entry: bytes, timescale: int, samples: Sequence[Sample], starts: Sequence[int], end: int
) -> ClipTrack:
    times = [time - starts[0] for time in starts]
    return ClipTrack(
        "soun", entry, timescale, samples, times, times, [1] * len(samples), end, -starts[0]
    )
