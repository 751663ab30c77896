"""Find the frames that do not decode without a fault, and those that do not decode at all.

Done only when a clip has failed: all requested frames are then decoded strictly, in excerpts that
are halved until each damaged group of pictures is alone. All of such a group counts as damaged: a
decoder may make a wrong picture without a word, and notice only at a later one that refers to it. A
lenient decode finds the frames that have no picture: the one before is held in their place, where
that is for a short time only.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path

from attrs import define, evolve, field

from domain.coverage import merged
from domain.errors import NoPicture
from domain.window import TimeWindow
from infrastructure.ffmpeg.decode import (
    decodes_without_fault,
    frames_with_picture,
    require_decoder,
)
from infrastructure.ffmpeg.excerpt import extract
from infrastructure.ffmpeg.runner import Ffmpeg
from infrastructure.splicing.frames import CutSource
from infrastructure.splicing.groups import PictureGroup, joined, picture_groups

MAX_DECODES = 256
"""Of a clip: beyond, damage is stated by excerpts that are not halved further."""
MAX_EXCERPT_BYTES = 32 << 20
MAX_HELD_MS = 1000
"""For so long, or three frame intervals, a picture stands in for later ones without a picture."""


def find_damage(
    ffmpeg: Ffmpeg, sources: Iterable[CutSource], folder: Path, deadline_s: float
) -> list[CutSource]:
    """Decode all frames of the cuts; return the cuts with their damaged frames.

    Frames without a picture are left out. NoPicture, for the first such recording, if the
    picture before is not of the same cut or would be held for too long.
    """
    search = _Search(ffmpeg, folder / "damage.mp4", deadline_s)
    examined = []
    given_up: list[tuple[CutSource, TimeWindow]] = []
    for source in sources:
        damaged, missing = search.damage_of(source)
        given_up += [(source, window) for window in _beyond_holding(source, missing)]
        examined.append(
            evolve(
                source,
                frames=tuple(i for i in source.frames if i not in missing),
                damaged=frozenset(damaged | missing),
            )
        )
    if given_up:
        if not any(source.frames for source in examined):
            require_decoder(ffmpeg, folder / "check.mp4", deadline_s)
        name = given_up[0][0].cut.segment.name
        raise NoPicture(
            f"Frames of {name} cannot be decoded.",
            name,
            merged(window for source, window in given_up if source.cut.segment.name == name),
        )
    return examined


def damaged_windows(examined: CutSource) -> list[TimeWindow]:
    """Return when the damaged frames were on screen: until the next frame that is intact."""
    return [_on_screen(examined, run, then) for run, then in _runs(examined, examined.damaged)]


def give_up_damage(examined: Iterable[CutSource], cause: Exception) -> None:
    """Raise NoPicture for the damaged frames of the first recording that has any."""
    for source in examined:
        if windows := damaged_windows(source):
            name = source.cut.segment.name
            if source.damaged.intersection(source.frames[: source.held_frames]):
                windows[0] = _with_references(source, windows[0])
            raise NoPicture(
                f"Damaged frames of {name} cannot be encoded: {cause}", name, windows
            ) from cause


def _beyond_holding(source: CutSource, missing: set[int]) -> Iterator[TimeWindow]:
    """Yield the windows that no picture of the cut can stand in for."""
    tolerance_ms, held = source.cut.segment.tolerance_ms(MAX_HELD_MS), source.held_frames
    for run, then in _runs(source, missing):
        window = _on_screen(source, run, then)
        if run[0] == source.frames[0] or window.duration_ms > tolerance_ms:
            yield _with_references(source, window) if run[0] in source.frames[:held] else window


def _with_references(source: CutSource, window: TimeWindow) -> TimeWindow:
    """Return the window from the keyframe on that the picture held at the cut's start refers to.

    No picture between them can be held in its place.
    """
    start_ms = source.seen_ms(source.decode_start_of(source.frames[:1]))
    return TimeWindow(min(start_ms, window.start_ms), window.end_ms)


def _runs(source: CutSource, chosen: Iterable[int]) -> Iterator[tuple[list[int], int | None]]:
    """Yield the runs of chosen frames in presentation order, each with the next other frame."""
    pts, wanted = source.video.pts, set(chosen)
    frames = sorted(wanted.union(source.frames), key=pts.__getitem__)
    at = 0
    for is_chosen, group in groupby(frames, wanted.__contains__):
        run = [*group]
        at += len(run)
        if is_chosen:
            yield run, frames[at] if at < len(frames) else None


def _on_screen(source: CutSource, run: Sequence[int], then: int | None) -> TimeWindow:
    window = source.cut.window
    start_ms = max(window.start_ms, source.seen_ms(run[0]))
    if run[0] == source.frames[0]:
        start_ms = window.start_ms
    end_ms = window.end_ms if then is None else source.seen_ms(then)
    return TimeWindow(start_ms, max(end_ms, start_ms + 1))


@define
class _Search:
    ffmpeg: Ffmpeg
    path: Path
    deadline_s: float
    decodes_left: int = field(default=MAX_DECODES)

    def damage_of(self, source: CutSource) -> tuple[set[int], set[int]]:
        """Return the cut's damaged frames, and those without a picture."""
        groups = picture_groups(source)
        faulty = self._faulty(source, groups)
        damaged = {frame for group in faulty for frame in group.frames}
        missing: set[int] = set()
        for is_faulty, run in groupby(groups, lambda group: group.frames[0] in damaged):
            if is_faulty:
                group = joined([*run])
                excerpt = extract(source, group.frames, group.decode_start, self.path)
                pictures = frames_with_picture(self.ffmpeg, excerpt, self.deadline_s)
                missing |= {*group.frames} - pictures
        return damaged, missing

    def _faulty(self, source: CutSource, groups: Sequence[PictureGroup]) -> list[PictureGroup]:
        """Return the groups with a fault; neighbours as one where there are too many to decode."""
        faulty = []
        queue = deque(_portions(source, groups))
        while queue:
            portion = queue.popleft()
            group = joined(portion)
            if self.decodes_left > 0 and self._is_intact(source, group):
                continue
            if len(portion) == 1 or self.decodes_left <= 0:
                faulty.append(group)
            else:
                half = len(portion) // 2
                queue += [portion[:half], portion[half:]]
        return faulty

    def _is_intact(self, source: CutSource, group: PictureGroup) -> bool:
        self.decodes_left -= 1
        excerpt = extract(source, group.frames, group.decode_start, self.path)
        return decodes_without_fault(self.ffmpeg, excerpt, self.deadline_s)


def _portions(source: CutSource, groups: Sequence[PictureGroup]) -> Iterator[list[PictureGroup]]:
    """Divide the groups into portions that are small enough for the scratch folder."""
    portion: list[PictureGroup] = []
    size_bytes = 0
    for group in groups:
        group_bytes = sum(source.video.sizes[group.decode_start : max(group.frames) + 1])
        if portion and size_bytes + group_bytes > MAX_EXCERPT_BYTES:
            yield portion
            portion, size_bytes = [], 0
        portion.append(group)
        size_bytes += group_bytes
    if portion:
        yield portion
