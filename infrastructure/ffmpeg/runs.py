"""The runs that a clip's pictures consist of: taken over as they are, or encoded anew."""

from collections import Counter
from collections.abc import Sequence

from attrs import evolve, field, frozen

from infrastructure.ffmpeg.frames import Take, decoded_from
from infrastructure.ffmpeg.look import Look
from infrastructure.ffmpeg.window import InRecording
from infrastructure.mp4.avc import PPS, SPS, is_idr, nal_units, parse_avcc
from infrastructure.mp4.errors import BadMp4
from infrastructure.mp4.index import Track
from infrastructure.mp4.splice import plan_splice, why_not_copied

PREFIX_BYTES = 4096
"""Enough of a keyframe to see its parameter sets and where its first slice begins."""


@frozen(eq=False)
class Run:
    """Consecutive frames of the clip that come into being in one way."""

    take: Take
    """Its `frames` are this run's."""
    times: tuple[int, ...] = field(repr=False)
    """When the clip shows each of the take's frames, in its ticks."""
    copied: range = range(0)
    """The same frames as samples in decode order, if they are taken over."""


def plan_runs(
    takes: Sequence[Take], times: Sequence[Sequence[int]], look: Look, *, splice: bool = True
) -> list[Run]:
    """Say which frames are taken over and which are encoded; all of them are without `splice`.

    Frames are taken over only from recordings that share their parameter sets with most of the
    clip: one sample entry must do for all.
    """
    whole = [Run(take, tuple(own)) for take, own in zip(takes, times, strict=True)]
    kinds: Counter[bytes] = Counter()
    for run in whole:
        if splice and look.keeps(run.take.video) and why_not_copied(run.take.video) is None:
            kinds[run.take.video.config] += len(run.times)
    if not kinds:
        return whole
    model, _ = kinds.most_common(1)[0]
    runs: list[Run] = []
    for run in whole:
        alike = look.keeps(run.take.video) and run.take.video.config == model
        runs += _spliced(run) if alike else [run]
    return runs


def _spliced(run: Run) -> list[Run]:
    video = run.take.video
    plan = plan_splice(
        video.pts,
        run.take.frames,
        [i for i, sync in enumerate(video.sync) if sync],
        lambda i: begins_alone(InRecording(run.take, video.offsets[i], video.sizes[i])),
    )
    at = dict(zip(run.take.frames, run.times, strict=True))
    runs = []
    if plan.head:
        runs.append(_part_of(run.take, plan.head, at))
    if plan.copied:
        shown = tuple(sorted(plan.copied, key=video.pts.__getitem__))
        copied = evolve(run.take, frames=shown, decoded_from=plan.copied.start)
        runs.append(Run(copied, tuple(at[i] for i in shown), plan.copied))
    if plan.tail:
        runs.append(_part_of(run.take, plan.tail, at))
    return runs


def _part_of(take: Take, frames: tuple[int, ...], at: dict[int, int]) -> Run:
    first = decoded_from(take.read, take.video, frames)
    part = evolve(take, frames=frames, decoded_from=take.decoded_from if first is None else first)
    return Run(part, tuple(at[i] for i in frames))


def begins_alone(sample: InRecording) -> bool:
    """Tell whether a sync sample is an IDR picture under the parameter sets of the index."""
    video, read = sample.take.video, sample.take.read
    stands = stands_alone(read(sample.offset, min(sample.length, PREFIX_BYTES)), video)
    if stands is None and sample.length > PREFIX_BYTES:
        stands = stands_alone(read(sample.offset, sample.length), video)
    return bool(stands)


def stands_alone(prefix: bytes, video: Track) -> bool | None:
    """Tell whether a sample begins an IDR picture and brings no unknown parameter sets.

    Sets that repeat those of the index do no harm. None if `prefix` ends before the picture begins.
    """
    config = parse_avcc(video.config)
    known = {*config.sps, *config.pps}
    try:
        for nal in nal_units(prefix, config.nal_length_size):
            if nal and nal[0] & 31 in (SPS, PPS) and nal not in known:
                return False
    except BadMp4:
        pass  # The prefix ends within the picture, which is all that comes after the sets.
    return is_idr(prefix, config.nal_length_size)
