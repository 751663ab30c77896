"""Values of the formats' tests."""

from hypothesis import settings
from hypothesis import strategies as st

from domain.clip import ClipRequest
from domain.coverage import Clock, Coverage, Unused, Verification
from domain.manifest import MediaInfo, Source
from domain.proof import ByteRange, CopiedPart, FrameRun, OwnPart, Proof, ThumbnailHash, Tool
from domain.window import TimeWindow

SENT_MS = 1_537_119_500_000
START_MS, END_MS = 1_537_119_363_000, 1_537_119_423_000
REQUEST = ClipRequest("clip-1", "pier", START_MS, END_MS)
FOOTAGE = MediaInfo(5, 0.0, 4.0, 5.0, "avc1", 1920, 1080)
TIMES = st.integers(946_684_800_000, 10**15 - 1)
IDS = st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True)
FLOATS = st.floats(0, 1e9)
COUNTS = st.integers(0, 10**9)
FOOTAGES = st.builds(
    MediaInfo, COUNTS, FLOATS, FLOATS, FLOATS, st.text(min_size=1), COUNTS, COUNTS, COUNTS, COUNTS
)
WINDOWS = st.tuples(TIMES, st.integers(1, 10**6)).map(lambda two: TimeWindow(two[0], sum(two)))
WINDOW_LISTS = st.lists(WINDOWS, max_size=20).map(tuple)
COVERAGES = st.builds(
    Coverage,
    WINDOW_LISTS,
    WINDOW_LISTS,
    WINDOW_LISTS,
    st.lists(st.builds(Unused, st.text(), WINDOWS), max_size=20).map(tuple),
    st.none() | st.builds(Clock, FLOATS, st.integers(-(10**9), 10**9)),
    st.none() | st.sampled_from(Verification),
    st.lists(st.text()).map(tuple),
)
SOURCES = st.lists(
    st.builds(
        Source,
        st.text(),
        st.text(),
        WINDOWS,
        st.lists(st.builds(ByteRange, COUNTS, COUNTS), max_size=3).map(tuple),
        st.text(),
        st.text(),
        COUNTS,
        st.text(),
    ),
    max_size=5,
).map(tuple)
PROOFS = st.builds(
    Proof,
    st.lists(st.builds(OwnPart, COUNTS, COUNTS, st.text()), max_size=5).map(tuple),
    st.lists(st.builds(CopiedPart, COUNTS, COUNTS, st.text(), COUNTS), max_size=5).map(tuple),
    st.lists(st.builds(FrameRun, st.text(), st.text(), COUNTS, TIMES, TIMES)).map(tuple),
    st.lists(st.builds(Tool, st.text(), st.text())).map(tuple),
    st.lists(st.builds(ThumbnailHash, COUNTS, st.text())).map(tuple),
)
UNHURRIED = settings(max_examples=60, deadline=None)
