"""What each byte of a clip is, and which frames have which bytes."""

import time

import pytest
from attrs import evolve

from domain.findings import Finding, Judgement, Subject, judgement_of
from domain.proof import (
    COPIED,
    ENCODED,
    FILLER,
    ByteRange,
    CopiedPart,
    FrameRun,
    OwnPart,
    Proof,
    ProvenFrames,
    SeenFrames,
    ShownFrame,
    differing_range,
    disjoint_parts,
    unproven_ranges,
)

PROOF = Proof(
    (OwnPart(0, 10, "a"), OwnPart(30, 5, "b")),
    (CopiedPart(10, 20, "one.mp4", 500), CopiedPart(35, 5, "one.mp4", 900)),
    (FrameRun("one.mp4", ENCODED, 2, 1000, 1040), FrameRun("one.mp4", COPIED, 3, 2000, 2100)),
)


def test_a_proof_adds_up_what_its_parts_are() -> None:
    """Bytes, frames, and what is a recording's."""
    assert PROOF.size_bytes == 40
    assert PROOF.frame_count == 5
    assert PROOF.ranges_of("one.mp4") == (ByteRange(500, 20), ByteRange(900, 5))
    assert PROOF.ranges_of("other.mp4") == ()
    assert Proof().size_bytes == 0


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        pytest.param([(0, 10), (30, 5)], [], id="all of it, once"),
        pytest.param([(0, 9), (30, 5)], [(9, 1)], id="a byte is missing"),
        pytest.param([(0, 10), (31, 4)], [(30, 1)], id="a byte is missing between copies"),
        pytest.param([(2, 8), (30, 5)], [(0, 2)], id="the first two are missing"),
        pytest.param([(0, 12), (30, 5)], [(10, 2)], id="two are in two parts"),
        pytest.param([(0, 10), (30, 5), (12, 3)], [(12, 3)], id="a part is within another"),
        pytest.param([(0, 10), (30, 5), (30, 5)], [(30, 5)], id="a part is there twice"),
    ],
)
def test_every_byte_must_be_in_one_part(
    own: list[tuple[int, int]], expected: list[tuple[int, int]]
) -> None:
    """Not in none, nor in two: either could hide a change."""
    proof = evolve(PROOF, own=tuple(OwnPart(*part, "a") for part in own))
    assert unproven_ranges(proof) == [ByteRange(*each) for each in expected]


def test_parts_that_others_cover_are_left_out() -> None:
    """Whatever a hostile proof names, its parts are read once."""
    assert disjoint_parts(PROOF) == PROOF
    whole = OwnPart(0, 40, "a")
    assert disjoint_parts(Proof((whole,) * 9, PROOF.copied)) == Proof((whole,))
    odd = (OwnPart(-5, 50, "a"), OwnPart(3, -3, "a"), OwnPart(0, 0, "a"), OwnPart(0, 10, "a"))
    assert disjoint_parts(Proof(odd)) == Proof(odd[2:])


def test_a_proof_of_negative_offsets_is_of_no_bytes() -> None:
    """None of them is in a file."""
    assert Proof((OwnPart(-9, 3, "a"),)).size_bytes == 0


SHOWN = [
    ShownFrame(ByteRange(offset, 4), time)
    for offset, time in ((0, 0), (4, 40), (10, 80), (26, 130), (18, 180))
]
"""The fourth frame that is shown is decoded last, as B frames are."""


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        pytest.param((3, 1), [(1, 1000, 1000)], id="the last byte of a frame"),
        pytest.param((3, 2), [(2, 1000, 1040)], id="a byte of two"),
        pytest.param((8, 2), [], id="bytes of no frame"),
        pytest.param((0, 40), [(5, 1000, 2100)], id="all bytes"),
        pytest.param((28, 1), [(1, 2050, 2050)], id="a frame that is shown before another"),
        pytest.param((5, 9), [(2, 1040, 2000)], id="frames of two runs"),
        pytest.param((10, 9), [(1, 2000, 2000), (1, 2100, 2100)], id="frames with another between"),
    ],
)
def test_the_frames_of_bytes_are_named_by_when_they_were_seen(
    changed: tuple[int, int], expected: list[tuple[int, int, int]]
) -> None:
    """Those in sequence as one."""
    found = ProvenFrames.of(SHOWN, PROOF).within(ByteRange(*changed))
    assert found == tuple(SeenFrames(*each) for each in expected)


def test_no_frames_are_named_of_another_clip() -> None:
    """One that has more frames, or fewer, than the proof."""
    assert ProvenFrames.of(SHOWN[:4], PROOF).within(ByteRange(0, 40)) == ()
    odd = (FrameRun("one.mp4", COPIED, 9, 0, 0), FrameRun("one.mp4", COPIED, -4, 0, 0))
    assert ProvenFrames.of(SHOWN, evolve(PROOF, frames=odd)).within(ByteRange(0, 40)) == ()


def test_each_of_many_ranges_is_found_without_a_look_at_all_frames() -> None:
    """A hostile manifest may name a million parts of a long clip."""
    count = 50_000
    shown = [ShownFrame(ByteRange(n * 10, 10), n) for n in range(count)]
    proof = Proof(frames=(FrameRun("one.mp4", COPIED, count, 0, count - 1),))
    frames = ProvenFrames.of(shown, proof)
    began_s = time.process_time()
    for n in range(count):
        assert frames.within(ByteRange(n * 10 + 9, 1)) == (SeenFrames(1, n, n),)
    # A look at all frames for each range would take minutes.
    assert time.process_time() - began_s < 10


def test_a_run_of_one_frame_was_seen_at_once() -> None:
    """There is no time to divide."""
    proof = Proof(frames=(FrameRun("one.mp4", COPIED, 1, 7, 7),))
    assert ProvenFrames.of(SHOWN[:1], proof).within(ByteRange(0, 1)) == (SeenFrames(1, 7, 7),)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (b"abcdef", b"abcdef", None),
        (b"abcdef", b"abXdef", (2, 1)),
        (b"abcdef", b"XbcdeX", (0, 6)),
        (b"abcdef", b"abc", (3, 3)),
        (b"aXc", b"abcdef", (1, 5)),
        (b"", b"a", (0, 1)),
    ],
)
def test_the_differing_bytes_are_those_from_the_first_to_the_last(
    one: bytes, other: bytes, expected: tuple[int, int] | None
) -> None:
    """Whichever is shorter."""
    wanted = ByteRange(*expected) if expected else None
    assert differing_range(one, other) == differing_range(other, one) == wanted


def test_one_change_is_a_change() -> None:
    """What could not be checked is none."""
    intact, changed, unknown = (Finding(Subject.SIZE, each, "") for each in Judgement)
    assert judgement_of([]) is Judgement.INTACT
    assert judgement_of([intact, unknown]) is Judgement.INTACT
    assert judgement_of([intact, changed, unknown]) is Judgement.CHANGED


def test_filler_is_known_by_its_numbers() -> None:
    """In the order in which frames are shown."""
    runs = [
        FrameRun("a", origin, count, 0, 1)
        for origin, count in ((FILLER, 3), (COPIED, 10), (FILLER, 1), (ENCODED, 2))
    ]
    assert Proof(frames=tuple(runs)).filler == (range(3), range(13, 14))
    assert Proof().filler == ()
