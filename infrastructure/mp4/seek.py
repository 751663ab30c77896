"""Find a stretch of a fragmented file without walking all of it.

Where neither sidx nor mfra says where the fragments lie, time is about linear in bytes: look where
the moment should be, read backwards to the moof before, and see by its decode times how far off it
is. Bytes that look like a moof by chance do not pass ``_is_moof``, and a fragment that begins out
of order is not believed.
"""

# ruff: noqa: PLR2004 - the numbers are the standard's own

import struct
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from operator import sub

from attrs import define, field, frozen

from infrastructure.mp4.boxes import children
from infrastructure.mp4.edit_list import PresentationRange
from infrastructure.mp4.errors import InvalidMp4
from infrastructure.mp4.fragment_index import MAX_BOX_BYTES, FragmentEntry, read_mfra, read_sidx
from infrastructure.mp4.fragments import READ_BYTES, Defaults, Fragment, walk
from infrastructure.mp4.range_cache import RangeCache
from infrastructure.mp4.sample_tables import StoredTrack

SMALL_BYTES = 4 << 20
"""A file no longer than this is walked whole."""
FEW_FRAGMENTS, MORE_PER_MIB = 16, 4
"""So is one of so few fragments; of long ones more are few, as each is as much to search."""
MAX_FIRST_FRAGMENTS, MAX_FIRST_BYTES = 64, 8 << 20
"""Where something begins that has a sync sample, it comes that soon."""
MAX_FRAGMENTS_WITHOUT_AUDIO = 3
"""So many fragments further, the sound must have come."""
APART_MS = 5000
"""Sound and picture of one moment lie at most so far from each other in the file."""
MAX_REORDERED = 16
"""No frame is shown before more frames that are decoded before it (H.264 A.3.1, HEVC A.4.2)."""
HINTS_TRIED = 4
MAX_PROBES = 6
NEAR_FRAGMENTS = 4
"""So many are walked rather than jumped over."""
SCAN_BYTES = (96 << 10, 256 << 10)
"""The shortest and the longest first step backwards; each next one is a quarter longer."""
READ_THROUGH_BYTES = 4 << 20
MAX_SCAN_BYTES = 16 << 20
MAX_FIRST_BOXES = 64
MAX_LAST_BOXES = 1000
LAST_TRIES = 16
MAX_LOOKALIKES = 16
"""By chance, four bytes spell "moof" once in 4 GiB."""
MAX_MOOF_BYTES = 1 << 20
IN_MOOF = {b"mfhd", b"traf", b"meta", b"pssh", b"uuid", b"free", b"skip"}
BETWEEN_MOOFS = {
    *(b"moof", b"mdat", b"styp", b"sidx", b"ssix", b"emsg", b"prft"),
    *(b"mfra", b"meta", b"free", b"skip", b"uuid"),
}

TracksByHandler = dict[str, StoredTrack]
"""By kind: "vide", "soun"."""


@frozen
class AccessPoint:
    """What a file shows that is read from the fragment at *at* on. Stored times, in ticks."""

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
    _hints: list[FragmentEntry] = field(factory=list)
    _seen: dict[int, AccessPoint] = field(factory=dict)
    _last_dts: int = 0
    _walked: int = 0
    _walked_bytes: int = 0

    def whole(self) -> TracksByHandler:
        """Walk all fragments."""
        tracks = self._from(self.begin)
        for _ in walk(self.file, self.begin, _by_id(tracks), self.trex):
            pass
        return tracks

    def read_ends(self) -> tuple[TracksByHandler, TracksByHandler] | None:
        """Return each track's first samples and its last: enough to say when it begins and ends.

        None where that takes a walk through all fragments, or a walk is cheaper.
        """
        cut = any(track.edit and track.edit.duration for track in self.tracks.values())
        if self.file.size_bytes <= SMALL_BYTES or cut or not self.tracks:
            return None
        try:
            first = self._first()
            last = None if first is None else self._last(first)
        except (InvalidMp4, struct.error):
            return None
        return None if first is None or last is None else (first, last)

    def read_range(
        self, shown: Mapping[str, PresentationRange], from_ms: int, to_ms: int
    ) -> TracksByHandler | None:
        """Return the samples that present from_ms <= time < to_ms, and some around them.

        None where that takes a walk through all fragments; so it does where anything is amiss.
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
        past = _EndReached(tracks, ends)
        for fragment in self._walk(at, tracks):
            if past.reached():
                break
            self._read_through(at, fragment, past, begins)
        leader = tracks[_leading(begins)]
        unknown = any(track.sizes for kind, track in tracks.items() if kind not in begins)
        if unknown or not leader.sizes or not (past.reached() or leader.dts[-1] == self._last_dts):
            return None
        return tracks

    def _read_through(
        self, first: int, last: Fragment, past: "_EndReached", begins: Mapping[str, int]
    ) -> None:
        """Where little is wanted, read it together with its index, from fragment *last* on."""
        leads = _leading(begins)
        leader = past.tracks[leads]
        if past.reading or not leader.sizes:
            return
        decoded = leader.dts[-1] + leader.durations[-1]
        if decoded < begins[leads]:
            return
        past.reading = True
        come = last.end - first
        # Four fifths of what the rate so far lets expect: too much would be read for nothing.
        length = come * (past.ends[leads] - decoded) // max(decoded - leader.dts[0], 1)
        end = min(last.end + 4 * length // 5, self.file.size_bytes)
        if last.end < end <= last.at + READ_THROUGH_BYTES:
            self.file.read(last.at, end - last.at)

    def _ticks(self, kind: str, shown: Mapping[str, PresentationRange], ms: int) -> int:
        return ms * self.tracks[kind].timescale // 1000 - shown[kind].shift

    def _from(self, at: int) -> TracksByHandler:
        """Return the tracks with the samples they have before the fragment at *at* is read."""
        first = at == self.begin
        return {k: track.copied() if first else track.emptied() for k, track in self.tracks.items()}

    def _walk(self, at: int, tracks: TracksByHandler) -> Iterator[Fragment]:
        leader, samples = tracks[_leading(tracks)], 0
        for fragment in walk(self.file, at, _by_id(tracks), self.trex, timed=True):
            self._walked += len(leader.sizes) > samples
            self._walked_bytes += fragment.end - fragment.at
            samples = len(leader.sizes)
            yield fragment

    @property
    def _fragment_bytes(self) -> int:
        return self._walked_bytes // max(self._walked, 1)

    # The two ends of the file.

    def _first(self) -> TracksByHandler | None:
        tracks = self._from(self.begin)
        leader = tracks[_leading(tracks)]
        silent = 0
        for number, fragment in enumerate(self._walk(self.begin, tracks)):
            each = self._fragment_bytes
            if self.file.size_bytes < each * (FEW_FRAGMENTS + MORE_PER_MIB * (each >> 20)):
                return None
            if _is_begin_known(leader):
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
        leads = _leading(first)
        kinds = {kind for kind, track in first.items() if track.sizes}
        size = end = self.file.size_bytes
        self._read_hints(self.tracks[leads].track_id)
        at = max((hint.at for hint in self._hints), default=None)
        if at is not None and not (self._is_moof(at) and self._leads_to_end(at)):
            self._hints, at = [], None
        # A moof is likelier before the last two thirds of a fragment than within them; where it is
        # not, it is walked to.
        end -= 2 * self._fragment_bytes // 3
        for _ in range(LAST_TRIES):
            at = self._moof_before(end, self.begin) if at is None else at
            if at is None or size - at > MAX_SCAN_BYTES:
                return None
            tracks = self._from(at)
            if self._leads_to_end(at):
                for _ in self._walk(at, tracks):
                    pass
            found = {kind for kind, track in tracks.items() if track.sizes}
            if found == kinds and _is_end_known(tracks[leads]):
                self._last_dts = tracks[leads].dts[-1]
                return tracks if self._begins(self.begin) and self._begins(at) else None
            end, at = (2 * at - size if found else at), None
        return None

    def _read_hints(self, track_id: int) -> None:
        """Find out what the file itself says about where its fragments lie."""
        scales = {track.track_id: track.timescale for track in self.tracks.values()}
        at = self.begin
        for _ in range(MAX_FIRST_BOXES):
            found = self.file.header(at, READ_BYTES)
            if found is None or found.kind == b"moof":
                break
            end = at + found.size_bytes
            if end > self.file.size_bytes or found.size_bytes > MAX_BOX_BYTES:
                break
            if found.kind == b"sidx":
                box = memoryview(self.file.read(at, found.size_bytes))[found.header_bytes :]
                of, hints, until = read_sidx(box, end, scales)
                if of == track_id and until > self.file.size_bytes - MAX_BOX_BYTES:
                    self._hints = hints
            at = end
        self._hints = sorted(self._hints or read_mfra(self.file, track_id))

    def _leads_to_end(self, at: int) -> bool:
        """Tell whether box follows box from *at* to the file's end, or to one that it cuts off."""
        size = self.file.size_bytes
        try:
            for _ in range(MAX_LAST_BOXES):
                found = self.file.header(at, READ_BYTES) if at < size else None
                if found is None:
                    return True
                if found.kind not in BETWEEN_MOOFS:
                    return False
                at += found.size_bytes
        except InvalidMp4:
            pass
        return False

    # Any place.

    def _find(self, begins: Mapping[str, int]) -> int:
        """Return where to begin, so that all that is shown from those moments on can be decoded."""
        moment = begins[_leading(begins)]
        after = bisect_right(self._hints, moment, key=lambda hint: hint.time)
        for hint in reversed(self._hints[max(0, after - HINTS_TRIED) : after]):
            beginning = self._begins(hint.at) if self._is_moof(hint.at) else None
            if beginning and self._is_early(beginning, begins):
                return hint.at
        low, high = self._between(begins)
        late = 0
        for _ in range(MAX_PROBES):
            goal = self._goal(low, high, moment, late)
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
        """Return the last place seen that is early enough, and the first that is not.

        The file's beginning must do, its end may.
        """
        places = sorted(self._seen.values(), key=lambda seen: seen.at)
        low, high = places[0], places[-1]
        for seen in reversed(places[1:]):
            if self._is_early(seen, begins):
                low = seen
                break
            high = seen
        return low, high

    def _goal(self, low: AccessPoint, high: AccessPoint, moment: int, late: int) -> int | None:
        """Guess behind which byte to look for *moment*; None where *low* is near enough.

        Rather too early than too late, and the more so the oftener that happened.
        """
        if high.dts <= low.dts:
            return None
        near, other = sorted(self._seen.values(), key=lambda seen: abs(seen.dts - moment))[:2]
        goal = near.at
        if near.dts != other.dts:
            goal += (moment - near.dts) * (near.at - other.at) // (near.dts - other.dts)
        if not low.at < goal < high.at:
            goal = low.at + (moment - low.dts) * (high.at - low.at) // (high.dts - low.dts)
        if goal - low.at <= NEAR_FRAGMENTS * self._fragment_bytes:
            return None
        margin = (self._fragment_bytes >> 1) + (abs(goal - near.at) >> 5)
        return min(max(goal - (margin << late), low.at + 1), high.at)

    def _begins(self, at: int) -> AccessPoint | None:
        """Look what comes from *at* on; None if that is nothing to begin with."""
        if at not in self._seen:
            tracks = self._from(at)
            leads = _leading(tracks)
            leader = tracks[leads]
            others = [track for kind, track in tracks.items() if kind != leads]
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
        """Tell whether all that is wanted is there if the file is read from *beginning* on."""
        leads = _leading(begins)
        ahead = begins[leads] - beginning.sync_pts
        if ahead < 0:
            return False
        other = beginning.other_dts
        apart = APART_MS * self.tracks[leads].timescale // 1000
        return (
            other is None
            or ahead >= apart
            or all(other <= moment for kind, moment in begins.items() if kind != leads)
        )

    def _moof_before(self, end: int, floor: int) -> int | None:
        """Return where the last moof before *end* lies, reading backwards, or None."""
        shortest, longest = SCAN_BYTES
        step = min(max(shortest, self._fragment_bytes // 4), longest)
        stop = max(floor, end - MAX_SCAN_BYTES)
        lookalikes = 0
        while end > stop:
            begin = max(stop, end - step)
            data = self.file.read(begin, min(end + 7, self.file.size_bytes) - begin)
            spot = data.rfind(b"moof")
            while spot >= 4:
                at = begin + spot - 4
                if self._is_moof(at):
                    return at
                lookalikes += 1
                if lookalikes > MAX_LOOKALIKES:
                    return None
                spot = data.rfind(b"moof", 0, spot + 3)
            end, step = begin, 5 * step // 4
        return None

    def _is_moof(self, at: int) -> bool:
        """Tell whether a whole moof, well-formed, lies there with a box behind it."""
        room = self.file.size_bytes - at
        if not self.begin <= at <= self.file.size_bytes - 32:
            return False
        begin = self.file.read(at, 16, READ_BYTES)
        size = int.from_bytes(begin[:4])
        if begin[4:] != b"moof\0\0\0\x10mfhd" or not 32 <= size <= min(MAX_MOOF_BYTES, room):
            return False
        try:
            inside = list(children(memoryview(self.file.read(at, size))[8:]))
            trafs = [next(children(payload))[0] for kind, payload in inside if kind == b"traf"]
            behind = self.file.header(at + size, READ_BYTES)
        except (InvalidMp4, StopIteration):
            return False
        return (
            all(kind in IN_MOOF for kind, _ in inside)
            and set(trafs) == {b"tfhd"}
            and behind is not None
            and behind.kind in BETWEEN_MOOFS
        )


def _leading(tracks: Mapping[str, object]) -> str:
    return "vide" if "vide" in tracks else "soun"


def _is_far(fragments: int, size_bytes: int) -> bool:
    return fragments >= MAX_FIRST_FRAGMENTS or size_bytes > MAX_FIRST_BYTES


def _by_id(tracks: TracksByHandler) -> dict[int, StoredTrack]:
    return {track.track_id: track for track in tracks.values()}


def _reach(track: StoredTrack) -> int:
    """Return how far apart decoding and presentation are, at most, in ticks."""
    return max((abs(pts - dts) for pts, dts in zip(track.pts, track.dts, strict=True)), default=0)


def _is_begin_known(track: StoredTrack) -> bool:
    """Tell whether no later sample can be shown before the first of these."""
    shown = [t for t in track.pts if track.edit is None or t >= track.edit.media_time]
    if not shown:
        return False
    decoded = track.dts[-1] + track.durations[-1] - min(shown)
    return len(shown) > MAX_REORDERED or decoded > max(2 * _reach(track), track.timescale)


def _is_end_known(track: StoredTrack) -> bool:
    """Tell whether no sample before these can be shown after the last of them.

    What is decoded before a sync sample is shown before it.
    """
    if not track.sizes:
        return False
    ahead = max(track.pts) - track.dts[0]
    return 1 in track.sync or ahead > max(2 * _reach(track), track.timescale)


@define(eq=False)
class _EndReached:
    """Tells whether all that is shown before *ends* has been appended to *tracks*."""

    tracks: TracksByHandler
    ends: Mapping[str, int]
    reading: bool = False
    _counted: int = 0
    _early: int = 0  # ticks: by how much a frame was shown before its own decode time, at most

    def reached(self) -> bool:
        leads = _leading(self.ends)
        leader = self.tracks[leads]
        if not leader.sizes:
            return False
        new = slice(self._counted, None)
        self._early = max([self._early, *map(sub, leader.dts[new], leader.pts[new])])
        self._counted = len(leader.sizes)
        # Twice, as a later fragment may go further than those seen.
        ahead = leader.dts[-1] + leader.durations[-1] - 2 * self._early - self.ends[leads]
        apart = APART_MS * leader.timescale // 1000
        return ahead >= 0 and all(
            ahead >= apart or (track.sizes and track.dts[-1] + track.durations[-1] >= end)
            for kind, end in self.ends.items()
            if kind != leads and (track := self.tracks[kind])
        )
