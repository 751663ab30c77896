"""Gather a clip's footage: plan with what the recordings really hold."""

from collections.abc import Iterable, Mapping
from itertools import chain

from attrs import Factory, define, field, frozen

from application.ports import CameraService, Listing, Recording, RecordingStore
from domain.clip import ClipRequest
from domain.coverage import Coverage
from domain.errors import ClipError, NotFinishedYet, NotRecordedYet, Rejected, UnusableFootage
from domain.pace import Pace, paces_of
from domain.planning import Availability, ClipPlan, plan_clip
from domain.recording import RecordingSegment, believed_rates, may_run_at_another_rate
from domain.retry import Footage
from domain.window import TimeWindow, duration_text

MIN_CUTS_ALLOWED = 200
"""However short the clip."""
MIN_CUT_AVERAGE_MS = 5_000
"""Parts may be this short on average: many cameras write files of ten seconds."""
CUTS_PER_GAP = 2
"""Half as many gaps as parts are allowed: files of ten seconds with a gap after each."""
MAX_NOTED = 100
"""At most so many of the recordings that the listing leaves out are noted."""
NEIGHBOURS = 2
"""How many recordings on each side are compared, so that a wrong camera clock is distinguished from
one faulty recording."""

WithoutPicture = Mapping[str, tuple[TimeWindow, ...]]
"""By the name of a recording, the windows that no decoder makes a picture of."""


def max_cuts(window: TimeWindow) -> int:
    """Return of how many parts of recordings a clip of `window` may consist.

    The number follows the duration of the window, which VIDEO_MAX_LEN limits: an hour may be 720
    parts. Memory is why it is limited. Each opened recording keeps its sample index, whose size
    follows its duration, and what was read of it: 361 files of ten seconds took 120 MB.
    """
    return max(MIN_CUTS_ALLOWED, window.duration_ms // MIN_CUT_AVERAGE_MS)


def max_gaps(window: TimeWindow) -> int:
    """Return how many gaps a clip of `window` may have; each is listed in its reports."""
    return max_cuts(window) // CUTS_PER_GAP


@frozen
class GatheredFootage:
    """A plan, and the opened recordings that it needs."""

    plan: ClipPlan | None = None
    recordings: Mapping[str, Recording] = Factory(dict)
    """By the name of their segment."""
    left_out: tuple[str, ...] = ()
    """For people: which recordings were left out, and why."""
    is_some_unfinished: bool = False
    is_some_unreadable: bool = False

    @property
    def found(self) -> Footage:
        """What the retry policy decides from."""
        plan = self.plan
        return Footage(
            plan.availability if plan else Availability.NONE,
            self.is_some_unfinished,
            self.is_some_unreadable,
            plan.gaps if plan else (),
        )

    @property
    def coverage(self) -> Coverage:
        """What a clip of the plan shows, if every picture can be decoded."""
        plan = self.plan
        assert plan  # noqa: S101 - a clip is made only of planned footage
        doubts = chain.from_iterable(cut.segment.notes for cut in plan.cuts)
        notes = (*dict.fromkeys(doubts), *self.left_out)
        return Coverage(
            plan.gaps, held=plan.held, unused=plan.unused, clock=plan.clock, notes=notes
        )

    @property
    def paces(self) -> tuple[Pace, ...]:
        """How the clip's clock runs, if it departs from the wall clock other than at gaps."""
        return paces_of(self.plan) if self.plan and self.plan.clock else ()

    @property
    def read_bytes(self) -> int:
        """How many bytes have been read from the recordings so far."""
        return sum(recording.read_bytes for recording in self.recordings.values())


@frozen
class GatherFootage:
    """Finds the recordings of a request, and opens those that its clip needs.

    `seam_tolerance_ms` is the longest hole between two recordings over which a picture is held.
    Listed dates may be wrong by as much.
    """

    cameras: CameraService
    recordings: RecordingStore
    seam_tolerance_ms: int

    def __call__(
        self,
        request: ClipRequest,
        listing: Listing,
        deadline_s: float,
        without_picture: WithoutPicture | None = None,
    ) -> GatheredFootage:
        """Open what the plan needs, and plan again, until nothing changes.

        `listing` is of the request's window and `seam_tolerance_ms` on both sides. Rejected if the
        footage is in too many parts.
        """
        search = _Search(self, request, deadline_s, without_picture or {})
        search.margin_ms = self.seam_tolerance_ms
        remarks = [listing.remark] if listing.remark else []
        search.listed_unusable = [*remarks, *map(str, listing.left_out[:MAX_NOTED])]
        search.add(listing)
        cuts_allowed, gaps_allowed = max_cuts(request.window), max_gaps(request.window)
        while True:
            plan = plan_clip(
                request.window,
                search.segments.values(),
                self.seam_tolerance_ms,
                fills_gaps=request.options.filler is not None,
            )
            if len(plan.cuts) > cuts_allowed or len(plan.gaps) > gaps_allowed:
                raise Rejected(
                    f"The footage is in too many parts: {len(plan.cuts)} parts of recordings and"
                    f" {len(plan.gaps)} gaps; {cuts_allowed} and {gaps_allowed} are allowed for a"
                    f" clip of {duration_text(request.window.duration_ms)}."
                )
            before = search.ending_before()
            if len(before) > MIN_CUTS_ALLOWED:
                raise Rejected(
                    f"{len(before)} recordings end just before the clip; {MIN_CUTS_ALLOWED} are"
                    " allowed."
                )
            needed = {cut.segment.name for cut in plan.cuts} | before
            unopened = needed - search.opened.keys()
            if unopened:
                search.open_all(sorted(unopened))
                continue
            may_plan_change = search.widen_listing() or search.apply_rates()
            if not may_plan_change:
                return GatheredFootage(
                    plan,
                    search.opened,
                    (*search.listed_unusable, *map(str, search.errors)),
                    # Each NotFinishedYet is a NotRecordedYet, too.
                    is_some_unfinished=search.has_failed_with(NotRecordedYet),
                    is_some_unreadable=search.has_failed_with(NotFinishedYet, UnusableFootage),
                )


@define
class _Search:
    """What has been found so far."""

    use: GatherFootage
    request: ClipRequest
    deadline_s: float
    without_picture: WithoutPicture
    segments: dict[str, RecordingSegment] = field(factory=dict)
    """As listed, or as they are since they were opened."""
    opened: dict[str, Recording] = field(factory=dict)
    failed: set[str] = field(factory=set)
    """The names of the recordings that could not be opened."""
    errors: list[ClipError] = field(factory=list)
    """Why not, of those that are listed for the request's window."""
    listed_unusable: list[str] = field(factory=list)
    """For people: which recordings are listed but cannot be used, why, and the list's remark."""
    margin_ms: int = -1
    """How far around the request's window the camera's recordings have been listed."""

    def list_around(self, margin_ms: int) -> None:
        """Add what the camera lists for the request's window and `margin_ms` on both sides."""
        self.margin_ms = margin_ms
        window = self.request.window.widened(margin_ms)
        self.add(self.use.cameras.find_segments(self.request.camera_id, window, self.deadline_s))

    def add(self, listing: Listing) -> None:
        """Add the listed segments."""
        # The earliest entry for a name comes last and stays, in whatever order they are listed.
        for segment in sorted(listing.segments, reverse=True):
            if segment.name not in self.opened and segment.name not in self.failed:
                self.segments[segment.name] = segment

    def open_all(self, names: Iterable[str]) -> None:
        """Open recordings; leave out those that cannot be read."""
        names = list(names)
        segments = [self.segments[name] for name in names]
        window = self.request.window
        opened = self.use.recordings.open_all(segments, window, self.deadline_s)
        for name, segment, recording in zip(names, segments, opened, strict=True):
            if isinstance(recording, ClipError):
                del self.segments[name]
                self.failed.add(name)
                if segment.window.overlaps(window):
                    self.errors.append(recording)
            else:
                self.opened[name] = recording
                self.segments[name] = recording.segment.without(self.without_picture.get(name, ()))

    def has_failed_with(self, *kinds: type[ClipError]) -> bool:
        """Return whether a listed recording could not be opened for a reason of these kinds."""
        return any(isinstance(error, kinds) for error in self.errors)

    def ending_before(self) -> set[str]:
        """Return the recordings that are listed to end a little before the request's window.

        They may last into it, or their last picture may be held until then.
        """
        start_ms = self.request.window.start_ms
        return {
            name
            for name, segment in self.segments.items()
            if start_ms - self.tolerance_ms < segment.window.end_ms <= start_ms
        }

    @property
    def tolerance_ms(self) -> int:
        """The longest time for which a picture of the opened recordings is held."""
        tolerance_ms = self.use.seam_tolerance_ms
        held_ms = (r.segment.tolerance_ms(tolerance_ms) for r in self.opened.values())
        return max(held_ms, default=tolerance_ms)

    def widen_listing(self) -> bool:
        """List more if a slow camera's picture is held for longer than others'; return whether."""
        if self.tolerance_ms <= self.margin_ms:
            return False
        self.list_around(self.tolerance_ms)
        return True

    def apply_rates(self) -> bool:
        """Scale recordings whose media runs at another rate; return whether the plan may change.

        Only what is open is compared, with its neighbours.
        """
        tolerance_ms = self.use.seam_tolerance_ms
        doubtful = [
            recording.segment
            for recording in self.opened.values()
            if may_run_at_another_rate(recording.segment, tolerance_ms)
        ]
        if not doubtful:
            return False
        changed = self._open_neighbours(doubtful)
        opened = [recording.segment for recording in self.opened.values()]
        for name, rate in believed_rates(opened, tolerance_ms).items():
            if self.segments[name].rate != rate:
                scaled = self.opened[name].segment.at_rate(rate)
                self.segments[name] = scaled.without(self.without_picture.get(name, ()))
                changed = True
        return changed

    def _open_neighbours(self, doubtful: Iterable[RecordingSegment]) -> bool:
        """Open the recordings next to each of those that are `doubtful`; return whether any was."""
        margin_ms = (NEIGHBOURS + 1) * max(segment.listed_ms for segment in doubtful)
        if margin_ms > self.margin_ms:
            self.list_around(margin_ms)
        names = [segment.name for segment in sorted(self.segments.values())]
        near = {
            name
            for segment in doubtful
            if segment.name in names
            for at in [names.index(segment.name)]
            for name in names[max(0, at - NEIGHBOURS) : at + NEIGHBOURS + 1]
        }
        unopened = near - self.opened.keys()
        self.open_all(sorted(unopened))
        return bool(unopened)
