"""Find a range of a fragmented file without walking all of it.

If neither sidx nor mfra gives the fragments' offsets, time is taken to be about linear in bytes:
look at the byte where the time should be, read backwards to the previous moof, and measure by its
decode times how far off it is. Bytes that equal a moof's by chance fail ``MoofSearch.is_at``, and a
fragment that begins out of order is ignored.

Whatever contradicts a clock that runs on steadily, such as a step back or a jump ahead between
samples that were read, leads to a walk through the whole file.
"""

import struct
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from itertools import pairwise

from attrs import define, field, frozen

from infrastructure.mp4.completeness import (
    MAX_INTERLEAVE_MS,
    EndReached,
    TracksByHandler,
    is_begin_known,
    is_end_known,
    leading_kind,
)
from infrastructure.mp4.edit_list import PresentationRange
from infrastructure.mp4.errors import InvalidMp4
from infrastructure.mp4.fragment_index import (
    MAX_INDEX_BOX_BYTES,
    FragmentEntry,
    read_mfra,
    read_sidx,
)
from infrastructure.mp4.fragments import FRAGMENT_READ_BYTES, Defaults, Fragment, walk
from infrastructure.mp4.moof_search import MAX_SCAN_BYTES, MoofSearch
from infrastructure.mp4.range_cache import RangeCache
from infrastructure.mp4.sample_tables import StoredTrack
from infrastructure.mp4.steady_times import is_steady

MAX_WALKED_BYTES = 4 << 20
"""A file of at most this size is walked whole."""
MAX_WALKED_FRAGMENTS, MAX_WALKED_FRAGMENTS_PER_MIB = 16, 4
"""So is one of so few fragments, and so many more for each MiB of a fragment, which is as much to
search."""
MAX_FIRST_FRAGMENTS, MAX_FIRST_BYTES = 64, 8 << 20
"""A sync sample, if there is one, is within so many fragments and bytes."""
MAX_FRAGMENTS_WITHOUT_AUDIO = 3
"""Audio that does not follow the video within so many fragments is taken to be absent."""
MAX_ENTRIES_TRIED = 4
MAX_PROBES = 6
MAX_FRAGMENTS_TO_WALK = 4
"""Up to so many fragments are walked; beyond that, a jump costs less."""
MAX_PREFETCH_BYTES = 4 << 20
MAX_FIRST_BOXES = 64
MAX_LAST_PROBES = 16


@frozen
class AccessPoint:
    """The first times of a file read from the fragment at *at* on. Stored times, in ticks."""

    at: int  # bytes
    dts: int  # of the leading track's first sample
    sync_pts: int  # of its first sync sample
    other_dts: int | None  # of the other track's first sample, if one comes soon


@define(eq=False)
class FragmentSeeker:
    """The fragments of a file from *begin* on; *tracks* hold the samples of the moov itself."""

    file: RangeCache
    begin: int
    tracks: TracksByHandler
    trex: Mapping[int, Defaults]
    moofs: MoofSearch = field(init=False)
    _entries: list[FragmentEntry] = field(factory=list)
    _seen: dict[int, AccessPoint] = field(factory=dict)
    _last_dts: int = 0
    _walked: int = 0
    _walked_bytes: int = 0

    def __attrs_post_init__(self) -> None:
        self.moofs = MoofSearch(self.file, self.begin)

    def whole(self) -> TracksByHandler:
        """Walk all fragments."""
        tracks = self._from(self.begin)
        for _ in walk(self.file, self.begin, _by_id(tracks), self.trex):
            pass
        return tracks

    def read_ends(self) -> tuple[TracksByHandler, TracksByHandler] | None:
        """Return each track's first and last samples, which give its start and end.

        None if that needs a walk through all fragments, or a walk costs less.
        """
        cut = any(track.edit and track.edit.duration for track in self.tracks.values())
        if self.file.size_bytes <= MAX_WALKED_BYTES or cut or not self.tracks:
            return None
        try:
            first = self._first()
            last = None if first is None else self._last(first)
        except (InvalidMp4, struct.error):
            return None
        if first is None or last is None or not self._are_steady(first, last):
            return None
        return first, last

    def read_range(
        self, shown: Mapping[str, PresentationRange], from_ms: int, to_ms: int
    ) -> TracksByHandler | None:
        """Return the samples that present from_ms <= time < to_ms, and some around them.

        None if that needs a walk through all fragments, as it does if anything is inconsistent.
        """
        try:
            return self._read_range(
                {kind: self._ticks(kind, shown, from_ms) for kind in shown},
                {kind: self._ticks(kind, shown, to_ms) + 1 for kind in shown},
            )
        except (InvalidMp4, struct.error):
            return None

    def _read_range(
        self, begins: Mapping[str, int], ends: Mapping[str, int]
    ) -> TracksByHandler | None:
        at = self._find(begins)
        tracks = self._from(at)
        end_reached = EndReached(tracks, ends)
        for fragment in self._walk(at, tracks):
            if end_reached.reached():
                break
            self._prefetch(at, fragment, end_reached, begins)
        leader = tracks[leading_kind(begins)]
        unknown = any(track.sizes for kind, track in tracks.items() if kind not in begins)
        if unknown or not leader.sizes:
            return None
        complete = end_reached.reached() or leader.dts[-1] == self._last_dts
        return tracks if complete and self._are_steady(tracks) else None

    def _are_steady(self, *parts: TracksByHandler) -> bool:
        """Return whether samples, of which others are between, may be where their times say."""
        leading = leading_kind(self.tracks)
        latest: dict[str, int] = {}
        for tracks in parts:
            for kind, track in tracks.items():
                if not track.sizes:
                    continue
                if not is_steady(track, is_leading=kind == leading):
                    return False
                if track.dts[-1] < latest.get(kind, track.dts[-1]):
                    return False
                latest[kind] = track.dts[-1]
        return all(after.at >= before.at for before, after in pairwise(self._entries))

    def _prefetch(
        self, first: int, last: Fragment, end_reached: EndReached, begins: Mapping[str, int]
    ) -> None:
        """Read a short range together with its index, from fragment *last* on, in one request."""
        leading = leading_kind(begins)
        leader = end_reached.tracks[leading]
        if end_reached.prefetched or not leader.sizes:
            return
        decoded = leader.dts[-1] + leader.durations[-1]
        if decoded < begins[leading]:
            return
        end_reached.prefetched = True
        read_bytes = last.end - first
        # Four fifths of what the rate so far predicts, so that little is read in vain.
        ticks_left = end_reached.ends[leading] - decoded
        expected_bytes = read_bytes * ticks_left // max(decoded - leader.dts[0], 1)
        end = min(last.end + 4 * expected_bytes // 5, self.file.size_bytes)
        if last.end < end <= last.at + MAX_PREFETCH_BYTES:
            self.file.read(last.at, end - last.at)

    def _ticks(self, kind: str, shown: Mapping[str, PresentationRange], ms: int) -> int:
        return ms * self.tracks[kind].timescale // 1000 - shown[kind].shift

    def _from(self, at: int) -> TracksByHandler:
        """Return the tracks with the samples that precede the fragment at *at*."""
        later = at != self.begin
        return {kind: track.copied(is_emptied=later) for kind, track in self.tracks.items()}

    def _walk(self, at: int, tracks: TracksByHandler) -> Iterator[Fragment]:
        leader, samples = tracks[leading_kind(tracks)], 0
        for fragment in walk(self.file, at, _by_id(tracks), self.trex, timed=True):
            self._walked += len(leader.sizes) > samples
            self._walked_bytes += fragment.end - fragment.at
            samples = len(leader.sizes)
            yield fragment

    def _moof_before(self, end: int, floor: int) -> int | None:
        return self.moofs.last_before(end, floor, self._fragment_bytes // 4)

    @property
    def _fragment_bytes(self) -> int:
        return self._walked_bytes // max(self._walked, 1)

    # The two ends of the file.

    def _first(self) -> TracksByHandler | None:
        tracks = self._from(self.begin)
        leader = tracks[leading_kind(tracks)]
        silent = 0
        for number, fragment in enumerate(self._walk(self.begin, tracks)):
            each = self._fragment_bytes
            if self.file.size_bytes < each * (
                MAX_WALKED_FRAGMENTS + MAX_WALKED_FRAGMENTS_PER_MIB * (each >> 20)
            ):
                return None
            if is_begin_known(leader):
                if (
                    all(track.sizes for track in tracks.values())
                    or silent == MAX_FRAGMENTS_WITHOUT_AUDIO
                ):
                    return tracks
                silent += 1
            if _is_far(number, fragment.end - self.begin):
                break
        return None

    def _last(self, first: TracksByHandler) -> TracksByHandler | None:
        leading = leading_kind(first)
        kinds = {kind for kind, track in first.items() if track.sizes}
        size = end = self.file.size_bytes
        self._read_entries(self.tracks[leading].track_id)
        at = max((entry.at for entry in self._entries), default=None)
        if at is not None and not (self.moofs.is_at(at) and self.moofs.lead_to_end(at)):
            self._entries, at = [], None
        # A moof is likelier before the last two thirds of a fragment than within them; if not, the
        # walk reaches it.
        end -= 2 * self._fragment_bytes // 3
        for _ in range(MAX_LAST_PROBES):
            at = self._moof_before(end, self.begin) if at is None else at
            if at is None or size - at > MAX_SCAN_BYTES:
                return None
            tracks = self._from(at)
            if self.moofs.lead_to_end(at):
                for _ in self._walk(at, tracks):
                    pass
            found = {kind for kind, track in tracks.items() if track.sizes}
            if found == kinds and is_end_known(tracks[leading]):
                self._last_dts = tracks[leading].dts[-1]
                return tracks if self._begins(self.begin) and self._begins(at) else None
            end, at = (2 * at - size if found else at), None
        return None

    def _read_entries(self, track_id: int) -> None:
        """Read the fragment index: the sidx boxes, or else mfra."""
        scales = {track.track_id: track.timescale for track in self.tracks.values()}
        at = self.begin
        for _ in range(MAX_FIRST_BOXES):
            found = self.file.header(at, FRAGMENT_READ_BYTES)
            if found is None or found.kind == b"moof":
                break
            end = at + found.size_bytes
            if end > self.file.size_bytes or found.size_bytes > MAX_INDEX_BOX_BYTES:
                break
            if found.kind == b"sidx":
                box = memoryview(self.file.read(at, found.size_bytes))[found.header_bytes :]
                of, entries, until = read_sidx(box, end, scales)
                if of == track_id and until > self.file.size_bytes - MAX_INDEX_BOX_BYTES:
                    self._entries = entries
            at = end
        self._entries = sorted(self._entries or read_mfra(self.file, track_id))

    # Any place.

    def _find(self, begins: Mapping[str, int]) -> int:
        """Return where to begin, so that everything shown from *begins* on can be decoded."""
        target_dts = begins[leading_kind(begins)]
        after = bisect_right(self._entries, target_dts, key=lambda entry: entry.time)
        for entry in reversed(self._entries[max(0, after - MAX_ENTRIES_TRIED) : after]):
            beginning = self._begins(entry.at) if self.moofs.is_at(entry.at) else None
            if beginning and self._is_early(beginning, begins):
                return entry.at
        low, high = self._between(begins)
        late = 0
        for _ in range(MAX_PROBES):
            goal = self._goal(low, high, target_dts, late)
            at = None if goal is None else self._moof_before(goal, low.at + 1)
            beginning = None if at is None else self._begins(at)
            if beginning is None or not low.dts <= beginning.dts <= high.dts:
                break
            if self._is_early(beginning, begins):
                low = beginning
            else:
                high, late = beginning, late + 1
        return low.at

    def _between(self, begins: Mapping[str, int]) -> tuple[AccessPoint, AccessPoint]:
        """Return the last access point known to be early enough, and the first that is not.

        The first is the file's beginning if no other is, the second its end.
        """
        places = sorted(self._seen.values(), key=lambda seen: seen.at)
        low, high = places[0], places[-1]
        for seen in reversed(places[1:]):
            if self._is_early(seen, begins):
                low = seen
                break
            high = seen
        return low, high

    def _goal(self, low: AccessPoint, high: AccessPoint, target_dts: int, late: int) -> int | None:
        """Return the byte from which to search backwards; None if *low* is near enough.

        It is early rather than late, and earlier after each guess that was late.
        """
        if high.dts <= low.dts:
            return None
        near, other = sorted(self._seen.values(), key=lambda seen: abs(seen.dts - target_dts))[:2]
        goal = near.at
        if near.dts != other.dts:
            goal += (target_dts - near.dts) * (near.at - other.at) // (near.dts - other.dts)
        if not low.at < goal < high.at:
            goal = low.at + (target_dts - low.dts) * (high.at - low.at) // (high.dts - low.dts)
        if goal - low.at <= MAX_FRAGMENTS_TO_WALK * self._fragment_bytes:
            return None
        margin = (self._fragment_bytes >> 1) + (abs(goal - near.at) >> 5)
        return min(max(goal - (margin << late), low.at + 1), high.at)

    def _begins(self, at: int) -> AccessPoint | None:
        """Return the access point at *at*; None if no sync sample follows soon."""
        if at not in self._seen:
            tracks = self._from(at)
            leading = leading_kind(tracks)
            leader = tracks[leading]
            others = [track for kind, track in tracks.items() if kind != leading]
            extra = 0
            for number, fragment in enumerate(self._walk(at, tracks)):
                if 1 in leader.sync:
                    if all(track.sizes for track in others) or extra == MAX_FRAGMENTS_WITHOUT_AUDIO:
                        break
                    extra += 1
                if _is_far(number, fragment.end - at):
                    break
            if 1 not in leader.sync:
                return None
            sync_pts = leader.pts[leader.sync.index(1)]
            other = next((track.dts[0] for track in others if track.sizes), None)
            self._seen[at] = AccessPoint(at, leader.dts[0], sync_pts, other)
        return self._seen[at]

    def _is_early(self, beginning: AccessPoint, begins: Mapping[str, int]) -> bool:
        """Return whether a read from *beginning* on has everything shown from *begins* on."""
        leading = leading_kind(begins)
        ahead = begins[leading] - beginning.sync_pts
        if ahead < 0:
            return False
        other = beginning.other_dts
        apart = MAX_INTERLEAVE_MS * self.tracks[leading].timescale // 1000
        return (
            other is None
            or ahead >= apart
            or all(other <= target_dts for kind, target_dts in begins.items() if kind != leading)
        )


def _is_far(fragments: int, size_bytes: int) -> bool:
    return fragments >= MAX_FIRST_FRAGMENTS or size_bytes > MAX_FIRST_BYTES


def _by_id(tracks: TracksByHandler) -> dict[int, StoredTrack]:
    return {track.track_id: track for track in tracks.values()}
